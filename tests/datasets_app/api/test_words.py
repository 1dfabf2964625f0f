"""The workspace's own words by REST."""

from __future__ import annotations

import pytest

from datasets_app import recipes, selectors, services
from gptstudio.audit.models import AuditEvent
from tests.worlds import make_dataset

pytestmark = pytest.mark.django_db


def test_words_are_put_in_listed_and_taken_out(call, workspace) -> None:
    assert call("get", "/words/deny").json() == {"data": [], "next": None, "total": 0}
    added = call("post", "/words/deny", {"words": ["Project  Bluebird", "ACME-7", "ACME-7"]})
    assert added.json() == {"changed": 2, "total": 2}
    assert call("post", "/words/deny", {"words": ["ACME-7", "Zoë"]}).json() == {"changed": 1, "total": 3}
    assert call("get", "/words/deny").json()["data"] == ["ACME-7", "Project Bluebird", "Zoë"]
    gone = call("post", "/words/deny/remove", {"words": ["ACME-7", "nobody"]})
    assert gone.json() == {"changed": 1, "total": 2}
    assert selectors.words_of(workspace.id) == {"dictionary": [], "allow": [], "deny": ["Project Bluebird", "Zoë"]}
    lines = AuditEvent.objects.filter(action="words.set").order_by("id")
    assert [each.data for each in lines] == [{"count": 2}, {"count": 3}, {"count": 2}]


def test_words_come_in_pages_that_hold_though_one_is_taken_out_between_them(call, as_alice, workspace) -> None:
    words = [f"word{number:02}" for number in range(45)]
    services.set_words(as_alice, workspace_id=workspace.id, kind="dictionary", words=reversed(words))
    first = call("get", "/words/dictionary").json()
    assert (first["data"], first["next"], first["total"]) == (words[:20], "word19", 45)
    call("post", "/words/dictionary/remove", {"words": ["word19"]})
    rest = call("get", "/words/dictionary?after=word19&limit=100").json()
    assert (rest["data"], rest["next"], rest["total"]) == (words[20:], None, 44)


@pytest.mark.parametrize("body", [{}, {"words": []}, {"words": "one"}, {"words": [1]}, {"words": ["x" * 201]}])
def test_what_is_no_list_of_words_is_refused(call, workspace, body) -> None:
    assert call("post", "/words/allow", body).status_code == 400
    assert selectors.words_of(workspace.id)["allow"] == []


def test_a_list_is_not_longer_than_a_list_may_be(call, as_alice, workspace) -> None:
    services.set_words(as_alice, workspace_id=workspace.id, kind="allow", words=[f"w{each}" for each in range(4_999)])
    assert call("post", "/words/allow", {"words": ["a", "b"]}).status_code == 400
    assert len(selectors.words_of(workspace.id)["allow"]) == 4_999


def test_versions_asked_for_afterwards_have_them(call, as_alice) -> None:
    dataset, _ = make_dataset(as_alice)
    call("post", "/words/allow", {"words": ["Acme Street"]})
    made = call("post", f"/datasets/{dataset.id}/versions", {}).json()
    assert recipes.step(made["recipe"], "personal_data")["options"]["allow"] == ["Acme Street"]


def test_charlie_has_lists_of_his_own(call, as_alice, as_charlie, workspace) -> None:
    call("post", "/words/deny", {"words": ["Bluebird"]})
    assert services.add_words(as_charlie, workspace_id=as_charlie.workspace_id, kind="deny", words=["Mine"]) == 1
    assert selectors.words_of(workspace.id)["deny"] == ["Bluebird"]
    assert selectors.words_of(as_charlie.workspace_id)["deny"] == ["Mine"]
