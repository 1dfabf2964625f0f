"""Playground, deployments and usage in the browser."""

from __future__ import annotations

import json
import re
from datetime import date
from types import SimpleNamespace

import pytest
from asgiref.sync import async_to_sync

from datasets_app.models import Dataset, DatasetVersion
from gptstudio.core.errors import Unavailable
from gptstudio.core.ids import mint
from serving_app import services
from serving_app.models import Completion, Deployment, EngineReplica, UsageEvent
from serving_app.selectors.export import cell
from serving_app.services.daily import add_to_day
from serving_app.web.views.usage import by_day
from tests.worlds import make_request, make_world

pytestmark = pytest.mark.django_db
TURNS = [{"role": "user", "content": "Hello"}]


async def whole(answer) -> bytes:
    return b"".join([piece async for piece in answer.streaming_content])


def ask(client, **changes):
    body = {"model": "studio-starter-1", "messages": TURNS, "temperature": 0.5, "max_tokens": 9, **changes}
    return client.post("/playground/stream", json.dumps(body), content_type="application/json")


@pytest.fixture
def gateway(monkeypatch):
    """What the page asks of the gateway, recorded; the stream says one word."""
    seen: dict[str, object] = {}

    def choose(caller, **asked):
        seen.update(caller=caller, **asked)
        return SimpleNamespace(attempt_id=asked["attempt_id"])

    async def admit(choosing):
        return choosing()

    async def stream(_admission):
        async def pieces():
            yield b'data: {"choices":[{"delta":{"content":"Hi"}}]}\n\n'
            yield b"data: [DONE]\n\n"

        return pieces()

    monkeypatch.setattr(services, "choose", choose)
    monkeypatch.setattr(services, "admit", admit)
    monkeypatch.setattr(services, "stream", stream)
    return seen


@pytest.fixture
def deployment(as_alice, starter) -> Deployment:
    targets = [{"model": starter.id, "weight": 1}]
    return services.create_deployment(as_alice, workspace_id=as_alice.workspace_id, name="support", targets=targets)


@pytest.fixture
def bill(as_alice, starter):
    """A request with its settled bill."""

    def make(**changes):
        request = Completion.objects.create(
            id=mint("req_"),
            workspace_id=as_alice.workspace_id,
            model=starter,
            replica="embedded",
            endpoint="chat/completions",
            state="completed",
            **changes,
        )
        event = UsageEvent.objects.create(
            attempt_id=request.id,
            kind="settle",
            workspace_id=as_alice.workspace_id,
            model_name=starter.name,
            prompt_tokens=1200,
            completion_tokens=300,
            cost_micro=480,
        )
        add_to_day(event)
        return request

    return make


def test_the_playground_streams_through_the_gateway_as_the_person_without_a_key(at_alice, workspace, gateway) -> None:
    answer = ask(at_alice)
    assert async_to_sync(whole)(answer).endswith(b"data: [DONE]\n\n")
    caller = gateway["caller"]
    assert caller.key is None and caller.workspace == workspace and caller.actor.label == "alice@care.example"
    assert gateway["body"]["stream"] is True and gateway["body"]["max_tokens"] == 9
    assert answer.headers["X-Request-Id"] == gateway["attempt_id"]


@pytest.mark.parametrize("turns", [[], "hello", [{"role": "robot", "content": "x"}], [{"role": "user", "content": 7}]])
def test_a_conversation_that_is_none_is_refused_in_words(at_alice, gateway, turns) -> None:
    answer = ask(at_alice, messages=turns)
    assert answer.status_code == 400 and "Start a new one." in answer.json()["error"]["fix"]
    assert not gateway


def test_odd_numbers_become_usual_ones(at_alice, gateway) -> None:
    ask(at_alice, temperature="hot", max_tokens=10**9)
    assert gateway["body"]["temperature"] == 0.7 and gateway["body"]["max_tokens"] == 256


def test_when_no_engine_is_up_the_page_gets_a_sentence(at_alice, monkeypatch) -> None:
    async def admit(_choosing):
        raise Unavailable("No inference engine is up.", fix="Try again in a moment.", code="engine_unavailable")

    monkeypatch.setattr(services, "admit", admit)
    answer = ask(at_alice)
    assert answer.status_code == 503 and answer.json()["error"]["message"] == "No inference engine is up."


def test_the_playground_offers_what_may_be_asked(at_alice, at_bob, deployment) -> None:
    page = at_alice.get("/playground/?model=support").content.decode()
    assert re.search(r"<option[^>]* selected>support</option>", page) and 'value="studio-starter-1"' in page


def test_the_instructions_that_a_model_was_taught_with_stand_there(at_alice, as_alice, starter, tmp_path) -> None:
    world = make_world(as_alice, base=starter, folder=tmp_path / "made")
    DatasetVersion.objects.update(recipe={**DatasetVersion.objects.first().recipe, "system_prompt": "Be <kind>."})
    page = at_alice.get(f"/playground/?model={world.model.name}").content.decode()
    assert "Be &lt;kind&gt;.</textarea>" in page and 'data-instructions="Be &lt;kind&gt;."' in page
    assert "kind" not in at_alice.get("/playground/?model=studio-starter-1").content.decode().split("data-system")[1]


