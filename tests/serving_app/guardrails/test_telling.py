"""What a reviewer sees of a breach holds nobody's data."""

from __future__ import annotations

from serving_app.guardrails.guard import guard_of
from serving_app.guardrails.personal import Personal
from serving_app.guardrails.prompts import read_prompt
from serving_app.guardrails.rules import Patterns, Words
from serving_app.guardrails.telling import excerpt, for_caller
from serving_app.guardrails.watch import first_breach


def shown(text: str, rule) -> str:
    breach = first_breach(text, [rule])
    assert breach is not None
    return excerpt(breach, Personal())


def test_the_words_around_are_scrubbed_and_cut_between_words() -> None:
    text = "word " * 100 + "jane.doe@example.org sees the falcon and calls +44 20 7946 0958 now " + "word " * 100
    found = shown(text, Words(["falcon"]))
    assert "[EMAIL] sees the «falcon» and calls [PHONE] now" in found
    assert found.startswith("…word ") and found.endswith("word…") and len(found) < 320


def test_a_rule_that_hits_a_part_of_an_address_shows_none_of_it() -> None:
    found = shown("write to jane.doe@gmail.com today", Patterns(["@gmail"]))
    assert found == "write to «[EMAIL]» today"


def test_the_caller_is_not_told_the_words_that_are_forbidden() -> None:
    breach = first_breach("a falcon", [Words(["falcon"])])
    assert breach is not None and "falcon" not in for_caller(breach.hit)


def test_a_bare_number_that_an_earlier_turn_asked_for_is_shown_as_its_mask_and_so_are_those_beside_it() -> None:
    guard = guard_of({"personal_data": "refuse"}, {}, Personal())
    assert guard is not None
    asked = {"role": "assistant", "content": "What is your account number?"}
    for answer, seen in (("8472910", "«[ACCOUNT]»"), ("8472910, 8472911", "«[ACCOUNT]», [ACCOUNT]")):
        breach = read_prompt({"messages": [asked, {"role": "user", "content": answer}]}, guard).breach
        assert breach is not None and excerpt(breach, guard.personal) == seen
