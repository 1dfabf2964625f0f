"""Thumbs and corrections: taken with a key or in the playground, decided by a reviewer, made into rows."""

from __future__ import annotations

import json

import pytest
from django.test import Client

from datasets_app.models import DatasetFile
from gptstudio.core.errors import Conflict, Invalid, NotAllowed, NotFound
from gptstudio.review.models import ReviewItem
from gptstudio.review.services import decide
from serving_app import selectors
from serving_app.models import Feedback, KeptTexts
from serving_app.services import export_corrections, give_feedback
from tests.worlds import make_dataset, make_request

pytestmark = pytest.mark.django_db
ASKED = [{"role": "user", "content": "I am jane@x.org. Where is it?"}]


@pytest.fixture
def request_id(as_alice, starter) -> str:
    return make_request(as_alice, model=starter).id


@pytest.fixture
def correct(as_bob, request_id):
    """Bob says what should have been said."""

    def give(text: str = "It is on its way.", **options) -> Feedback:
        options = {"messages": ASKED, "rating": "down"} | options
        return give_feedback(
            as_bob, workspace_id=as_bob.workspace_id, request_id=request_id, correction=text, **options
        )

    return give


def test_a_good_rating_is_noted_and_a_bad_one_waits_for_a_reviewer(as_bob, request_id) -> None:
    give = {"workspace_id": as_bob.workspace_id, "request_id": request_id}
    give_feedback(as_bob, **give, rating="up")
    assert Feedback.objects.get().rating == "up" and not ReviewItem.objects.exists()
    give_feedback(as_bob, **give, rating="down")
    assert Feedback.objects.get().rating == "down"
    assert ReviewItem.objects.get().title == "A bad answer: studio-starter-1"


def test_a_correction_is_kept_scrubbed_and_replaced_until_it_is_decided(correct, as_alice) -> None:
    correct("Write to bob@x.org.")
    given = correct("It is on its way.")
    assert given.question == [{"role": "user", "content": "I am [EMAIL]. Where is it?"}]
    item = ReviewItem.objects.get(kind="feedback")
    assert item.evidence["feedback"]["correction"] == "It is on its way."
    decide(as_alice, item=item, verdict="approved", reason="So it is.")
    with pytest.raises(Conflict, match="decided"):
        correct("It is late.")


def test_a_request_is_found_by_the_id_of_its_answer(as_bob, as_alice, request_id) -> None:
    for before in ("chatcmpl-", "cmpl-", ""):
        name = before + request_id
        given = give_feedback(as_bob, workspace_id=as_bob.workspace_id, request_id=name, rating="up")
        assert given.request_id == request_id
        assert selectors.usage_of(as_bob.workspace_id, name).request_id == request_id
    with pytest.raises(NotFound):
        give_feedback(as_bob, workspace_id=as_bob.workspace_id, request_id="chatcmpl-", rating="up")


def test_accepted_corrections_become_one_file_of_chat_messages_once(correct, as_alice, as_bob) -> None:
    given = correct()
    with pytest.raises(Invalid, match="No accepted correction"):
        export_corrections(as_bob, workspace_id=as_bob.workspace_id)
    decide(as_alice, item=ReviewItem.objects.get(), verdict="approved", reason="So it is.")
    file = export_corrections(as_bob, workspace_id=as_bob.workspace_id)
    assert file.dataset.name == "Corrections" and file.name.endswith(".jsonl")
    [line] = file.path.read_text().splitlines()
    answer = {"role": "assistant", "content": "It is on its way."}
    assert json.loads(line) == {"messages": [{"role": "user", "content": "I am [EMAIL]. Where is it?"}, answer]}
    given.refresh_from_db()
    assert given.file_id == file.id
    with pytest.raises(Invalid):
        export_corrections(as_bob, workspace_id=as_bob.workspace_id)


def test_what_was_rejected_is_never_learnt(correct, as_alice, as_bob) -> None:
    correct()
    decide(as_alice, item=ReviewItem.objects.get(), verdict="rejected", reason="No.")
    with pytest.raises(Invalid):
        export_corrections(as_bob, workspace_id=as_bob.workspace_id)


def test_who_corrected_does_not_accept_it_where_two_are_needed(as_alice, request_id) -> None:
    give_feedback(
        as_alice, workspace_id=as_alice.workspace_id, request_id=request_id, correction="Yes.", messages=ASKED
    )
    with pytest.raises(NotAllowed):
        decide(as_alice, item=ReviewItem.objects.get(), verdict="approved", reason="Mine.")


