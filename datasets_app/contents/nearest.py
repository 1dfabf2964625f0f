"""The training rows of a version that an answer is most like, for people: each once, with the words that both say marked.

Test and validation rows are not looked at: they taught nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from datasets_app.contents.refusals import sentences
from datasets_app.contents.rows import check_ready
from datasets_app.curation.browsing.index import TRAIN
from datasets_app.curation.browsing.nearest import Near, Nearest, Piece, marked, nearest, same_run, words_in
from datasets_app.curation.browsing.query import Wanted, page
from datasets_app.curation.browsing.rows import rows_at
from datasets_app.models import DatasetVersion

LOOKED_AT = 4  # times as many as are wanted: near-copies of one another are shown as one
SHOWN = 1_500  # characters of a turn


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn in pieces; `is_cut` where more follows."""

    role: str
    pieces: list[Piece]
    is_cut: bool


@dataclass(frozen=True, slots=True)
class LikeRow:
    """A training row that an answer is like. `run`: the longest run of words that both answers have; `copies`: how many
    near-copies of it there are, itself included."""

    near: Near
    row: dict[str, Any]
    messages: list[dict[str, Any]]
    turns: list[Turn]
    run: int
    copies: int

    @property
    def answer_percent(self) -> int:
        return _percent(self.near.answered)

    @property
    def question_percent(self) -> int:
        return _percent(self.near.asked)


def like_rows(version: DatasetVersion, *, question: str, answer: str, limit: int) -> list[LikeRow]:
    """At most `limit` rows, the nearest first. NotFound where the version's rows were erased."""
    check_ready(version)
    with sentences():
        found = nearest(version.folder, question=question, answer=answer, limit=limit * LOOKED_AT)
        places = [(TRAIN, each.place) for each in found.rows]
        hits = page(version.folder, Wanted(splits=[TRAIN], places=places), limit=max(1, len(places)))
        known = {row["place"]: row for row in hits.rows}
        chosen = _once(found.rows, known)[:limit]
        said = rows_at(version.folder, [(TRAIN, each.place) for each in chosen], columns=("messages", "part"))
    said_words = words_in(answer)
    rows = []
    for each in chosen:
        messages = said[TRAIN, each.place]["messages"]
        row = {**known[each.place], "part": said[TRAIN, each.place].get("part") or 0}
        run = same_run(said_words, words_in(_spoken(messages, "assistant")))
        rows.append(LikeRow(each, row, messages, _turns(messages, found), run, row["cluster_size"]))
    return rows


def _percent(share: float) -> int:
    """Whole percent; 100 where the words are the same, and only there."""
    return int(100 * round(share, 4))


def _once(rows: Sequence[Near], known: dict[int, dict[str, Any]]) -> list[Near]:
    """Of rows that are near-copies of one another, and of the parts of one row, the nearest."""
    found: dict[object, Near] = {}
    for each in rows:
        row = known[each.place]
        found.setdefault(("cluster", row["cluster"]) if row["cluster_size"] > 1 else ("row", row["row_id"]), each)
    return list(found.values())


def _spoken(messages: Sequence[dict[str, Any]], role: str) -> str:
    return "\n".join(each["content"] or "" for each in messages if each["role"] == role)


def _turns(messages: Sequence[dict[str, Any]], found: Nearest) -> list[Turn]:
    words = {"user": found.asked, "assistant": found.answered}
    turns = []
    for each in messages:
        text = each["content"] or ""
        pieces = marked(text[:SHOWN], words.get(each["role"], frozenset()))
        turns.append(Turn(each["role"], pieces, len(text) > SHOWN))
    return turns
