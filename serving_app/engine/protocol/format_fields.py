"""`response_format` of a chat request: plain text, any JSON object, or JSON that fits a schema. Knows no grammar."""

from __future__ import annotations

import re
from typing import Any

from serving_app.engine.errors import invalid
from serving_app.engine.protocol.fields import Fields

ANY_OBJECT: dict[str, Any] = {"type": "object"}
KINDS = ("text", "json_object", "json_schema")
NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
SCHEMA_AT = "response_format.json_schema.schema"


def read_format(fields: Fields) -> dict[str, Any] | None:
    """The schema that the answer must fit, or None for plain text. Errors: 400 with `param`.

    With and without `strict`, an answer that is not cut off fits the schema.
    """
    wanted = fields.inner("response_format")
    if wanted is None:
        return None
    kind = wanted.need_text("type")
    if kind not in KINDS:
        raise invalid(f"'{wanted.at('type')}' must be one of {', '.join(KINDS)}.", param=wanted.at("type"))
    schema = _read_schema(wanted.inner("json_schema")) if kind == "json_schema" else None
    wanted.finish()
    return ANY_OBJECT if kind == "json_object" else schema


def _read_schema(inner: Fields | None) -> dict[str, Any]:
    if inner is None:
        at = "response_format.json_schema"
        raise invalid(f"'{at}' is required.", param=at, code="missing_required_parameter")
    if not NAME.fullmatch(inner.need_text("name")):
        raise invalid(
            f"'{inner.at('name')}' must be 1 to 64 letters, digits, dashes or underscores.", param=inner.at("name")
        )
    inner.text("description")
    inner.flag("strict")
    schema = inner.take("schema")
    inner.finish()
    if not isinstance(schema, dict):
        raise invalid(f"'{SCHEMA_AT}' must be a JSON schema.", param=SCHEMA_AT, code="missing_required_parameter")
    return schema
