"""Builds the rows of the data set with their defects, each defect marked on its row. Writes no file."""

from __future__ import annotations

import random
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field

from gptstudio.overview.demo_data import damage, personal, wording


@dataclass(slots=True)
class Row:
    """One record: a conversation id, a topic, its turns (customer, desk), and what was done to it."""

    conversation: str
    topic: str
    turns: list[tuple[str, str]]
    marks: set[str] = field(default_factory=set)
    planted: list[tuple[str, str]] = field(default_factory=list)

    def rewrite(self, change: Callable[[random.Random, str], str], rng: random.Random) -> None:
        """Changes the first thing the customer wrote."""
        customer, desk = self.turns[0]
        self.turns[0] = (change(rng, customer), desk)


@dataclass(frozen=True, slots=True)
class Shape:
    """How one file is made up: whole conversations a row or an exchange a row, and its defects by count."""

    prefix: str
    rows: int
    whole: bool
    defects: dict[str, int]


SHARE_WITH_TYPOS, SHARE_MIXED_CASE, SHARE_HTML, SHARE_PERSONAL = 0.22, 0.10, 0.09, 0.16
SHARE_WITH_FOLLOW_UP = 0.3
NEVER_COPIED = {"over_long", "empty_answer", "ragged", "truncated_json", "canary"}


def build(rng: random.Random, shape: Shape, canaries: list[tuple[str, str, str]]) -> list[Row]:
    """The file's rows in their final order; `canaries` are planted in rows of their own choosing."""
    rows: list[Row] = []
    copies = shape.defects["exact_duplicate"] + shape.defects["near_duplicate"]
    while len(rows) < shape.rows - copies:
        rows += _conversation(rng, shape, number=len(rows))
    rows = rows[: shape.rows - copies]
    _spoil(rng, rows, shape.defects)
    for row, (says, kind, value) in zip(rng.sample(_clean(rows), len(canaries)), canaries, strict=True):
        row.rewrite(lambda _, text, says=says: f"{text} {says}", rng)
        row.planted.append((kind, value))
        row.marks.add("canary")
    return _with_copies(rng, rows, shape)


def _conversation(rng: random.Random, shape: Shape, *, number: int) -> list[Row]:
    topic, product = wording.draw_topic(rng), wording.draw_product(rng)
    turns = [(wording.question(rng, topic, product), wording.answer(topic, product))]
    if rng.random() < SHARE_WITH_FOLLOW_UP:
        turns.append(wording.follow_up(rng, product))
    name = f"{shape.prefix}-{10_000 + number * 3 + rng.randrange(3)}"
    if shape.whole:
        return [_made_messy(rng, Row(name, topic, turns))]
    return [_made_messy(rng, Row(name, topic, [turn])) for turn in turns]


def _made_messy(rng: random.Random, row: Row) -> Row:
    """Slips first, personal data after them, markup last: a planted value is never itself damaged."""
    if rng.random() < SHARE_WITH_TYPOS:
        row.rewrite(damage.typo, rng)
        row.marks.add("typos")
    if rng.random() < SHARE_MIXED_CASE:
        row.rewrite(damage.mixed_case, rng)
        row.marks.add("mixed_case")
    if row.conversation.startswith("BR"):
        row.rewrite(damage.branch_flavour, rng)
    if rng.random() < SHARE_PERSONAL:
        text, kind, value = personal.plant(rng, row.turns[0][0])
        row.turns[0] = (text, row.turns[0][1])
        row.planted.append((kind, value))
    if rng.random() < SHARE_HTML:
        row.rewrite(damage.as_html, rng)
        row.marks.add("html")
    return row


def _clean(rows: list[Row]) -> list[Row]:
    return [row for row in rows if not row.marks and not row.planted]


def _spoil(rng: random.Random, rows: list[Row], defects: dict[str, int]) -> None:
    """The defects that make a row unfit, one to a row, on rows that are otherwise clean."""
    kinds = [kind for kind in ("over_long", "empty_answer", "ragged", "truncated_json") for _ in range(defects[kind])]
    for row, kind in zip(rng.sample(_clean(rows), len(kinds)), kinds, strict=True):
        row.marks.add(kind)
        if kind == "over_long":
            product = wording.draw_product(rng)
            row.turns = [(wording.long_question(rng, row.topic, product), wording.answer(row.topic, product))]
        elif kind == "empty_answer":
            row.turns = [(customer, "") for customer, _ in row.turns]


def _with_copies(rng: random.Random, rows: list[Row], shape: Shape) -> list[Row]:
    """Rows sent twice: some exactly, some under a new id with small changes, put back anywhere in the file."""
    sources = [row for row in rows if not row.marks & NEVER_COPIED]
    exact, near = shape.defects["exact_duplicate"], shape.defects["near_duplicate"]
    copies = [deepcopy(row) for row in rng.sample(sources, exact + near)]
    for at, copy in enumerate(copies):
        copy.marks = {"exact_duplicate"} if at < exact else {"near_duplicate"}
        if at >= exact:
            copy.conversation = f"{shape.prefix}-{90_000 + at}"
            _reword(rng, copy)
    result = list(rows)
    for copy in copies:
        result.insert(rng.randint(0, len(result)), copy)
    return result


def _reword(rng: random.Random, copy: Row) -> None:
    """Rewords the letter but keeps every planted value as it was."""
    before = copy.turns[0]
    copy.rewrite(damage.reworded, rng)
    if any(value not in copy.turns[0][0] for _, value in copy.planted):
        copy.turns[0] = (f"Resending this. {before[0]}", before[1])
