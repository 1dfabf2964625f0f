"""Edits: collected on a version that never changes, made in the next one."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from datasets_app import recipes, selectors, services
from datasets_app.contents import rows as contents
from datasets_app.models import DatasetVersion, RowEdit
from datasets_app.services.edits import Stale
from gptstudio.audit.models import AuditEvent
from gptstudio.core.errors import Conflict, Invalid, NotAllowed, NotFound
from tests.worlds import ROWS, make_dataset, make_version

pytestmark = pytest.mark.django_db
FIRST = ("train", 0)


@pytest.fixture
def version(as_bob, studio_home):
    return make_version(as_bob, dataset=make_dataset(as_bob)[0])


def turns(*texts: str) -> list[dict[str, str]]:
    return [{"role": role, "content": text} for role, text in zip(("user", "assistant"), texts, strict=False)]


def digest_of(version) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in version.folder.glob("*.parquet")}


def test_an_edit_waits_for_the_next_version_and_changes_nothing_in_this_one(as_bob, version) -> None:
    before = digest_of(version)
    services.edit_row(as_bob, version=version, place=FIRST, messages=turns("Where?", "Here."), note="clearer")
    services.exclude_rows(as_bob, version=version, places=[("train", 1), ("validation", 2)])
    made = services.create_edited_version(as_bob, version=version)
    assert digest_of(version) == before
    assert (made.parent, made.origin, made.number) == (version, "edited", 2)
    file = version.files.get()
    assert recipes.step(made.recipe, "edits")["options"]["rows"] == [
        {"file": file.id, "row": 0, "messages": turns("Where?", "Here.")},
        {"file": file.id, "row": 1, "exclude": True},
        {"file": file.id, "row": 102, "exclude": True},
    ]
    assert not selectors.edits_of(version).exists()
    assert version.recipe == DatasetVersion.objects.get(id=version.id).recipe


def test_the_edits_of_later_versions_add_up_and_the_later_stands() -> None:
    first = recipes.with_edits(recipes.default_recipe(), [{"file": "a", "row": 1, "exclude": True}])
    second = recipes.with_edits(
        first, [{"file": "a", "row": 1, "messages": []}, {"file": "a", "row": 2, "exclude": True}]
    )
    assert recipes.step(second, "edits")["options"]["rows"] == [
        {"file": "a", "row": 1, "messages": []},
        {"file": "a", "row": 2, "exclude": True},
    ]
    assert recipes.step(first, "edits")["options"]["rows"] == [{"file": "a", "row": 1, "exclude": True}]
    assert recipes.checked(second)["steps"][0]["kind"] == "edits"


def test_edits_of_two_rows_that_had_one_number_are_both_kept() -> None:
    one = {"file": "a", "row": 1, "mark": "A", "exclude": True}
    other = {"file": "a", "row": 1, "mark": "B", "messages": []}
    later = {"file": "a", "row": 1, "mark": "A", "messages": []}
    body = recipes.with_edits(recipes.default_recipe(), [{"file": "a", "row": 1, "exclude": True}])
    body = recipes.with_edits(recipes.with_edits(body, [one]), [other])
    assert recipes.edited_rows(body) == [one, other]
    assert recipes.edited_rows(recipes.with_edits(body, [later])) == [other, later]


def test_who_edits_what_somebody_else_just_changed_is_told(as_bob, as_alice, version) -> None:
    seen = contents.row_of(version, split="train", place=0)["etag"]
    services.edit_row(as_alice, version=version, place=FIRST, messages=turns("One", "Two"), expected=seen)
    with pytest.raises(Stale, match="somebody else"):
        services.edit_row(as_bob, version=version, place=FIRST, messages=turns("Three", "Four"), expected=seen)
    assert RowEdit.objects.get().messages == turns("One", "Two")


@pytest.mark.parametrize(
    ("messages", "sentence"),
    [
        (None, "has 2 turns"),
        ([{"role": "user", "content": "a"}], "has 2 turns"),
        (turns("a", " "), "would be empty"),
        ([{"role": "user", "content": "a"}, {"role": "user", "content": "b"}], "who speaks"),
        ([{"role": "user", "content": 3}, {"role": "assistant", "content": "b"}], "holds no text"),
        (turns("a", "b" * 1_000_001), "longer than"),
    ],
)
def test_an_edit_that_is_no_conversation_is_refused(as_bob, version, messages, sentence) -> None:
    with pytest.raises(Invalid, match=sentence):
        services.edit_row(as_bob, version=version, place=FIRST, messages=messages)
    assert not RowEdit.objects.exists()


def test_taking_back_leaves_the_row_as_it_was(as_bob, version) -> None:
    services.flag_rows(as_bob, version=version, places=[FIRST], note="look")
    services.exclude_rows(as_bob, version=version, places=[FIRST])
    edit = RowEdit.objects.get()
    assert edit.is_flagged and edit.action == "exclude"
    assert services.undo_edits(as_bob, version=version, places=[FIRST, ("train", 5)]) == 1
    with pytest.raises(Conflict, match="No row"):
        services.create_edited_version(as_bob, version=version)


def test_a_flag_alone_makes_no_version(as_bob, version) -> None:
    services.flag_rows(as_bob, version=version, places=[FIRST])
    with pytest.raises(Conflict):
        services.create_edited_version(as_bob, version=version)


@pytest.mark.parametrize("place", [("train", 60), ("train", -1), ("secret", 0)])
def test_a_row_that_is_none_is_not_found(as_bob, version, place) -> None:
    with pytest.raises(NotFound):
        services.exclude_rows(as_bob, version=version, places=[place])


def test_a_version_that_is_not_ready_has_no_rows_to_edit(as_bob, version) -> None:
    queued = services.create_version(as_bob, dataset=version.dataset)
    with pytest.raises(Conflict, match="not made yet"):
        services.exclude_rows(as_bob, version=queued, places=[FIRST])


def test_restoring_asks_for_the_same_files_and_recipe_again(as_bob, version) -> None:
    services.create_version(as_bob, dataset=version.dataset, recipe=recipes.PRESETS[1]["recipe"])
    again = services.restore_version(as_bob, version=version)
    assert (again.number, again.parent, again.origin, again.recipe) == (3, version, "restored", version.recipe)
    assert list(again.files.all()) == list(version.files.all())
    with pytest.raises(Conflict, match="never ready"):
        services.restore_version(as_bob, version=again)


def test_a_version_descends_from_the_newest_that_is_ready(as_bob, version) -> None:
    assert version.parent is None
    assert services.create_version(as_bob, dataset=version.dataset).parent == version
    assert services.create_version(as_bob, dataset=version.dataset).parent == version


def test_opening_test_rows_is_one_line_an_hour_for_each_person(as_bob, as_alice, version) -> None:
    for actor in (as_bob, as_alice, as_bob):
        services.open_test_rows(actor, version=version)
    lines = AuditEvent.objects.filter(action="version.test_rows_opened", subject_id=version.id)
    assert sorted(line.actor_label for line in lines) == ["alice@care.example", "bob@care.example"]


def test_test_rows_are_not_found_unless_opened(version) -> None:
    wanted = contents.Wanted(text="parcel 7?")
    assert {row["split"] for row in contents.find(version, wanted).rows} == {"train", "validation"}
    assert {row["split"] for row in contents.find(version, wanted, test_rows=True).rows} == set(contents.SPLITS)
    assert contents.find(version, contents.Wanted(splits=["test"])).rows == []


def test_a_stranger_may_neither_edit_nor_restore_nor_open(as_charlie, version) -> None:
    for act in (
        lambda: services.edit_row(as_charlie, version=version, place=FIRST, messages=turns("a", "b")),
        lambda: services.exclude_rows(as_charlie, version=version, places=[FIRST]),
        lambda: services.flag_rows(as_charlie, version=version, places=[FIRST]),
        lambda: services.undo_edits(as_charlie, version=version, places=[FIRST]),
        lambda: services.create_edited_version(as_charlie, version=version),
        lambda: services.restore_version(as_charlie, version=version),
        lambda: services.open_test_rows(as_charlie, version=version),
        lambda: services.note_download(as_charlie, version=version, splits=["train"], form="csv"),
    ):
        with pytest.raises(NotAllowed):
            act()
    assert not RowEdit.objects.exists()


def test_a_part_of_a_row_is_left_out_with_it_but_not_edited_for_the_whole(as_bob, version) -> None:
    rows = [{**row, "row": 0, "part": number} for number, row in enumerate(ROWS[:3], start=1)]
    pq.write_table(pa.Table.from_pylist(rows), version.split_path("train"))
    with pytest.raises(Conflict, match="This is part 1 of a row"):
        services.edit_row(as_bob, version=version, place=FIRST, messages=turns("Where?", "Here."))
    assert contents.row_of(version, split="train", place=2)["part"] == 3
    assert services.exclude_rows(as_bob, version=version, places=[FIRST]) == 1
