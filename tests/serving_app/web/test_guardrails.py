"""Guardrails on their page, in REST, in the review queue, and who may set them."""

from __future__ import annotations

import re

import pytest

from datasets_app.services import create_dataset
from gptstudio.audit.models import AuditEvent
from gptstudio.review.models import ReviewItem
from serving_app.guardrails.rules import Words
from serving_app.guardrails.watch import first_breach
from serving_app.models import Guardrails, KeptTexts
from serving_app.services import guard_for, keep_texts
from serving_app.services.breaches import report_breach
from tests.worlds import make_request

pytestmark = pytest.mark.django_db
PAGE = "/settings/guardrails"
SENT = {
    "prompts-personal_data": "mask",
    "prompts-words": "falcon\n\n Code red \nfalcon",
    "answers-personal_data": "stop",
    "answers-lexicon": ["insults", "slurs"],
    "answers-patterns": r"\d{3}-\d{4}",
}


def test_rules_are_set_shown_again_and_audited_without_the_words(at_alice, workspace) -> None:
    page = at_alice.post(PAGE, SENT, follow=True).content.decode()
    assert "It holds from the next request on" in page and "falcon\nCode red</textarea>" in page
    kept = Guardrails.objects.get()
    assert kept.prompts == {"personal_data": "mask", "words": ["falcon", "Code red"], "patterns": [], "lexicon": []}
    assert kept.answers["lexicon"] == ["insults", "slurs"] and kept.answers["patterns"] == [r"\d{3}-\d{4}"]
    told = AuditEvent.objects.get(action="guardrails.set").data
    assert told["prompts"] == {"personal_data": "mask", "lexicon": [], "words": 2, "patterns": 0}
    assert "guardrails" in at_alice.get("/settings/").content.decode()


@pytest.mark.parametrize(
    ("field", "text", "says"),
    [
        ("prompts-patterns", "(", "The pattern “(” cannot be used"),
        ("answers-patterns", "x*", "it would stop everything"),
        ("answers-words", "!!", "“!!” is no word"),
        ("prompts-words", "x" * 101, "more than 100 characters"),
        ("prompts-words", "\n".join(map(str, range(501))), "501 entries"),
    ],
)
def test_a_rule_that_cannot_be_is_told_beside_its_field(at_alice, field, text, says) -> None:
    answer = at_alice.post(PAGE, {**SENT, field: text})
    page = answer.content.decode()
    assert answer.status_code == 400 and says in page
    assert page.index(says) > page.index(f'name="{field}"') and not Guardrails.objects.exists()


def test_of_two_admins_the_later_one_is_told_and_loses_nothing(at_alice, workspace, as_alice, starter) -> None:
    page = at_alice.get(PAGE).content.decode()
    seen = re.search(r'name="keeping-seen" value="(\d+)"', page)
    assert seen is not None
    at_alice.post(PAGE, {**SENT, "keeping-keep_days": "7", "keeping-seen": seen[1]})
    request = make_request(as_alice, model=starter)
    keep_texts(workspace_id=workspace.id, request_id=request.id, question={}, answers=[])
    late = at_alice.post(PAGE, {**SENT, "prompts-words": "heron", "keeping-seen": seen[1]})
    said = late.content.decode()
    assert late.status_code == 400 and "Somebody changed the rules" in said and "heron</textarea>" in said
    assert Guardrails.objects.get().keep_days == 7 and KeptTexts.objects.count() == 1


def test_an_editor_neither_sees_nor_sets_them(at_bob) -> None:
    assert at_bob.get(PAGE).status_code == 403 and at_bob.post(PAGE, SENT).status_code == 403
    assert "Guardrails" not in at_bob.get("/settings/").content.decode()


def test_a_workspace_that_lifts_its_rules_has_no_guard(at_alice, workspace) -> None:
    at_alice.post(PAGE, SENT)
    workspace.refresh_from_db()
    assert guard_for(workspace) is not None
    at_alice.post(PAGE, {"prompts-personal_data": "allow", "answers-personal_data": "allow"})
    workspace.refresh_from_db()
    assert guard_for(workspace) is None


