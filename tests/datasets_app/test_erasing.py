"""Erasing by the real curation: traced through uploads and versions, made again without it, emptied to a tombstone."""

from __future__ import annotations

import json

import pytest

from datasets_app import recipes, selectors, services, tasks
from datasets_app.contents import rows as contents
from datasets_app.contents.tracing import phrase_of, trace_phrase, trace_record
from datasets_app.curation.pii.keys import Keys
from datasets_app.models import DatasetFile, DatasetVersion
from gptstudio.audit.models import AuditEvent
from gptstudio.core.errors import Conflict, Invalid, NotAllowed, NotFound

JANE = "Jane Xanthippe"


def csv_with_jane(rows: int = 40) -> str:
    """Jane in two rows; in one that has no answer; and in a column that no row of a version shows."""
    lines = ["question,answer,seller"]
    for number in range(rows):
        words = " ".join(
            f"{letter}{number * factor % 997}" for letter, factor in zip("abcde", (3, 5, 7, 11, 13), strict=True)
        )
        who = f" I am {JANE.upper()}." if number in (3, 17) else ""
        lines.append(
            f"How do I find {words}?{who},Look under {number * number} {words}.,{JANE if number == 20 else 'nobody'}"
        )
    lines.append(f"It is me {JANE} again,,nobody")
    return "\n".join(lines) + "\n"


def plain_recipe() -> dict:
    body = recipes.default_recipe()
    recipes.step(body, "tokens")["enabled"] = False
    return body


@pytest.fixture
def version(upload, as_bob, dataset):
    upload(csv_with_jane())
    planted = [f"{JANE} has the code 4711-22.", "The code of the safe is 9911-33."]
    made = services.create_version(as_bob, dataset=dataset, recipe={**plain_recipe(), "canaries": planted})
    tasks.build_version(made.id)
    return DatasetVersion.objects.select_related("dataset").get(id=made.id)


def kept_text(version) -> str:
    """Everything that a version keeps, on disk and in the database."""
    import pyarrow.parquet as pq

    on_disk = [str(pq.read_table(path).to_pylist()) for path in version.folder.glob("*.parquet")]
    return " ".join([*on_disk, json.dumps(version.report), json.dumps(version.recipe)]).lower()


def test_a_person_is_found_erased_and_the_old_emptied(version, as_alice, as_bob, workspace) -> None:
    assert version.state == "ready", version.error
    services.edit_row(
        as_bob,
        version=version,
        place=("train", 0),
        messages=[{"role": "user", "content": "Who?"}, {"role": "assistant", "content": f"{JANE}, who else."}],
    )
    phrase = phrase_of(JANE)
    found = trace_phrase(workspace.id, phrase)
    (file,) = found.files
    assert file.records == {"tickets.csv": [3, 17, 20, 40]}
    (held,) = found.versions
    rows = contents.rows_of(version, held.places)
    assert {row["row"] for row in rows.values()} == {3, 17, 20} and held.saying <= 3

    edited = services.create_edited_version(as_bob, version=version)
    tasks.build_version(edited.id)
    found = trace_phrase(workspace.id, phrase)
    (made,) = services.create_erased_versions(as_alice, workspace_id=workspace.id, trace=found, phrase=phrase)
    tasks.build_version(made.id)
    made = DatasetVersion.objects.select_related("dataset").get(id=made.id)
    assert (made.state, made.origin, made.parent_id) == ("ready", "erased", edited.id)
    assert "xanthippe" in kept_text(DatasetVersion.objects.get(id=edited.id))
    assert "xanthippe" not in kept_text(made) and made.recipe["canaries"] == ["The code of the safe is 9911-33."]
    assert made.report["rows"]["dropped"]["erased"] >= 3
    assert not trace_phrase(workspace.id, phrase).versions[2:]

    for old in (version, edited):
        services.erase_version(as_alice, version=old, reason="Asked by letter.")
    services.erase_file(as_alice, file=file.file, reason="Asked by letter.")
    again = trace_phrase(workspace.id, phrase)
    assert (again.files, again.versions) == ([], [])
    tombstone = DatasetVersion.objects.get(id=edited.id)
    assert (tombstone.state, tombstone.erased_because) == ("erased", "Asked by letter.") and len(tombstone.digest) == 64
    assert "xanthippe" not in kept_text(tombstone) and not tombstone.folder.exists()
    assert tombstone.recipe["canaries"] == []
    assert not file.file.path.exists() and DatasetFile.objects.get().erased_at is not None
    assert "xanthippe" not in " ".join(json.dumps(event.data) for event in AuditEvent.objects.all()).lower()
    with pytest.raises(NotFound, match="erased"):
        contents.find(tombstone, contents.Wanted())


