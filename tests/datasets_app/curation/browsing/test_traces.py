"""Rows that were joined or divided are traced, shown as they came and erased by what they were made from, never by number.

Each file has Carla Jones in the records of one talk alone: in a later turn, as an author whose name curation takes away,
inside a nested post, in one paragraph of an article.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from datasets_app.curation.browsing.index import write_index
from datasets_app.curation.browsing.record import records_behind
from datasets_app.curation.browsing.traces import descent, records_saying, rows_from
from datasets_app.curation.erasure import Phrase
from datasets_app.curation.pii.keys import Keys
from datasets_app.curation.pipeline import Pipeline
from datasets_app.curation.recipe import parse_recipe
from tests.datasets_app.curation.conftest import Curated

SECRET = b"a secret of the workspace"
CARLA = Phrase.of("Carla Jones")
SPLIT = {"kind": "split", "options": {"train": 0.8, "validation": 0.1, "test": 0.1}}
TALKS = 6  # the third is Carla's, the rest are other people's


def turns() -> str:
    """Four turns a conversation, so that the third of Carla's has another number than her row."""
    lines = ["conversation_id,turn,speaker,message"]
    for talk in range(TALKS):
        who = " I am Carla Jones." if talk == 2 else ""
        lines += [
            f"c{talk},1,user,Where is parcel q{talk}?",
            f"c{talk},2,assistant,Which street is s{talk}?",
            f"c{talk},3,user,Near mill m{talk}.{who}",
            f"c{talk},4,assistant,It comes on day d{talk}.",
        ]
    return "\n".join(lines) + "\n"


def thread() -> str:
    lines = ["id,in_reply_to,author,text"]
    for talk in range(TALKS):
        customer = "Carla Jones" if talk == 2 else f"Person{talk} Smith"
        lines += [
            f"{talk}0,,{customer},Where is parcel q{talk}?",
            f"{talk}1,{talk}0,Bob Agent,It comes on day d{talk}.",
        ]
    return "\n".join(lines) + "\n"


def nested() -> str:
    """Carla's record is the third of the file; the first has two answers and so makes two rows."""
    talks = [
        {
            "id": f"t{talk}",
            "author": "Carla Jones" if talk == 2 else f"Person{talk} Smith",
            "text": f"Where is parcel q{talk}?",
            "replies": [
                {"author": f"Agent{talk}{reply} Miller", "text": f"It comes on day d{talk} of {reply}."}
                for reply in range(2 if talk == 0 else 1)
            ],
        }
        for talk in range(TALKS)
    ]
    return "\n".join(map(json.dumps, talks))


def squad() -> str:
    articles = [
        {
            "title": f"Town {number}",
            "paragraphs": [
                {
                    "context": f"Parcel q{talk} comes on day d{talk}." + (" Carla Jones sent it." if talk == 2 else ""),
                    "qas": [{"question": f"Where is parcel q{talk}?", "answers": [{"text": f"day d{talk}"}]}],
                }
                for talk in range(3 * number, 3 * number + 3)
            ],
        }
        for number in range(2)
    ]
    return json.dumps({"data": articles})


FILES = {
    "turns": ("talks.csv", turns),
    "thread": ("posts.csv", thread),
    "nested": ("talks.jsonl", nested),
    "squad": ("q.json", squad),
}


def curated(path: Path, out: Path, **edits: object) -> Curated:
    steps = [*([{"kind": "edits", "options": edits}] if edits else []), SPLIT]
    pipeline = Pipeline(
        parse_recipe({"version": 1, "steps": steps}), [path], tokenizer=None, progress=lambda *_: None, secret=SECRET
    )
    made = Curated(out, pipeline.run(out), [])
    write_index(out)
    return made


def talks_in(made: Curated) -> set[int]:
    """Which talks a version holds, by the numbers of their parcels."""
    said = json.dumps(made.rows())
    return {talk for talk in range(TALKS) if f"parcel q{talk}?" in said}


@pytest.fixture(params=FILES)
def file(request, write) -> Path:
    name, content = FILES[request.param]
    return write(name, content())


def test_the_rows_of_a_person_are_found_whatever_they_were_joined_from(file, tmp_path) -> None:
    made = curated(file, tmp_path / "out")
    assert talks_in(made) == set(range(TALKS))
    records: dict[str, list[int]] = {}
    for source, record in records_saying(file, CARLA, {}):
        records.setdefault(source, []).append(record)
    found = descent(file, parse_recipe({"version": 1, "steps": []}), records, CARLA)
    places = rows_from(made.out, {name: each.rows for name, each in found.items()})
    assert len(places) == 1
    ((split, place),) = places
    assert "parcel q2?" in json.dumps(made.rows(split)[place])


def test_what_was_erased_goes_with_its_rows_and_nobody_elses(file, tmp_path) -> None:
    records: dict[str, list[int]] = {}
    for source, record in records_saying(file, CARLA, {}):
        records.setdefault(source, []).append(record)
    found = descent(file, parse_recipe({"version": 1, "steps": []}), records, CARLA)
    entries = [{"file": name, "record": number} for name, each in found.items() for number in each.whole]
    made = curated(file, tmp_path / "out", erased=[CARLA.entry(Keys(SECRET)), *entries])
    assert talks_in(made) == set(range(TALKS)) - {2}
    assert made.report["rows"]["dropped"] == {"erased": 1} and made.ledger()[0]["text"] == ""


def test_a_row_shows_all_that_it_was_joined_from_as_it_came(file, tmp_path) -> None:
    made = curated(file, tmp_path / "out")
    (row,) = (row for row in made.rows() if "parcel q2?" in json.dumps(row))
    came = records_behind(file, name=row["file"], row=row["row"], recipe=parse_recipe({"version": 1, "steps": []}))
    said = json.dumps([each.cells for each in came])
    assert "Carla Jones" in said and "parcel q2?" in said and "day d2" in said
    assert not any(f"parcel q{talk}?" in said for talk in range(TALKS) if talk != 2)


def test_an_answer_goes_alone_where_the_other_answers_to_a_post_are_somebody_elses(write, tmp_path) -> None:
    lines = ["id,in_reply_to,author,text", "1,,Ann Lee,Where is parcel q0?"]
    lines += [
        f"{number},1,{who},Answer {number}." for number, who in ((2, "Carla Jones"), (3, "Bob Ray"), (4, "Eve Fox"))
    ]
    file = write("posts.csv", "\n".join(lines) + "\n")
    found = descent(file, parse_recipe({"version": 1, "steps": []}), {"posts.csv": [1]}, CARLA)["posts.csv"]
    made = curated(file, tmp_path / "out", erased=[{"file": "posts.csv", "record": number} for number in found.whole])
    said = json.dumps(made.rows())
    assert "Answer 2." not in said and "Answer 3." in said and "Answer 4." in said
