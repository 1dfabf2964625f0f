"""Names for values that give nothing away: keyed digests under a secret that stays in the studio. No randomness."""

from __future__ import annotations

import hashlib
import hmac
import random
from collections.abc import Iterable
from pathlib import Path

KEY_CHARACTERS = 16


def secret_of(files: Iterable[Path]) -> bytes:
    """A secret drawn from what the files hold: who has them not can turn no digest back. Missing files count nothing."""
    digests = []
    for path in files:
        if path.is_file():
            with path.open("rb") as stream:
                digests.append(hashlib.file_digest(stream, "sha256").digest())
    return hashlib.sha256(b"".join(sorted(digests))).digest()


def plain(value: str) -> str:
    """A value as it is compared: case and spaces do not count."""
    return " ".join(value.split()).casefold()


class Keys:
    """Digests under one secret. Equal secrets give equal digests, in every process and run."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def of_value(self, entity_type: str, value: str) -> str:
        """Equal for equal values of a type, whatever their case and spaces; 64 bits in hexadecimal."""
        return self._digest("value", entity_type, plain(value)).hex()[:KEY_CHARACTERS]

    def of_place(self, file: str, row: int, turn: int, start: int, end: int, value: str) -> str:
        """Equal for one finding of one text; a text that changed has other keys. 64 bits in hexadecimal."""
        return self._digest("place", file, row, turn, start, end, value).hex()[:KEY_CHARACTERS]

    def number(self, entity_type: str, value: str, digits: int) -> str:
        """Decimal digits for a value."""
        return str(int.from_bytes(self._digest("number", entity_type, plain(value))[:8]) % 10**digits).zfill(digits)

    def dice(self, *of: str) -> random.Random:
        """A generator that always gives the same for the same words."""
        return random.Random(self._digest("dice", *of))

    def _digest(self, *parts: object) -> bytes:
        return hmac.new(
            self._secret, "\x1f".join(map(str, parts)).encode("utf-8", "surrogatepass"), hashlib.sha256
        ).digest()