@pytest.mark.once
def test_near_copies_in_the_report_and_words_in_the_recipe_are_gone_from_a_tombstone(
    upload, as_alice, dataset, workspace
) -> None:
    near = [
        f"Where is the parcel that {JANE} of the mill sent to the {place} last week?,It is on its way to you."
        for place in ("shop", "house", "yard")
    ]
    upload("\n".join(["question,answer", *near, *csv_with_jane(20).splitlines()[1:]]) + "\n")
    body = plain_recipe() | {"system_prompt": f"You work for {JANE}."}
    recipes.step(body, "personal_data")["enabled"] = False
    words = {"dictionary": [JANE]}
    body = recipes.with_steps(body, {"patterns": {"patterns": [f"never {JANE}"]}, "spelling": words})
    version = services.create_version(as_alice, dataset=dataset, recipe=body)
    tasks.build_version(version.id)
    version = DatasetVersion.objects.select_related("dataset").get(id=version.id)
    assert version.report["duplicates"]["largest"] and version.report["rows"]["kept"]
    assert "xanthippe" in json.dumps([version.report, version.recipe]).lower()
    gone = services.erase_version(as_alice, version=version, reason="Asked by letter.")
    assert "xanthippe" not in json.dumps([gone.report, gone.recipe]).lower()
    assert gone.report["rows"] == version.report["rows"] and gone.report["splits"] == version.report["splits"]
    assert len(recipes.step(gone.recipe, "patterns")["options"]["patterns"]) == 1, "that there was one is still told"


def test_what_a_tombstone_keeps_of_a_report_is_named_and_nothing_else() -> None:
    from datasets_app.contents.tombstones import report_left

    report = {"rows": {"in": 3}, "quality": {"texts": ["Jane"]}, "new": "Jane", "steps": [{"kind": "a", "new": "Jane"}]}
    assert report_left(report) == {"rows": {"in": 3}, "duplicates": {}, "steps": [{"kind": "a"}]}


def test_a_recipe_that_names_somebody_is_traced_and_the_next_one_does_not(upload, as_alice, dataset, workspace) -> None:
    upload(csv_with_jane(30).replace(JANE.upper(), "somebody").replace(JANE, "nobody"))
    services.set_words(as_alice, workspace_id=workspace.id, kind="deny", words=[JANE, "Project Falcon"])
    kept = services.create_recipe(
        as_alice, workspace_id=workspace.id, name="Ours", body=plain_recipe() | {"system_prompt": f"You are {JANE}."}
    )
    version = services.create_version(as_alice, dataset=dataset, recipe=plain_recipe())
    tasks.build_version(version.id)
    phrase = phrase_of(JANE)
    found = trace_phrase(workspace.id, phrase)
    assert [each.version.id for each in found.versions] == [version.id] and found.versions[0].places == []
    assert [(each.kind, count) for each, count in found.written.lists] == [("deny", 1)]
    assert found.written.recipes == [kept]
    (made,) = services.create_erased_versions(as_alice, workspace_id=workspace.id, trace=found, phrase=phrase)
    assert recipes.step(made.recipe, "personal_data")["options"]["deny"] == ["Project Falcon"]
    assert selectors.words_of(workspace.id)["deny"] == ["Project Falcon"]
    kept.refresh_from_db()
    assert kept.body["system_prompt"] == ""


