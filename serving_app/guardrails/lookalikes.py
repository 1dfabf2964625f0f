"""Letters of other alphabets that look like Latin ones, and digits in their place, read as the Latin letters that they pass
for. Each stands for one letter, so every place stays where it was.

A word is read so where it mixes alphabets, or where nothing else in the text is written in the other one: in a Russian
text сор is a word of its own.
"""

from __future__ import annotations

import re

_LATIN = str.maketrans("ıɑɡƒᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢ", "iagfabcdefghijklmnoprstuvwyz")
_PAIRS = (
    ("аәсԁеһіјӏкмоорԛгѕтѵԝхуү", "aecdehijlkmoopqrstvwxyy"),  # Cyrillic
    ("АВСԀЕНІЈӀКМОРԚЅТѴԜХУҮ", "ABCDEHIJIKMOPQSTVWXYY"),
    ("αγηικνορτυχ", "aynikvoptux"),  # Greek
    ("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "ABEZHIKMNOPTYX"),
    ("հոսօ", "hnuo"),  # Armenian
)
_FOREIGN = str.maketrans("".join(pair[0] for pair in _PAIRS), "".join(pair[1] for pair in _PAIRS))
_OTHER = re.compile(f"[{''.join(c for c in map(chr, range(0x370, 0x590)) if c.isalpha() and ord(c) not in _FOREIGN)}]")
_ALIKE = re.compile(f"[{''.join(map(chr, _FOREIGN))}]")
_WORD = re.compile(r"\w+")
_ASCII_LETTER = re.compile(r"[A-Za-z]")

_LEET = str.maketrans({"@": "a", "4": "a", "3": "e", "1": "i", "!": "i", "0": "o", "$": "s", "5": "s", "7": "t"})
_LEET_WORD = re.compile(r"(?<![A-Za-z0-9])(?=[A-Za-z]*[0-9@!$])[A-Za-z0-9](?:[@!$]*[A-Za-z0-9])+")


def latin(text: str) -> str:
    """The text with letters that look Latin as Latin ones."""
    if text.isascii():
        return text
    text = text.translate(_LATIN)
    if not _ALIKE.search(text):
        return text
    is_only = not _OTHER.search(text)
    return _WORD.sub(lambda found: found[0].translate(_FOREIGN) if is_only or _mixes(found[0]) else found[0], text)


def _mixes(word: str) -> bool:
    return _ASCII_LETTER.search(word) is not None


def plain(text: str) -> str:
    """The text with digits and signs that stand for letters as these letters: `s3cr3t`, `p@ss`. Numbers stay numbers."""
    return _LEET_WORD.sub(lambda found: found[0].translate(_LEET) if _mixes(found[0]) else found[0], text)
