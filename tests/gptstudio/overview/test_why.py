"""Asking why: from an answer to the rows nearest to it, and from a row to every model that it taught."""

from __future__ import annotations

import pytest
from django.test import Client

from datasets_app.services import erase_version
from gptstudio.accounts.services import issue_key
from gptstudio.audit.models import AuditEvent
from serving_app.models import Completion, KeptTexts
from serving_app.services import give_feedback
from tests.worlds import finish_job, make_job, make_request, make_version

pytestmark = pytest.mark.django_db
SAID = {"question": "Where is parcel 12?", "answer": "On its way."}
TAUGHT = "/datasets/versions/{}/rows/{}/{}/taught"


@pytest.fixture
def tuned(world, as_alice):
    """A request that the fine-tune answered."""
    return make_request(as_alice, model=world.model)


@pytest.fixture
def call(as_alice):
    def ask(method: str, path: str, body=None, *, scopes=("files:read",), actor=as_alice):
        _key, secret = issue_key(actor, workspace_id=actor.workspace_id, name="why", scopes=list(scopes))
        options = {"data": body, "content_type": "application/json"} if body is not None else {}
        return getattr(Client(), method)(f"/api/v1{path}", headers={"Authorization": f"Bearer {secret}"}, **options)

    return ask


def test_an_answer_leads_to_its_rows_and_from_there_to_the_row(world, tuned, at_alice) -> None:
    page = at_alice.post(f"/why/{tuned.id}/", SAID).content.decode()
    assert "Likeness is not proof that a row caused it." in page
    assert "A training row answers in almost the same words." in page
    assert page.index(f"/datasets/versions/{world.version.id}/rows/train/12/") < page.index("rows/train/1/")
    assert at_alice.get(f"/datasets/versions/{world.version.id}/rows/train/12/").status_code == 200
    assert "<mark>12</mark>" in page


def test_kept_texts_need_no_typing_and_reading_them_is_written_down(world, tuned, at_alice) -> None:
    answers = [{"content": text, "finish_reason": "stop", "calls": []} for text in ("Zebras.", "On its way.")]
    turns = [
        {"role": "user", "content": [{"type": "text", "text": "Where is"}, {"type": "text", "text": " parcel 9?"}]}
    ]
    KeptTexts.objects.create(
        workspace_id=tuned.workspace_id, request=tuned, question={"messages": turns}, answers=answers
    )
    page = at_alice.get(f"/why/{tuned.id}/?choice=2").content.decode()
    assert "almost the same words" in page and "/rows/train/9/" in page
    assert AuditEvent.objects.filter(action="texts.read", subject_id=tuned.id).count() == 1
    assert at_alice.get(f"/why/{tuned.id}/?choice=3").status_code == 400
    assert "?choice=2" in at_alice.get(f"/usage/requests/{tuned.id}/texts").content.decode()


def test_an_editor_who_may_not_read_kept_texts_gives_the_answer_along(world, tuned, at_bob, as_bob) -> None:
    KeptTexts.objects.create(
        workspace_id=tuned.workspace_id, request=tuned, question={"prompt": "Secret?"}, answers=[{"content": "Secret."}]
    )
    turns = [{"role": "user", "content": "Where is parcel 5?"}]
    give_feedback(as_bob, workspace_id=tuned.workspace_id, request_id=tuned.id, correction="Here.", messages=turns)
    page = at_bob.get(f"/why/{tuned.id}/").content.decode()
    assert "is not kept, or you may not read it" in page and "Secret" not in page
    assert "Where is parcel 5?" in page, "feedback has the question"
    assert (
        "rows/train/5/" in at_bob.post(f"/why/{tuned.id}/", SAID | {"question": "Where is parcel 5?"}).content.decode()
    )


def test_a_base_model_and_an_erased_version_are_said_in_words(world, tuned, at_alice, as_alice) -> None:
    page = at_alice.post(f"/why/chatcmpl-{world.request.id}/", SAID).content.decode()
    assert "is a base model" in page and "no training rows to compare" in page
    erase_version(as_alice, version=world.version, reason="By letter.")
    page = at_alice.post(f"/why/{tuned.id}/", SAID).content.decode()
    assert "The rows of support, version 1 were erased." in page and "rows/train" not in page


