"""Versions by REST: made, read row by row, edited, compared, downloaded."""

from __future__ import annotations

import pytest

from datasets_app.models import DatasetVersion, Erasure, RowEdit
from datasets_app.recipes import PRESETS, edited_rows, step, with_edits
from gptstudio.audit.models import AuditEvent
from tests.worlds import REPORT, make_dataset, make_version

pytestmark = pytest.mark.django_db
SAYS = {"messages": [{"role": "user", "content": "Where?"}, {"role": "assistant", "content": " Here.\n"}]}


def test_a_version_is_asked_for_and_followed(call, as_alice) -> None:
    dataset, file = make_dataset(as_alice)
    path = f"/datasets/{dataset.id}/versions"
    made = call("post", path, {"files": [file.id]})
    assert made.status_code == 202 and made.json()["state"] == "queued" and made.json()["files"] == [file.id]
    one = f"{path}/{made.json()['id']}"
    assert call("get", one).json()["rows"] is None
    assert call("post", f"{one}/cancel").json()["state"] == "cancelled"
    assert call("post", f"{one}/retry").status_code == 409
    assert [each["number"] for each in call("get", path).json()["data"]] == [1]


def test_a_version_without_a_recipe_leaves_out_what_was_erased(call, as_alice) -> None:
    dataset, file = make_dataset(as_alice)
    entries = [{"digest": "a", "words": 2}, {"file": file.id, "record": 1}]
    Erasure.objects.create(dataset=dataset, entries=[*entries, {"file": "file-of-another-version", "record": 1}])
    made = call("post", f"/datasets/{dataset.id}/versions", {}).json()
    assert step(made["recipe"], "edits")["options"] == {"rows": [], "erased": entries}


def test_a_version_starts_from_another_with_its_edits_and_its_recipe_unless_one_is_given(call, as_alice) -> None:
    dataset, file = make_dataset(as_alice)
    rows = [{"file": file.id, "row": 3, "exclude": True}]
    parent = make_version(as_alice, dataset=dataset, recipe=with_edits(PRESETS[1]["recipe"], rows))
    path = f"/datasets/{dataset.id}/versions"
    for body, share in (({}, 0.7), ({"recipe": PRESETS[0]["recipe"]}, 0.8)):
        made = call("post", path, {**body, "parent": parent.id}).json()
        assert made["parent_id"] == parent.id and edited_rows(made["recipe"]) == rows
        assert step(made["recipe"], "split")["options"]["train"] == share
    other, _ = make_dataset(as_alice, name="other")
    foreign = call("post", f"/datasets/{other.id}/versions", {"parent": parent.id})
    assert (foreign.status_code, foreign.json()["param"]) == (404, "parent")
    DatasetVersion.objects.filter(id=parent.id).update(state="erased")
    for below in ("versions", "previews"):
        gone = call("post", f"/datasets/{dataset.id}/{below}", {"parent": parent.id})
        assert gone.status_code == 409 and "was erased" in gone.json()["title"]


@pytest.mark.parametrize("body", [{"files": ["file-nothing"]}, {"files": []}, {"recipe": {"steps": []}}])
def test_a_version_of_nothing_is_refused(call, as_alice, body) -> None:
    dataset, _ = make_dataset(as_alice)
    assert call("post", f"/datasets/{dataset.id}/versions", body).status_code in (400, 404)
    assert not DatasetVersion.objects.exists()


def test_report_and_ledger_are_what_curation_said(call, below) -> None:
    assert call("get", f"{below}/report").json() == REPORT
    ledger = call("get", f"{below}/ledger").json()
    assert ledger["total"] == 1 and ledger["data"][0]["line"] == 63 and ledger["next"] is None
    assert call("get", f"{below}/ledger?reason=other").json()["data"] == []
    assert call("get", f"{below}/ledger?limit=0").json()["param"] == "limit"


def test_rows_are_found_page_by_page(call, below) -> None:
    seen, after = [], ""
    while True:
        page = call("get", f"{below}/rows?split=train&limit=25{after}").json()
        seen += page["data"]
        if page["next"] is None:
            break
        after = f"&after={page['next']}"
    assert [row["place"] for row in seen] == list(range(60))
    assert seen[0]["messages"][0] == {"role": "user", "content": "Where is parcel 0?"}
    assert call("get", f"{below}/rows?text=PARCEL+33&label=delivery").json()["total"] == 2


