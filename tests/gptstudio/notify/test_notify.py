"""The outbox: what is told goes out once, signed, is tried again with growing pauses, and goes nowhere it may not."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.core import mail
from django.db import connection, transaction
from django.utils import timezone

from gptstudio.core.errors import Invalid
from gptstudio.notify import services
from gptstudio.notify.addresses import NotReachable, is_allowed, looked_up, target_of
from gptstudio.notify.models import Delivery
from gptstudio.notify.services import PAUSES, send_due, tell
from gptstudio.notify.webhooks import secret_of


def say(workspace, **data) -> int:
    return tell(workspace_id=workspace.id, event="alert.began", title="Requests fail", data=data)


def later() -> None:
    """The next pause is over."""
    Delivery.objects.update(next_at=timezone.now() - timedelta(seconds=1))


def test_a_webhook_is_sent_once_and_its_signature_holds(workspace, destination, hook) -> None:
    assert say(workspace, seen="5 of 9") == 1
    assert (send_due(), send_due()) == (1, 0)
    [(path, headers, body)] = hook.got
    sent = json.loads(body)
    assert path == "/hook?from=studio" and headers["X-Studio-Event"] == "alert.began"
    assert sent["title"] == "Requests fail" and sent["data"] == {"seen": "5 of 9"} and sent["id"].startswith("dlv_")
    at, _, given = headers["X-Studio-Signature"].removeprefix("t=").partition(",v1=")
    expected = hmac.new(secret_of(destination.id).encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    assert given == expected and abs(int(at) - timezone.now().timestamp()) < 60
    row = Delivery.objects.get()
    assert (row.state, row.attempts, row.answer) == ("sent", 1, "Answered 204.") and row.sent_at


def test_two_destinations_have_two_secrets_and_another_key_makes_others(settings) -> None:
    one = secret_of("dest_1")
    assert one != secret_of("dest_2") and one == secret_of("dest_1")
    settings.SECRET_KEY = "another"
    assert one != secret_of("dest_1")


@pytest.mark.django_db(transaction=True)
def test_what_is_rolled_back_is_not_told(workspace, destination, hook) -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        say(workspace)
        raise ZeroDivisionError
    assert send_due() == 0 and hook.got == []


def test_what_fails_is_tried_again_with_growing_pauses_and_then_given_up(workspace, destination, hook, caplog) -> None:
    hook.status = 500
    say(workspace)
    pauses = []
    for _ in PAUSES:
        assert send_due() == 1
        row = Delivery.objects.get()
        pauses.append(row.next_at - timezone.now())
        assert row.state == "pending" and row.answer == "Answered 500."
        assert send_due() == 0, "not before its pause is over"
        later()
    assert pauses == sorted(pauses) and pauses[0] < timedelta(seconds=11) and pauses[-1] > timedelta(hours=11)
    with caplog.at_level(logging.WARNING):
        send_due()
    row = Delivery.objects.get()
    assert row.state == "failed" and row.attempts == len(PAUSES) + 1 == len(hook.got) and "given up" in caplog.text
    hook.status = 200
    services.send_again(row)
    send_due()
    assert Delivery.objects.get().state == "sent"


def test_a_redirect_is_not_followed(workspace, destination, hook) -> None:
    hook.status = 302
    say(workspace)
    send_due()
    assert len(hook.got) == 1 and Delivery.objects.get().answer == "Answered 302."


def test_a_server_that_is_away_costs_one_try(workspace, hook) -> None:
    services.add_destination(workspace_id=workspace.id, kind="webhook", address="http://127.0.0.1:1/hook")
    say(workspace)
    assert send_due() == 1
    assert Delivery.objects.get().answer == "No answer (ConnectionRefusedError)."


def test_an_email_says_what_and_where(workspace) -> None:
    services.add_destination(workspace_id=workspace.id, kind="email", address="ops@care.example")
    say(workspace, seen="5 of 9 requests failed")
    send_due()
    [letter] = mail.outbox
    assert letter.to == ["ops@care.example"] and letter.subject == "GPT Studio: Requests fail"
    assert "seen: 5 of 9 requests failed" in letter.body


def test_a_subject_is_one_line_whatever_the_names_in_it(workspace) -> None:
    services.add_destination(workspace_id=workspace.id, kind="email", address="ops@care.example")
    tell(workspace_id=workspace.id, event="budget.reached", title="The key a\r\nBcc: \t b has reached it", data={})
    assert send_due() == 1 and Delivery.objects.get().state == "sent"
    assert mail.outbox[0].subject == "GPT Studio: The key a Bcc: b has reached it"


def test_a_notice_that_cannot_be_written_costs_a_try_and_the_others_go_out(
    workspace, destination, hook, settings, caplog
) -> None:
    services.add_destination(workspace_id=workspace.id, kind="email", address="ops@care.example")
    settings.DEFAULT_FROM_EMAIL = "studio@care.example\nBcc: all@care.example"
    say(workspace)
    with caplog.at_level(logging.WARNING):
        assert send_due() == 2
    broken = Delivery.objects.get(destination__kind="email")
    assert (broken.state, broken.attempts, broken.answer) == ("pending", 1, "Could not be sent (BadHeaderError).")
    assert broken.next_at > timezone.now() and len(hook.got) == 1 and mail.outbox == []
    assert f"{broken.id} cannot be sent: BadHeaderError" in caplog.text


def test_a_destination_that_was_removed_gets_nothing_more(workspace, destination, hook) -> None:
    say(workspace)
    services.remove_destination(destination)
    send_due()
    assert hook.got == [] and Delivery.objects.get().state == "failed"
    assert say(workspace) == 0


def test_another_workspace_is_not_told(workspace, destination, as_charlie) -> None:
    assert tell(workspace_id=as_charlie.workspace_id, event="e", title="t", data={}) == 0


@pytest.mark.django_db(transaction=True)
def test_four_senders_at_once_send_each_notice_once(workspace, destination, hook) -> None:
    for _ in range(8):
        say(workspace)
    barrier = threading.Barrier(4)

    def send(_number: int) -> int:
        try:
            barrier.wait(timeout=120)
            return send_due()
        finally:
            connection.close()

    with ThreadPoolExecutor(max_workers=4) as pool:
        assert sum(pool.map(send, range(4))) == 8
    assert len({headers["X-Studio-Delivery"] for _, headers, _ in hook.got}) == len(hook.got) == 8


def test_a_sender_that_died_in_the_middle_is_followed_by_another_once_its_claim_is_over(
    workspace, destination, hook
) -> None:
    say(workspace)
    Delivery.objects.update(attempts=1, next_at=timezone.now() + services.LEASE)  # as it is between claim and answer
    assert send_due() == 0
    later()
    assert send_due() == 1 and len(hook.got) == 1


def test_old_deliveries_are_forgotten_and_waiting_ones_are_not(workspace, destination, hook) -> None:
    say(workspace)
    say(workspace)
    first = Delivery.objects.first()
    Delivery.objects.filter(id=first.id).update(state="sent")
    Delivery.objects.update(created_at=timezone.now() - timedelta(days=31))
    assert services.drop_old_deliveries() == 1 and Delivery.objects.get().state == "pending"


FORBIDDEN = [
    "127.0.0.1", "10.0.0.1", "172.16.5.4", "192.168.1.1", "169.254.169.254", "0.0.0.0", "100.64.0.1", "224.0.0.1",
    "::1", "::", "fe80::1%eth0", "fc00::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "2002:7f00:1::",
]  # fmt: skip


@pytest.mark.parametrize("number", FORBIDDEN)
def test_what_is_not_on_the_open_internet_is_forbidden(number, settings) -> None:
    assert not is_allowed(number)
    settings.WEBHOOK_PRIVATE_ADDRESSES = True
    assert is_allowed(number)


@pytest.mark.parametrize("number", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8"])
def test_the_open_internet_is_allowed(number) -> None:
    assert is_allowed(number)


@pytest.mark.parametrize("host", ["localhost", "127.1", "2130706433", "0x7f000001", "[::1]", "[::ffff:127.0.0.1]"])
def test_other_ways_to_write_this_machine_are_looked_through(host) -> None:
    with pytest.raises(NotReachable, match="open internet|looked up"):
        looked_up(target_of(f"http://{host}:8000/hook"))


def test_nothing_is_sent_to_this_machine_unless_the_operator_allows_it(workspace, destination, hook, settings) -> None:
    settings.WEBHOOK_PRIVATE_ADDRESSES = False
    say(workspace)
    send_due()
    assert hook.got == [] and "is not on the open internet" in Delivery.objects.get().answer


@pytest.mark.parametrize(
    ("kind", "address"),
    [
        ("webhook", "ftp://a.example/x"), ("webhook", "http://"), ("webhook", "https://me:secret@a.example/"),
        ("webhook", "https://a.example:99999/"), ("webhook", "https://a.example/\r\nX: y"), ("webhook", "a.example"),
        ("email", "nobody"), ("email", "a@b\r\nBcc: c@d.example"), ("pigeon", "roof"),
    ],
)  # fmt: skip
def test_an_address_that_is_none_is_refused_with_what_to_do(workspace, kind, address) -> None:
    with pytest.raises(Invalid) as refused:
        services.add_destination(workspace_id=workspace.id, kind=kind, address=address)
    assert refused.value.fix


def test_a_destination_stands_once(workspace, destination, hook) -> None:
    with pytest.raises(Invalid, match="told already"):
        services.add_destination(workspace_id=workspace.id, kind="webhook", address=hook.url)
