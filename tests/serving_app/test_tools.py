"""Function calls through the gateway: the official client, a real engine, and a bill that is exact."""

from __future__ import annotations

import json

import openai
import pytest

from serving_app import selectors
from serving_app.models import Completion
from tests.calling_model import ANSWER, CALLED, QUESTION, SAID, TOOLS


@pytest.fixture
def calling(make_tuned, calling_folder, reconciler):
    """A released model that calls functions, loaded."""
    model = make_tuned("ft:studio-starter-1:care:calls:00000002", folder=calling_folder)
    reconciler.run_pass()
    return model


def test_a_call_comes_back_whole_and_is_billed_token_by_token(client, calling, workspace):
    answer = client.chat.completions.create(model=calling.name, messages=QUESTION, tools=TOOLS, temperature=0)
    [choice] = answer.choices
    assert (choice.message.content, choice.finish_reason) == (SAID, "tool_calls")
    assert choice.message.tool_calls[0].function.arguments == CALLED
    bill = selectors.usage_of(workspace.id, answer._request_id)
    assert (bill.prompt_tokens, bill.completion_tokens) == (answer.usage.prompt_tokens, len(ANSWER) + 1)
    assert bill.settled and bill.state == "completed"
    assert Completion.objects.get(id=answer._request_id).finish_reason == "tool_calls"
    assert selectors.balance_of(workspace.id).reserved_micro == 0


def test_a_streamed_call_comes_in_pieces_and_is_billed_too(client, calling, workspace):
    options = {"stream": True, "stream_options": {"include_usage": True}, "temperature": 0}
    stream = client.chat.completions.create(model=calling.name, messages=QUESTION, tools=TOOLS, **options)
    request_id = stream.response.headers["x-request-id"]
    chunks = list(stream)
    deltas = [chunk.choices[0].delta for chunk in chunks if chunk.choices]
    calls = [call for delta in deltas for call in delta.tool_calls or []]
    assert "".join(delta.content or "" for delta in deltas) == SAID
    assert calls[0].function.name == "weather"
    assert "".join(call.function.arguments for call in calls) == CALLED
    bill = selectors.usage_of(workspace.id, request_id)
    assert bill.settled and bill.completion_tokens == chunks[-1].usage.completion_tokens == len(ANSWER) + 1


def test_a_forced_call_and_its_result_make_a_conversation(client, calling):
    asked = {"model": calling.name, "tools": TOOLS, "temperature": 2, "seed": 3}
    hello = [{"role": "user", "content": "Hello"}]
    first = client.chat.completions.create(**asked, messages=hello, tool_choice="required", parallel_tool_calls=False)
    [call] = first.choices[0].message.tool_calls
    assert isinstance(json.loads(call.function.arguments), dict)
    result = {"role": "tool", "tool_call_id": call.id, "content": "Sun."}
    messages = [*hello, first.choices[0].message.model_dump(), result]
    second = client.chat.completions.create(**asked, messages=messages, tool_choice="none", max_tokens=5)
    assert second.usage.prompt_tokens > first.usage.prompt_tokens - 400 and not second.choices[0].message.tool_calls


def test_tools_reserve_the_whole_context_because_templates_write_them_out(client, client_for, make_key, calling):
    from serving_app.prices import Tokens, cost_micro

    whole = cost_micro(Tokens(prompt=calling.context_length, completion=8))
    poor = client_for(make_key("chat", budget_micro=whole - 1))
    asked = {"model": calling.name, "messages": QUESTION, "max_tokens": 8}
    assert poor.chat.completions.create(**asked).usage.prompt_tokens < 30
    with pytest.raises(openai.RateLimitError) as refused:
        poor.chat.completions.create(**asked, tools=TOOLS)
    assert refused.value.code == "insufficient_quota"


def test_a_model_without_tools_refuses_them_by_name(client, base_model):
    with pytest.raises(openai.BadRequestError) as refused:
        client.chat.completions.create(model=base_model.name, messages=QUESTION, tools=TOOLS)
    assert refused.value.param == "tools" and "template" in str(refused.value)
