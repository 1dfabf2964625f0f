"""The calls that Open WebUI's server makes, with its fields and headers and by the client that it uses, as docs/open-webui.md
says that they work. Open WebUI itself is not here.
"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from serving_app.models import UsageEvent
from tests.calling_model import CALLED, QUESTION, TOOLS

pytestmark = pytest.mark.once

PERSON = {
    "X-OpenWebUI-User-Name": "Alice%20Example",
    "X-OpenWebUI-User-Id": "6f8a0f0e-0000-4000-8000-000000000000",
    "X-OpenWebUI-User-Email": "alice@care.example",
    "X-OpenWebUI-User-Role": "user",
    "X-OpenWebUI-Chat-Id": "chat-1",
}
PARAMETERS = {
    "temperature": 0.7,
    "top_p": 0.9,
    "max_tokens": 12,
    "frequency_penalty": 0.1,
    "presence_penalty": 0.1,
    "seed": 7,
    "stop": ["###"],
}
TALK = [{"role": "system", "content": "You are kind."}, {"role": "user", "content": "Hello"}]


@pytest.fixture
def ask(studio, make_key):
    """`ask("GET", "/models")`: status, kind of content, and text of an answer."""
    headers = {
        "Authorization": f"Bearer {make_key('chat')}",
        "Content-Type": "application/json",
        **PERSON,
    }

    async def once(method: str, path: str, body: Any) -> tuple[int, str, str]:
        async with aiohttp.ClientSession(trust_env=False) as session:
            data = None if body is None else json.dumps(body)
            async with session.request(method, f"{studio}/v1{path}", data=data, headers=headers) as answer:
                return answer.status, answer.content_type, await answer.text()

    return lambda method, path, body=None: asyncio.run(once(method, path, body))


def chunks(text: str) -> list[dict[str, Any]]:
    lines = [line.removeprefix("data: ") for line in text.split("\n") if line.startswith("data: ")]
    assert lines[-1] == "[DONE]"
    return [json.loads(line) for line in lines[:-1]]


def test_it_verifies_the_connection_and_lists_the_models(ask, base_model) -> None:
    status, _, text = ask("GET", "/models")
    listed = json.loads(text)
    assert status == 200 and base_model.name in [each["id"] for each in listed["data"]]
    assert all(each["object"] == "model" and each["owned_by"] for each in listed["data"])


def test_it_streams_a_chat_with_its_parameters_and_shows_the_tokens(ask, base_model) -> None:
    options = {"stream": True, "stream_options": {"include_usage": True}}
    body = {"model": base_model.name, "messages": TALK, **options, **PARAMETERS}
    status, kind, text = ask("POST", "/chat/completions", body)
    assert (status, kind) == (200, "text/event-stream"), text
    found = chunks(text)
    assert "".join(choice["delta"].get("content") or "" for each in found for choice in each["choices"])
    bill = UsageEvent.objects.get(kind="settle")
    assert found[-1]["usage"]["completion_tokens"] == bill.completion_tokens


def test_it_goes_on_with_a_conversation(ask, base_model) -> None:
    talk = [
        *TALK,
        {"role": "assistant", "content": "Hi."},
        {"role": "user", "content": [{"type": "text", "text": "And?"}]},
    ]
    body = {"model": base_model.name, "messages": talk, "stream": True, "max_tokens": 4}
    assert ask("POST", "/chat/completions", body)[0] == 200


@pytest.mark.parametrize("limit", ["max_tokens", "max_completion_tokens"])
def test_it_asks_for_a_title_and_tags_behind_the_persons_back(ask, base_model, limit) -> None:
    prompt = '### Task:\nGenerate a concise, 3-5 word title. JSON format: { "title": "your concise title here" }'
    body = {"model": base_model.name, "messages": [{"role": "user", "content": prompt}], "stream": False, limit: 1000}
    status, _, text = ask("POST", "/chat/completions", body)
    assert status == 200 and "content" in json.loads(text)["choices"][0]["message"]


def test_it_has_native_tools_called(ask, make_tuned, calling_folder, reconciler) -> None:
    model = make_tuned("ft:studio-starter-1:care:calls:00000002", folder=calling_folder)
    reconciler.run_pass()
    body = {"model": model.name, "messages": QUESTION, "tools": TOOLS, "stream": True, "temperature": 0}
    status, _, text = ask("POST", "/chat/completions", body)
    calls = [
        call for each in chunks(text) for choice in each["choices"] for call in choice["delta"].get("tool_calls") or []
    ]
    assert status == 200 and calls[0]["function"]["name"] == "weather"
    assert "".join(call["function"].get("arguments") or "" for call in calls) == CALLED


def test_it_gets_vectors_for_documents(ask, make_tuned, reconciler) -> None:
    model = make_tuned()
    type(model).objects.filter(id=model.id).update(embeds=True)
    reconciler.run_pass()
    status, _, text = ask("POST", "/embeddings", {"input": ["one", "two"], "model": model.name})
    assert status == 200 and [len(each["embedding"]) for each in json.loads(text)["data"]] == [32, 32]


@pytest.mark.parametrize("name", ["min_p", "top_k", "reasoning_effort"])
def test_a_parameter_that_engines_do_not_have_is_refused_by_name(ask, base_model, name) -> None:
    body = {
        "model": base_model.name,
        "messages": TALK,
        "stream": True,
        name: "high" if name == "reasoning_effort" else 1,
    }
    status, _, text = ask("POST", "/chat/completions", body)
    assert status == 400 and name in json.loads(text)["error"]["message"]


def test_the_page_about_it_names_what_is_set_and_what_is_refused() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "open-webui.md").read_text(encoding="utf-8")
    for name in ("OPENAI_API_BASE_URL", "OPENAI_API_KEY", "min_p", "top_k", "reasoning_effort"):
        assert f"`{name}`" in page
