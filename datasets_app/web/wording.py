"""How detections, reports and rows are said and drawn. Pure; it reads nothing."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gptstudio.web.charts import BarChart, bar_chart, columns
from gptstudio.web.wording import personal_name

WORD = re.compile(r"\s+|[^\s]+")
LIKE = 0.5
MASK = re.compile(r"\[[A-Z_]{2,}\]|<[A-Z_]{3,}>")
FORMATS = {
    "csv": "CSV",
    "tsv": "TSV",
    "json": "JSON",
    "json_object": "JSON",
    "jsonl": "JSON lines",
    "parquet": "Parquet",
    "xlsx": "Excel",
    "text": "plain text",
    "mbox": "mail folder",
}
LAYOUTS = {
    "messages": "conversations",
    "sharegpt": "conversations",
    "turns": "turns of conversations",
    "transcript": "transcripts",
    "thread": "threads of posts",
    "nested": "posts with their answers",
    "squad": "reading questions",
    "prompt_completion": "questions with answers",
    "question_answer": "questions with answers",
    "alpaca": "instructions with answers",
    "text_label": "texts with labels",
    "text": "texts without answers",
    "unknown": "not recognised",
}
MARKS = {
    "EMAIL": "EMAIL_ADDRESS",
    "PHONE": "PHONE_NUMBER",
    "CARD": "CREDIT_CARD",
    "ACCOUNT": "ACCOUNT_NUMBER",
    "IBAN": "IBAN_CODE",
    "SSN": "US_SSN",
    "IP": "IP_ADDRESS",
}


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text and how it is drawn: plain, del, ins or mark."""

    text: str
    kind: str = "plain"


def mark_name(mark: str) -> str:
    """What a mask such as `[EMAIL]` hides, in words."""
    return personal_name(MARKS.get(mark, mark))


def changed(before: str, after: str) -> list[Piece]:
    """What became of a text: the later text, with what is new marked and hidden personal data shown as such."""
    old, new = WORD.findall(before), WORD.findall(after)
    matcher = difflib.SequenceMatcher(
        a=[word.strip() for word in old], b=[word.strip() for word in new], autojunk=False
    )
    pieces: list[Piece] = []
    for tag, _, _, start, end in matcher.get_opcodes():
        text = "".join(new[start:end])
        if text:
            pieces.extend(_marked(text, "plain" if tag == "equal" or not text.strip() else "ins"))
    return pieces


def became(cell: str, messages: Sequence[dict[str, str]]) -> list[Piece] | None:
    """What the steps made of a cell: the turn most like it with what is new marked; None where no turn is like it,
    or one says the same."""
    texts = [str(each["content"]) for each in messages]
    best = max(texts, key=lambda text: _likeness(cell, text), default="")
    return changed(cell, best) if cell.strip() != best and _likeness(cell, best) > LIKE else None


def _likeness(one: str, other: str) -> float:
    """Share of the words of the shorter text that the other has too, 0 to 1."""
    words, others = set(one.lower().split()), set(other.lower().split())
    return len(words & others) / max(1, min(len(words), len(others)))


def _marked(text: str, kind: str) -> list[Piece]:
    pieces, place = [], 0
    for found in MASK.finditer(text):
        if found.start() > place:
            pieces.append(Piece(text[place : found.start()], kind))
        pieces.append(Piece(found.group(), "mark"))
        place = found.end()
    if place < len(text):
        pieces.append(Piece(text[place:], kind))
    return pieces


DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}


def reading_lines(detection: dict[str, Any]) -> list[tuple[str, str]]:
    """How a file was read, in words: format, encoding, what stands between cells."""
    if not detection:
        return []
    found = [("Format", FORMATS.get(str(detection.get("format")), str(detection.get("format", ""))))]
    if detection.get("encoding"):
        found.append(("Letters are written in", str(detection["encoding"])))
    delimiter = detection.get("delimiter")
    if delimiter:
        found.append(("Between two cells", DELIMITERS.get(delimiter, repr(delimiter))))
    if detection.get("sheet"):
        found.append(("Sheet", str(detection["sheet"])))
    if detection.get("header") is not None:
        found.append(("Column names", f"in line {detection['header']}" if detection["header"] else "in no line"))
    found.append(("Rows", f"{detection.get('rows', 0):,}"))
    layout = LAYOUTS.get(str(detection.get("layout")))
    if layout:
        found.append(("Looks like", layout))
    return found


def file_line(detection: dict[str, Any]) -> str:
    """One line about a file that was read: `2,988 rows, CSV, utf-8, questions with answers`."""
    if not detection:
        return ""
    kind = FORMATS.get(str(detection.get("format")), str(detection.get("format", "")))
    layout = LAYOUTS.get(str(detection.get("layout")), "")
    parts = [
        f"{detection.get('rows', 0):,} rows",
        kind,
        str(detection.get("encoding") or "").replace("binary", ""),
        layout,
    ]
    return ", ".join(part for part in parts if part)


def length_chart(tokens: dict[str, Any]) -> BarChart | None:
    """Rows by length in tokens, with the limit."""
    histogram = [(float(edge), float(count)) for edge, count in tokens.get("histogram", [])]
    limit = tokens.get("limit")
    pairs = [(f"{edge:,.0f}", count) for edge, count in histogram]
    text = f"limit {limit:,} tokens" if limit else ""
    edges = [edge for edge, _ in histogram]
    return columns(pairs, noun="rows", limit=limit, edges=edges, limit_text=text)


def class_chart(classes: dict[str, Any]) -> BarChart | None:
    """Share of each label among the training rows, the twelve most frequent."""
    counts = classes.get("train") or {}
    total = sum(counts.values())
    if not total:
        return None
    first = sorted(counts.items(), key=lambda pair: -pair[1])[:12]
    return bar_chart([(str(label), 100 * count / total) for label, count in first], unit=" %")


def version_sentence(report: dict[str, Any]) -> str:
    """The top of a version's page: so what?"""
    rows, splits = report.get("rows", {}), report.get("splits", {})
    kept, taken = rows.get("kept", 0), rows.get("in", 0)
    left = taken - kept
    files = len(report.get("files", []))
    sentence = f"{kept:,} of {taken:,} rows from {files} file{'' if files == 1 else 's'}"
    if left:
        sentence += f"; {left:,} left out, each with its reason"
    train, validation, test = (splits.get(name, 0) for name in ("train", "validation", "test"))
    return f"{sentence}. {train:,} to learn from, {validation:,} to steer by, {test:,} for the exam."
