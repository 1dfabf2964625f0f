"""Personal data by REST: hits listed, narrowed, decided on singly and in bulk, shown in clear to who asks."""

from __future__ import annotations

import pytest

from datasets_app import selectors, services
from gptstudio.api.models import KeptAnswer
from gptstudio.audit.models import AuditEvent
from tests.datasets_app.conftest import move_into_test

pytestmark = pytest.mark.django_db


def decisions(version) -> dict[str, str]:
    return {each.key: each.verdict for each in selectors.decisions_of(version.dataset)}


def listed(call, below, query: str = "") -> list[str]:
    return [each["id"] for each in call("get", f"{below}/findings?{query}").json()["data"]]


def beneath(version) -> str:
    return f"/datasets/{version.dataset_id}/versions/{version.id}/findings"


def test_hits_are_listed_veiled_with_what_became_of_them_the_least_sure_first(call, below) -> None:
    page = call("get", f"{below}/findings").json()
    assert [each["id"] for each in page["data"]] == ["key2", "key3", "key0", "key1"]
    assert (page["total"], page["next"]) == (4, None)
    hit = page["data"][2]
    assert (hit["before"], hit["veiled"], hit["after"]) == ("write to ", "j•••••••••", " please")
    assert (hit["action"], hit["replacement"], hit["equal"], hit["decision"]) == ("mask", "[EMAIL]", 2, None)


@pytest.mark.parametrize(
    ("query", "seen"),
    [
        ("type=PERSON", ["key2"]),
        ("action=keep", ["key3"]),
        ("sure=unsure", ["key2", "key3"]),
        ("value=v1", ["key0", "key1"]),
        ("decided=true", ["key2", "key0", "key1"]),
        ("decided=false&limit=1", ["key3"]),
    ],
)
def test_hits_are_narrowed(call, below, as_alice, version, query, seen) -> None:
    decided = [("key2", "PERSON"), ("value:v1", "EMAIL_ADDRESS")]
    services.decide_findings(as_alice, dataset=version.dataset, found=decided, verdict="reject")
    assert listed(call, below, query) == seen


@pytest.mark.parametrize("query", ["sure=perhaps", "action=odd", "decided=maybe", "typo=a", "limit=0", "after=nothing"])
def test_an_odd_question_is_refused_and_not_guessed(call, below, query) -> None:
    answer = call("get", f"{below}/findings?{query}")
    assert answer.status_code == 400 and answer.json()["fix"]


def test_pages_miss_nothing_though_hits_are_decided_on_between_them(call, below) -> None:
    seen, after = [], ""
    while True:
        page = call("get", f"{below}/findings?decided=false&limit=1{after}").json()
        seen += [each["id"] for each in page["data"]]
        call("post", f"{below}/findings/decide", {"verdict": "accept", "findings": seen[-1:]})
        if page["next"] is None:
            break
        after = f"&after={page['next']}"
    assert seen == ["key2", "key3", "key0", "key1"] and listed(call, below, "decided=false") == []


def test_one_is_decided_and_taken_back(call, below, version) -> None:
    one = {"findings": ["key2"]}
    assert call("post", f"{below}/findings/decide", {**one, "verdict": "reject"}).json() == {"decided": 1}
    assert decisions(version) == {"key2": "reject"}
    hit = call("get", f"{below}/findings?type=PERSON").json()["data"][0]
    assert hit["decision"] == {"verdict": "reject", "everywhere": False}
    call("post", f"{below}/findings/decide", {**one, "verdict": "take_back"})
    assert decisions(version) == {}
    event = AuditEvent.objects.filter(action="findings.decided").first()
    assert event is not None and event.actor_kind == "key"


