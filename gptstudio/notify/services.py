"""Writing notices into the outbox, and sending what is due. Whoever asks has been allowed to: permissions stand above."""

from __future__ import annotations

import http.client
import json
import logging
import ssl
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.core.mail import send_mail
from django.core.validators import validate_email
from django.db.models import F
from django.utils import timezone

from gptstudio.core.errors import Invalid
from gptstudio.notify.addresses import NotReachable, target_of
from gptstudio.notify.events import EVENTS, TEST, alert_events
from gptstudio.notify.models import Delivery, DeliveryState, Destination, DestinationKind
from gptstudio.notify.webhooks import post, secret_of

logger = logging.getLogger(__name__)
# What a notice that cannot be written raises, such as a header with a line break in it. The database's errors are not among
# them: nothing could be noted then.
DEFECTS = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, AssertionError, RuntimeError)
PAUSES = tuple(timedelta(seconds=each) for each in (10, 60, 300, 1_800, 7_200, 21_600, 43_200))
# Longer than a try: a resolver's minute and webhooks.SECONDS, or a mail server at EMAIL_TIMEOUT for each word. Whoever died
# in one loses it then; a mail server that drags its words out over more may get a letter twice.
LEASE = timedelta(minutes=3)
KEPT = timedelta(days=30)
MOST = 20


def _chosen(events: Sequence[str]) -> list[str]:
    """Names of events, each once, in the order of the table."""
    unknown = sorted(set(events) - set(EVENTS))
    if unknown or not events:
        raise Invalid(
            f"There is no event {unknown[0][:40]!r}." if unknown else "No event is chosen.",
            fix=f"Choose from {', '.join(EVENTS)}.",
            param="events",
        )
    return [name for name in EVENTS if name in events]


def add_destination(*, workspace_id: str, kind: str, address: str, events: Sequence[str] | None = None) -> Destination:
    """A new destination, told of alerts unless `events` are named. Raises Invalid for an address that cannot be one;
    where it leads is checked at each try."""
    chosen = alert_events() if events is None else _chosen(events)
    address = address.strip()
    if kind == DestinationKind.WEBHOOK:
        target_of(address)
    elif kind == DestinationKind.EMAIL:
        try:
            validate_email(address)
        except ValidationError as error:
            raise Invalid("This is no e-mail address.", fix="Write it as name@example.org.", param="address") from error
    else:
        raise Invalid(f"{kind!r} is no way to be told.", fix="Choose email or webhook.", param="kind")
    mine = Destination.objects.filter(workspace_id=workspace_id, removed_at__isnull=True)
    if mine.filter(kind=kind, address=address).exists() or mine.count() >= MOST:
        raise Invalid(
            f"{address} is told already, or there are {MOST} destinations.", fix="Remove one first.", param="address"
        )
    return Destination.objects.create(workspace_id=workspace_id, kind=kind, address=address, events=chosen)


def choose_events(destination: Destination, *, events: Sequence[str]) -> None:
    """Have it told of these from now on. Raises Invalid for a name that is none, or no name."""
    destination.events = _chosen(events)
    destination.save(update_fields=["events"])


def remove_destination(destination: Destination) -> None:
    """Nothing more goes there; the log stays."""
    Destination.objects.filter(id=destination.id).update(removed_at=timezone.now())


def tell(*, workspace_id: str, event: str, title: str, data: dict[str, Any]) -> int:
    """Put a notice for each destination that chose the event into the outbox, in the caller's transaction; how many."""
    found = Destination.objects.filter(workspace_id=workspace_id, removed_at__isnull=True)
    rows = [_notice(each, event=event, title=title, data=data) for each in found if event in each.events]
    return len(Delivery.objects.bulk_create(rows))


def _notice(destination: Destination, *, event: str, title: str, data: dict[str, Any]) -> Delivery:
    now, workspace_id = timezone.now(), destination.workspace_id
    body = {"event": event, "title": title, "workspace": workspace_id, "at": now.isoformat(), "data": data}
    return Delivery(destination=destination, event=event, title=title[:200], body=body, next_at=now)


