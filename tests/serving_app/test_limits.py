"""Limits of a key a minute and at a time: exact under races by the database and by Redis, and without Redis too."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import openai
import pytest
import redis
from django.db import connection

from gptstudio.accounts.models import ApiKey
from gptstudio.core.ids import mint
from serving_app.models import Balance, Completion, UsageEvent
from serving_app.prices import Tokens
from serving_app.selectors import Limits, Taken
from serving_app.services import RateExceeded, redis_window, release, reserve, settle
from serving_app.services.accounts import Account
from serving_app.services.limits import counted, decide, limits_of
from serving_app.services.usage import Ending
from tests.serving_app.conftest import ENDLESS, free_port, until

HELLO = [{"role": "user", "content": "Hello"}]
BOUND = Tokens(prompt=60, completion=40)


class OwnRedis:
    """A Redis server that a test may kill and start again, empty."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.url, self.process = f"redis://127.0.0.1:{self.port}/0", None

    def start(self) -> None:
        argv = [
            "redis-server",
            "--port",
            str(self.port),
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--dir",
            str(self.folder),
        ]
        self.process = subprocess.Popen(argv, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                if redis.Redis(port=self.port).ping():
                    return
            except redis.ConnectionError:
                time.sleep(0.02)
        raise AssertionError("Redis did not start")

    def hang(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """With all that it knew, and with what was sent to it meanwhile."""
        self.process.send_signal(signal.SIGCONT)
        assert redis.Redis(port=self.port).ping()

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


@pytest.fixture
def own_redis(settings, tmp_path, monkeypatch) -> Iterator[OwnRedis]:
    if shutil.which("redis-server") is None:
        if os.environ.get("CI") == "true":
            pytest.fail("redis-server is not installed, and CI=true")
        pytest.skip("redis-server is not installed")
    server = OwnRedis(tmp_path)
    server.start()
    settings.REDIS_URL = server.url
    monkeypatch.setattr(redis_window, "AWAY_SECONDS", 0.0)
    monkeypatch.setattr(redis_window, "SECONDS", 30.0)  # one that is there is waited for
    yield server
    server.kill()


@pytest.fixture
def hanging_redis(own_redis, monkeypatch) -> OwnRedis:
    """One that will hang, and is not waited for."""
    monkeypatch.setattr(redis_window, "SECONDS", 1.0)
    return own_redis


@pytest.fixture(params=["database", "redis"])
def counter(request, settings) -> str:
    """Who counts."""
    if request.param == "redis":
        request.getfixturevalue("own_redis")
    else:
        settings.REDIS_URL = ""
    return request.param


@pytest.fixture
def attempt(workspace, as_alice, starter) -> Callable[..., str]:
    """Admit a request of a key as the gateway does: `attempt(tokens_per_minute=300)` gives its id."""
    from gptstudio.accounts import services

    key, _secret = services.issue_key(as_alice, workspace_id=workspace.id, name="test", scopes=["chat"])

    def make(bound: Tokens = BOUND, **limits: int) -> str:
        mine = ApiKey.objects.get(id=key.id)
        for name, value in limits.items():
            setattr(mine, name, value)
        ApiKey.objects.filter(id=key.id).update(**limits)
        request = Completion(
            id=mint("req_"),
            workspace=workspace,
            api_key=mine,
            model=starter,
            replica="embedded",
            endpoint="completions",
        )
        with counted(mine, request.id, tokens=bound.prompt + bound.completion) as standing:
            reserve(
                request,
                model_name=starter.name,
                bound=bound,
                accounts=[Account(workspace.id, None, "workspace"), Account(mine.id, mine.budget_micro, "key")],
                limits=limits_of(mine),
                standing=standing,
            )
        return request.id

    return make


def refused(attempt: Callable[..., str], *args, **limits) -> RateExceeded:
    with pytest.raises(RateExceeded) as found:
        attempt(*args, **limits)
    return found.value


@pytest.mark.django_db(transaction=True)
def test_tokens_count_with_the_most_they_can_be_and_then_with_what_they_were(counter, attempt) -> None:
    first = attempt(tokens_per_minute=150)
    error = refused(attempt, tokens_per_minute=150)
    assert error.noun == "tokens" and error.can_wait and 0 < error.free_in <= 60
    assert (error.standing.tokens.used, error.standing.tokens.remaining) == (100, 50)
    settle(first, tokens=Tokens(prompt=30, completion=10), ending=Ending("stop"))
    attempt(tokens_per_minute=150)
    assert refused(attempt, tokens_per_minute=150).standing.tokens.used == 140


@pytest.mark.django_db(transaction=True)
def test_an_attempt_that_was_released_gives_its_tokens_back(counter, attempt) -> None:
    release(attempt(tokens_per_minute=100), error_code="engine_unavailable")
    attempt(tokens_per_minute=100)


@pytest.mark.django_db(transaction=True)
def test_a_request_that_can_never_fit_is_told_so(counter, attempt) -> None:
    error = refused(attempt, tokens_per_minute=99)
    assert not error.can_wait and "may need 100 tokens" in str(error) and "max_tokens" in str(error)
    assert Completion.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_a_request_that_the_budget_refuses_takes_no_turn(counter, attempt) -> None:
    from gptstudio.core.errors import TooMuch

    with pytest.raises(TooMuch) as poor:
        attempt(requests_per_minute=1, budget_micro=0)
    assert poor.value.code == "insufficient_quota"
    ApiKey.objects.update(budget_micro=None)
    attempt(requests_per_minute=1)
    assert refused(attempt, requests_per_minute=1).noun == "requests"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("limits", [{"tokens_per_minute": 750}, {"requests_per_minute": 7}, {"parallel_requests": 7}])
def test_forty_racing_requests_get_exactly_what_there_is(counter, attempt, limits) -> None:
    def race(_number: int) -> bool:
        try:
            attempt(**limits)
        except RateExceeded:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(max_workers=8) as pool:
        assert sum(pool.map(race, range(40))) == 7
    assert Completion.objects.count() == 7
    assert sum(Balance.objects.filter(id__startswith="key_").values_list("reserved_micro", flat=True)) > 0


@pytest.mark.django_db(transaction=True)
def test_a_place_among_the_requests_at_a_time_is_free_once_one_has_ended(counter, attempt) -> None:
    first, _second = attempt(parallel_requests=2), attempt(parallel_requests=2)
    error = refused(attempt, parallel_requests=2)
    assert error.noun == "parallel" and "2 requests at a time" in str(error)
    settle(first, tokens=Tokens(1, 1), ending=Ending("stop", source="reaper"))  # as after the death of a process
    attempt(parallel_requests=2)


@pytest.mark.django_db(transaction=True)
def test_a_minute_later_the_turn_is_free(settings, attempt) -> None:
    settings.REDIS_URL = ""
    first = attempt(requests_per_minute=1)
    Completion.objects.filter(id=first).update(
        created_at=Completion.objects.get(id=first).created_at - timedelta(seconds=60)
    )
    attempt(requests_per_minute=1)


@pytest.mark.django_db(transaction=True)
def test_redis_that_is_killed_lets_nothing_slip_and_knows_everything_when_it_is_back(
    own_redis, attempt, caplog
) -> None:
    attempt(requests_per_minute=3)
    own_redis.kill()
    attempt(requests_per_minute=3)
    assert "the database counts the limits" in caplog.text
    own_redis.start()  # empty
    attempt(requests_per_minute=3)
    assert redis.Redis(port=own_redis.port).keys("studio:minute:*"), "Redis counts again"
    error = refused(attempt, requests_per_minute=3)
    assert error.standing.requests.used == 3
    own_redis.kill()
    assert refused(attempt, requests_per_minute=3).standing.requests.used == 3


@pytest.mark.django_db(transaction=True)
def test_redis_that_hung_and_kept_its_memory_learns_what_the_database_let_in(hanging_redis, attempt) -> None:
    first = attempt(requests_per_minute=4, tokens_per_minute=350)
    hanging_redis.hang()
    settle(first, tokens=Tokens(prompt=30, completion=10), ending=Ending("stop"))
    attempt(requests_per_minute=4, tokens_per_minute=350)
    attempt(requests_per_minute=4, tokens_per_minute=350)
    assert refused(attempt, Tokens(200, 0), requests_per_minute=4, tokens_per_minute=350).noun == "tokens"
    hanging_redis.go_on()
    attempt(requests_per_minute=4, tokens_per_minute=350)
    error = refused(attempt, requests_per_minute=4, tokens_per_minute=350)
    assert (error.standing.requests.used, error.standing.tokens.used) == (4, 340)
    (name,) = redis.Redis(port=hanging_redis.port).keys("studio:minute:*:at")
    known = {each.decode() for each in redis.Redis(port=hanging_redis.port).zrange(name, 0, -1)}
    assert known == set(Completion.objects.values_list("id", flat=True))


@pytest.mark.django_db(transaction=True)
def test_what_one_process_let_in_without_redis_counts_in_all_once_it_is_back(hanging_redis, attempt) -> None:
    attempt(requests_per_minute=2)
    other = redis_window.Windows(hanging_redis.url)  # as another process has it
    hanging_redis.hang()
    second = attempt(requests_per_minute=2)
    hanging_redis.go_on()
    assert refused(attempt, requests_per_minute=2).standing.requests.used == 2
    key_id = Completion.objects.get(id=second).api_key_id
    assert other.take(key_id, ("req_other", 1, 2, 0), lambda: [])[:2] == [0, 2]


@pytest.mark.django_db(transaction=True)
def test_redis_forgets_a_request_after_a_minute(own_redis, attempt) -> None:
    attempt(tokens_per_minute=100, requests_per_minute=9)
    server = redis.Redis(port=own_redis.port)
    (name,) = server.keys("studio:minute:*:at")
    (member, score) = server.zrange(name, 0, -1, withscores=True)[0]
    server.zadd(name, {member: score - 60_001})
    attempt(tokens_per_minute=100)
    assert server.hget(name.replace(b":at", b":tokens"), "sum") == b"100"


def test_the_wait_is_until_enough_of_the_oldest_are_gone() -> None:
    window = [Taken("a", 50.0, 40), Taken("b", 30.0, 40), Taken("c", 1.0, 15)]
    with pytest.raises(RateExceeded) as soon:
        decide(window, Limits(tokens=100), tokens=40)
    assert soon.value.free_in == 10.0
    with pytest.raises(RateExceeded) as later:
        decide(window, Limits(requests=3, tokens=100), tokens=80)
    assert later.value.free_in == 30.0 and later.value.standing.tokens.reset_in == 59.0


def test_the_official_client_sees_tokens_a_minute_and_what_is_left(client_for, make_key, base_model) -> None:
    client = client_for(make_key("chat", tokens_per_minute=2_000))
    answer = client.chat.completions.with_raw_response.create(model=base_model.name, messages=HELLO, max_tokens=5)
    assert answer.headers["x-ratelimit-limit-tokens"] == "2000"
    held = UsageEvent.objects.get(kind="reserve")
    left = 2_000 - held.prompt_tokens - held.completion_tokens
    assert answer.headers["x-ratelimit-remaining-tokens"] == str(left) and left < 2_000
    assert answer.headers["x-ratelimit-reset-tokens"] == "1m0s"
    assert "x-ratelimit-limit-requests" not in answer.headers
    with pytest.raises(openai.RateLimitError) as over:
        client.chat.completions.create(model=base_model.name, messages=HELLO, max_tokens=1_900)
    assert over.value.type == "tokens" and over.value.response.headers["x-should-retry"] == "false"


def test_a_stream_holds_its_place_until_it_ends_and_a_dead_gateways_place_is_freed(
    client_for, make_key, base_model, reconciler
) -> None:
    client = client_for(make_key("chat", parallel_requests=1))
    stream = client.completions.create(model=base_model.name, stream=True, **ENDLESS)
    next(iter(stream))
    with pytest.raises(openai.RateLimitError) as full:
        client.chat.completions.create(model=base_model.name, messages=HELLO, max_tokens=1)
    assert full.value.code == "rate_limit_exceeded" and full.value.response.headers["retry-after"] == "1"
    stream.close()  # the gateway settles nothing; the engine's journal and the reaper do
    until(lambda: reconciler.run_pass() or not Completion.objects.filter(state="running").exists())
    assert client.chat.completions.create(model=base_model.name, messages=HELLO, max_tokens=1).usage


def test_a_key_bound_to_models_finds_no_others(client_for, make_key, base_model, make_tuned) -> None:
    tuned = make_tuned()
    bound = client_for(make_key("chat", "models:read", allowed_models=[base_model.name]))
    assert [each.id for each in bound.models.list()] == [base_model.name]
    assert bound.chat.completions.create(model=base_model.name, messages=HELLO, max_tokens=1).usage
    for name in (tuned.name, "no-such-model"):
        with pytest.raises(openai.NotFoundError) as unknown:
            bound.chat.completions.create(model=name, messages=HELLO, max_tokens=1)
        assert unknown.value.code == "model_not_found" and f"`{name}` does not exist or you do not have" in str(
            unknown.value
        )
    with pytest.raises(openai.NotFoundError):
        bound.models.retrieve(tuned.name)
