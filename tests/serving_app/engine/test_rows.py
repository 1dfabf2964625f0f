"""The row table: who lies where, and that contents follow."""

from __future__ import annotations

import random

from serving_app.engine.rows import SHORTEST_PREFIX, Row, RowTable, shared_prefix


class PlainStore:
    """A cache of plain lists, to see where contents go."""

    def __init__(self, slots: int) -> None:
        self.contents: list[list[int]] = [[] for _ in range(slots)]

    def reserve(self, *, rows: int, length: int) -> None:
        assert rows <= len(self.contents)

    def swap(self, one: int, other: int, *, length: int) -> None:
        first, second = self.contents[one], self.contents[other]
        self.contents[one] = second[:length] + first[length:]
        self.contents[other] = first[:length] + second[length:]

    def copy(self, source: int, target: int, *, length: int) -> None:
        self.contents[target] = self.contents[source][:length] + self.contents[target][length:]


def compute(store: PlainStore, row: Row, tokens: list[int]) -> None:
    """What a forward pass does: contents appear after those that are there."""
    store.contents[row.at] = store.contents[row.at][: len(row.tokens)] + tokens
    row.tokens.extend(tokens)


def test_contents_always_match_tokens_whatever_joins_and_leaves() -> None:
    chance = random.Random(4)
    store = PlainStore(5)
    table = RowTable(store, slots=5)
    reading: list[tuple[Row, list[int]]] = []
    writing: list[Row] = []
    stems = [[chance.randrange(9) for _ in range(30)] for _ in range(3)]
    reused = 0
    for _ in range(600):
        action = chance.randrange(4)
        if action == 0 and not table.full:
            prompt = chance.choice(stems)[: chance.randrange(1, 30)] + [chance.randrange(9) for _ in range(5)]
            row, shared = table.take(prompt)
            reused += shared
            assert shared < len(prompt)
            reading.append((row, prompt))
        elif action == 1 and reading:
            row, prompt = reading.pop(chance.randrange(len(reading)))
            compute(store, row, prompt[len(row.tokens) :])
            table.start_decoding(row)
            writing.append(row)
        elif action == 2 and writing:
            compute(store, chance.choice(writing), [chance.randrange(9)])
        elif action == 3 and reading + writing:
            row = writing.pop() if writing else reading.pop()[0]
            table.give_back(row)
        assert sorted(row.at for row in writing) == list(range(table.decoding))
        assert sorted(row.at for row, _ in reading) == list(range(table.decoding, table.live))
        for row in [*writing, *(row for row, _ in reading)]:
            assert store.contents[row.at][: len(row.tokens)] == row.tokens
    assert reused > 0


def test_a_short_shared_beginning_is_computed_again() -> None:
    store = PlainStore(3)
    table = RowTable(store, slots=3)
    first, _ = table.take(list(range(40)))
    compute(store, first, list(range(40)))
    table.give_back(first)
    assert table.take(list(range(SHORTEST_PREFIX - 1)) + [99] * 9)[1] == 0
    assert table.take(list(range(SHORTEST_PREFIX)) + [99] * 9)[1] == SHORTEST_PREFIX


def test_the_row_left_longest_ago_is_given_up_first() -> None:
    store = PlainStore(2)
    table = RowTable(store, slots=2)
    old, _ = table.take([1] * 20)
    compute(store, old, [1] * 20)
    young, _ = table.take([2] * 20)
    compute(store, young, [2] * 20)
    table.give_back(old)
    table.give_back(young)
    assert table.take([3] * 20)[1] == 0
    assert table.take([2] * 25)[1] == 20


def test_a_prefix_is_shared_within_its_scope_alone() -> None:
    store = PlainStore(3)
    table = RowTable(store, slots=3)
    first, _ = table.take([1] * 20, scope="one")
    compute(store, first, [1] * 20)
    assert table.take([1] * 25, scope="other")[1] == 0, "while it runs"
    table.give_back(first)
    assert table.take([1] * 25, scope="other")[1] == 0, "and when it is kept"
    assert table.take([1] * 25, scope="one")[1] == 20


def test_the_shared_prefix_of_lists() -> None:
    assert shared_prefix([1, 2, 3], [1, 2, 4]) == 2
    assert shared_prefix([1, 2], [1, 2, 3]) == 2
    assert shared_prefix([], [1]) == 0
