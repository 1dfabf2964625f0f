"""POST /v1/moderations: texts judged by the word list that data is filtered and models are judged by.

The list knows insults, slurs and threats as English words. It understands nothing: what it does not flag is not thereby
harmless. Categories of OpenAI's that it has no words for are always false.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.http import JsonResponse
from rest_framework.request import Request

from datasets_app.curation.filters.lexicon import found_in
from gptstudio.core.errors import Invalid, NotFound
from gptstudio.core.ids import mint
from serving_app.openai.base import OpenAIView
from training_app.engine.lexicon import NAME

CATEGORIES = (
    "harassment",
    "harassment/threatening",
    "hate",
    "hate/threatening",
    "illicit",
    "illicit/violent",
    "self-harm",
    "self-harm/instructions",
    "self-harm/intent",
    "sexual",
    "sexual/minors",
    "violence",
    "violence/graphic",
)
# What a hit of ours means in OpenAI's words. Mere swearing means nothing there.
MEANINGS: dict[str, tuple[str, ...]] = {
    "insults": ("harassment",),
    "threats": ("harassment", "harassment/threatening"),
    "slurs": ("hate", "harassment"),
}
KNOWN = frozenset({"input", "model"})
MOST_TEXTS = 64
MOST_LETTERS = 200_000


def _refused(message: str, *, param: str, code: str = "invalid_value") -> Invalid:
    return Invalid(message, code=code, param=param)


def _check_model(name: object) -> None:
    if name is not None and not isinstance(name, str):
        raise _refused("'model' must be a string.", param="model")
    if name not in (None, NAME):
        raise NotFound(
            f"The model `{str(name)[:200]}` does not judge texts here.",
            fix=f"Use `{NAME}`, or leave the field out.",
            code="model_not_found",
            param="model",
        )


def _part(part: Any, at: str) -> str:
    """The text of one content part."""
    if not isinstance(part, dict) or part.get("type") != "text" or not isinstance(part.get("text"), str):
        raise _refused(f"'{at}' must be a text part: pictures are not judged here.", param=at)
    return part["text"]


def _texts(value: Any) -> list[str]:
    """What is judged: each text by itself, or the parts of one input together."""
    if isinstance(value, str):
        texts = [value]
    elif not isinstance(value, list) or not 1 <= len(value) <= MOST_TEXTS:
        raise _refused(f"'input' must be a string or a list of 1 to {MOST_TEXTS} texts.", param="input")
    elif isinstance(value[0], dict):
        texts = ["\n".join(_part(part, f"input[{at}]") for at, part in enumerate(value))]
    else:
        texts = value
    if not all(isinstance(text, str) for text in texts):
        raise _refused("Each 'input' must be a string.", param="input")
    if sum(map(len, texts)) > MOST_LETTERS:
        raise _refused(f"'input' may have at most {MOST_LETTERS:,} characters.", param="input")
    return texts


def result_body(text: str) -> dict[str, Any]:
    """OpenAI's verdict on one text; a list is sure or silent, so scores are 1 or 0."""
    hits = {meaning for _word, category in found_in(text) for meaning in MEANINGS.get(category, ())}
    return {
        "flagged": bool(hits),
        "categories": {name: name in hits for name in CATEGORIES},
        "category_scores": {name: float(name in hits) for name in CATEGORIES},
        "category_applied_input_types": {name: ["text"] for name in CATEGORIES},
    }


class Moderations(OpenAIView):
    """Judge texts. Nothing of them is kept, and nothing is charged."""

    actions: ClassVar[dict[str, str]] = {"POST": "models.use"}

    def post(self, request: Request) -> JsonResponse:
        body = self.object_body()
        for name in body:
            if name not in KNOWN:
                raise _refused(f"'{name[:60]}' is not taken here.", param=name[:60], code="unknown_parameter")
        _check_model(body.get("model"))
        texts = _texts(body.get("input"))
        return JsonResponse({"id": mint("modr-"), "model": NAME, "results": [result_body(text) for text in texts]})
