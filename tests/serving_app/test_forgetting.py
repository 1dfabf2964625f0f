"""What was said is forgotten: where it names a person who asked for it, and once it was kept for long enough."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.core.serializers.json import DjangoJSONEncoder
from django.utils import timezone

from datasets_app.curation.erasure import Phrase
from gptstudio.audit.models import AuditEvent
from gptstudio.core.errors import Invalid, NotAllowed
from gptstudio.review.evidence import lines_of
from gptstudio.review.models import ReviewItem
from gptstudio.review.services import decide
from serving_app.guardrails.rules import Words
from serving_app.guardrails.watch import first_breach
from serving_app.models import Completion, Feedback, KeptTexts
from serving_app.selectors import said_anywhere
from serving_app.services import (
    drop_old_said,
    erase_said,
    export_corrections,
    give_feedback,
    guard_for,
    set_guardrails,
)
from serving_app.services.breaches import report_breach
from tests.worlds import make_request

pytestmark = pytest.mark.django_db
JANE = Phrase.of("Jané Doe")


def everything() -> str:
    """All that is kept, as one text."""
    rows = [*KeptTexts.objects.values(), *Feedback.objects.values(), *ReviewItem.objects.values()]
    return json.dumps(rows, cls=DjangoJSONEncoder, ensure_ascii=False)


@pytest.fixture
def asked(as_alice, starter):
    """Makes requests."""
    return lambda: make_request(as_alice, model=starter)


@pytest.fixture
def broken(as_alice, workspace):
    """Breaks a rule with a text around it."""
    set_guardrails(as_alice, workspace_id=workspace.id, prompts={"words": ["falcon"]}, answers={})
    workspace.refresh_from_db()

    def put(text: str) -> None:
        breach = first_breach(text, [Words(["falcon"])])
        assert breach is not None
        report_breach(
            as_alice, guard_for(workspace), breach, side="prompts", model_name="m", attempt_id=f"req_{len(text)}"
        )

    return put


@pytest.fixture
def said(as_alice, as_bob, workspace, asked, broken):
    """Of Jane in a kept text, in feedback and its review, and in one of two places of a breach; and of nobody."""
    for question, answer in (("Who is it?", "jane (DOE), JANÉ-doe"), ("Who?", "Nobody.")):
        KeptTexts.objects.create(
            workspace=workspace,
            request=asked(),
            question={"messages": [{"role": "user", "content": question}]},
            answers=[{"content": answer, "finish_reason": "stop", "calls": []}],
        )
    for correction in ("Ask Jané Doe.", "Ask nobody."):
        turns = [{"role": "user", "content": "Whom?"}]
        give_feedback(
            as_bob, workspace_id=workspace.id, request_id=asked().id, rating="down", correction=correction,
            messages=turns,
        )  # fmt: skip
    broken("The falcon of Jané Doe")
    broken("A falcon")


def test_every_place_that_says_it_is_found_and_no_other(said, workspace, as_charlie) -> None:
    found = said_anywhere(workspace.id, JANE)
    assert (len(found.requests), len(found.feedback), len(found.reviews), found.count) == (1, 1, 2, 4)
    assert said_anywhere(as_charlie.workspace_id, JANE).count == 0
    assert said_anywhere(workspace.id, Phrase.of("Jane Doering")).count == 0


def test_what_says_it_is_erased_and_the_rest_stays(said, as_alice, workspace) -> None:
    requests = Completion.objects.count()
    erase_said(as_alice, workspace_id=workspace.id, phrase=JANE, digest="abc", reason="By letter of 3 May.")
    left = everything()
    assert "Jan" not in left and "Nobody." in left and "Ask nobody." in left and "A «falcon»" in left
    assert Completion.objects.count() == requests and Feedback.objects.count() == 2
    gone = Feedback.objects.get(erased_at__isnull=False)
    assert (gone.rating, gone.erased_because) == ("down", "By letter of 3 May.")
    item = ReviewItem.objects.get(subject_id=gone.id)
    assert "By letter of 3 May." in str(lines_of(item)) and item.evidence["feedback"]["rating"] == "Bad"
    breach = ReviewItem.objects.get(kind="guardrail").evidence
    assert breach["guardrail"]["count"] == 2 and len(breach["guardrail"]["excerpts"]) == 1 and "gone" not in breach
    line = AuditEvent.objects.get(action="texts.erased")
    assert line.data == {"requests": 1, "feedback": 1, "reviews": 2, "reason": "By letter of 3 May."}
    assert said_anywhere(workspace.id, JANE).count == 0


def test_an_accepted_correction_that_was_erased_is_not_learnt_from(said, as_alice, as_bob, workspace) -> None:
    for item in ReviewItem.objects.filter(kind="feedback"):
        decide(as_alice, item=item, verdict="approved", reason="So it is.")
    erase_said(as_alice, workspace_id=workspace.id, phrase=JANE, digest="abc", reason="By letter.")
    file = export_corrections(as_bob, workspace_id=workspace.id)
    assert [line["messages"][-1]["content"] for line in map(json.loads, file.path.read_text().splitlines())] == [
        "Ask nobody."
    ]


def test_it_takes_an_admin_and_a_reason(said, as_alice, as_bob, as_charlie, workspace) -> None:
    for who in (as_bob, as_charlie):
        with pytest.raises(NotAllowed):
            erase_said(who, workspace_id=workspace.id, phrase=JANE, digest="abc", reason="By letter.")
    with pytest.raises(Invalid, match="no reason"):
        erase_said(as_alice, workspace_id=workspace.id, phrase=JANE, digest="abc", reason=" ")
    assert said_anywhere(workspace.id, JANE).count == 4


def age(days: int) -> None:
    then = timezone.now() - timedelta(days=days)
    for model in (Feedback, ReviewItem):
        model.objects.update(created_at=then)
    for item in ReviewItem.objects.filter(kind="guardrail"):
        for place in item.evidence["guardrail"]["excerpts"]:
            place["at"] = then.isoformat()
        item.save()


def test_feedback_and_quoted_places_go_when_their_time_is_over(said) -> None:
    age(days=89)
    assert drop_old_said() == 0 and "Ask nobody." in everything()
    age(days=91)
    assert drop_old_said() == 5, "two of feedback, their two items, one breach"
    left = everything()
    assert "Ask" not in left and "Whom" not in left and "«falcon»" not in left and "Nobody." in left
    assert {each.rating for each in Feedback.objects.all()} == {"down"}
    assert "It was kept for 90 days." in str(lines_of(ReviewItem.objects.get(kind="guardrail")))
    assert drop_old_said() == 0


def test_an_accepted_correction_stays_until_a_file_has_it(said, as_alice, as_bob, workspace) -> None:
    for item in ReviewItem.objects.filter(kind="feedback"):
        decide(as_alice, item=item, verdict="approved", reason="So it is.")
    age(days=91)
    drop_old_said()
    file = export_corrections(as_bob, workspace_id=workspace.id)
    assert "Ask nobody." in file.path.read_text()
    drop_old_said()
    assert not Feedback.objects.exclude(correction="").exists()


def test_a_workspace_sets_its_own_time(said, as_alice, workspace) -> None:
    set_guardrails(as_alice, workspace_id=workspace.id, prompts={}, answers={}, review_days=7)
    age(days=8)
    assert drop_old_said() == 5
    with pytest.raises(Invalid, match="cannot be kept for 0 days"):
        set_guardrails(as_alice, workspace_id=workspace.id, prompts={}, answers={}, review_days=0)


def test_a_place_that_was_added_lately_to_an_old_item_stays(said, broken) -> None:
    age(days=91)
    broken("Another falcon")
    drop_old_said()
    evidence = ReviewItem.objects.get(kind="guardrail").evidence
    assert [each["text"] for each in evidence["guardrail"]["excerpts"]] == ["Another «falcon»"]
    assert evidence["guardrail"]["count"] == 3 and "gone" not in evidence


def test_feedback_that_is_given_again_after_it_was_erased_is_feedback(said, as_alice, as_bob, workspace) -> None:
    erase_said(as_alice, workspace_id=workspace.id, phrase=JANE, digest="abc", reason="By letter.")
    gone = Feedback.objects.get(erased_at__isnull=False)
    again = give_feedback(as_bob, workspace_id=workspace.id, request_id=gone.request_id, rating="up")
    assert (again.id, again.erased_at, again.rating) == (gone.id, None, "up")


def test_plain_thumbs_have_no_text_to_lose(as_bob, workspace, asked) -> None:
    give_feedback(as_bob, workspace_id=workspace.id, request_id=asked().id, rating="up")
    age(days=91)
    assert drop_old_said() == 0 and Feedback.objects.get().erased_at is None