def test_a_request_that_was_only_judged_has_no_answer(world, at_alice, call) -> None:
    Completion.objects.filter(id=world.request.id).update(model=None, judge="omni", endpoint="moderations")
    page = at_alice.post(f"/why/{world.request.id}/", SAID).content.decode()
    assert "in this workspace that a model answered" in page
    answer = call("post", f"/completions/{world.request.id}/why", {"answer": "On its way."})
    assert answer.status_code == 404


@pytest.mark.parametrize(
    ("form", "said"), [({}, "no answer"), ({"answer": " "}, "no answer"), ({"answer": "a" * 100_001}, "100,000")]
)
def test_what_cannot_be_looked_for_is_said(tuned, at_alice, form, said) -> None:
    answer = at_alice.post(f"/why/{tuned.id}/", form)
    assert answer.status_code == 400 and said in answer.content.decode()


def test_programs_ask_with_the_texts_or_with_what_is_kept(world, tuned, call) -> None:
    path = f"/completions/{tuned.id}/why"
    found = call("post", path, {"prompt": "Where is parcel 12?", "answer": "On its way.", "limit": 2}).json()
    assert found["model"] == world.model.name and found["version"] == world.version.id and found["missing"] == ""
    first = found["rows"][0]
    assert len(found["rows"]) == 2 and (first["split"], first["place"], first["file"]) == ("train", 12, "tickets.csv")
    assert first["likeness"] == 1 and first["same_run"] == 3 and first["messages"][1]["content"] == "On its way."
    assert "not proof" in found["caution"]
    refused = call("post", path, {})
    assert refused.status_code == 400 and refused.json()["code"] == "answer_needed"
    KeptTexts.objects.create(
        workspace_id=tuned.workspace_id, request=tuned, question={"prompt": "Parcel 12"},
        answers=[{"content": "", "calls": [{"name": "way", "arguments": '{"on": "its"}'}]}],
    )  # fmt: skip
    assert call("post", path, {}).status_code == 400, "the key may not read what is kept"
    read = call("post", path, {}, scopes=("files:read", "reviews:read"))
    assert read.json()["rows"][0]["answer_likeness"] > 0.5


def test_a_row_tells_which_models_it_taught_in_every_version(
    world, as_alice, at_alice, call, starter, tmp_path
) -> None:
    page = at_alice.get(TAUGHT.format(world.version.id, "train", 3)).content.decode()
    assert f"/models/{world.model.id}/" in page and "learnt from this version" in page
    later = make_version(as_alice, dataset=world.dataset)
    finish_job(make_job(as_alice, version=later, base=starter, name="More"), folder=tmp_path / "more")
    path = f"/datasets/{world.dataset.id}/versions/{world.version.id}/rows/train/3/taught"
    found = call("get", path).json()
    assert [(each["version"], each["place"], each["same_text"]) for each in found["models"]] == [
        (world.version.id, 3, True),
        (later.id, 3, True),
    ]
    assert found["deployments"] == []


def test_rows_that_taught_nothing_say_so_and_test_rows_stay_shut(world, at_alice, call) -> None:
    page = at_alice.get(TAUGHT.format(world.version.id, "validation", 3)).content.decode()
    assert "validation rows tell training when to stop" in page
    assert at_alice.get(TAUGHT.format(world.version.id, "test", 3)).status_code == 403
    path = f"/datasets/{world.dataset.id}/versions/{world.version.id}/rows/test/3/taught"
    assert call("get", path).status_code == 403
    assert call("get", f"{path}?reveal_test=true").json() == {"models": [], "deployments": []}
    assert AuditEvent.objects.filter(action="version.test_rows_opened").count() == 1


def test_a_stranger_finds_neither_the_request_nor_the_row(world, tuned, at_charlie, as_charlie, call) -> None:
    assert at_charlie.post(f"/why/{tuned.id}/", SAID).status_code == 404
    assert at_charlie.get(TAUGHT.format(world.version.id, "train", 3)).status_code == 404
    path = f"/datasets/{world.dataset.id}/versions/{world.version.id}/rows/train/3/taught"
    assert call("get", path, actor=as_charlie).status_code == 404
    assert call("post", f"/completions/{tuned.id}/why", {"answer": "On its way."}, actor=as_charlie).status_code == 404