def test_the_questions_that_a_models_data_began_with_stand_there(at_alice, as_alice, starter, tmp_path) -> None:
    world = make_world(as_alice, base=starter, folder=tmp_path / "made")
    Dataset.objects.update(aim={"questions": ["Who <are> you?"]})
    page = at_alice.get(f"/playground/?model={world.model.name}").content.decode()
    assert page.count('data-questions="[&quot;Who &lt;are&gt; you?&quot;]"') == 2, "for either side"


def test_what_an_answer_cost_is_told_from_the_ledger(at_alice, as_alice, starter, settings) -> None:
    request = make_request(as_alice, model=starter)
    told = at_alice.get(f"/playground/{request.id}/bill").json()
    assert told["settled"] is True and told["said"].startswith("20 tokens read, 10 written, 0.0")
    assert at_alice.get("/playground/req_x/bill").status_code == 404


def test_without_a_price_it_says_so(at_alice, as_alice, starter, settings) -> None:
    settings.PRICE_PROMPT_MICRO = settings.PRICE_COMPLETION_MICRO = 0
    request = make_request(as_alice, model=starter)
    assert at_alice.get(f"/playground/{request.id}/bill").json()["said"].endswith("no price set")


def test_a_deployment_is_made_with_shares(at_alice, starter) -> None:
    answer = at_alice.post("/deployments/new", {"name": "support", f"share_{starter.id}": "90"})
    deployment = Deployment.objects.get()
    assert answer["Location"] == f"/deployments/{deployment.id}/"
    assert deployment.revisions.get().targets == [{"model": starter.id, "weight": 90}]


def test_a_deployment_without_a_share_and_one_with_a_bad_name_are_refused_beside_the_field(at_alice, starter) -> None:
    none = at_alice.post("/deployments/new", {"name": "support"}).content.decode()
    assert "No model has a share" in none and 'value="support"' in none
    bad = at_alice.post("/deployments/new", {"name": "Ünfit name", f"share_{starter.id}": "1"}).content.decode()
    assert 'id="id_name_error"' in bad and "small letters, digits and dashes" in bad
    assert not Deployment.objects.exists()


def test_a_deployment_says_whether_an_engine_answers(at_alice, deployment, starter) -> None:
    assert "loading" in at_alice.get(f"/deployments/{deployment.id}/").content.decode()
    EngineReplica.objects.create(name="e", url="http://x", is_up=True, loaded=[starter.engine_name])
    assert "answers</span>" in at_alice.get(f"/deployments/{deployment.id}/").content.decode()


def test_a_change_is_a_revision_and_going_back_another(at_alice, deployment, starter) -> None:
    at_alice.post(f"/deployments/{deployment.id}/update", {f"share_{starter.id}": "5", "note": "Try five"})
    assert "Try five" in at_alice.get(f"/deployments/{deployment.id}/").content.decode()
    at_alice.post(f"/deployments/{deployment.id}/roll-back", {"number": "1"})
    assert [each.number for each in deployment.revisions.all()] == [3, 2, 1]
    assert deployment.revisions.first().targets == [{"model": starter.id, "weight": 1}]


def test_a_retired_deployment_leaves_the_list(at_alice, deployment) -> None:
    page = at_alice.post(f"/deployments/{deployment.id}/retire", follow=True).content.decode()
    assert "support is retired" in page and "Nothing is deployed yet" in page


def test_the_list_of_deployments_asks_the_same_few_queries(
    at_alice, as_alice, deployment, starter, django_assert_num_queries
) -> None:
    with django_assert_num_queries(9):
        at_alice.get("/deployments/")
    for number in range(5):
        targets = [{"model": starter.id, "weight": 1}]
        services.create_deployment(as_alice, workspace_id=as_alice.workspace_id, name=f"d{number}", targets=targets)
    with django_assert_num_queries(9):
        at_alice.get("/deployments/")


def test_usage_adds_up(at_alice, bill) -> None:
    bill()
    bill()
    page = at_alice.get("/usage/").content.decode()
    assert "2 answers in 30 days cost 0.00096." in page and "2,400" in page


def test_the_request_log_shows_tokens_and_asks_the_same_few_queries(at_alice, bill, django_assert_num_queries) -> None:
    first = bill(first_token_ms=40, total_ms=1500)
    page = at_alice.get("/usage/requests").content.decode()
    assert first.id in page and "1,500 ms" in page and "1,200" in page
    with django_assert_num_queries(8):
        at_alice.get("/usage/requests")
    for _ in range(6):
        bill()
    with django_assert_num_queries(8):
        at_alice.get("/usage/requests")


def test_the_export_is_csv_in_millionths(at_alice, bill) -> None:
    bill()
    answer = at_alice.get("/usage/export")
    assert answer["Content-Disposition"] == 'attachment; filename="usage.csv"'
    head, line = answer.content.decode().strip().splitlines()
    assert head.startswith("day,api_key,key_name,model") and "studio-starter-1,1,1200,0,300,480," in line


def test_a_key_named_like_a_formula_does_not_run_in_a_spreadsheet() -> None:
    assert cell("=HYPERLINK(1)") == "'=HYPERLINK(1)" and cell("website") == "website"


def test_days_without_an_answer_are_columns_too() -> None:
    rows = [{"day": date(2026, 3, 2), "prompt_tokens": 5, "completion_tokens": 5}]
    chart = by_day(rows, days=3, today=date(2026, 3, 3))
    assert chart is not None and [bar.text for bar in chart.bars] == [
        "1 Mar: 0 tokens",
        "2 Mar: 10 tokens",
        "3 Mar: 0 tokens",
    ]
