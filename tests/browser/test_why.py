"""From an answer to the rows that it is most like, and on to what such a row taught: two clicks."""

from __future__ import annotations

import json

import pytest

from tests.browser.test_every_page import sign_in
from tests.worlds import make_request, make_world

pytestmark = [pytest.mark.browser]


def test_two_clicks_lead_from_an_answer_to_a_row_that_taught_it(watched, as_alice, starter, tmp_path) -> None:
    world = make_world(as_alice, base=starter, folder=tmp_path / "made")
    request = make_request(as_alice, model=world.model)
    sign_in(watched, "alice@care.example", "correct horse battery")
    page = watched.page
    said = {"choices": [{"index": 0, "delta": {"content": "On its way."}, "finish_reason": "stop"}]}
    page.route(  # what an engine says is not looked at here
        "**/playground/stream",
        lambda route: route.fulfill(
            body=f"data: {json.dumps(said)}\n\ndata: [DONE]\n\n",
            headers={"X-Request-Id": request.id, "Content-Type": "text/event-stream"},
        ),
    )
    watched.visit("/playground/")
    page.get_by_label("Your message").fill("Where is parcel 12?")
    page.get_by_role("button", name="Send").click()
    with page.context.expect_page() as opened:
        page.get_by_role("button", name="Why?").click()
    why = opened.value
    assert "A training row answers in almost the same words." in why.inner_text("main")
    assert "On its way." in page.inner_text("body"), "the conversation stays where it is"
    why.get_by_role("link", name="tickets.csv, row 13").click()
    why.wait_for_url("**/rows/train/12/")
    why.locator("#taught").get_by_role("link", name=str(world.model)).wait_for()
    assert watched.faults == []
