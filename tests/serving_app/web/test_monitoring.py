"""The monitoring page: what it counts, in which slots, and what it says when there is nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from gptstudio.core.ids import mint
from serving_app import selectors
from serving_app.models import Completion, EngineReplica, ResourceSample
from tests.worlds import make_request

pytestmark = pytest.mark.django_db


@pytest.fixture
def ended(workspace, starter):
    """A request that ended some time ago."""

    def make(ago: timedelta = timedelta(minutes=1), **values) -> Completion:
        values = {"state": "completed", "total_ms": 100, "gateway_us": 2_000, **values}
        request = Completion.objects.create(
            id=mint("req_"), workspace=workspace, model=starter, replica="embedded", endpoint="completions", **values
        )
        Completion.objects.filter(id=request.id).update(created_at=timezone.now() - ago)
        return request

    return make


def watch(workspace) -> selectors.Watch:
    return selectors.watch(workspace.id, span=timedelta(hours=1), slots=6)


def test_percentiles_are_the_smallest_value_that_enough_do_not_pass() -> None:
    values = [float(number) for number in range(1, 101)]
    assert [selectors.percentile(values, rank) for rank in (50, 95, 99)] == [50, 95, 99]
    assert selectors.percentile([7.0], 99) == 7 and selectors.percentile([], 50) is None


def test_requests_lie_in_the_slot_of_their_arrival_and_failures_have_no_latency(ended, workspace) -> None:
    ended(timedelta(minutes=55), total_ms=400)
    ended(timedelta(minutes=5))
    ended(timedelta(minutes=4), state="failed", error_code="engine_broke", total_ms=9_000)
    ended(timedelta(minutes=3), state="cancelled")
    ended(timedelta(minutes=2), state="running", total_ms=None)
    ended(timedelta(minutes=61))
    found = watch(workspace)
    assert [slot.ended for slot in found.slots] == [1, 0, 0, 0, 0, 3]
    assert found.whole == [102.0, 102.0, 402.0] and found.gateway == [2.0] * 5
    assert (found.total("failed"), found.total("cancelled"), found.errors) == (1, 1, [("engine_broke", 1)])


def test_another_workspace_is_not_in_it(ended, charlie, as_charlie, workspace) -> None:
    ended()
    assert selectors.watch(as_charlie.workspace_id, span=timedelta(hours=1), slots=6).total("ended") == 0


def test_spend_and_samples_are_there_too(as_alice, starter, workspace) -> None:
    make_request(as_alice, model=starter)
    ResourceSample.objects.create(
        cpu_percent=50, memory_percent=25, memory_bytes=1, engines_up=1, running=2, waiting=1, cache_percent=10
    )
    last = watch(workspace).slots[-1]
    assert (last.cost_micro, last.tokens, last.cpu, last.running) == (12, 30, 50.0, 2.0)


def test_the_page_says_it_in_a_sentence_and_draws_it(at_alice, ended) -> None:
    for number in range(100):
        ended(timedelta(minutes=number / 2), total_ms=number * 10, first_token_ms=number)
    ended(state="failed", error_code="engine_broke")
    page = at_alice.get("/monitoring/").content.decode()
    assert (
        "101 requests ended in the last hour; 0.99 % failed. Half were whole within 492 ms, 95 % within 942 ms." in page
    )
    assert page.count('role="img"') >= 10 and "engine_broke" in page and "the gateway itself took 2 ms" in page


def test_an_hour_without_requests_says_so_and_an_engine_that_is_away_is_named(at_alice) -> None:
    EngineReplica.objects.create(name="attic", url="http://127.0.0.1:1", is_up=False)
    page = at_alice.get("/monitoring/?span=week").content.decode()
    assert "Nothing was asked in the last 7 days." in page and "The engine attic does not answer." in page
    assert "No engine tells of a graphics processor." in page and "No engine tells of its process." in page


def test_processor_memory_and_graphics_of_engines_are_drawn_where_they_are_told(at_alice, workspace) -> None:
    told = {"engine_cpu_percent": 150, "engine_memory_bytes": 2**31, "gpu_busy_percent": 30, "gpu_memory_percent": 25}
    ResourceSample.objects.create(
        cpu_percent=50, memory_percent=25, memory_bytes=1, engines_up=1, running=0, waiting=0, cache_percent=0, **told
    )
    last = watch(workspace).slots[-1]
    assert (last.engine_cpu, last.engine_gib, last.gpu_busy, last.gpu_memory) == (150.0, 2.0, 30.0, 25.0)
    page = at_alice.get("/monitoring/").content.decode()
    assert "Graphics processor" in page and "No engine tells" not in page


def test_the_live_part_is_silent_while_nothing_changed(at_alice, ended) -> None:
    ended()
    part = at_alice.get("/monitoring/live?span=day")
    mark = part.content.decode().split("mark=")[1].split('"')[0]
    assert at_alice.get(f"/monitoring/live?span=day&mark={mark}").status_code == 204
    ended()
    assert at_alice.get(f"/monitoring/live?span=day&mark={mark}").status_code == 200


def test_the_live_part_reads_no_request_one_by_one_while_nothing_changed(at_alice, ended) -> None:
    ended()
    mark = at_alice.get("/monitoring/live").content.decode().split("mark=")[1].split('"')[0]
    with CaptureQueriesContext(connection) as asked:
        assert at_alice.get(f"/monitoring/live?mark={mark}").status_code == 204
    read = " ".join(each["sql"] for each in asked)
    assert "serving_completion" in read and "gateway_us" not in read and "serving_usageevent" not in read


def test_more_requests_than_are_looked_at_are_told_and_all_bills_count(
    as_alice, ended, starter, workspace, monkeypatch
) -> None:
    monkeypatch.setattr(selectors.monitoring, "MOST_ROWS", 2)
    for _ in range(2):
        make_request(as_alice, model=starter)
    assert not watch(workspace).is_cut
    make_request(as_alice, model=starter)
    found = watch(workspace)
    assert found.is_cut and found.total("ended") == 2 and found.total("cost_micro") == 3 * 12


def test_what_an_engine_refused_for_the_callers_mistake_is_left_out(ended, workspace) -> None:
    ended()
    ended(state="refused", error_code="invalid_body", total_ms=None)
    found = watch(workspace)
    assert (found.total("ended"), found.total("failed"), found.errors) == (1, 0, [])
    assert selectors.watch_counts(workspace.id, span=timedelta(hours=1)) == (1, 0)


def test_the_request_log_is_searched_by_id(at_alice, ended) -> None:
    wanted, other = ended(), ended()
    page = at_alice.get(f"/usage/requests?q={wanted.id}").content.decode()
    assert wanted.id in page and other.id not in page
    assert "No request begins with “req_none”" in at_alice.get("/usage/requests?q=req_none").content.decode()


def test_the_page_asks_the_same_few_queries(at_alice, ended, django_assert_num_queries) -> None:
    ended()
    with django_assert_num_queries(13):
        at_alice.get("/monitoring/")
    for _ in range(9):
        ended()
    with django_assert_num_queries(13):
        at_alice.get("/monitoring/")
