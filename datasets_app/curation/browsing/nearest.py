"""The training rows that a text is most like, by the words that both say. It tells likeness and claims no cause.

Likeness is the cosine between the words of both sides, each weighed by how few rows say it (Salton and Buckley 1988): 1
where the words are the same, 0 where none is. It needs no model, so that a web process can look while somebody waits;
for tracing facts to the rows that taught them, words do as well as gradients (Akyürek et al. 2022).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path

from datasets_app.curation.browsing.database import database
from datasets_app.curation.browsing.index import SEARCHED
from datasets_app.curation.browsing.words import ANSWERED, ASKED, WORD, words_of

ANSWER_COUNTS = 2 / 3  # of the likeness, where there is a question too: it is the answer that is asked about
MOST_WORDS = 2_000  # different words of a side that are looked for
TELLING = 0.2  # words that a larger share of the rows says tell nothing, and are not marked
COMPARED = 500  # words of either text that are searched for the longest run
Piece = tuple[str, bool]

_KNOWN = """
    SELECT side, word, rows, weight FROM read_parquet(?)
    WHERE (side = 0 AND word IN (SELECT unnest(?::VARCHAR[]))) OR (side = 1 AND word IN (SELECT unnest(?::VARCHAR[])))
"""
_NEAREST = """
    SELECT place, sum(CASE WHEN said.side = 0 THEN worth / norm ELSE 0 END) AS asked,
           sum(CASE WHEN said.side = 1 THEN worth / norm ELSE 0 END) AS answered,
           ? * answered + (1 - ?) * asked AS likeness
    FROM read_parquet(?) AS said
    JOIN (SELECT unnest(?::TINYINT[]) AS side, unnest(?::VARCHAR[]) AS word, unnest(?::DOUBLE[]) AS worth) AS wanted
      ON wanted.word = said.word AND wanted.side = said.side
    GROUP BY place ORDER BY round(likeness, 6) DESC, place LIMIT ?
"""


@dataclass(frozen=True, slots=True)
class Near:
    """A training row by its place, and how like the text it is, from 0 to 1: in all, its questions, its answers."""

    place: int
    likeness: float
    asked: float
    answered: float


@dataclass(frozen=True, slots=True)
class Nearest:
    """The nearest first. `telling`: the words of question and answer that at most a fifth of the rows say."""

    rows: list[Near]
    asked: frozenset[str]
    answered: frozenset[str]


def words_in(text: str) -> list[str]:
    """The words of a text in their order, in lower case."""
    return [word for word, _start, _end in _words(text)]


def _words(text: str) -> Iterator[tuple[str, int, int]]:
    import re2  # late: most requests never look into a version

    for found in re2.finditer(WORD, text[:SEARCHED]):
        yield found.group().lower(), found.start(), found.end()


def nearest(folder: Path, *, question: str, answer: str, limit: int) -> Nearest:
    """The `limit` training rows of the version in ``folder`` that are most like this answer to this question.

    An empty question counts nothing; rows that share no word are left out.
    """
    import pyarrow.parquet as pq

    words, saying = words_of(folder)
    asked = list(dict.fromkeys(words_in(question)))[:MOST_WORDS]
    answered = list(dict.fromkeys(words_in(answer)))[:MOST_WORDS]
    rows_in_all = pq.read_metadata(folder / "train.parquet").num_rows
    with database() as connection:
        known = connection.execute(_KNOWN, [str(words), asked, answered]).fetchall()
        strange = math.log(1 + rows_in_all / 0.5)  # the weight of a word that no row says
        lengths = {
            side: math.sqrt(
                sum(weight**2 for at, _, _, weight in known if at == side)
                + strange**2 * (len(wanted) - sum(at == side for at, *_ in known))
            )
            for side, wanted in ((ASKED, asked), (ANSWERED, answered))
        }
        counts = ANSWER_COUNTS if asked else 1.0
        worth = [weight**2 / lengths[side] for side, _, _, weight in known]
        given = [[side for side, *_ in known], [word for _, word, *_ in known], worth]
        found = connection.execute(_NEAREST, [counts, counts, str(saying), *given, limit]).fetchall()
    rows = [Near(place, min(1.0, likeness), min(1.0, one), min(1.0, other)) for place, one, other, likeness in found]
    most = max(1.0, TELLING * rows_in_all)
    telling = {(side, word) for side, word, rows, _ in known if rows <= most}
    return Nearest(
        rows,
        frozenset(word for side, word in telling if side == ASKED),
        frozenset(word for side, word in telling if side == ANSWERED),
    )


def marked(text: str, words: frozenset[str]) -> list[Piece]:
    """The text in pieces; those that are one of these words, or several in a row, are marked."""
    spans: list[tuple[int, int]] = []
    for word, start, end in _words(text):
        if word not in words:
            continue
        if spans and not text[spans[-1][1] : start].strip():
            spans[-1] = (spans[-1][0], end)
        else:
            spans.append((start, end))
    pieces, last = [], 0
    for start, end in spans:
        pieces += [(text[last:start], False), (text[start:end], True)]
        last = end
    return [piece for piece in [*pieces, (text[last:], False)] if piece[0]]


def same_run(one: Sequence[str], other: Sequence[str]) -> int:
    """How many words in a row both texts have, at most; of either the first COMPARED are looked at."""
    left, right = one[:COMPARED], other[:COMPARED]
    return SequenceMatcher(None, left, right, autojunk=False).find_longest_match().size
