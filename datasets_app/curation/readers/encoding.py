"""Which encoding a file is in, decided from all of its bytes. Drops no byte silently; knows no formats."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from charset_normalizer import from_bytes

from datasets_app.curation.errors import Refusal
from datasets_app.curation.rows import Finding

CHUNK_BYTES = 1 << 20
SAMPLE_BYTES = 1 << 16
MIXED = "studio_mixed"
BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
ALPHABETS = (("αοιετσνρυκλςίάέόήύώ", "\u0370", "\u03ff"), ("оеаинтсрвлкмдпу", "\u0400", "\u04ff"))
GREEK = ("iso8859_7", "cp1253")
SIGNATURES = (
    (b"PK\x03\x04", "a zip archive or an Excel workbook"),
    (b"\xd0\xcf\x11\xe0", "an old Excel or Word document"),
    (b"%PDF", "a PDF"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"SQLite format 3", "an SQLite database"),
    (b"\x7fELF", "a program"),
)


@dataclass(frozen=True, slots=True)
class Encoding:
    """How to open a file as text: a codec name, the codec's error mode, and what to tell people about it."""

    name: str
    errors: str = "strict"
    findings: tuple[Finding, ...] = ()


def _decode_stray_bytes(error: UnicodeError) -> tuple[str, int]:
    """Codec error mode: a byte that is no UTF-8 is read as Windows-1252; where that has none, it stays visible."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    stray = error.object[error.start : error.end]
    return stray.decode("cp1252", errors="backslashreplace"), error.end


codecs.register_error(MIXED, _decode_stray_bytes)


def find_encoding(path: Path) -> Encoding:
    """Return how to open ``path``. Raises Refusal for an empty file and for one that is not text."""
    with path.open("rb") as stream:
        head = stream.read(SAMPLE_BYTES)
    _refuse_what_is_not_text(path.name, head)
    for bom, name in BOMS:
        if head.startswith(bom):
            return _strict_or_visible(path, name)
    if b"\x00" in head:
        return _utf16_without_mark(path, head)
    return _without_mark(path, head)


def _refuse_what_is_not_text(name: str, head: bytes) -> None:
    if not head.strip():
        raise Refusal(
            code="empty_file",
            message=f"{name} is empty.",
            fix="Export it again and check that it holds at least a header and one row.",
        )
    for signature, kind in SIGNATURES:
        if head.startswith(signature):
            raise _binary(name, f"{name} is {kind}, whatever its name says.")


def _binary(name: str, message: str) -> Refusal:
    return Refusal(
        code="binary_file",
        message=message,
        fix="Export the data as CSV, JSON Lines or Parquet and upload that.",
    )


def _utf16_without_mark(path: Path, head: bytes) -> Encoding:
    even, odd = head[0::2].count(0), head[1::2].count(0)
    for name, many, few in (("utf-16-le", odd, even), ("utf-16-be", even, odd)):
        if many > len(head) // 5 and few < many // 10 and _decodes(path, name):
            note = "The file has no byte order mark; it was read as UTF-16. Check the preview."
            return Encoding(name, findings=(Finding("warning", note),))
    raise _binary(path.name, f"{path.name} holds zero bytes, so it is not a text file.")


def _without_mark(path: Path, head: bytes) -> Encoding:
    good, bad = _count_utf8(path)
    if not bad:
        return Encoding("utf-8")
    if good >= bad:
        note = f"{bad} bytes are not UTF-8; they were read as Windows-1252. Check the rows with accents."
        return Encoding("utf-8", MIXED, (Finding("warning", note, count=bad),))
    return _guess(path, head)


def _guess(path: Path, head: bytes) -> Encoding:
    """Windows-1252 where its letters make sense, else the best guess that reads the file, else visible escapes."""
    guesses = ["cp1252"] if _reads_as_western(head) else []
    guesses += _likeliest_alphabet(head, [match.encoding for match in from_bytes(head)])
    for name in guesses:
        if _decodes(path, name):
            note = f"The file is not UTF-8; it was read as {name}, which is a guess. Check the preview."
            return Encoding(name, findings=(Finding("warning", note),))
    return _strict_or_visible(path, "cp1252")


def _reads_as_western(head: bytes) -> bool:
    """Western European text has few bytes above 127, nearly all of them letters, signs or typographic quotes."""
    high = [byte for byte in head if byte > 127]
    letters = sum(byte >= 0xA0 or byte in (0x91, 0x92, 0x93, 0x94, 0x96, 0x97) for byte in high)
    return len(high) < len(head) * 0.12 and letters > 0.8 * len(high)


def _likeliest_alphabet(head: bytes, names: list[str]) -> list[str]:
    """Greek and Cyrillic use the same bytes: where one of them is meant, the reading with the most frequent letters."""
    if not names or _fit(head, names[0]) == 0:
        return names
    fits = {name: _fit(head, name) for name in (*names, *GREEK)}
    return sorted(fits, key=lambda name: -fits[name])


def _fit(head: bytes, name: str) -> float:
    """Share of the alphabet's frequent letters among its letters; 0 for text that is neither Greek nor Cyrillic."""
    text = head.decode(name, errors="ignore").lower()
    foreign = [letter for letter in text if letter.isalpha() and letter > "\x7f"]
    for frequent, first, last in ALPHABETS:
        letters = [letter for letter in foreign if first <= letter <= last]
        if letters and len(letters) > 0.8 * len(foreign):
            return sum(letter in frequent for letter in letters) / len(letters)
    return 0.0


def _strict_or_visible(path: Path, name: str) -> Encoding:
    if _decodes(path, name):
        return Encoding(name)
    note = f"Some bytes are not {name}; they are shown as \\xNN so that nothing is lost. Save the file as UTF-8."
    return Encoding(name, "backslashreplace", (Finding("warning", note),))


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK_BYTES):
            yield chunk


def _decodes(path: Path, name: str) -> bool:
    decoder = codecs.getincrementaldecoder(name)()
    try:
        for chunk in _chunks(path):
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeError:
        return False
    return True


def _count_utf8(path: Path) -> tuple[int, int]:
    """Count (letters beyond ASCII that are good UTF-8, bytes that are no UTF-8). Raises Refusal for zero bytes."""
    good = bad = 0
    decoder = codecs.getincrementaldecoder("utf-8")(errors="surrogateescape")
    for chunk in chain(_chunks_checked(path), (b"",)):
        text = decoder.decode(chunk, final=not chunk)
        if not text.isascii():
            strays = sum("\udc80" <= letter <= "\udcff" for letter in text)
            bad += strays
            good += sum(letter > "\x7f" for letter in text) - strays
    return good, bad


def _chunks_checked(path: Path) -> Iterator[bytes]:
    for chunk in _chunks(path):
        if b"\x00" in chunk:
            raise _binary(path.name, f"{path.name} holds zero bytes, so it is not a text file.")
        yield chunk
