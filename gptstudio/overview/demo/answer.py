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

PATIENCE_SECONDS = 120.0
ANSWER_TOKENS = 80


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, and under which request id."""

    text: str
    request_id: str
    usage: dict[str, int]


def _stream(client: openai.OpenAI, messages: list[Any]) -> Answer:
    parts: list[str] = []
    usage: dict[str, int] = {}
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
            if chunk.usage is not None:
                usage = {
                    "prompt_tokens": chunk.usage.prompt_tokens,
                    "completion_tokens": chunk.usage.completion_tokens,
                }
    return Answer("".join(parts), request_id, usage)


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
        if answer.usage:
            return answer
        time.sleep(1)


def bill(road: Road, answer: Answer) -> dict[str, Any]:
    """The ledger's settled row for the answer; waits for it, since settling follows the last byte."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (found := serving.usage_of(road.workspace.id, answer.request_id)) is None:
        if time.monotonic() > deadline:
            raise Unavailable(f"The ledger has no settled row for {answer.request_id}.")
        time.sleep(0.2)
    return {
        "request_id": answer.request_id,
        "prompt_tokens": found.prompt_tokens,
        "completion_tokens": found.completion_tokens,
        "cost_micro": found.cost_micro,
    }
