"""What was erased stays out of every later version, however it is asked for; what was edited, of those made from it."""

from __future__ import annotations

import json

import pyarrow.parquet as pq
import pytest

from datasets_app import recipes, services, tasks
from datasets_app.contents.tracing import phrase_of, trace_phrase
from datasets_app.models import DatasetVersion, Erasure

CARLA = "Carla Jones"
TALKS = 12


def posts() -> str:
    """Carla wrote the question of the fourth talk; curation takes her name out of what it makes of it."""
    lines = ["id,in_reply_to,author,text"]
    for talk in range(TALKS):
        words = " ".join(f"{letter}{talk * factor % 97}" for letter, factor in zip("abcd", (3, 5, 7, 11), strict=True))
        customer = CARLA if talk == 3 else f"Customer {talk}"
        lines += [
            f"{talk}0,,{customer},Where is parcel q{talk} {words}?",
            f"{talk}1,{talk}0,Bob Agent,On day d{talk} {words}.",
        ]
    return "\n".join(lines) + "\n"


def plain(**more: bool) -> recipes.Recipe:
    body = recipes.default_recipe()
    for kind in ("tokens", "near_duplicates", "personal_data"):
        recipes.step(body, kind)["enabled"] = False
    return body


def built(version: DatasetVersion) -> DatasetVersion:
    tasks.build_version(version.id)
    made = DatasetVersion.objects.select_related("dataset").get(id=version.id)
    assert made.state == "ready", made.error
    return made


def talks_in(version: DatasetVersion) -> set[int]:
    splits = [version.split_path(name) for name in ("train", "validation", "test")]
    said = json.dumps([pq.read_table(path).column("messages").to_pylist() for path in splits])
    return {talk for talk in range(TALKS) if f"parcel q{talk} " in said}


@pytest.fixture
def version(upload, as_bob, dataset) -> DatasetVersion:
    upload(posts(), name="posts.csv")
    return built(services.create_version(as_bob, dataset=dataset, recipe=plain()))


def erase(actor, workspace) -> DatasetVersion:
    phrase = phrase_of(CARLA)
    found = trace_phrase(workspace.id, phrase)
    (made,) = services.create_erased_versions(actor, workspace_id=workspace.id, trace=found, phrase=phrase)
    return made


def erased_in(version: DatasetVersion) -> list[dict]:
    return recipes.step(version.recipe, "edits")["options"]["erased"]


@pytest.mark.once
def test_nobody_else_goes_and_versions_made_anew_stay_without_her(version, as_alice, as_bob, workspace) -> None:
    assert talks_in(version) == set(range(TALKS))
    (held,) = trace_phrase(workspace.id, phrase_of(CARLA)).versions
    assert len(held.places) == 1 and held.saying == 0
    others = set(range(TALKS)) - {3}
    assert talks_in(built(erase(as_alice, workspace))) == others
    assert talks_in(built(services.create_version(as_bob, dataset=version.dataset, recipe=plain()))) == others
    restored = built(services.restore_version(as_bob, version=version))
    assert talks_in(restored) == others and restored.origin == "restored"


def test_every_way_to_ask_for_a_version_leaves_out_what_was_erased(
    version, as_alice, as_bob, workspace, client
) -> None:
    file = version.files.get()
    entries = erased_in(erase(as_alice, workspace))
    assert [sorted(each) for each in entries] == [["digest", "words"], ["file", "mark", "record"]]
    assert {**entries[1], "mark": ""} == {
        "file": file.id,
        "record": 6,
        "mark": "",
    } and Erasure.objects.get().entries == entries
    anew = [
        services.create_version(as_bob, dataset=version.dataset, recipe=recipes.PRESETS[0]["recipe"]),
        services.create_version(as_bob, dataset=version.dataset),
        services.restore_version(as_bob, version=version),
    ]
    switched_off = recipes.with_edits(plain(), [{"file": file.id, "row": 0, "exclude": True}])
    recipes.step(switched_off, "edits")["enabled"] = False
    anew.append(services.create_version(as_bob, dataset=version.dataset, recipe=switched_off))
    for each in anew:
        assert erased_in(each) == entries and recipes.step(each.recipe, "edits")["enabled"]
    assert recipes.step(anew[-1].recipe, "edits")["options"]["rows"] == []
    preview = services.create_preview(as_bob, dataset=version.dataset, recipe=recipes.default_recipe())
    assert recipes.step(preview.recipe, "edits")["options"]["erased"] == entries


