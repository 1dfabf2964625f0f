from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from datasets_app.curation.pii.tagger.tokens import TURN, tokenize
from datasets_app.curation.pii.tagger.windows import BEFORE, WINDOW, rows_of


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 3 * WINDOW), st.lists(st.text(max_size=20), max_size=4))
def test_every_token_is_judged_once_and_in_order(count: int, turns: list[str]) -> None:
    text = " ".join(f"w{number}x" for number in range(count))
    tokens = tokenize(text)
    rows = list(rows_of(3, tokens, turns))
    judged = [kind for row in rows for kind in row.kinds[row.first : row.last]]
    assert judged == [(token.text, token.glued) for token in tokens]
    assert all(len(row.kinds) <= WINDOW + BEFORE + 1 for row in rows)


def test_the_end_of_the_turns_before_stands_in_front_closed_by_a_mark() -> None:
    (row,) = rows_of(0, tokenize("4711"), ["hello there", "your number?"])
    assert [text for text, _ in row.kinds] == ["hello", "there", "\n", "your", "number", "?", TURN, "4711"]
    assert (row.first, row.last) == (7, 8)