def test_a_correction_needs_its_question_unless_it_is_kept(correct, request_id, workspace) -> None:
    for messages in (None, [], [{"role": "assistant", "content": "Hm."}], [{"role": "user"}], ["x"]):
        with pytest.raises(Invalid) as refused:
            correct(messages=messages)
        assert refused.value.param == "messages"
    question = {"messages": [{"role": "user", "content": "Where is [PERSON]?"}]}
    answers = [{"content": "No idea.", "finish_reason": "stop", "calls": []}]
    KeptTexts.objects.create(workspace=workspace, request_id=request_id, question=question, answers=answers)
    assert correct(messages=None).question == question["messages"]
    assert ReviewItem.objects.get().evidence["feedback"]["answer"] == "No idea."


@pytest.mark.parametrize("wrong", [{"rating": "sideways"}, {"rating": "", "text": ""}, {"text": "x" * 20_001}])
def test_feedback_that_says_nothing_or_too_much_is_refused(correct, wrong) -> None:
    with pytest.raises(Invalid):
        correct(**{"text": "", **wrong})


def test_a_stranger_rates_nothing_here(as_charlie, request_id) -> None:
    with pytest.raises(NotFound):
        give_feedback(as_charlie, workspace_id=as_charlie.workspace_id, request_id=request_id, rating="up")


def test_the_playground_gives_it_the_page_lists_it_and_makes_the_file(alice, bob, as_alice, as_bob, request_id) -> None:
    at_bob, at_alice = Client(), Client()
    at_bob.force_login(bob)
    at_alice.force_login(alice)
    sent = {"request": request_id, "messages": ASKED, "rating": "down", "correction": "It is on its way."}
    said = at_bob.post("/playground/rate", sent, content_type="application/json")
    assert said.json() == {"said": "Thank you. A reviewer looks at it."}
    lost = at_bob.post("/playground/rate", {**sent, "request": "req_x"}, content_type="application/json")
    assert lost.status_code == 404 and "There is no request" in lost.json()["error"]
    item = ReviewItem.objects.get()
    page = at_alice.get(f"/admin/review/reviewitem/{item.id}/change/").content.decode()
    assert "It is on its way." in page and "I am [EMAIL]. Where is it?" in page and "Do not accept" in page
    assert "waits" in at_bob.get("/feedback/").content.decode()
    decide(as_alice, item=item, verdict="approved", reason="So it is.")
    dataset, _ = make_dataset(as_bob)
    assert "1 accepted correction to learn from" in at_bob.get("/feedback/").content.decode()
    done = at_bob.post("/feedback/take", {"dataset": dataset.id}, follow=True).content.decode()
    assert "Make its next version from it" in done and DatasetFile.objects.filter(dataset=dataset).count() == 2
    assert "in a file" in at_bob.get("/feedback/").content.decode()


def test_an_answer_becomes_a_row_to_learn_from_once_a_reviewer_accepts_it(bob, as_alice, as_bob, request_id) -> None:
    at_bob = Client()
    at_bob.force_login(bob)
    sent = {"request": request_id, "messages": ASKED, "correction": "It is on its way."}
    said = at_bob.post("/playground/rate", sent, content_type="application/json").json()["said"]
    assert "Once accepted, it can be made into a row" in said
    item = ReviewItem.objects.get()
    assert item.title == "A row to learn from: studio-starter-1"
    decide(as_alice, item=item, verdict="approved", reason="Right.")
    file = export_corrections(as_bob, workspace_id=as_bob.workspace_id)
    assert json.loads(file.path.read_text())["messages"][-1]["content"] == "It is on its way."


def test_programs_give_list_and_export_it(request_id, as_alice, workspace) -> None:
    from gptstudio.accounts.services import issue_key

    def ask(scope: str, method: str, path: str, body=None):
        secret = issue_key(as_alice, workspace_id=workspace.id, name="p", scopes=[scope])[1]
        options = {"data": body, "content_type": "application/json"} if body is not None else {}
        return getattr(Client(), method)(path, headers={"Authorization": f"Bearer {secret}"}, **options)

    body = {"correction": "Soon.", "messages": ASKED}
    made = ask("chat", "post", f"/api/v1/completions/{request_id}/feedback", body)
    assert made.status_code == 201 and made.json()["state"] == "pending"
    assert ask("chat", "post", f"/api/v1/completions/{request_id}/feedback", {}).status_code == 400
    [listed] = ask("reviews:read", "get", "/api/v1/feedback").json()["data"]
    assert listed["correction"] == "Soon." and listed["model"] == "studio-starter-1"
    assert ask("files:write", "post", "/api/v1/feedback/export", {}).status_code == 400
    ReviewItem.objects.update(state="approved")
    file = ask("files:write", "post", "/api/v1/feedback/export", {}).json()["file"]
    assert DatasetFile.objects.get(id=file).dataset.workspace_id == workspace.id
