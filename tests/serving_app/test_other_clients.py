"""Clients that nobody here wrote, unmodified, against a running studio: LangChain's ChatOpenAI and LiteLLM."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest

from serving_app.models import UsageEvent
from tests.calling_model import CALLED, QUESTION, SAID, TOOLS

pytestmark = pytest.mark.once

HELLO = [{"role": "user", "content": "Hello there"}]


@pytest.fixture
def calling(make_tuned, calling_folder, reconciler):
    """A released model that calls functions, loaded."""
    model = make_tuned("ft:studio-starter-1:care:calls:00000002", folder=calling_folder)
    reconciler.run_pass()
    return model


@pytest.fixture
def langchain(studio, make_key, monkeypatch):
    """Makes LangChain's chat model for one of ours."""
    monkeypatch.setenv("LANGSMITH_TRACING", "false")
    from langchain_openai import ChatOpenAI

    def make(model: str, **options: Any) -> ChatOpenAI:
        return ChatOpenAI(model=model, base_url=f"{studio}/v1", api_key=make_key("chat"), max_retries=0, **options)

    return make


@pytest.fixture
def litellm(studio, make_key, monkeypatch):
    """LiteLLM's completion with our address and key; its table of prices is the one that it ships."""
    monkeypatch.setenv("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    import litellm

    def ask(model: str, **options: Any) -> Any:
        return litellm.completion(
            model=f"openai/{model}", api_base=f"{studio}/v1", api_key=make_key("chat"), num_retries=0, **options
        )

    return ask


def settled() -> list[tuple[int, int]]:
    return list(UsageEvent.objects.filter(kind="settle").values_list("prompt_tokens", "completion_tokens"))


def test_langchain_asks_streams_and_counts(langchain, base_model):
    chat = langchain(base_model.name, max_tokens=6, stream_usage=True)
    answer = chat.invoke("Hello there")
    chunks = list(chat.stream("Hello there"))
    assert answer.content and "".join(str(chunk.content) for chunk in chunks)
    told = [answer.usage_metadata, next(chunk.usage_metadata for chunk in chunks if chunk.usage_metadata)]
    assert settled() == [(each["input_tokens"], each["output_tokens"]) for each in told]
    assert answer.response_metadata["finish_reason"] == "length"


def test_langchain_binds_tools_and_gets_structured_answers(langchain, calling):
    from pydantic import BaseModel

    class Verdict(BaseModel):
        fair: bool

    chat = langchain(calling.name, temperature=0)
    answer = chat.bind_tools(TOOLS).invoke([("user", QUESTION[0]["content"])])
    [call] = answer.tool_calls
    assert answer.content == SAID and (call["name"], call["args"]) == ("weather", json.loads(CALLED))
    assert isinstance(chat.with_structured_output(Verdict).invoke("Judge."), Verdict)


def test_langchain_raises_the_official_clients_errors(langchain):
    import openai

    with pytest.raises(openai.NotFoundError):
        langchain("nobody").invoke("Hello")


def test_litellm_asks_streams_and_counts(litellm, base_model):
    answer = litellm(base_model.name, messages=HELLO, max_tokens=6)
    chunks = list(
        litellm(base_model.name, messages=HELLO, max_tokens=6, stream=True, stream_options={"include_usage": True})
    )
    assert answer.choices[0].message.content and answer.choices[0].finish_reason == "length"
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    assert settled()[0] == (answer.usage.prompt_tokens, answer.usage.completion_tokens)
    assert len(settled()) == 2 and settled()[1][1] == 6


def test_litellm_calls_tools(litellm, calling):
    answer = litellm(calling.name, messages=QUESTION, tools=TOOLS, temperature=0)
    [call] = answer.choices[0].message.tool_calls
    assert (call.function.name, call.function.arguments) == ("weather", CALLED)
    assert answer.choices[0].finish_reason == "tool_calls"


def test_litellm_tells_our_errors_as_its_own(litellm):
    module = sys.modules["litellm"]
    with pytest.raises(module.NotFoundError):
        litellm("nobody", messages=HELLO)
