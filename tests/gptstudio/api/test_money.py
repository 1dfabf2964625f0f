"""/api/v1/usage, /requests, /budgets and /prices as programs meet them."""

from __future__ import annotations

import csv

import pytest

from gptstudio.accounts.models import Membership


def test_usage_is_summed_as_one_asks_and_comes_as_csv_too(program, world) -> None:
    ask = program("usage:read")
    [whole] = ask("get", "/api/v1/usage?by=model").json()["data"]
    assert whole == {
        "model": "studio-starter-1", "requests": 1, "prompt_tokens": 20, "cached_tokens": 0, "completion_tokens": 10,
        "cost_micro": 12,
    }  # fmt: skip
    [row] = ask("get", "/api/v1/usage").json()["data"]
    assert row["key"] is None and row["member"] == world.request.user_id and row["day"]
    assert ask("get", "/api/v1/usage?until=2020-01-01").json()["data"] == []
    answer = ask("get", "/api/v1/usage/export")
    [line] = csv.DictReader(answer.content.decode().splitlines())
    assert answer["Content-Type"].startswith("text/csv")
    assert (line["requests"], line["cost_micro"], line["member"]) == ("1", "12", "alice@care.example")


@pytest.mark.parametrize(
    "query",
    [
        "by=colour",
        "by=",
        "since=yesterday",
        "since=20260331",
        "until=",
        "since=2026-02-01&until=2026-01-01",
        "since=0001-01-01",
        "until=9999-12-31",
        "until=0001-01-01",
        "since=9999-12-31",
    ],
)
def test_a_span_that_is_none_is_refused_by_name(program, world, query) -> None:
    answer = program("usage:read")("get", f"/api/v1/usage?{query}")
    assert answer.status_code == 400 and answer.json()["param"] == query.split("=")[0]


def test_a_request_is_found_by_its_id_with_its_bill(program, world) -> None:
    ask = program("usage:read")
    [listed] = ask("get", "/api/v1/requests").json()["data"]
    one = ask("get", f"/api/v1/requests/{listed['id']}").json()
    assert one["state"] == "completed" and one["first_token_ms"] == 30
    assert one["bill"]["cost_micro"] == 12 and one["bill"]["settled"] is True


def test_budgets_are_set_and_seen_with_what_was_spent(program, world, alice) -> None:
    ask = program("budgets:write")
    amounts = {"budget_micro": 5_000_000, "soft_budget_micro": 10}
    done = ask("put", "/api/v1/budgets/workspace", amounts).json()
    assert done["kind"] == "workspace" and done["spent_micro"] == 12 and done["budget_micro"] == 5_000_000
    ask("put", f"/api/v1/budgets/members/{alice.id}", {"budget_micro": None, "soft_budget_micro": 3})
    assert Membership.objects.get(user=alice).soft_budget_micro == 3
    ask("put", f"/api/v1/budgets/members/{alice.id}", {"budget_micro": 9, "monthly_budget_micro": 7})
    kept = ask("put", f"/api/v1/budgets/members/{alice.id}", {"budget_micro": None, "soft_budget_micro": 3}).json()
    assert (kept["monthly_budget_micro"], kept["month_spent_micro"], kept["budget_micro"]) == (7, 12, None)
    assert kept["month_renews_at"].endswith("-01T00:00:00Z")
    kinds = {each["kind"]: each for each in ask("get", "/api/v1/budgets").json()["data"]}
    assert kinds["member"]["spent_micro"] == 12 and "key" not in kinds
    assert ask("put", "/api/v1/budgets/workspace", {"budget_micro": -1}).status_code == 400


def test_prices_are_set_seen_and_taken_back(program, world) -> None:
    ask = program("prices:write")
    made = ask("post", "/api/v1/prices", {"prompt_micro": 5, "completion_micro": 6})
    assert made.status_code == 201 and made.json()["model"] == ""
    assert {each["id"] for each in ask("get", "/api/v1/prices").json()["data"]} == {made.json()["id"], world.price.id}
    assert ask("delete", f"/api/v1/prices/{made.json()['id']}").status_code == 409
    assert ask("delete", f"/api/v1/prices/{world.price.id}").status_code == 204
    nobody = ask("post", "/api/v1/prices", {"model": "support", "prompt_micro": 5, "completion_micro": 6})
    assert nobody.status_code == 400 and "'support' is no model" in nobody.json()["detail"]
    past = {"prompt_micro": 5, "completion_micro": 6, "valid_from": "2020-01-01T00:00:00Z"}
    assert "past" in ask("post", "/api/v1/prices", past).json()["detail"]
