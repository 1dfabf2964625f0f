"""What copies are recognised by: the hash of tidied text for exact ones, a MinHash sketch of words for near ones.

A sketch holds the words of a row as numbers, the question's first, and BANDS × ROWS_A_BAND MinHashes over single words
and neighbouring pairs, one byte each. Two rows that share a band are worth comparing: texts in which every fifth word
was exchanged have a similarity of about 0.55 there, and are missed with probability (1 - 0.55^4)^40 = 0.02. Compares
nothing and knows no files; `near.py` does.
"""

from __future__ import annotations

import hashlib
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from datasets_app.curation.rows import Conversation

BANDS, ROWS_A_BAND = 40, 4
PERMUTATIONS = BANDS * ROWS_A_BAND
QUESTION_WORDS = 15
OPENING_WORDS = 3
Words = NDArray[np.uint32]
_WORDS = re.compile(r"\w+", re.UNICODE)
# Words and signs that say something; sentences are the same with and without the others.
_TOLD = re.compile(
    r"\w+|(?<![\w-])-(?=\d)|[^\w\s.,;:!?'\"()\[\]{}\u00ab\u00bb\u2018-\u201f\u2026\u2013\u2014`\u00b4*_~-]+", re.UNICODE
)
_PIECES = re.compile(  # scripts that put no space between words: a character is a word there
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
    "|[^\\W\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+"
)
_MIX = np.uint64(0x9E3779B97F4A7C15)
_generator = np.random.default_rng(20261)
_FACTORS = _generator.integers(1, 2**63, size=PERMUTATIONS, dtype=np.uint64) | np.uint64(1)
_SHIFTS = _generator.integers(0, 2**63, size=PERMUTATIONS, dtype=np.uint64)


def plain(text: str) -> str:
    """What two copies share: lower-case words, one space between."""
    return " ".join(_WORDS.findall(text.lower()))


def exact_key(text: str) -> bytes:
    """16 bytes that texts share which are equal but for case, spaces and punctuation: `C++` is not `C#`."""
    told = " ".join(_TOLD.findall(text.lower()))
    return hashlib.blake2b(told.encode("utf-8", "backslashreplace"), digest_size=16).digest()


def split_words(text: str) -> list[str]:
    """The words of a text in order, lower case; where a script puts no space between words, its characters."""
    return (_WORDS if text.isascii() else _PIECES).findall(text.lower())


def words(text: str) -> Words:
    """The words of a text in order, as the CRC-32 of each; a text without words is one word itself."""
    return numbers(split_words(text) or [text.strip()])


def numbers(found: Sequence[str]) -> Words:
    """Words as the CRC-32 of each."""
    return np.array([zlib.crc32(word.encode("utf-8", "backslashreplace")) for word in found], dtype=np.uint32)


def features(sequence: Words) -> NDArray[np.uint64]:
    """The distinct words and neighbouring pairs of a sequence as well mixed numbers, sorted."""
    single = sequence.astype(np.uint64) * _MIX
    single ^= single >> np.uint64(29)
    pairs = (single[:-1] * np.uint64(31) + single[1:]) * _MIX
    every = np.concatenate([single, pairs ^ (pairs >> np.uint64(31))])
    return np.unique(every)


def signature(values: NDArray[np.uint64]) -> NDArray[np.uint8]:
    """MinHash signature, (PERMUTATIONS,) uint8: bits 32 to 39 of the least `factor × value + shift` modulo 2^64."""
    best = np.full(PERMUTATIONS, np.iinfo(np.uint64).max, dtype=np.uint64)
    for start in range(0, len(values), 256):
        part = values[start : start + 256, None] * _FACTORS + _SHIFTS
        np.minimum(best, part.min(axis=0), out=best)
    return (best >> np.uint64(32)).astype(np.uint8)


@dataclass(frozen=True, slots=True)
class Sketch:
    """words: what the user says, then what is answered; the first `asked` are the user's. answered: characters of the
    answers."""

    words: Words
    asked: int
    signature: NDArray[np.uint8]
    answered: int


def sketch(found: Conversation) -> Sketch:
    """The sketch of a row. The signature is of the question where that is long enough to say something by itself."""
    asked = [message["content"] for message in found.messages if message["role"] == "user"]
    answered = [message["content"] for message in found.messages if message["role"] not in ("user", "system")]
    question, answer = words("\n".join(asked)), words("\n".join(answered))
    both = np.concatenate([question, answer])
    signed = question if len(question) >= QUESTION_WORDS else both
    return Sketch(both, len(question), signature(features(signed)), sum(map(len, answered)))


def opening(found: Conversation) -> str:
    """How the user begins: the first turns, until OPENING_WORDS are said. A greeting alone says nothing."""
    said: list[str] = []
    asked = [message["content"] for message in found.messages if message["role"] == "user"]
    for turn in asked:
        said += split_words(turn)
        if len(said) >= OPENING_WORDS:
            break
    return " ".join(said) or " ".join(asked).strip()


def greeting(found: Conversation) -> str | None:
    """The first turn of a user who says fewer than OPENING_WORDS in it; None of anybody else."""
    asked = next((message["content"] for message in found.messages if message["role"] == "user"), "")
    said = split_words(asked)
    return (" ".join(said) or asked.strip()) if len(said) < OPENING_WORDS else None
