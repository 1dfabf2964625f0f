"""The chain: whoever changes or removes a line is found out."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from gptstudio.accounts.policies import system
from gptstudio.audit import selectors
from gptstudio.audit.models import AuditEvent, ChainHead
from gptstudio.audit.services import GENESIS, line_hash, record, seal_again


@pytest.fixture
def lines(workspace):
    """Three lines after the one that tells of the workspace."""
    actor = system(workspace.id)
    for number in range(3):
        record(
            actor,
            workspace_id=workspace.id,
            action="thing.made",
            subject_kind="thing",
            subject_id=f"thing_{number}",
            data={"share": 0.1, "tiny": 1e-7, "words": "Grüße 😀", "nested": {"b": [1, None], "a": True}},
        )
    return AuditEvent.objects.filter(workspace=workspace).order_by("id")


def verify() -> str:
    out = StringIO()
    call_command("verify_audit", stdout=out)
    return out.getvalue()


def test_each_line_names_the_hash_of_the_line_before(lines) -> None:
    found = list(lines)
    assert [line.previous_hash for line in found] == [GENESIS, *(line.hash for line in found[:-1])]


def test_an_untouched_log_verifies(lines) -> None:
    assert selectors.broken_chains() == []
    assert verify()


@pytest.mark.parametrize(
    "change",
    [{"action": "thing.seen"}, {"actor_label": "Nobody"}, {"data": {}}, {"subject_id": "thing_9"}, {"hash": "0" * 64}],
    ids=lambda change: next(iter(change)),
)
def test_a_changed_line_is_found(lines, workspace, change) -> None:
    victim = lines[2]
    AuditEvent.objects.filter(id=victim.id).update(**change)
    (finding,) = selectors.broken_chains()
    assert workspace.id in finding and str(victim.id) in finding


def test_lines_added_around_each_read_of_the_log_are_no_fault(lines, workspace) -> None:
    late, writing = iter(range(6)), False

    def write() -> None:
        nonlocal writing
        if writing or (number := next(late, None)) is None:
            return
        writing = True  # the log is read for a write, too
        record(
            system(workspace.id), workspace_id=workspace.id, action="thing.made", subject_kind="thing",
            subject_id=f"late_{number}",
        )  # fmt: skip
        writing = False

    def among_others(execute, sql, params, many, context):
        write()
        found = execute(sql, params, many, context)
        write()
        return found

    before = lines.count()
    with connection.execute_wrapper(among_others):
        assert selectors.broken_chains() == []
    assert lines.count() == before + 6


def test_a_line_missing_from_the_middle_is_found(lines) -> None:
    lines[1].delete()
    assert "a line before it is missing" in selectors.broken_chains()[0]


def test_a_missing_last_line_is_found_by_the_command(lines) -> None:
    lines.last().delete()
    with pytest.raises(CommandError, match="its last line is missing"):
        verify()


def test_a_chain_without_its_head_is_found(lines, workspace) -> None:
    ChainHead.objects.filter(key=workspace.id).delete()
    assert selectors.broken_chains() == [f"Chain {workspace.id}: its head is missing, so its end cannot be proved."]


def test_every_workspace_has_a_chain_of_its_own(lines, charlie) -> None:
    lines[1].delete()
    (finding,) = selectors.broken_chains()
    theirs = AuditEvent.objects.exclude(workspace=lines[0].workspace).values_list("workspace_id", flat=True)
    assert theirs and not any(other in finding for other in theirs)


def test_lines_of_a_workspace_are_not_anothers_to_read(lines, workspace, charlie, as_charlie) -> None:
    seen = selectors.events_of(as_charlie.workspace_id)
    assert not seen.filter(workspace_id=workspace.id).exists()
    assert not selectors.events_about(as_charlie.workspace_id, "thing_0").exists()
    assert selectors.events_about(workspace.id, "thing_0").count() == 1


def _written_anew(workspace) -> None:
    """A whole chain made up by somebody who can write to the database, and knows how lines are hashed."""
    before = GENESIS
    for line in AuditEvent.objects.filter(workspace=workspace).order_by("id"):
        line.actor_label, line.previous_hash = "Nobody", before
        line.hash = before = line_hash(line)
        line.save()
    ChainHead.objects.filter(key=workspace.id).update(hash=before)


def test_a_chain_that_was_written_anew_with_all_its_hashes_is_found(lines, workspace) -> None:
    _written_anew(workspace)
    (finding,) = selectors.broken_chains()
    assert workspace.id in finding and "does not bear this studio's seal" in finding


def test_the_next_line_does_not_make_good_a_chain_that_was_written_anew(lines, workspace) -> None:
    _written_anew(workspace)
    line = AuditEvent.objects.filter(workspace=workspace).last()
    record(system(workspace.id), workspace_id=workspace.id, action=line.action, subject_kind="x", subject_id="x")
    (finding,) = selectors.broken_chains()
    assert workspace.id in finding and "does not bear this studio's seal" in finding


@pytest.mark.parametrize("sealed", ["", "0" * 64, "\N{SNOWMAN}"])
def test_a_seal_cannot_be_left_out_or_made_up(lines, workspace, sealed) -> None:
    ChainHead.objects.filter(key=workspace.id).update(seal=sealed)
    assert len(selectors.broken_chains()) == 1


def test_a_seal_of_one_chain_is_none_of_another(lines, workspace, charlie) -> None:
    other = ChainHead.objects.exclude(key=workspace.id).first()
    ChainHead.objects.filter(key=workspace.id).update(seal=other.seal)
    assert len(selectors.broken_chains()) == 1


def test_after_a_change_of_the_secret_the_log_verifies_by_the_one_before(lines, workspace, settings) -> None:
    before = settings.SECRET_KEY
    settings.SECRET_KEY = "another secret of this studio"
    assert len(selectors.broken_chains()) == ChainHead.objects.count()
    settings.SECRET_KEY_FALLBACKS = [before]
    out = StringIO()
    call_command("verify_audit", seal=True, stdout=out)
    assert f"{ChainHead.objects.count()} chains are sealed" in out.getvalue()
    settings.SECRET_KEY_FALLBACKS = []
    assert verify()


def test_a_log_that_is_not_whole_is_not_sealed(lines, workspace) -> None:
    _written_anew(workspace)
    with pytest.raises(CommandError, match="does not bear"):
        call_command("verify_audit", seal=True)
    assert len(selectors.broken_chains()) == 1


def test_chains_of_before_there_were_seals_are_sealed_as_they_stand(lines, workspace) -> None:
    ChainHead.objects.update(seal="")
    assert seal_again() == ChainHead.objects.count()
    assert verify()