@pytest.fixture
def started(as_alice, workspace) -> None:
    """A workspace with a data set: before that, home shows how to begin."""
    create_dataset(as_alice, workspace_id=workspace.id, name="support")


def test_a_reviewer_sees_the_place_and_says_whether_it_was_right(at_alice, as_bob, workspace, started) -> None:
    at_alice.post(PAGE, SENT)
    workspace.refresh_from_db()
    guard = guard_for(workspace)
    breach = first_breach("mail jane@x.org, you falcon", [Words(["falcon"])])
    report_breach(as_bob, guard, breach, side="answers", model_name="support", attempt_id="req_1")
    item = ReviewItem.objects.get()
    page = at_alice.get(f"/admin/review/reviewitem/{item.id}/change/").content.decode()
    assert "mail [EMAIL], you «falcon»" in page and "jane@x.org" not in page
    assert "Rightly stopped" in page and "False alarm" in page and "support" in page and "req_1" in page
    assert "A rule held. Say whether it was right." in at_alice.get("/").content.decode()
    done = at_alice.post(f"/admin/review/reviewitem/{item.id}/decide/", {"verdict": "rejected", "reason": "A bird."})
    assert done.status_code == 302 and ReviewItem.objects.get().state == "rejected"


def test_home_tells_reviewers_alone_what_somebody_was_stopped_for(at_alice, at_bob, as_bob, workspace, started) -> None:
    at_alice.post(PAGE, SENT)
    workspace.refresh_from_db()
    breach = first_breach("falcon", [Words(["falcon"])])
    report_breach(as_bob, guard_for(workspace), breach, side="prompts", model_name="support", attempt_id="req_1")
    theirs, own = (browser.get("/").content.decode() for browser in (at_alice, at_bob))
    assert "falcon" in theirs and "falcon" not in own and "A reviewer decides." not in own


def test_texts_are_kept_for_the_days_that_are_set_and_shown_to_reviewers(
    at_alice, at_bob, as_alice, starter, workspace
) -> None:
    request = make_request(as_alice, model=starter)
    assert "Neither questions nor answers are kept" in at_alice.get("/usage/requests").content.decode()
    assert "nothing of what is said is kept" in at_alice.get("/playground/").content.decode()
    assert "365" in at_alice.post(PAGE, {**SENT, "keeping-keep_days": "366"}).content.decode()
    at_alice.post(PAGE, {**SENT, "keeping-keep_days": "7"})
    assert (Guardrails.objects.get().keep_days, Guardrails.objects.get().review_days) == (7, 90)
    at_alice.post(PAGE, {**SENT, "keeping-keep_days": "7", "keeping-review_days": "14"})
    at_alice.post(PAGE, {**SENT, "keeping-keep_days": "7", "keeping-review_days": ""})
    assert Guardrails.objects.get().review_days == 14, "empty leaves it"
    call = {"name": "find", "arguments": "{}"}
    answers = [{"content": "On its way.", "finish_reason": "stop", "calls": [call]}]
    question = {"messages": [{"role": "user", "content": "Where is [PERSON]?"}]}
    keep_texts(workspace_id=workspace.id, request_id=request.id, question=question, answers=answers)
    address = f"/usage/requests/{request.id}/texts"
    assert address in at_alice.get("/usage/requests").content.decode()
    assert address not in at_bob.get("/usage/requests").content.decode() and at_bob.get(address).status_code == 403
    page = at_alice.get(address).content.decode()
    assert "Where is [PERSON]?" in page and "On its way." in page and "find({})" in page
    assert AuditEvent.objects.get(action="texts.read").subject_id == request.id
    at_alice.post(f"{address}/delete")
    assert at_alice.get(address).status_code == 404
    assert AuditEvent.objects.filter(action="texts.deleted").count() == 1
