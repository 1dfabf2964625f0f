"""Two models beside each other in the playground: one question, two answers, each with its bill, and one becomes a row."""

from __future__ import annotations

import json

import pytest

from datasets_app.models import Dataset
from serving_app.models import Feedback
from tests.axe import WIDTH, findings
from tests.browser.test_every_page import sign_in
from tests.worlds import make_request, make_world

pytestmark = [pytest.mark.browser]


def test_both_are_asked_the_same_and_go_on_from_their_own_answers(watched, as_alice, starter, tmp_path) -> None:
    world = make_world(as_alice, base=starter, folder=tmp_path / "made")
    Dataset.objects.update(aim={"questions": ["Where is parcel 12?"]})
    requests = {model.name: make_request(as_alice, model=model) for model in (starter, world.model)}
    asked: list[dict] = []
    sign_in(watched, "alice@care.example", "correct horse battery")
    page = watched.page

    def answer(route) -> None:  # what an engine says is not looked at here
        body = route.request.post_data_json
        asked.append(body)
        said = {"choices": [{"index": 0, "delta": {"content": f"Says {body['model']}."}, "finish_reason": "stop"}]}
        headers = {"X-Request-Id": requests[body["model"]].id, "Content-Type": "text/event-stream"}
        route.fulfill(body=f"data: {json.dumps(said)}\n\ndata: [DONE]\n\n", headers=headers)

    page.route("**/playground/stream", answer)
    watched.visit(f"/playground/?model={starter.name}")
    page.get_by_label("Beside it").select_option(world.model.name)
    page.get_by_role("button", name="Where is parcel 12?").click()
    pair = page.locator(".pair")
    for model in requests:
        pair.get_by_text(f"Says {model}.").wait_for()
    pair.locator(".took", has_text="20 tokens read, 10 written").nth(1).wait_for()
    assert {each["model"] for each in asked} == set(requests)
    assert len({json.dumps([each["messages"], each["temperature"]]) for each in asked}) == 1

    page.get_by_label("Your message").fill("And parcel 13?")
    page.get_by_role("button", name="Send").click()
    page.locator(".pair").nth(1).get_by_text(f"Says {world.model.name}.").wait_for()
    page.locator(".pair").nth(1).get_by_text(f"Says {starter.name}.").wait_for()
    later = {each["model"]: [turn["content"] for turn in each["messages"]] for each in asked[2:]}
    assert all(f"Says {model}." in turns and turns[-1] == "And parcel 13?" for model, turns in later.items())
    assert findings(page) == []

    turn = pair.first.locator(".turn").first
    turn.get_by_role("button", name="Use as a training row").click()
    turn.get_by_label("The answer to learn from").fill("It is on its way.")
    turn.get_by_role("button", name="Send it for review").click()
    page.get_by_text("It waits for a reviewer.").wait_for()
    given = Feedback.objects.get()
    assert given.correction == "It is on its way." and given.question[-1]["content"] == "Where is parcel 12?"
    page.set_viewport_size({"width": 390, "height": 844})
    assert findings(page, *WIDTH) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert watched.faults == []
