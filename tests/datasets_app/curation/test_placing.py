"""Edits and what was erased hold for the records they were made for, however the file is read afterwards."""

from __future__ import annotations

import pytest

from datasets_app.curation.errors import Refusal
from datasets_app.curation.pii.keys import Keys
from datasets_app.curation.pipeline import Pipeline
from datasets_app.curation.placing import mark_of
from datasets_app.curation.preview import Preview
from datasets_app.curation.recipe import parse_recipe
from datasets_app.curation.rows import Record
from tests.datasets_app.curation.conftest import Curated

SECRET = b"of the workspace"
LINES = ["how do I find the first thing", "how do I find what JANE has", "how do I find the third thing"]
TABLE = "q,a\n" + "".join(f"{line},under {place}\n" for place, line in enumerate(LINES))
BY_NAME = {"prompt": "q", "completion": "a"}
BY_PLACE = {"prompt": "column_1", "completion": "column_2"}


def mark(place: int) -> str:
    return mark_of(Record(0, None, {"any": LINES[place], "name": f"under {place}"}), Keys(SECRET))


def asked(edits: dict, *, headless: bool = False):
    steps = [
        {"kind": "edits", "options": edits},
        {"kind": "split", "options": {"train": 1.0, "validation": 0, "test": 0}},
    ]
    reading = {"a.csv": {"header": 0}} if headless else {}
    body = {"version": 1, "mapping": BY_PLACE if headless else BY_NAME, "reading": reading, "system_prompt": ""}
    return parse_recipe({**body, "steps": steps})


def said(write, tmp_path, recipe) -> list[str]:
    file, out = write("a.csv", TABLE), tmp_path / "out"
    Pipeline(recipe, [file], tokenizer=None, progress=lambda *_: None, secret=SECRET).run(out)
    return [row["messages"][0]["content"] for row in Curated(out, "", []).rows()]


@pytest.mark.parametrize("headless", [False, True])
def test_what_was_erased_stays_away_when_the_header_is_read_as_a_row(write, tmp_path, headless) -> None:
    entry = {"file": "a.csv", "record": 1, "mark": mark(1)}
    found = said(write, tmp_path, asked({"erased": [entry]}, headless=headless))
    assert LINES[1] not in found and {LINES[0], LINES[2]} <= set(found)


@pytest.mark.parametrize("headless", [False, True])
def test_a_correction_stays_with_its_row(write, tmp_path, headless) -> None:
    turns = [{"role": "user", "content": "corrected"}, {"role": "assistant", "content": "yes"}]
    edit = {"file": "a.csv", "row": 1, "mark": mark(1), "messages": turns}
    found = said(write, tmp_path, asked({"rows": [edit]}, headless=headless))
    assert "corrected" in found and LINES[1] not in found and {LINES[0], LINES[2]} <= set(found)


@pytest.mark.parametrize("kind", ["rows", "erased"])
def test_a_record_that_is_nowhere_is_refused_with_a_sentence(write, tmp_path, kind) -> None:
    number = "row" if kind == "rows" else "record"
    recipe = asked({kind: [{"file": "a.csv", number: 1, "mark": "0" * 16, "exclude": True}]})
    with pytest.raises(Refusal, match=r"Row 2 of a\.csv was") as refused:
        said(write, tmp_path, recipe)
    assert refused.value.code == "row_not_found" and refused.value.fix
    with pytest.raises(Refusal):
        Preview(recipe, [write("a.csv", TABLE)], secret=SECRET).report()


def test_rows_are_marked_so_that_they_are_known_again(write, tmp_path) -> None:
    file, out = write("a.csv", TABLE), tmp_path / "out"
    Pipeline(asked({}), [file], tokenizer=None, progress=lambda *_: None, secret=SECRET).run(out)
    assert {row["row"]: row["record"] for row in Curated(out, "", []).rows()} == {at: mark(at) for at in range(3)}


def test_entries_without_a_mark_hold_for_their_number(write, tmp_path) -> None:
    assert LINES[1] not in said(write, tmp_path, asked({"rows": [{"file": "a.csv", "row": 1, "exclude": True}]}))


@pytest.mark.parametrize("entry", [{"row": 1, "exclude": True}, {"record": 1}])
def test_entries_without_a_mark_are_refused_where_the_header_was_guessed_otherwise(write, tmp_path, entry) -> None:
    table = "lost it,lost\nmy money,refund\ngone again,lost\nnot here,lost\npay back,refund\nnowhere,lost\n"
    edits = {"rows" if "row" in entry else "erased": [{"file": "a.csv", **entry}]}
    as_then = "ham,see you\nspam,win now\nham,ok then\nham,good\n"
    for text, reading, is_refused in (
        (table, {}, True),
        (table, {"a.csv": {"header": 0}}, False),
        (table, {"a.csv": {"header": 1}}, False),
        (as_then, {}, False),
    ):
        body = asked(edits).as_json() | {"mapping": None, "reading": reading}
        preview = Preview(parse_recipe(body), [write("a.csv", text)], secret=SECRET)
        if is_refused:
            with pytest.raises(Refusal, match=r"Row 2 of a\.csv was changed, left out or erased"):
                preview.report()
        else:
            assert preview.report()
