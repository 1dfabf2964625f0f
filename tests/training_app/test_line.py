"""Waiting runs take turns between workspaces, within the limit that each of them has."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from training_app import services
from training_app.line import fair, next_in_line
from training_app.models import FineTuningJob

EARLY, LATE = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)
CROWD = [("a1", "a"), ("a2", "a"), ("a3", "a"), ("b1", "b"), ("c1", "c")]


@pytest.mark.parametrize(
    ("running", "served", "free", "limit", "expected"),
    [
        ({}, {}, 5, 0, ["a1", "b1", "c1", "a2", "a3"]),
        ({"a": 1}, {}, 3, 0, ["b1", "c1", "a1"]),
        ({}, {"a": LATE, "b": EARLY}, 3, 0, ["c1", "b1", "a1"]),
        ({}, {}, 5, 1, ["a1", "b1", "c1"]),
        ({"a": 2, "b": 2}, {}, 5, 2, ["c1"]),
        ({}, {}, 0, 0, []),
    ],
    ids=["turns", "fewest-under-way", "served-longest-ago", "one-each", "at-their-limit", "no-slot"],
)
def test_workspaces_take_turns(running, served, free, limit, expected) -> None:
    assert fair(CROWD, running=running, served=served, free=free, limit=limit) == expected


@pytest.fixture
def crowd(make_job, as_charlie, base, version):
    """Three runs of Care and one, asked for last, of another workspace."""
    mine = [make_job(name=f"Mine {number}") for number in range(3)]
    theirs = make_job(name="Theirs")
    FineTuningJob.objects.filter(id=theirs.id).update(workspace_id=as_charlie.workspace_id)
    return [*mine, theirs]


def test_a_worker_takes_only_the_run_whose_turn_it_is(crowd, settings) -> None:
    settings.TRAINING_SLOTS = 2
    first, second, _third, theirs = crowd
    assert next_in_line() == [first.id, theirs.id]
    assert services.claim_job(second.id, holder="test") is None
    assert services.claim_job(theirs.id, holder="test") is not None
    assert services.claim_job(first.id, holder="test") is not None
    assert services.claim_job(second.id, holder="test") is None, "no slot is free"
    assert services.claim_job(first.id, holder="other") is None, "it is held"


def test_a_workspace_keeps_within_its_own_limit(crowd, settings) -> None:
    settings.TRAINING_SLOTS, settings.TRAINING_SLOTS_A_WORKSPACE = 4, 1
    first, second, _third, theirs = crowd
    assert services.claim_job(first.id, holder="test") is not None
    assert services.claim_job(second.id, holder="test") is None
    assert next_in_line() == [theirs.id]


def test_a_waiting_run_says_how_many_are_before_it(crowd, client, alice) -> None:
    client.force_login(alice)
    third = crowd[2]
    assert "3 runs are before it." in client.get(f"/fine-tunes/{third.id}/").content.decode()
    assert "A worker takes it as soon" in client.get(f"/fine-tunes/{crowd[0].id}/").content.decode()
