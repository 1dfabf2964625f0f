"""Which encoding a file is in, decided from all of its bytes. Drops no byte silently; knows no formats."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from datasets_app.curation.readers.charsets import guesses, likeness
from datasets_app.curation.readers.signatures import refuse_control_characters, refuse_what_is_not_text, zero_bytes
from datasets_app.curation.rows import Finding

CHUNK_BYTES = 1 << 20
HEAD_BYTES = 1 << 16
SAMPLE_BYTES = 1 << 13
LINE_BYTES = 1 << 12
SEEN_CHARACTERS = 80
MOST_ALTERNATIVES = 5
MIXED = "studio_mixed"
WIDE = ("utf-16-le", "utf-16-be")
WRITTEN = 0.2  # how much like a language UTF-16 looks; bytes that are none stay below 0
JAPANESE_MAIL = (b"\x1b$B", b"\x1b$@", b"\x1b(J")
BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass(frozen=True, slots=True)
class Encoding:
    """How to open a file as text: a codec name, the codec's error mode, and what to tell people about it.

    ``alternatives``: the encodings that were considered, the chosen one first, each with the same line as it reads it.
    """

    name: str
    errors: str = "strict"
    findings: tuple[Finding, ...] = ()
    alternatives: tuple[tuple[str, str], ...] = ()


def _decode_stray_bytes(error: UnicodeError) -> tuple[str, int]:
    """Codec error mode: a byte that is no UTF-8 is read as Windows-1252; where that has none, it stays visible."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    stray = error.object[error.start : error.end]
    return stray.decode("cp1252", errors="backslashreplace"), error.end


codecs.register_error(MIXED, _decode_stray_bytes)


@dataclass(slots=True)
class _Bytes:
    """What one pass over a file counted, and lines that hold bytes beyond ASCII."""

    size: int = 0
    good: int = 0
    bad: int = 0
    zeros: int = 0
    escapes: bool = False
    sample: bytearray = field(default_factory=bytearray)


def find_encoding(path: Path, *, name: str | None = None, given: str | None = None) -> Encoding:
    """How to open ``path``; ``given`` is the encoding a person named. Raises Refusal for what is empty or no text."""
    with path.open("rb") as stream:
        head = stream.read(HEAD_BYTES)
    refuse_what_is_not_text(name or path.name, head)
    marked = next((codec for bom, codec in BOMS if head.startswith(bom)), None)
    if given:
        # The mark is no part of the first column's name, whoever names the encoding.
        return _strict_or_visible(path, marked if marked and _family(marked) == _family(given) else given)
    if marked:
        return _strict_or_visible(path, marked)
    if b"\x00" in head and (wide := _utf16_without_mark(path, head)):
        return wide
    refuse_control_characters(name or path.name, head)
    return _without_mark(path, name or path.name)


def _family(codec: str) -> str:
    """utf-8 for utf-8-sig, utf-16 for utf-16-le."""
    name = codecs.lookup(codec).name
    return "-".join(name.split("-")[:2]) if name.startswith("utf-") else name


def _utf16_without_mark(path: Path, head: bytes) -> Encoding | None:
    """Told by zero bytes in every second place, as Latin letters have them, else by a text that looks written."""
    even, odd = head[0::2].count(0), head[1::2].count(0)
    likely = [
        name
        for name, many, few in ((WIDE[0], odd, even), (WIDE[1], even, odd))
        if many > len(head) // 5 and few <= many // 10
    ]
    for name in likely or _written(head):
        if _decodes(path, name):
            note = f"The file has no byte order mark; it was read as {name}, which is a guess. Check the preview."
            lines = tuple((each, _first_line(head, each)) for each in (name, *(each for each in WIDE if each != name)))
            return Encoding(name, findings=(Finding("warning", note),), alternatives=lines)
    return None


def _written(head: bytes) -> list[str]:
    """The kinds of UTF-16 that make lines of written language of the bytes, the likelier first."""
    found = {}
    for name in WIDE:
        text = codecs.getincrementaldecoder(name)("replace").decode(head)
        # By chance few bytes make an end of a line, and texts with stray zeros make no frequent letters.
        if "\n" in text or "\r" in text:
            found[name] = likeness(text.replace("\0", "\ufffd"))
    return sorted((name for name in found if found[name] >= WRITTEN), key=lambda name: -found[name])


