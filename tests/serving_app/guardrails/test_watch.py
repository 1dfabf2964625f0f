"""A growing text goes out as far as no rule can still be broken, however it is cut into pieces."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets_app.curation.filters.lexicon import CATEGORIES
from serving_app.guardrails.personal import Personal
from serving_app.guardrails.rules import Lexicon, Patterns, PersonalData, Words
from serving_app.guardrails.watch import Watch, first_breach

RULES = [
    Words(["falcon", "code red"]),
    Patterns([r"\d{3}-\d{4}", "^Hello"]),
    Lexicon(CATEGORIES),
    PersonalData(Personal()),
]
FILLER = st.text(alphabet="abcdefg .,\n äß", max_size=300)
BROKEN = st.sampled_from(
    ["", " falcon ", " Code  red.", " call 555-1234 ", " you idiot ", " i d i o t ", " jane.doe@example.org ", "Hello"]
)
CUTS = st.lists(st.integers(1, 40), min_size=1, max_size=20)


def pieces(text: str, cuts: list[int]) -> list[str]:
    found, at, turn = [], 0, 0
    while at < len(text):
        found.append(text[at : at + cuts[turn % len(cuts)]])
        at, turn = at + cuts[turn % len(cuts)], turn + 1
    return found


@given(FILLER, BROKEN, FILLER, CUTS)
def test_what_goes_out_is_the_text_up_to_the_first_breach(before, broken, after, cuts) -> None:
    text = before + broken + after
    watch = Watch(RULES)
    out = "".join(map(watch.feed, pieces(text, cuts))) + watch.finish()
    breach = first_breach(text, RULES)
    if breach is None:
        assert (out, watch.breach) == (text, None)
    else:
        assert watch.breach is not None and out == text[: breach.hit.start]


@given(FILLER, CUTS)
def test_no_more_is_held_back_than_the_longest_rule_needs(text, cuts) -> None:
    watch, rule = Watch([Words(["falcon"])]), Words(["falcon"])
    given_in = out = 0
    for piece in pieces(text, cuts):
        given_in += len(piece)
        out += len(watch.feed(piece))
        assert out >= given_in - rule.hold
    assert rule.hold == len("falcon") + 2


def test_after_a_breach_nothing_more_goes_out() -> None:
    watch = Watch([Words(["falcon"])])
    assert watch.feed("a falcon flies") == "a " and watch.feed(" on and on") == "" == watch.finish()


def test_a_pattern_without_an_end_is_looked_for_in_what_is_held_back() -> None:
    def out(between: int) -> str:
        watch = Watch([Patterns(["start.*end"])])
        pieces = ["so: start", *["x" * 10] * (between // 10), " end. And more"]
        return "".join(map(watch.feed, pieces)) + watch.finish()

    assert out(200) == "so: " and out(2000).endswith("end. And more")


@pytest.mark.parametrize(
    ("pattern", "pieces"), [(r"\bcat\b", ["cat", "egory"]), ("done$", ["It is done", " and more"])]
)
def test_a_match_at_the_end_of_what_has_come_waits_for_what_comes_next(pattern, pieces) -> None:
    watch = Watch([Patterns([pattern])])
    assert "".join(map(watch.feed, pieces)) + watch.finish() == "".join(pieces) and watch.breach is None
    watch = Watch([Patterns([pattern])])
    watch.feed(pieces[0])
    watch.finish()
    assert watch.breach is not None


@pytest.mark.parametrize(("spaces", "is_broken"), [(8, True), (180, False)])
def test_a_phrase_is_the_same_in_pieces_as_in_one_however_many_spaces_it_has(spaces, is_broken) -> None:
    rules = [Words(["foo bar"])]
    text = f"say foo{' ' * spaces}bar now"
    watch = Watch(rules)
    out = "".join(map(watch.feed, text)) + watch.finish()
    assert (watch.breach is not None) == (first_breach(text, rules) is not None) == is_broken
    assert out == ("say " if is_broken else text)


def test_small_pieces_are_looked_at_together_where_much_is_held_back() -> None:
    looks = 0

    class Counted(PersonalData):
        def first(self, window):
            nonlocal looks
            looks += 1
            return super().first(window)

    watch = Watch([Counted(Personal())])
    text = "All is well, 12 of us. " * 20 + "Write to jane@x.org now."
    out = "".join(map(watch.feed, pieces(text, [4]))) + watch.finish()
    assert out == text[: text.index("jane")] and looks < len(text) / 4 / 4
