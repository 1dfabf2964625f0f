"""JSON's types taken at their word: a number is no text and a text no number, as the schema says. REST framework's fields
are kinder, since forms know texts alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rest_framework import serializers

Complaint = tuple[str, str]
KINDS: tuple[tuple[type[serializers.Field], str], ...] = (
    (serializers.BooleanField, "true or false"),
    (serializers.IntegerField, "a whole number"),
    (serializers.FloatField, "a number"),
    (serializers.CharField, "a text"),
)


def complaints(field: Any, value: Any, path: str = "") -> Iterator[Complaint]:
    """Where `value`, as JSON gave it, has another type than `field`: the way there, and what is wanted."""
    if value is None:
        return
    if isinstance(field, serializers.ListSerializer | serializers.ListField):
        for number, each in enumerate(value if isinstance(value, list) else ()):
            yield from complaints(field.child, each, f"{path}[{number}]")
    elif isinstance(field, serializers.Serializer):
        inner: dict[str, Any] = value if isinstance(value, dict) else {}
        for name, each in field.fields.items():
            if name in inner:
                yield from complaints(each, inner[name], f"{path}.{name}".strip("."))
    else:
        wanted = next((word for kind, word in KINDS if isinstance(field, kind)), None)
        if wanted is not None and not _fits(wanted, value):
            yield path, f"This must be {wanted}."


def _fits(wanted: str, value: Any) -> bool:
    if wanted == "true or false":
        return isinstance(value, bool)
    if wanted == "a text":
        return isinstance(value, str)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and (wanted == "a number" or isinstance(value, int) or float(value).is_integer())