def _first_line(head: bytes, name: str) -> str:
    text = codecs.getincrementaldecoder(name)("replace").decode(head)
    return next((line.strip()[:SEEN_CHARACTERS] for line in text.splitlines() if line.strip()), "")


def _without_mark(path: Path, shown: str) -> Encoding:
    found = _counted(path)
    findings = zero_bytes(shown, found.zeros, found.size)
    if not found.bad:
        if found.escapes and _decodes(path, "iso2022_jp"):
            return _guessed("iso2022_jp", ("utf-8",), bytes(found.sample), findings)
        return Encoding("utf-8", findings=findings)
    if found.good >= found.bad:
        note = f"{found.bad} bytes are not UTF-8; they were read as Windows-1252. Check the rows with accents."
        return Encoding("utf-8", MIXED, (*findings, Finding("warning", note, count=found.bad)))
    return _guess(path, bytes(found.sample), findings)


def _guess(path: Path, sample: bytes, findings: tuple[Finding, ...]) -> Encoding:
    """The likeliest encoding that reads the whole file, else Windows-1252 with visible escapes."""
    names = [guess.name for guess in guesses(sample)]
    for name in names:
        if _decodes(path, name):
            return _guessed(name, names, sample, findings)
    fallback = _strict_or_visible(path, "cp1252")
    note = (
        "The encoding of the file was not recognised; it was read as cp1252. Name the right one if the preview is odd."
    )
    told = (*findings, Finding("warning", note), *fallback.findings)
    return Encoding("cp1252", fallback.errors, told, _alternatives("cp1252", ["cp1252", *names], sample))


def _guessed(name: str, names: list[str] | tuple[str, ...], sample: bytes, findings: tuple[Finding, ...]) -> Encoding:
    note = f"The file is not UTF-8; it was read as {name}, which is a guess. Check the preview."
    return Encoding(name, "strict", (*findings, Finding("warning", note)), _alternatives(name, [*names], sample))


def _alternatives(name: str, names: list[str], sample: bytes) -> tuple[tuple[str, str], ...]:
    """Encodings that read the sample differently, the chosen one first, each with the first line that shows it."""
    line = next((line for line in sample.splitlines() if line.strip()), b"")
    first = next((place for place, byte in enumerate(line) if byte > 127), 0)
    seen: dict[str, str] = {}
    for each in (name, *names, "cp1252"):
        text = line.decode(each, errors="replace")
        start = max(0, len(line[:first].decode(each, errors="replace")) - SEEN_CHARACTERS // 2)
        shown = text[start : start + SEEN_CHARACTERS].strip()
        if shown not in seen.values() and each not in seen:
            seen[each] = shown
    return tuple(seen.items())[:MOST_ALTERNATIVES]


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


def _counted(path: Path) -> _Bytes:
    """Letters beyond ASCII that are good UTF-8, bytes that are no UTF-8, zero bytes; one pass, bounded memory."""
    found = _Bytes()
    decoder = codecs.getincrementaldecoder("utf-8")(errors="surrogateescape")
    for chunk in chain(_chunks(path), (b"",)):
        found.size += len(chunk)
        found.zeros += chunk.count(0)
        found.escapes = found.escapes or any(mark in chunk for mark in JAPANESE_MAIL)
        text = decoder.decode(chunk, final=not chunk)
        if not text.isascii():
            beyond = len(text) - len(text.encode("ascii", "ignore"))
            strays = len(text) - len(text.encode("utf-8", "ignore").decode())
            found.bad += strays
            found.good += beyond - strays
        _sample(chunk, found.sample, is_first=found.size == len(chunk))
    return found


def _sample(chunk: bytes, sample: bytearray, *, is_first: bool) -> None:
    """Keep whole lines with bytes beyond ASCII (or escapes) until the sample is full; others say nothing."""
    if len(sample) >= SAMPLE_BYTES or (chunk.isascii() and b"\x1b" not in chunk):
        return
    lines = chunk.splitlines(keepends=True)
    if not is_first:
        lines = lines[1:]  # the end of a line that began in the chunk before
    if len(chunk) == CHUNK_BYTES:
        lines = lines[:-1]
    for line in lines or [chunk]:
        if (not line.isascii() or b"\x1b" in line) and len(line) <= LINE_BYTES:
            sample += line
        elif not line.isascii() and not sample:
            sample += line[:LINE_BYTES].rsplit(b" ", 1)[0]
        if len(sample) >= SAMPLE_BYTES:
            return
