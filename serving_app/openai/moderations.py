"""POST /v1/moderations: texts judged by the word list that data is filtered and models are judged by, or by a moderation
server that whoever runs the studio named (MODERATION_URL).

The list knows insults, slurs and threats as English words. It understands nothing: what it does not flag is not thereby
harmless. Categories of OpenAI's that it has no words for are always false.
"""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar, cast

from django.conf import settings
from django.http import HttpRequest, JsonResponse

from datasets_app.curation.filters.lexicon import found_in
from gptstudio.accounts.models import ApiKey
from gptstudio.core.errors import Invalid, NotFound, Unavailable
from gptstudio.core.ids import mint
from serving_app import services
from serving_app.guardrails.folding import fold
from serving_app.guardrails.lookalikes import latin
from serving_app.openai.base import read_body
from serving_app.openai.errors import tell_rate
from serving_app.openai.inference import AsyncView
from serving_app.services.moderation import AWAY
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


def _model(name: object) -> str:
    """The model that judges. Raises Invalid, NotFound."""
    if name is not None and not isinstance(name, str):
        raise _refused("'model' must be a string.", param="model")
    known = models()
    if name is None:
        return known[0]
    if name not in known:
        raise NotFound(
            f"The model `{name[:200]}` does not judge texts here.",
            fix=f"Use {' or '.join(f'`{each}`' for each in known)}, or leave the field out.",
            code="model_not_found",
            param="model",
        )
    return name


def _part(part: Any, at: str) -> str:
    """The text of one content part."""
    if not isinstance(part, dict) or part.get("type") != "text" or not isinstance(part.get("text"), str):
        raise _refused(f"'{at}' must be a text part: pictures are not judged here.", param=at)
    unknown = next((str(name)[:60] for name in part if name not in ("type", "text")), None)
    if unknown is not None:
        raise _refused(f"'{unknown}' is not taken in a text part.", param=f"{at}.{unknown}", code="unknown_parameter")
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
    read = latin(fold(text).text)
    hits = {meaning for _word, category in found_in(read) for meaning in MEANINGS.get(category, ())}
    return {
        "flagged": bool(hits),
        "categories": {name: name in hits for name in CATEGORIES},
        "category_scores": {name: float(name in hits) for name in CATEGORIES},
        "category_applied_input_types": {name: ["text"] for name in CATEGORIES},
    }


def told_body(told: Any) -> dict[str, Any]:
    """A moderation server's verdict in OpenAI's shape, with OpenAI's categories alone. Raises Unavailable."""
    if not isinstance(told, dict) or not isinstance(told.get("flagged"), bool):
        raise Unavailable("The moderation server's answer cannot be read.", code=AWAY)
    categories, scores = told.get("categories"), told.get("category_scores")
    hits = categories if isinstance(categories, dict) else {}
    numbers = scores if isinstance(scores, dict) else {}
    return {
        "flagged": told["flagged"],
        "categories": {name: hits.get(name) is True for name in CATEGORIES},
        "category_scores": {name: _score(numbers.get(name)) for name in CATEGORIES},
        "category_applied_input_types": {name: ["text"] for name in CATEGORIES},
    }


def _score(value: Any) -> float:
    return min(1.0, max(0.0, float(value))) if isinstance(value, int | float) and value == value else 0.0


def models() -> list[str]:
    """Names that judge here; the first is the usual one."""
    return [*(settings.MODERATION_MODELS if settings.MODERATION_URL else ()), NAME]


class Moderations(AsyncView):
    """Judge texts. Nothing of them is kept, and nothing is charged. What a moderation server is asked counts in the key's
    limits and stands in the request log.
    """

    actions: ClassVar[dict[str, str]] = {"POST": "models.use"}

    async def post(self, request: HttpRequest) -> JsonResponse:
        await services.in_ledger_thread(self.let_in, request)
        body = read_body(request)
        for name in body:
            if name not in KNOWN:
                raise _refused(f"'{name[:60]}' is not taken here.", param=name[:60], code="unknown_parameter")
        model, texts = _model(body.get("model")), _texts(body.get("input"))
        if model == NAME:
            results = await asyncio.to_thread(lambda: [result_body(text) for text in texts])
            return _answer(model, results)
        key = cast(ApiKey, self.request.auth)
        async with services.judged(key, request.request_id, judge=model, texts=texts) as standing:  # type: ignore[attr-defined]
            told = await services.moderate(texts, model=settings.MODERATION_MODELS[model])
            results = [told_body(each) for each in told]
        response = _answer(model, results)
        tell_rate(response, standing)
        return response


def _answer(model: str, results: list[dict[str, Any]]) -> JsonResponse:
    return JsonResponse({"id": mint("modr-"), "model": model, "results": results})
