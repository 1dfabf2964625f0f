"""Budgets and rates as the official client meets them."""

from __future__ import annotations

import openai
import pytest

HELLO = [{"role": "user", "content": "Hello"}]


def test_an_exhausted_budget_is_a_429_that_asks_not_to_try_again(client_for, make_key, base_model):
    client = client_for(make_key("chat", budget_micro=1), max_retries=2)
    with pytest.raises(openai.RateLimitError) as refused:
        client.chat.completions.create(model=base_model.name, messages=HELLO, max_tokens=5)
    assert refused.value.code == "insufficient_quota" and refused.value.type == "insufficient_quota"
    assert refused.value.response.headers["x-should-retry"] == "false"


def test_an_exhausted_month_says_when_the_next_one_begins(client_for, make_key, base_model):
    client = client_for(make_key("chat", monthly_budget_micro=1), max_retries=2)
    with pytest.raises(openai.RateLimitError, match="for this month") as refused:
        client.chat.completions.create(model=base_model.name, messages=HELLO, max_tokens=5)
    assert refused.value.code == "insufficient_quota" and "-01 (UTC)" in str(refused.value)
    assert refused.value.response.headers["x-should-retry"] == "false"


def test_too_many_requests_a_minute_say_when_to_come_back(client_for, make_key, base_model):
    client = client_for(make_key("chat", requests_per_minute=2))
    for left in ("1", "0"):
        answer = client.chat.completions.with_raw_response.create(model=base_model.name, messages=HELLO, max_tokens=1)
        assert answer.headers["x-ratelimit-limit-requests"] == "2"
        assert answer.headers["x-ratelimit-remaining-requests"] == left
        assert answer.headers["x-ratelimit-reset-requests"] == "1m0s"
    with pytest.raises(openai.RateLimitError) as refused:
        client.chat.completions.create(model=base_model.name, messages=HELLO, max_tokens=1)
    assert refused.value.code == "rate_limit_exceeded"
    headers = refused.value.response.headers
    assert 0 < int(headers["retry-after"]) <= 60 and headers["x-should-retry"] == "true"
    assert headers["x-ratelimit-remaining-requests"] == "0"


def test_a_small_budget_still_serves_what_fits(client_for, make_key, base_model, as_alice):
    client = client_for(make_key("chat", budget_micro=1_000))
    answer = client.chat.completions.create(model=base_model.name, messages=HELLO, max_tokens=5)
    assert answer.usage.completion_tokens == 5
