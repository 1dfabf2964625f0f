"""Which events a destination is told of, a test on demand, and that signatures hold by Standard Webhooks."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import time
from pathlib import Path

import openai
import pytest

from gptstudio.core.errors import Invalid
from gptstudio.notify import services
from gptstudio.notify.events import ALERTS, EVENTS
from gptstudio.notify.models import Delivery
from gptstudio.notify.services import send_due, tell
from gptstudio.notify.webhooks import secret_of, standard_signature

ROOT = Path(__file__).resolve().parents[3]


def test_a_destination_hears_of_what_it_chose_and_of_nothing_else(workspace, hook) -> None:
    services.add_destination(workspace_id=workspace.id, kind="webhook", address=hook.url, events=["job.failed"])
    services.add_destination(workspace_id=workspace.id, kind="email", address="ops@care.example")
    for event in EVENTS:
        tell(workspace_id=workspace.id, event=event, title=event, data={})
    told = Delivery.objects.order_by("id").values_list("destination__kind", "event")
    assert set(told) == {("webhook", "job.failed"), *(("email", event) for event in ALERTS)}, (
        "alerts, when none is named"
    )


def test_a_choice_is_changed_and_kept_in_order(destination) -> None:
    services.choose_events(destination, events=["review.opened", "job.failed", "job.failed"])
    destination.refresh_from_db()
    assert destination.events == ["job.failed", "review.opened"]


@pytest.mark.parametrize("events", [[], ["job.exploded"], ["test"]])
def test_what_is_no_event_is_refused_with_the_list_of_them(destination, events) -> None:
    with pytest.raises(Invalid) as refused:
        services.choose_events(destination, events=events)
    assert "review.decided" in refused.value.fix and refused.value.param == "events"


def test_a_test_goes_to_one_destination_whatever_it_chose(workspace, destination, hook) -> None:
    services.add_destination(workspace_id=workspace.id, kind="email", address="ops@care.example")
    services.send_test(destination)
    assert send_due() == 1
    [(_, headers, body)] = hook.got
    assert json.loads(body)["event"] == headers["X-Studio-Event"] == "test"


@pytest.fixture
def sent(workspace, destination, hook) -> tuple[dict[str, str], bytes]:
    """Headers and body of a notice as they came in."""
    tell(workspace_id=workspace.id, event="alert.began", title="Requests fail: “é”", data={"seen": "5 of 9"})
    send_due()
    [(_, headers, body)] = hook.got
    return headers, body


def test_the_headers_are_those_of_standard_webhooks(sent, destination) -> None:
    headers, body = sent
    delivery, at = headers["webhook-id"], headers["webhook-timestamp"]
    assert delivery == json.loads(body)["id"] == headers["X-Studio-Delivery"] and abs(int(at) - time.time()) < 60
    key = base64.b64decode(secret_of(destination.id).removeprefix("whsec_"))
    assert 24 <= len(key) <= 64, "as the standard has it"
    digest = hmac.new(key, f"{delivery}.{at}.".encode() + body, hashlib.sha256).digest()
    assert headers["webhook-signature"] == f"v1,{base64.b64encode(digest).decode()}"


def test_openais_client_checks_them(sent, destination) -> None:
    headers, body = sent
    client = openai.OpenAI(api_key="none")
    client.webhooks.verify_signature(body, headers, secret=secret_of(destination.id))
    with pytest.raises(openai.InvalidWebhookSignatureError):
        client.webhooks.verify_signature(body + b" ", headers, secret=secret_of(destination.id))


def printed() -> str:
    """The lines of docs/webhooks.md that check a signature."""
    [found] = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "webhooks.md").read_text(encoding="utf-8"), re.S)
    return found


def test_the_page_shows_the_same_lines_as_the_documentation() -> None:
    assert (ROOT / "templates" / "web" / "parts" / "verify.txt").read_text(encoding="utf-8") == printed()


def test_the_printed_lines_take_what_is_real_and_refuse_what_is_forged_or_old(sent, destination) -> None:
    headers, body = sent
    names: dict = {}
    exec(printed(), names)
    verified, secret = names["verified"], secret_of(destination.id)
    assert verified(body, headers, secret)["data"] == {"seen": "5 of 9"}
    for forged in (body + b" ", body.replace(b"5 of 9", b"0 of 9")):
        with pytest.raises(ValueError, match="not signed"):
            verified(forged, headers, secret)
    with pytest.raises(ValueError, match="not signed"):
        verified(body, headers, secret_of("dest_other"))
    at = int(time.time()) - 600
    old = standard_signature(secret, body, delivery_id=headers["webhook-id"], at=at)
    with pytest.raises(ValueError, match="five minutes"):
        verified(body, headers | {"webhook-timestamp": str(at), "webhook-signature": old}, secret)
