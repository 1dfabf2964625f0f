"""JSON Schema (2020-12) in few words. Knows no endpoint."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

Schema = dict[str, Any]
ID = {"type": "string", "minLength": 1}
SECONDS = {"type": "integer", "description": "Unix time in seconds."}
SLUG = "^[-a-zA-Z0-9_]+$"


def ref(name: str) -> Schema:
    """A schema of the document's components, by name."""
    return {"$ref": f"#/components/schemas/{name}"}


def text(*, least: int = 0, most: int | None = None, about: str = "") -> Schema:
    """A string of `least` to `most` characters."""
    found: Schema = {"type": "string"}
    found |= {"minLength": least} if least else {}
    found |= {"maxLength": most} if most is not None else {}
    return described(found, about)


def whole(low: int | None = None, high: int | None = None, *, about: str = "") -> Schema:
    """A whole number within bounds, both included."""
    return described({"type": "integer", **_bounds(low, high)}, about)


def number(low: float | None = None, high: float | None = None, *, about: str = "") -> Schema:
    """A number within bounds, both included."""
    return described({"type": "number", **_bounds(low, high)}, about)


def flag(about: str = "") -> Schema:
    """True or false."""
    return described({"type": "boolean"}, about)


def one_of(values: Iterable[Any], about: str = "") -> Schema:
    """One of these values."""
    return described({"enum": list(values)}, about)


def a_list(items: Schema, *, least: int = 0, most: int | None = None, about: str = "") -> Schema:
    """A list of `least` to `most` items."""
    found: Schema = {"type": "array", "items": items}
    found |= {"minItems": least} if least else {}
    found |= {"maxItems": most} if most is not None else {}
    return described(found, about)


def any_of(*kinds: Schema, about: str = "") -> Schema:
    """What fits one of these at least."""
    return described({"anyOf": list(kinds)}, about)


def or_null(kind: Schema) -> Schema:
    """The same, or null: in requests null means the same as absent."""
    if "enum" in kind:
        return {**kind, "enum": [*kind["enum"], *([] if None in kind["enum"] else [None])]}
    if isinstance(kind.get("type"), str):
        return {**kind, "type": [kind["type"], "null"]}
    kinds = kind.get("anyOf", [kind])
    rest = {name: value for name, value in kind.items() if name not in ("anyOf", "$ref")}
    return {"anyOf": [*kinds, {"type": "null"}], **rest}


def an_object(needed: dict[str, Schema], optional: dict[str, Schema] | None = None, *, closed: bool = True) -> Schema:
    """An object with its fields. Optional ones may be null too; a closed one has no others."""
    found: Schema = {"type": "object", "properties": {**needed, **{k: or_null(v) for k, v in (optional or {}).items()}}}
    found |= {"required": list(needed)} if needed else {}
    return {**found, "additionalProperties": False} if closed else found


def exact(fields: dict[str, Schema], *, closed: bool = True) -> Schema:
    """An object of an answer: every field is there, and where `closed` no other."""
    return an_object(fields, closed=closed)


def texts_by_name(*, most: int, longest: int, longest_name: int | None = None, about: str = "") -> Schema:
    """An object of texts."""
    names = {} if longest_name is None else {"propertyNames": {"maxLength": longest_name}}
    found: Schema = {"type": "object", "maxProperties": most, "additionalProperties": text(most=longest), **names}
    return described(found, about)


def described(schema: Schema, about: str) -> Schema:
    """A schema with its sentence, if there is one."""
    return {**schema, "description": about} if about else schema


def _bounds(low: float | None, high: float | None) -> Schema:
    return {**({} if low is None else {"minimum": low}), **({} if high is None else {"maximum": high})}
