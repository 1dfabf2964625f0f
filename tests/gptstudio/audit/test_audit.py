"""The chain: whoever changes or removes a line is found out."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from gptstudio.accounts.policies import system
from gptstudio.audit import selectors
from gptstudio.audit.models import AuditEvent, ChainHead
from gptstudio.audit.services import GENESIS, record


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