@pytest.mark.parametrize(
    "query",
    ["split=secret", "sort=odd", "after=x", "limit=101", "least=-1", "near_copies=maybe", "txet=a", "cluster=²"],
)
def test_an_odd_question_is_refused_and_not_guessed(call, below, query) -> None:
    answer = call("get", f"{below}/rows?{query}")
    assert answer.status_code == 400 and answer.json()["fix"]


def test_test_rows_are_shown_to_who_says_so_and_it_is_written_down(call, below) -> None:
    assert {row["split"] for row in call("get", f"{below}/rows?limit=100").json()["data"]} == {"train", "validation"}
    for path in ("rows?split=test", "rows/test/0", "download?split=test", "download?split=all"):
        answer = call("get", f"{below}/{path}")
        assert (answer.status_code, answer.json()["code"]) == (403, "test_rows_shut")
    assert not AuditEvent.objects.filter(action="version.test_rows_opened").exists()
    assert len(call("get", f"{below}/rows?split=test&reveal_test=true").json()["data"]) == 20
    assert AuditEvent.objects.get(action="version.test_rows_opened").actor_kind == "key"
    assert call("get", f"{below}/rows/test/0?reveal_test=true").status_code == 200


def test_an_edit_carries_the_mark_of_what_was_seen(call, below) -> None:
    row = call("get", f"{below}/rows/train/3")
    assert row.json()["edit"] is None
    seen = {"If-Match": row["ETag"]}
    edited = call("put", f"{below}/rows/train/3", {**SAYS, "note": "clearer"}, headers=seen)
    assert edited.status_code == 200 and edited.json()["edit"]["messages"] == SAYS["messages"]
    late = call("put", f"{below}/rows/train/3", SAYS, headers=seen)
    assert (late.status_code, late.json()["code"]) == (412, "changed_meanwhile")
    assert call("put", f"{below}/rows/train/3", SAYS, headers={"If-Match": edited["ETag"]}).status_code == 200
    assert call("delete", f"{below}/rows/train/3").status_code == 204 and not RowEdit.objects.exists()


def test_rows_are_marked_in_bulk_and_the_next_version_follows(call, below, version) -> None:
    rows = [{"split": "train", "place": 1}, {"split": "validation", "place": 2}]
    assert call("post", f"{below}/edits", {"act": "exclude", "rows": rows, "note": "wrong"}).json() == {"rows": 2}
    assert {edit["action"] for edit in call("get", f"{below}/edits").json()["data"]} == {"exclude"}
    exam = {"act": "flag", "rows": [{"split": "test", "place": 1}]}
    assert call("post", f"{below}/edits", exam).status_code == 403
    assert call("post", f"{below}/edits", {"act": "undo", "rows": rows[:1]}).json() == {"rows": 1}
    made = call("post", f"{below}/edits/apply")
    assert made.status_code == 202 and (made.json()["parent_id"], made.json()["origin"]) == (version.id, "edited")
    assert call("post", f"{below}/edits/apply").status_code == 409


def test_versions_are_compared_and_gone_back_to(call, below, as_alice, version) -> None:
    assert call("get", f"{below}/diff").json()["param"] == "with"
    second = make_version(as_alice, dataset=version.dataset)
    path = f"/datasets/{version.dataset_id}/versions/{second.id}"
    found = call("get", f"{path}/diff").json()
    assert (found["old"], found["new"], found["counts"]["same"]) == (version.id, second.id, 180)
    assert found["drift"]["labels"] == 0 and found["data"] == []
    assert call("get", f"{path}/diff?kind=odd").status_code == 400
    assert call("post", f"{below}/restore").json()["origin"] == "restored"


def test_the_card_is_markdown(call, below) -> None:
    card = call("get", f"{below}/card")
    assert card["Content-Type"].startswith("text/markdown") and b"# support, version 1" in card.content


@pytest.mark.parametrize(
    ("form", "kind"), [("jsonl", "application/jsonl"), ("csv", "text/csv"), ("parquet", "parquet")]
)
def test_rows_are_downloaded(call, below, form, kind) -> None:
    answer = call("get", f"{below}/download?format={form}")
    assert answer.status_code == 200 and kind in answer["Content-Type"]
    assert b"".join(answer) and f"train.{form}" in answer["Content-Disposition"]
    assert call("get", f"{below}/download?format=exe").status_code == 400


def test_a_version_is_found_in_its_own_data_set_only(call, as_alice, version) -> None:
    other, _ = make_dataset(as_alice, name="other")
    assert call("get", f"/datasets/{other.id}/versions/{version.id}").status_code == 404