def test_a_version_that_starts_from_another_keeps_its_edits_and_one_from_a_preset_does_not(version, as_bob) -> None:
    services.exclude_rows(as_bob, version=version, places=[("train", 0)])
    edited = services.create_edited_version(as_bob, version=version)
    (row,) = recipes.edited_rows(edited.recipe)
    begun = services.create_version(as_bob, dataset=version.dataset, recipe=plain(), parent=edited)
    assert recipes.edited_rows(begun.recipe) == [row] and begun.parent == edited
    assert recipes.edited_rows(services.create_version(as_bob, dataset=version.dataset).recipe) == []


@pytest.mark.once
def test_what_was_erased_and_edited_follows_its_record_into_another_reading(upload, as_alice, as_bob, dataset) -> None:
    """The header is read as a row: every number is one more than it was."""
    from datasets_app.contents.tracing import trace_record

    lines = [
        f"Where is parcel q{number} of route {number * 7}?,On day d{number} of week {number * 3}."
        for number in range(9)
    ]
    file = upload("question,answer\n" + "\n".join(lines) + "\n")
    mapping = {"layout": "question_answer", "prompt": "question", "completion": "answer"}
    first = built(services.create_version(as_bob, dataset=dataset, recipe=plain() | {"mapping": mapping}))
    row = next(row for row in pq.read_table(first.split_path("train")).to_pylist() if row["row"] not in (0, 5))
    place = pq.read_table(first.split_path("train")).to_pylist().index(row)
    services.exclude_rows(as_bob, version=first, places=[("train", place)])
    edited = built(services.create_edited_version(as_bob, version=first))
    services.create_erased_versions(
        as_alice, workspace_id=dataset.workspace_id, trace=trace_record(file, 5), phrase=None
    )
    body = recipes.with_edits(plain(), recipes.edited_rows(edited.recipe)) | {
        "mapping": {"layout": "question_answer", "prompt": "column_1", "completion": "column_2"},
        "reading": {file.id: {"header": 0}},
    }
    again = built(services.create_version(as_bob, dataset=dataset, recipe=body, parent=edited))
    splits = [again.split_path(name) for name in ("train", "validation", "test")]
    said = json.dumps([pq.read_table(path).column("messages").to_pylist() for path in splits])
    gone = {5, row["row"]}
    assert {number for number in range(9) if f"parcel q{number} " in said} == set(range(9)) - gone
    assert '"question"' in said, "the header is a row now"


def test_an_edit_goes_with_its_record_and_not_with_who_has_its_number_now(upload, as_alice, as_bob, dataset) -> None:
    from datasets_app.contents.tracing import trace_record

    lines = [f"Where is parcel q{n} of route {n * 7}?,On day d{n} of week {n * 3}." for n in range(9)]
    file = upload("question,answer\n" + "\n".join(lines) + "\n")
    mapping = {"layout": "question_answer", "prompt": "question", "completion": "answer"}
    first = built(services.create_version(as_bob, dataset=dataset, recipe=plain() | {"mapping": mapping}))
    place, row = next(
        (place, row) for place, row in enumerate(pq.read_table(first.split_path("train")).to_pylist()) if row["row"] > 1
    )
    turns = [{**turn, "content": "Put right."} for turn in row["messages"]]
    services.edit_row(as_bob, version=first, place=("train", place), messages=turns)
    edited = services.create_edited_version(as_bob, version=first)
    body = recipes.with_edits(plain(), recipes.edited_rows(edited.recipe)) | {
        "mapping": {"layout": "question_answer", "prompt": "column_1", "completion": "column_2"},
        "reading": {file.id: {"header": 0}},  # the header is a row: every number is one more than it was
    }
    built(services.create_version(as_bob, dataset=dataset, recipe=body))
    file.reading = {"header": 0}
    file.save()

    def edit_left(record: int) -> dict:
        found = trace_record(file, record)
        (made,) = services.create_erased_versions(as_alice, workspace_id=dataset.workspace_id, trace=found, phrase=None)
        (edit,) = recipes.edited_rows(built(made).recipe)
        return edit

    assert edit_left(row["row"])["messages"] == turns
    assert "messages" not in (gone := edit_left(row["row"] + 1)) and gone["erase"]