@pytest.mark.once
def test_a_version_whose_recipe_would_be_refused_today_is_made_again_without_a_person(
    version, as_alice, workspace
) -> None:
    body = version.recipe
    names = [each["kind"] for each in body["steps"]]
    one, other = names.index("normalize"), names.index("personal_data")
    body["steps"][one], body["steps"][other] = body["steps"][other], body["steps"][one]
    DatasetVersion.objects.filter(id=version.id).update(recipe=body)
    jane = phrase_of(JANE)
    made = services.create_erased_versions(
        as_alice, workspace_id=workspace.id, trace=trace_phrase(workspace.id, jane), phrase=jane
    )
    assert len(made) == 1
    tasks.build_version(made[0].id)
    made[0].refresh_from_db()
    assert made[0].state == "ready" and JANE.lower() not in kept_text(made[0])


def test_what_was_erased_is_remembered_where_no_version_can_be_made_again(
    version, as_alice, as_bob, workspace, dataset
) -> None:
    phrase = phrase_of(JANE)
    found = trace_phrase(workspace.id, phrase)
    services.erase_version(as_alice, version=version, reason="Asked by letter.")
    with pytest.raises(Conflict, match="later ones will be without it"):
        services.create_erased_versions(as_alice, workspace_id=workspace.id, trace=found, phrase=phrase)
    later = services.create_version(as_bob, dataset=dataset, recipe=plain_recipe())
    assert (
        phrase.entry(Keys(selectors.curation_secret(workspace.id).encode()))
        in recipes.step(later.recipe, "edits")["options"]["erased"]
    )


@pytest.mark.once
def test_the_same_files_and_recipe_give_the_same_digest_again(version, studio_home, capsys) -> None:
    from django.core.management import CommandError, call_command

    before = sorted(path.name for path in version.folder.iterdir())
    call_command("verify_version", version.id)
    assert version.digest in capsys.readouterr().out
    assert sorted(path.name for path in version.folder.iterdir()) == before
    assert not list((studio_home / "work").iterdir())
    call_command("verify_version", version.id, stored=True)
    assert version.digest in capsys.readouterr().out
    DatasetVersion.objects.update(digest="0" * 64)
    with pytest.raises(CommandError, match="differ"):
        call_command("verify_version", version.id)
    version.files.get().path.unlink()
    with pytest.raises(CommandError, match="no longer kept"):
        call_command("verify_version", version.id)


@pytest.mark.once
def test_one_record_is_traced_whatever_it_says(version) -> None:
    found = trace_record(version.files.get(), 5)
    (held,) = found.versions
    assert [row["row"] for row in contents.rows_of(version, held.places).values()] == [5]
    assert trace_record(version.files.get(), 40).versions == []


@pytest.mark.parametrize("text", ["", "Jo", "a b", "word " * 30])
def test_what_is_too_short_or_too_long_is_not_looked_for(text) -> None:
    with pytest.raises(Invalid):
        phrase_of(text)


def test_bytes_that_another_data_set_shares_are_kept(upload, as_alice, dataset) -> None:
    first, second = upload("question,answer\na,b\n"), upload("question,answer\na,b\n", name="copy.csv")
    services.erase_file(as_alice, file=first, reason="Asked.")
    assert second.path.exists()
    services.erase_file(as_alice, file=second, reason="Asked.")
    assert not second.path.exists()


def test_an_erasure_has_a_reason_and_happens_once(version, as_alice) -> None:
    with pytest.raises(Invalid, match="no reason"):
        services.erase_version(as_alice, version=version, reason=" ")
    services.erase_version(as_alice, version=version, reason="Asked.")
    with pytest.raises(Conflict):
        services.erase_version(as_alice, version=version, reason="Asked.")
    assert not selectors.trainable_versions(version.dataset.workspace_id).exists()


def test_only_who_may_erase_erases(version, as_bob, as_charlie, workspace) -> None:
    found = trace_record(version.files.get(), 5)
    for actor in (as_bob, as_charlie):
        for act in (
            lambda who: services.erase_version(who, version=version, reason="x"),
            lambda who: services.erase_file(who, file=version.files.get(), reason="x"),
            lambda who: services.create_erased_versions(who, workspace_id=workspace.id, trace=found, phrase=None),
            lambda who: services.note_trace(who, workspace_id=workspace.id, digest="d", files=0, versions=0, texts=0),
        ):
            with pytest.raises(NotAllowed):
                act(actor)