def test_many_are_decided_by_key_by_value_and_by_list(call, below, version) -> None:
    decide = f"{below}/findings/decide"
    call("post", decide, {"verdict": "accept", "findings": ["key2", "key3"]})
    assert decisions(version) == {"key2": "accept", "key3": "accept"}
    call("post", decide, {"verdict": "reject", "findings": ["key0"], "everywhere": True})
    assert decisions(version)["value:v1"] == "reject"
    assert call("post", decide, {"verdict": "accept", "all": {"type": "LOCATION"}}).json() == {"decided": 1}
    assert decisions(version)["value:v3"] == "accept"
    assert call("post", decide, {"verdict": "take_back", "all": {}}).json() == {"decided": 3}
    assert decisions(version) == {"key2": "accept", "key3": "accept"}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"verdict": "accept"}, 400),
        ({"verdict": "accept", "findings": ["key0"], "all": {}}, 400),
        ({"verdict": "accept", "findings": []}, 400),
        ({"verdict": "perhaps", "findings": ["key0"]}, 400),
        ({"verdict": "accept", "all": {"type": "NOBODY"}}, 400),
        ({"verdict": "accept", "findings": ["key0", "key9"]}, 404),
    ],
)
def test_what_cannot_be_decided_is_refused_and_nothing_done(call, below, version, body, status) -> None:
    assert call("post", f"{below}/findings/decide", body).status_code == status
    assert decisions(version) == {}


def test_a_list_of_too_many_values_is_not_decided_in_part(call, below, version, monkeypatch) -> None:
    monkeypatch.setattr("datasets_app.api.findings.MOST_VALUES", 2)
    answer = call("post", f"{below}/findings/decide", {"verdict": "accept", "all": {}})
    assert answer.status_code == 400 and "more than 2 different values" in answer.json()["title"]
    assert decisions(version) == {}


def test_a_value_is_shown_in_clear_each_time_with_a_line_and_no_answer_is_kept(call, written) -> None:
    clear = f"{beneath(written)}/key0/clear"
    for _ in range(2):
        answer = call("post", clear, headers={"Idempotency-Key": "once"})
        assert answer.json() == {"before": "Write to  ", "value": "Jane.Roe@x.org", "after": " please"}
    lines = AuditEvent.objects.filter(action="version.clear_text_shown")
    assert [(each.actor_kind, each.data) for each in lines] == [("key", {"file": "tickets.csv", "row": 1})] * 2
    assert not KeptAnswer.objects.exists()
    assert call("post", f"{beneath(written)}/key9/clear").status_code == 404


def test_a_hit_in_a_test_row_is_shut_until_it_is_revealed(call, written) -> None:
    move_into_test(written)
    address = beneath(written)
    (shut,) = call("get", address).json()["data"]
    assert shut["is_test"] and {shut[each] for each in ("before", "veiled", "after", "replacement")} == {None}
    answer = call("post", f"{address}/key0/clear")
    assert (answer.status_code, answer.json()["code"]) == (403, "test_rows_shut")
    assert not AuditEvent.objects.filter(subject_id=written.id, action__startswith="version.test").exists()
    assert call("get", f"{address}?reveal_test=true").json()["data"][0]["before"] == "write to "
    assert call("post", f"{address}/key0/clear?reveal_test=true").json()["value"] == "Jane.Roe@x.org"
    assert [each.action for each in AuditEvent.objects.filter(subject_id=written.id).order_by("id")][-2:] == [
        "version.test_rows_opened",
        "version.clear_text_shown",
    ]


def test_a_version_without_a_record_says_so(call, below, version) -> None:
    (version.folder / "findings.parquet").unlink()
    answer = call("get", f"{below}/findings")
    assert answer.status_code == 404 and "no record of personal data" in answer.json()["title"]


def test_who_may_only_read_decides_nothing(as_alice, workspace, below, version) -> None:
    from django.test import Client

    from gptstudio.accounts.services import issue_key

    _key, secret = issue_key(as_alice, workspace_id=workspace.id, name="reads", scopes=["files:read"])
    sent = {"headers": {"Authorization": f"Bearer {secret}"}, "content_type": "application/json"}
    body = {"verdict": "accept", "findings": ["key0"]}
    assert Client().post(f"/api/v1{below}/findings/decide", body, **sent).status_code == 403
    assert Client().get(f"/api/v1{below}/findings", **sent).status_code == 200 and decisions(version) == {}
