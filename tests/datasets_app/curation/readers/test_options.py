"""How a person wants a file read."""

from __future__ import annotations

import pytest

from datasets_app.curation.errors import Refusal
from datasets_app.curation.readers.options import Reading, reading_from_json, readings_from_json


def test_the_parts_are_read_and_written_back():
    given = {"encoding": "Big5", "delimiter": "tab", "header": 2, "sheet": "Tickets"}
    found = reading_from_json(given)
    assert found == Reading("big5", "\t", 2, "Tickets")
    assert reading_from_json(found.as_json()) == found


def test_what_is_not_said_is_left_to_the_guess():
    assert reading_from_json({"encoding": "", "header": None}) == Reading()
    assert Reading(header=0).as_json() == {"header": 0}


@pytest.mark.parametrize(
    "given",
    [
        {"encoding": "klingon"},
        {"encoding": "rot13"},
        {"delimiter": "::"},
        {"delimiter": '"'},
        {"header": -1},
        {"header": "one"},
        {"header": True},
        {"colour": "red"},
        "utf-8",
    ],
)
def test_what_makes_no_sense_is_refused_with_a_sentence(given):
    with pytest.raises(Refusal) as refused:
        readings_from_json({"a.csv": given})
    assert (refused.value.code, refused.value.message[-1], refused.value.fix[-1]) == ("bad_reading", ".", ".")
