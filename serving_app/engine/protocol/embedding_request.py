"""A request for embeddings, read strictly. What cannot be honoured is refused with its field's name."""

from __future__ import annotations

from dataclasses import dataclass

from serving_app.engine.errors import invalid
from serving_app.engine.protocol.fields import Fields
from serving_app.engine.protocol.sampling_fields import MOST_TOKENS, read_labels

MOST_INPUTS = 2_048
MOST_TOGETHER = 300_000
FORMATS = ("float", "base64")
KINDS = "'input' must be a string, a list of token ids, or a list of either, none of them empty."

Input = str | list[int]


@dataclass(frozen=True, slots=True)
class EmbeddingRequest:
    """What was asked. `dimensions` None: as many as the model has."""

    model: str
    inputs: list[Input]
    base64: bool
    dimensions: int | None


def read_embedding_request(body: object) -> EmbeddingRequest:
    """Read the body of `POST /v1/embeddings`. Errors: 400 with `param`."""
    fields = Fields(body)
    form = fields.text("encoding_format")
    if form not in (None, *FORMATS):
        raise invalid(f"'encoding_format' must be one of {', '.join(FORMATS)}.", param="encoding_format")
    request = EmbeddingRequest(
        model=fields.need_text("model"),
        inputs=_read_inputs(fields.take("input")),
        base64=form == "base64",
        dimensions=fields.integer("dimensions", low=1, high=MOST_TOKENS),
    )
    read_labels(fields)
    fields.finish()
    return request


def _read_inputs(value: object) -> list[Input]:
    if isinstance(value, str) or _is_token_list(value):
        value = [value]
    if not isinstance(value, list) or not value:
        raise invalid(KINDS, param="input")
    if len(value) > MOST_INPUTS:
        raise invalid(f"'input' may hold at most {MOST_INPUTS:,} texts.", param="input")
    if not all((isinstance(each, str) and each) or _is_token_list(each) for each in value):
        raise invalid(KINDS, param="input")
    return list(value)


def _is_token_list(value: object) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(token, int) and not isinstance(token, bool) and token >= 0 for token in value)
    )
