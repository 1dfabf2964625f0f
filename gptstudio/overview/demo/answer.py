"""The last steps: a streamed answer through the official `openai` client, and its bill."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import openai
from django.conf import settings

from gptstudio.core.errors import Unavailable
from gptstudio.overview.demo.road import DEPLOYMENT, Road
from serving_app import selectors as serving
from serving_app.services import engine_usage_of

PATIENCE_SECONDS = 120.0
ANSWER_TOKENS = 80


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, and under which request id."""

    text: str
    request_id: str
    is_whole: bool


def _stream(client: openai.OpenAI, messages: list[Any]) -> Answer:
    parts: list[str] = []
    is_whole = False
    with client.chat.completions.with_streaming_response.create(
        model=DEPLOYMENT,
        messages=messages,
        stream=True,
        stream_options={"include_usage": True},
        max_completion_tokens=ANSWER_TOKENS,
        temperature=0,
    ) as response:
        request_id = response.headers["x-request-id"]
        for chunk in response.parse():
            parts += [choice.delta.content or "" for choice in chunk.choices]
            is_whole = is_whole or chunk.usage is not None
    return Answer("".join(parts), request_id, is_whole)


def ask(road: Road, messages: list[dict[str, str]]) -> Answer:
    """Ask until an answer came whole: a process may be killed meanwhile, and the studio mends itself."""
    client = openai.OpenAI(base_url=f"{settings.PUBLIC_URL}/v1", api_key=road.secret, timeout=60)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            answer = _stream(client, messages)
        except openai.APIError as error:
            if time.monotonic() > deadline:
                raise Unavailable(f"No whole answer came in {PATIENCE_SECONDS:.0f} s ({error}).") from error
            time.sleep(1)
            continue
        if answer.is_whole:
            return answer
        time.sleep(1)


def bill(road: Road, answer: Answer) -> tuple[dict[str, Any], dict[str, int]]:
    """The ledger's settled row for the answer, and what the engine's own journal says of it.

    Waits a moment for both: settling follows the last byte.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        found = serving.usage_of(road.workspace.id, answer.request_id)
        counted = engine_usage_of(answer.request_id)
        if found.settled and counted is not None:
            break
        if time.monotonic() > deadline:
            raise Unavailable(f"The ledger has no settled row for {answer.request_id}.")
        time.sleep(0.2)
    paid = {
        "request_id": answer.request_id,
        "prompt_tokens": found.prompt_tokens,
        "completion_tokens": found.completion_tokens,
        "cost_micro": found.cost_micro,
    }
    return paid, {"prompt_tokens": counted.prompt, "completion_tokens": counted.completion}
