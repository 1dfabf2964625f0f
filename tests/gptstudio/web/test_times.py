"""By whose clock times are told: the reader's on pages, UTC's to programs, the studio's for days of usage."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from django.template import Context, Template
from django.utils import timezone

from gptstudio.accounts.models import Workspace
from serving_app import months

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 31, 12, 0, 5, tzinfo=UTC)


@pytest.fixture
def at_noon(workspace) -> None:
    Workspace.objects.filter(id=workspace.id).update(created_at=NOON)


def told(client) -> str:
    return client.get("/settings/").content.decode()


@pytest.mark.usefixtures("at_noon")
def test_pages_tell_times_by_the_browsers_clock(at_alice) -> None:
    assert 'title="31 March 2026, 12:00:05 UTC"' in told(at_alice)
    at_alice.cookies["studio-zone"] = "America%2FSao_Paulo"
    page = told(at_alice)
    assert 'datetime="2026-03-31T09:00:05-03:00" title="31 March 2026, 09:00:05 UTC-03 (12:00:05 UTC)"' in page
    at_alice.cookies["studio-zone"] = "../../etc/passwd"
    assert "12:00:05 UTC" in told(at_alice)


@pytest.mark.usefixtures("at_noon")
def test_a_zone_that_one_chose_stands_above_the_browsers(at_alice, at_bob) -> None:
    at_alice.cookies["studio-zone"] = at_bob.cookies["studio-zone"] = "America%2FSao_Paulo"
    assert at_alice.post("/accounts/times/", {"time_zone": "Mars/Olympus"}).status_code == 400
    assert at_alice.post("/accounts/times/", {"time_zone": "Asia/Tokyo"}).status_code == 302
    assert "21:00:05 JST" in told(at_alice) and "09:00:05 UTC-03" in told(at_bob)
    assert "in Asia/Tokyo; it is" in at_alice.get("/accounts/times/").content.decode()
    at_alice.post("/accounts/times/", {"time_zone": ""})
    assert "09:00:05 UTC-03" in told(at_alice)


@pytest.mark.usefixtures("at_noon")
def test_programs_are_told_utc_whoever_asks(at_alice) -> None:
    at_alice.post("/accounts/times/", {"time_zone": "Asia/Tokyo"})
    [event, *_] = at_alice.get("/api/v1/audit").json()["data"]
    assert datetime.fromisoformat(event["at"]).utcoffset() == timedelta()


def test_days_of_usage_are_the_studios_whoever_looks() -> None:
    with timezone.override("Asia/Tokyo"):
        late = datetime(2026, 3, 31, 23, 30, tzinfo=UTC)
        assert months.day_of(late) == date(2026, 3, 31)
        assert months.begin_of(date(2026, 3, 31)) == datetime(2026, 3, 31, tzinfo=UTC)
        shown = Template("{% load studio %}{{ late|day }}").render(Context({"late": late}))
        assert ">1 April 2026</time>" in shown
