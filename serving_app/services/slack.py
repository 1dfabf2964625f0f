"""Questions from Slack: taken once, asked like any program's with the studio's Slack key, answered in their thread."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from gptstudio.accounts.selectors import actor_of_key, live_key
from gptstudio.core import leases
from gptstudio.core.errors import NotAllowed, StudioError, Unavailable
from gptstudio.core.ids import mint
from gptstudio.core.queue import enqueue
from serving_app import engine_client, slack_client
from serving_app.models import SlackQuestion, SlackState
from serving_app.services import gateway
from serving_app.services.admission import Asked, admit, choose
from serving_app.services.admitted import Caller
from serving_app.services.gateway import RefusedByEngine
from serving_app.services.limits import RateExceeded
from serving_app.services.trips import in_ledger_thread
from serving_app.slack_client import NotPosted, post_message

logger = logging.getLogger(__name__)
MENTION = re.compile(r"<@[A-Z0-9]+(?:\|[^>]*)?>")
MOST_TRIES = 5
BEAT_SECONDS = 5.0
SETTLING = timedelta(seconds=10)  # a message on the queue is given this long
KEPT = timedelta(days=1)  # longer than Slack sends an event again
NUL = "\0"  # no text of PostgreSQL holds it
TASK = "serving.answer_slack"


def _asked(event: Mapping[str, Any]) -> bool:
    """Whether a person speaks to the bot: by a mention, or in a conversation with it alone."""
    if event.get("bot_id") or event.get("subtype"):
        return False  # other bots, ourselves, edits
    return event.get("type") == "app_mention" or (event.get("type"), event.get("channel_type")) == ("message", "im")


@transaction.atomic
def take_event(body: Mapping[str, Any]) -> SlackQuestion | None:
    """Keep the question of an `event_callback` and wake a worker; None for what is no question or was taken before."""
    event, event_id = body.get("event"), body.get("event_id")
    if not isinstance(event, dict) or not isinstance(event_id, str) or not _asked(event):
        return None
    text, channel, at = (str(event.get(name) or "") for name in ("text", "channel", "ts"))
    question = slack_client.plain(MENTION.sub("", text)).replace(NUL, "").strip()
    thread = str(event.get("thread_ts") or at)
    if not (question and channel and at) or max(len(channel), len(thread)) > 40 or len(event_id) > 80:
        return None
    if not (event_id + channel + thread).isprintable():
        return None
    made, is_new = SlackQuestion.objects.get_or_create(
        event_id=event_id, defaults={"channel": channel, "thread": thread, "text": question}
    )
    if not is_new:
        return None
    enqueue(TASK, made.id)
    return made


def claim_question(question_id: str, *, holder: str) -> SlackQuestion | None:
    """Take it; None when somebody else has, or it is over."""
    mine = SlackQuestion.objects.filter(id=question_id, state=SlackState.PENDING)
    return SlackQuestion.objects.get(id=question_id) if leases.claim(mine, holder=holder) else None


def answer_question(question: SlackQuestion) -> None:
    """Ask the model and post what it says; what was said is not asked again when only the posting failed.

    A model that is being loaded, an engine that is away or a spent minute is tried again before it is said.
    """
    mine = SlackQuestion.objects.filter(id=question.id)
    if not question.answer:
        try:
            question.answer = _answered(question)
        except StudioError as error:
            if _passes(error) and question.attempt < MOST_TRIES:  # the lease runs out, then it is sent again
                mine.filter(attempt=question.attempt).update(problem=str(error)[:200])
                return
            question.answer = str(error)
        if not mine.filter(attempt=question.attempt).update(answer=question.answer):
            return
    try:
        post_message(channel=question.channel, thread=question.thread, text=question.answer)
    except NotPosted as error:
        logger.warning("%s: %s", question.id, error)
        if error.is_final or question.attempt >= MOST_TRIES:
            _end(question, SlackState.GIVEN_UP, problem=str(error))
        else:  # the lease runs out, then it is sent again
            mine.filter(attempt=question.attempt).update(problem=str(error)[:200])
        return
    _end(question, SlackState.ANSWERED)


def _end(question: SlackQuestion, state: str, *, problem: str = "") -> None:
    """The words have served."""
    mine = SlackQuestion.objects.filter(id=question.id)
    leases.release(mine, attempt=question.attempt, state=state, problem=problem[:200], text="", answer="")


def _answered(question: SlackQuestion) -> str:
    """What the model says. Raises what kept it from saying it."""
    return asyncio.run(_said(question)).replace(NUL, "") or "The model said nothing."


def _passes(error: StudioError) -> bool:
    """Whether the same question may be answered in a while."""
    is_engines = isinstance(error, RefusedByEngine) and (error.status == 429 or error.status >= 500)
    return is_engines or isinstance(error, Unavailable | RateExceeded)


async def _said(question: SlackQuestion) -> str:
    try:
        asking = asyncio.ensure_future(gateway.answer(await admit(partial(_chosen, question))))
        while not (await asyncio.wait({asking}, timeout=BEAT_SECONDS))[0]:
            await in_ledger_thread(_hold, question)
        return str(asking.result()["choices"][0]["message"]["content"] or "").strip()
    finally:
        await engine_client.close()


def _hold(question: SlackQuestion) -> None:
    leases.renew(SlackQuestion.objects.filter(id=question.id), attempt=question.attempt)


def _chosen(question: SlackQuestion) -> Asked:
    key = live_key(settings.SLACK_KEY)
    if key is None or key.is_publishable or len(key.allowed_models) != 1:
        raise NotAllowed(
            "The studio's key for Slack is not a live one that is bound to one model or deployment.",
            fix="Whoever runs the studio can set SLACK_KEY.",
        )
    body = {"model": key.allowed_models[0], "messages": [{"role": "user", "content": question.text}]}
    caller, size = Caller(actor_of_key(key), key.workspace, key), len(json.dumps(body))
    return choose(caller, endpoint="chat/completions", body=body, size=size, attempt_id=mint("req_"))


def requeue_questions() -> int:
    """Wake workers for questions that nobody holds; give up those that ended their worker each time. How many were sent."""
    waiting = SlackQuestion.objects.filter(state=SlackState.PENDING, created_at__lt=timezone.now() - SETTLING)
    worn = leases.expired(waiting.filter(attempt__gte=MOST_TRIES))
    worn.update(state=SlackState.GIVEN_UP, text="", answer="")
    found = list(leases.expired(waiting).values_list("id", flat=True)[:100])
    for question_id in found:
        enqueue(TASK, question_id)
    return len(found)


def drop_old_questions() -> int:
    """Forget which events were taken, once Slack does not send them again; how many."""
    over = SlackQuestion.objects.exclude(state=SlackState.PENDING)
    return over.filter(created_at__lt=timezone.now() - KEPT).delete()[0]
