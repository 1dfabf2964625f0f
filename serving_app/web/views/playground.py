"""The playground: a conversation with a model, streamed through the same gateway that programs use."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.db import Error as DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.http.request import RawPostDataException
from django.http.response import HttpResponseBase
from django.shortcuts import render

from gptstudio.accounts.policies import Actor
from gptstudio.core.errors import Invalid, NotAllowed, StudioError, Unavailable
from gptstudio.core.ids import mint
from gptstudio.review.models import ReviewState
from gptstudio.web import tabs
from gptstudio.web.access import MemberRequest, member_page
from gptstudio.web.wording import money
from serving_app import selectors, services
from serving_app.services import Asked, Caller
from training_app.models import LanguageModel, ModelKind
from training_app.selectors import instructions_of_models, questions_of_models, release_states
from training_app.selectors.choosing import OFFERED, models_to_choose

ROLES = ("system", "user", "assistant")
MOST_TURNS = 100
MOST_TOKENS = 2048


@dataclass(frozen=True, slots=True)
class Choice:
    """A name that can be asked, with the instructions that its model was taught with and questions to try it with."""

    name: str
    title: str
    instructions: str = ""
    questions: str = "[]"  # JSON, for the page's script
    is_released: bool = True


def _choices(actor: Actor, wanted: str) -> tuple[list[Choice], list[Choice]]:
    """The workspace's deployments, and the models that this person may ask: of fine-tunes the newest, and who is wanted."""
    workspace_id = actor.workspace_id
    models = models_to_choose(workspace_id, unreleased=actor.may("models.preview"), also=[wanted])
    first = {each.deployment.name: each.targets[0]["model"] for each in selectors.in_force(workspace_id)}
    ids = {*first.values(), *(model.id for model in models)}
    taught, states = instructions_of_models(workspace_id, ids), release_states(workspace_id, ids)
    questions = {name: json.dumps(listed) for name, listed in questions_of_models(workspace_id, ids).items()}

    def choice(name: str, title: str, model_id: str, *, is_released: bool = True) -> Choice:
        return Choice(name, title, taught.get(model_id, ""), questions.get(model_id, "[]"), is_released=is_released)

    def is_released(model: LanguageModel) -> bool:
        return model.kind == ModelKind.BASE or states.get(model.id) == ReviewState.APPROVED

    return (
        [choice(name, name, model_id) for name, model_id in first.items()],
        [choice(each.name, str(each), each.id, is_released=is_released(each)) for each in models],
    )


@member_page("models.use")
def playground(request: MemberRequest) -> HttpResponse:
    """The page; `?model=` chooses one."""
    wanted = request.GET.get("model", "")
    deployments, models = _choices(request.actor, wanted)
    known = {each.name: each for each in [*models, *deployments]}
    first = next(iter([*deployments, *models]), None)
    chosen = known.get(wanted, first)
    guard = services.guard_for(request.membership.workspace)
    context = {
        "keeps": guard is not None and guard.keeps,
        "offered": OFFERED, "models": models, "deployments": deployments, "chosen": chosen, "base": request.build_absolute_uri("/v1"),
    }  # fmt: skip
    return render(request, "serving/playground.html", context)


@member_page("models.use")
def bill(request: MemberRequest, request_id: str) -> HttpResponse:
    """What an answer took and cost, in a sentence; `settled` is false while the ledger waits for its count."""
    found = selectors.usage_of(request.actor.workspace_id, request_id)
    price = selectors.price_of(request.actor.workspace_id, found.model)
    cost = (
        money(found.cost_micro) if price.prompt_micro or price.completion_micro or found.cost_micro else "no price set"
    )
    said = f"{found.prompt_tokens:,} tokens read, {found.completion_tokens:,} written, {cost}"
    return JsonResponse({"settled": found.settled, "said": said})


def _turns(given: Any) -> list[dict[str, str]]:
    if not isinstance(given, list) or not 1 <= len(given) <= MOST_TURNS:
        raise Invalid("The conversation is empty or too long.", fix="Start a new one.")
    turns = [
        {"role": each["role"], "content": each["content"]}
        for each in given
        if isinstance(each, dict) and each.get("role") in ROLES and isinstance(each.get("content"), str)
    ]
    if len(turns) != len(given):
        raise Invalid("A turn of the conversation cannot be read.", fix="Start a new one.")
    return turns


def _number(given: Any, *, low: float, high: float, otherwise: float) -> float:
    good = isinstance(given, int | float) and not isinstance(given, bool) and low <= given <= high
    return given if good else otherwise


def body_of(request: HttpRequest) -> dict[str, Any]:
    """The gateway's body from the page's. Raises Invalid."""
    try:
        given = json.loads(request.body)
    except (ValueError, RecursionError, RawPostDataException) as error:
        raise Invalid("The page sent something that cannot be read.", fix="Reload it.") from error
    if not isinstance(given, dict):
        raise Invalid("The page sent something that cannot be read.", fix="Reload it.")
    return {
        "model": given.get("model"),
        "messages": _turns(given.get("messages")),
        "temperature": _number(given.get("temperature"), low=0, high=2, otherwise=0.7),
        "max_tokens": int(_number(given.get("max_tokens"), low=1, high=MOST_TOKENS, otherwise=256)),
        "stream": True,
        "stream_options": {"include_usage": True},
    }


def _choose(request: MemberRequest, body: Mapping[str, Any]) -> Asked:
    return services.choose(
        Caller(request.actor, request.membership.workspace),
        endpoint="chat/completions",
        body=body,
        size=len(request.body),
        attempt_id=mint("req_"),
    )


def _refused(error: StudioError) -> JsonResponse:
    said = {"message": error.message, "fix": error.fix, "code": error.code}
    return JsonResponse({"error": said}, status=error.status)


async def stream(request: MemberRequest) -> HttpResponseBase:
    """`POST {model, messages, temperature, max_tokens}` answers with OpenAI's stream, or one sentence as JSON."""
    if request.method != "POST":
        return HttpResponse(status=405, headers={"Allow": "POST"})
    try:
        if request.actor is None:
            raise NotAllowed("You are signed out.", fix="Reload the page and sign in again.", code="signed_out")
        tabs.check(request)
        admission = await services.admit(partial(_choose, request, body_of(request)))
        pieces = await services.stream(admission)
    except StudioError as error:
        return _refused(error)
    except DatabaseError:
        return _refused(Unavailable("The studio's database is busy.", fix="Try again."))
    response = StreamingHttpResponse(pieces, content_type="text/event-stream; charset=utf-8")
    response.headers["Cache-Control"] = "no-cache"
    response.headers["X-Accel-Buffering"] = "no"
    response.headers["X-Request-Id"] = admission.attempt_id
    return response


stream.actions = {"POST": "models.use"}  # type: ignore[attr-defined]  # the gateway asks it of the member
