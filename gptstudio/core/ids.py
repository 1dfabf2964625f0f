"""Public ids: a noun's prefix and 26 characters that sort by time of birth (48 bits of time, 80 random)."""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING, Any

from django.db import models

if TYPE_CHECKING:
    Characters = models.CharField[str, str]
else:
    Characters = models.CharField  # generic for the type checker alone

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
LENGTH = 26


def mint(prefix: str) -> str:
    """A new id such as `ds_01k…`: unique, and later ones sort after earlier ones (to the millisecond)."""
    number = (int(time.time() * 1000) << 80) | secrets.randbits(80)
    digits = []
    for _ in range(LENGTH):
        number, digit = divmod(number, 32)
        digits.append(ALPHABET[digit])
    return prefix + "".join(reversed(digits))


class PublicIdField(Characters):
    """A primary key that is minted with its noun's prefix when the row is made."""

    def __init__(self, prefix: str = "", **options: Any) -> None:
        self.prefix = prefix
        options.setdefault("max_length", 48)
        options.setdefault("primary_key", True)
        options.setdefault("editable", False)
        super().__init__(**options)

    def deconstruct(self) -> Any:
        name, path, args, options = super().deconstruct()
        return name, path, args, {**options, "prefix": self.prefix}

    def get_default(self) -> str:
        return mint(self.prefix)
