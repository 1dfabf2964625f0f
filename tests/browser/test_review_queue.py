"""A reviewer works through the queue with the keyboard alone, and two of them do not collide."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from gptstudio.accounts import services as accounts
from gptstudio.accounts.policies import system
from gptstudio.audit.models import AuditEvent
from gptstudio.review import services
from gptstudio.review.models import ReviewItem
from tests.axe import THEME, WIDTH, findings
from tests.browser.test_every_page import sign_in

pytestmark = [pytest.mark.browser]
QUEUE = "/admin/review/reviewitem/"


@pytest.fixture
def items(as_bob, workspace) -> list[ReviewItem]:
    """Two models that wait, then three flagged completions."""
    found = {"guardrail": {"rule": "the list of violence", "side": "answers", "who": "website", "count": 3}}
    found["guardrail"] |= {"models": ["support"], "requests": ["req_1"], "excerpts": []}
    checks = [
        {"key": "canaries", "title": "Repeats planted secrets", "tried": 20, "failed": 3, "passed": False, "detail": ""}
    ]
    made = [("model", f"model_{number}", f"Release Tone {number}", {"safety": {"checks": checks}}) for number in (1, 2)]
    made += [("guardrail", f"req_{number}", f"An answer was stopped {number}", found) for number in (1, 2, 3)]
    return [
        services.open_item(
            as_bob, workspace_id=workspace.id, kind=kind, subject_id=subject, title=title, evidence=evidence, makers=[]
        )
        for kind, subject, title, evidence in made
    ]


@pytest.fixture
def rita(workspace):
    user = accounts.create_user(email="rita@care.example", name="Rita", password="correct horse battery")
    accounts.add_member(system(workspace.id), workspace_id=workspace.id, user=user, role="reviewer")
    return user


def state(item: ReviewItem) -> str:
    return ReviewItem.objects.get(id=item.id).state


def heading(page, title: str) -> None:
    expect(page.get_by_role("heading", name=title)).to_be_visible()


def test_the_queue_is_worked_through_by_keys(watched, items, rita) -> None:
    page, keys = watched.page, watched.page.keyboard
    first, second, *stopped = items
    sign_in(watched, "rita@care.example", "correct horse battery")
    watched.visit(QUEUE)
    assert findings(page) == []
    keys.press("j")
    expect(page.get_by_role("link", name=first.title)).to_be_focused()
    keys.press("j")
    keys.press("k")
    keys.press("Enter")
    heading(page, first.title)
    expect(page.get_by_text("1 of 5")).to_be_visible()
    expect(page.get_by_text("Speaks for: Reject")).to_be_visible()
    keys.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    assert findings(page) == []
    keys.press("a")  # the list of keys is open: nothing is decided behind it
    keys.press("Escape")
    keys.press("j")
    heading(page, second.title)
    keys.press("k")
    heading(page, first.title)
    keys.press("c")
    expect(page.get_by_text("It is yours")).to_be_visible()

    keys.press("a")
    expect(page.get_by_text("Approve: say why, then Enter.")).to_be_visible()
    keys.press("Enter")  # without a reason it stays
    keys.press("Escape")
    keys.press("r")
    expect(page.get_by_text("Reject: say why, then Enter.")).to_be_visible()
    keys.type("It tells planted secrets.")
    keys.press("Enter")
    heading(page, second.title)
    assert state(first) == "rejected"

    keys.press("e")
    keys.type("Jane asked for it.")
    keys.press("Enter")
    heading(page, stopped[0].title)
    assert ReviewItem.objects.get(id=second.id).escalation_reason == "Jane asked for it."

    keys.press("a")  # asks for no reason
    heading(page, stopped[1].title)
    assert state(stopped[0]) == "approved"
    keys.press("u")
    heading(page, "Review queue")
    keys.press("j")
    keys.press("x")
    expect(page.get_by_role("checkbox", name=f"Choose {stopped[1].title}")).to_be_checked()
    page.get_by_role("button", name="Approve the chosen").press("Enter")
    expect(page.get_by_text("1 was approved.")).to_be_visible()
    assert state(stopped[1]) == "approved"

    watched.visit(f"{QUEUE}?tab=decided")
    link = page.get_by_role("link", name=first.title)
    for _ in items:
        if not link.evaluate("one => one === document.activeElement"):
            keys.press("j")
    keys.press("Enter")
    heading(page, first.title)
    keys.press("b")
    expect(page.get_by_text("Put back in the queue: say why, then Enter.")).to_be_visible()
    keys.type("It was trained anew.")
    keys.press("Enter")
    expect(page.get_by_text(f"{first.title}: waits again.")).to_be_visible()
    assert state(first) == "pending"
    assert watched.faults == []
    done = AuditEvent.objects.filter(action__startswith="review.", actor_label=rita.email).order_by("id")
    assert [each.action.removeprefix("review.") for each in done] == [
        "claimed", "rejected", "escalated", "approved", "approved", "reopened",
    ]  # fmt: skip


def test_what_one_has_taken_the_other_sees_as_taken(watched, items, rita, alice) -> None:
    services.claim_item(_actor(rita, items[0]), item=items[0])
    page, keys = watched.page, watched.page.keyboard
    sign_in(watched, "alice@care.example", "correct horse battery")
    watched.visit(f"{QUEUE}{items[0].id}/change/")
    expect(page.get_by_text("rita@care.example has taken this item.")).to_be_visible()
    keys.press("a")
    assert page.locator("[data-decide]").count() == 0
    keys.press("c")
    expect(page.get_by_text("It is yours")).to_be_visible()
    page.set_viewport_size({"width": 390, "height": 844})
    for address in (QUEUE, f"{QUEUE}{items[0].id}/change/"):
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme=theme)
            watched.visit(address)
            assert findings(page, *THEME, *WIDTH) == []
    assert watched.faults == []


def _actor(user, item):
    from gptstudio.accounts.selectors import actor_of_member, membership

    return actor_of_member(membership(user, item.workspace_id))
