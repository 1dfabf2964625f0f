"""Plain text: paragraphs, lines or transcripts as records. Decides which of them by the looks; cuts no text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TextIO

from datasets_app.curation.rows import Problem, Record
from datasets_app.curation.transcripts import day_of, is_transcript, speaks

LINE_CHARACTERS = 1 << 20
PARAGRAPH_CHARACTERS = 100 * 1024 * 1024


def text_kind(sample: str) -> str:
    """``transcript`` (a blank line between conversations), ``spaced_transcript`` (a blank line between turns, two or a
    rule between conversations), ``dated_transcript`` (as messengers export it, with no blank lines: a day is a conversation),
    ``paragraphs`` (blank lines between them) or ``lines``."""
    lines = sample.splitlines()
    if is_transcript(sample):
        turns = [place for place, line in enumerate(lines) if place and speaks(line)]
        spaced = sum(not lines[place - 1].strip() for place in turns)
        dated = sum(bool(day_of(lines[place])) for place in turns)
        if dated > 0.5 * len(turns) and spaced < 0.02 * len(turns):
            return "dated_transcript"
        return "spaced_transcript" if spaced > 0.5 * len(turns) else "transcript"
    blank = sum(not line.strip() for line in lines)
    return "paragraphs" if blank > 0.1 * len(lines) else "lines"


def read_text(stream: TextIO, kind: str) -> Iterator[Record | Problem]:
    """Yield a Record for each line, paragraph or conversation, under ``text`` or ``transcript``."""
    column = "transcript" if "transcript" in kind else "text"
    for row, (line, text) in enumerate(_pieces(stream, kind)):
        if len(text) > PARAGRAPH_CHARACTERS:
            detail = f"The text from line {line} on is longer than {PARAGRAPH_CHARACTERS:,} characters."
            yield Problem(row, line, "too_long", f"{detail} Put blank lines between its parts.", text[:2000])
        else:
            yield Record(row, line, {column: text})


def _pieces(stream: TextIO, kind: str) -> Iterator[tuple[int, str]]:
    """(line, text) of each piece."""
    piece: list[str] = []
    number, start, size, blanks, day = 0, 1, 0, 0, ""
    while line := stream.readline(LINE_CHARACTERS):
        number += 1
        text = line.rstrip("\r\n").replace("\0", "\ufffd")
        if not text.strip() or ("transcript" in kind and _is_rule(text)):
            blanks += 1 if not text.strip() else 2
            continue
        said_on = day_of(text) if kind == "dated_transcript" else ""
        if piece and (_begins(text, kind, blanks) or (day and said_on and said_on != day)):
            yield start, "\n".join(piece)
            piece, size = [], 0
        day = said_on or day
        if not piece:
            start = number
        if size <= PARAGRAPH_CHARACTERS:
            piece += ["", text] if blanks and piece else [text]
            size += len(text)
        blanks = 0
    if piece:
        yield start, "\n".join(piece)


def _begins(text: str, kind: str, blanks: int) -> bool:
    """Whether a line begins a new piece: the speaker of a transcript may go on below a blank line."""
    if kind == "lines":
        return True
    if kind == "dated_transcript":
        return False
    if kind == "paragraphs":
        return blanks > 0
    return blanks >= (2 if kind == "spaced_transcript" else 1) and speaks(text)


def _is_rule(text: str) -> bool:
    """A line of dashes, stars or the like, which people put between conversations."""
    signs = text.strip()
    return len(signs) >= 3 and not signs.strip("-=*_#~")