def send_test(destination: Destination) -> Delivery:
    """Put a notice that tells of nothing into the outbox for this destination alone."""
    made = _notice(destination, event=TEST, title="A test: nothing has happened", data={})
    made.save()
    return made


def send_again(delivery: Delivery) -> None:
    """Try a delivery anew, from the first pause on."""
    Delivery.objects.filter(id=delivery.id).update(state=DeliveryState.PENDING, attempts=0, next_at=timezone.now())


def send_due(limit: int = 50) -> int:
    """Send what is due; how many were tried. Each is claimed first, so two senders send nothing twice."""
    now, tried = timezone.now(), 0
    due = Delivery.objects.filter(state=DeliveryState.PENDING, next_at__lte=now).order_by("next_at")
    for delivery in due.select_related("destination")[:limit]:
        mine = Delivery.objects.filter(id=delivery.id, state=DeliveryState.PENDING, next_at=delivery.next_at)
        if mine.update(next_at=now + LEASE, attempts=F("attempts") + 1):
            tried += 1
            _try(delivery)
    return tried


def _try(delivery: Delivery) -> None:
    destination = delivery.destination
    try:
        if destination.removed_at is not None:
            answer, is_done = "The destination was removed.", False
        elif destination.kind == DestinationKind.EMAIL:
            lines = [delivery.title, "", *(f"{name}: {value}" for name, value in delivery.body["data"].items())]
            subject = " ".join(f"GPT Studio: {delivery.title}".split())  # a header is one line
            send_mail(subject, "\n".join(lines), None, [destination.address])
            answer, is_done = "handed over", True
        else:
            answer, is_done = _posted(delivery)
    except (NotReachable, Invalid) as error:
        answer, is_done = str(error), False
    except ssl.SSLCertVerificationError as error:
        answer, is_done = f"Its certificate is not trusted ({error.verify_message}); see WEBHOOK_CA_FILE.", False
    except (OSError, http.client.HTTPException) as error:  # SMTP's errors are OSErrors too
        answer, is_done = f"No answer ({type(error).__name__}).", False
    except DEFECTS as error:  # whatever is wrong with one notice, the others go out
        logger.warning("%s cannot be sent: %s", delivery.id, type(error).__name__, exc_info=True)
        answer, is_done = f"Could not be sent ({type(error).__name__}).", False
    _note(delivery, answer=answer, is_done=is_done)


def _posted(delivery: Delivery) -> tuple[str, bool]:
    body = json.dumps({"id": delivery.id, **delivery.body}, sort_keys=True).encode()
    status = post(
        delivery.destination.address,
        body,
        secret=secret_of(delivery.destination_id),
        event=delivery.event,
        delivery_id=delivery.id,
    )
    return f"Answered {status}.", 200 <= status < 300


def _note(delivery: Delivery, *, answer: str, is_done: bool) -> None:
    """Delivered, or due again after a longer pause, or given up."""
    now, tries = timezone.now(), delivery.attempts + 1
    changes: dict[str, Any] = {"answer": answer[:200]}
    if is_done:
        changes |= {"state": DeliveryState.SENT, "sent_at": now}
    elif tries > len(PAUSES) or delivery.destination.removed_at is not None:
        changes |= {"state": DeliveryState.FAILED}
        logger.warning("%s is given up after %s tries: %s", delivery.id, tries, answer)
    else:
        changes |= {"next_at": now + PAUSES[tries - 1]}
    Delivery.objects.filter(id=delivery.id).update(**changes)


def drop_old_deliveries() -> int:
    """Forget deliveries that are older than a month and over; how many."""
    over = Delivery.objects.exclude(state=DeliveryState.PENDING)
    return over.filter(created_at__lt=timezone.now() - KEPT).delete()[0]
