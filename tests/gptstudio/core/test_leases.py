"""Leases on a real table: one claimer wins, a lost lease writes nothing, an expired one is taken over."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from datasets_app.models import Dataset, DatasetFile
from gptstudio.core import leases


@pytest.fixture
def row(workspace):
    dataset = Dataset.objects.create(workspace=workspace, name="Tickets")
    file = DatasetFile.objects.create(dataset=dataset, name="tickets.csv", bytes=1, digest="0" * 64)
    return DatasetFile.objects.filter(id=file.id)


def expire(row) -> None:
    row.update(lease_until=timezone.now() - timedelta(seconds=1))


@pytest.mark.django_db(transaction=True)
def test_of_many_claimers_at_once_exactly_one_wins(row) -> None:
    gate, won = threading.Barrier(4), []

    def claim(number: int) -> None:
        gate.wait(timeout=120)
        try:
            won.append(leases.claim(row.all(), holder=f"worker-{number}"))
        finally:
            connection.close()

    threads = [threading.Thread(target=claim, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    assert sorted(won) == [0, 0, 0, 1]
    assert row.get().attempt == 1


def test_a_held_row_cannot_be_claimed_again(row) -> None:
    assert leases.claim(row, holder="first") == 1
    assert leases.claim(row, holder="second") == 0
    assert row.get().lease_holder == "first"
    assert not leases.expired(row).exists()


def test_a_claim_sets_what_it_is_given_in_the_same_update(row) -> None:
    leases.claim(row, holder="first", state="processed")
    assert row.get().state == "processed"


def test_an_expired_lease_is_taken_over_and_fences_the_first_holder_off(row) -> None:
    leases.claim(row, holder="first")
    expire(row)
    assert leases.expired(row).exists()
    assert leases.claim(row, holder="second") == 1
    assert not leases.renew(row, attempt=1)
    assert not leases.release(row, attempt=1, error="from the dead")
    found = row.get()
    assert (found.attempt, found.lease_holder, found.error) == (2, "second", "")


def test_a_late_holder_may_go_on_when_nobody_took_over(row) -> None:
    leases.claim(row, holder="first")
    expire(row)
    assert leases.renew(row, attempt=1)
    assert not leases.expired(row).exists()


def test_a_released_row_carries_its_outcome_and_is_free(row) -> None:
    leases.claim(row, holder="first")
    assert leases.release(row, attempt=1, error="unreadable")
    found = row.get()
    assert (found.lease_holder, found.lease_until, found.error) == ("", None, "unreadable")
    assert leases.claim(row, holder="second") == 1
