"""Function calls through the official client from a running engine: whole, streamed, forced, and counted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from tests.calling_model import ANSWER, CALLED, QUESTION, SAID, TOOLS, WEATHER, write_calling_model
from tests.openai_types import check
from tests.serving_app.engine.conftest import EngineServer, launch, stop

ELSE: list[Any] = [{"role": "user", "content": "Something else altogether"}]
NOISE: dict[str, Any] = {"temperature": 2, "seed": 1}


@pytest.fixture(scope="module")
def caller(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineServer]:
    root = tmp_path_factory.mktemp("root")
    write_calling_model(root / "caller")
    server = launch(root, root / "journal", arguments=("--model", "caller=caller"))
    server.wait_until_ready()
    yield server
    stop(server)


@pytest.fixture
def client(caller: EngineServer) -> openai.OpenAI:
    return openai.OpenAI(base_url=caller.url + "/v1", api_key=caller.token, max_retries=0)


@pytest.fixture
def post(caller: EngineServer) -> Any:
    headers = {"authorization": f"Bearer {caller.token}"}

    def send(**body: Any) -> httpx.Response:
        url = caller.url + "/v1/chat/completions"
        return httpx.post(url, headers=headers, json={"model": "caller", "tools": TOOLS, **body}, timeout=120)

    return send


def fits(name: str, arguments: str) -> bool:
    found = json.loads(arguments)
    if name == "clock":
        return found == {}
    return list(found) == ["city", "days"] and found["city"] in ("Bern", "Oslo") and found["days"] in range(1, 8)


def test_a_model_that_wants_to_calls_after_what_it_says(post: Any) -> None:
    body = post(messages=QUESTION, temperature=0).json()
    check(ChatCompletion, body)
    [choice] = body["choices"]
    [call] = choice["message"]["tool_calls"]
    assert (choice["message"]["content"], choice["finish_reason"]) == (SAID, "tool_calls")
    assert call["function"] == {"name": "weather", "arguments": CALLED} and call["id"].startswith("call_")
    assert body["usage"]["completion_tokens"] == len(ANSWER) + 1  # a byte a token, and the end


def test_a_stream_holds_the_mark_back_and_tells_the_call_in_pieces(post: Any, caller: EngineServer) -> None:
    options = {"stream": True, "stream_options": {"include_usage": True}}
    lines = post(messages=QUESTION, temperature=0, **options).text.split("\n\n")
    assert lines[-2:] == ["data: [DONE]", ""]
    chunks = [json.loads(line.removeprefix("data: ")) for line in lines[:-2]]
    for chunk in chunks:
        check(ChatCompletionChunk, chunk)
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks[:-1]]
    assert "".join(delta.get("content") or "" for delta in deltas) == SAID
    calls = [call for delta in deltas for call in delta.get("tool_calls", [])]
    assert set(calls[0]) == {"index", "id", "type", "function"} and calls[0]["function"]["name"] == "weather"
    assert all(set(call) == {"index", "function"} and call["index"] == 0 for call in calls[1:])
    assert "".join(call["function"]["arguments"] for call in calls) == CALLED and len(calls) > 3
    assert chunks[-2]["choices"][0]["finish_reason"] == "tool_calls"
    assert chunks[-1]["usage"]["completion_tokens"] == len(ANSWER) + 1


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("choice", ["required", {"type": "function", "function": {"name": "weather"}}])
def test_a_call_can_be_forced_and_its_arguments_always_fit(client: openai.OpenAI, choice: Any, seed: int) -> None:
    asked: dict[str, Any] = {"model": "caller", "messages": ELSE, "tools": TOOLS, "tool_choice": choice, "n": 2}
    answer = client.chat.completions.create(**asked, temperature=2, seed=seed)
    for each in answer.choices:
        assert each.finish_reason == "tool_calls" and each.message.content is None
        calls = [call for call in each.message.tool_calls or [] if call.type == "function"]
        assert calls and all(fits(call.function.name, call.function.arguments) for call in calls)
        if choice != "required":
            assert [call.function.name for call in calls] == ["weather"]
    assert len({call.id for each in answer.choices for call in each.message.tool_calls or []}) >= 2


def test_the_official_clients_own_stream_reader_understands_the_pieces(client: openai.OpenAI) -> None:
    asked: dict[str, Any] = {"model": "caller", "messages": ELSE, "tools": TOOLS, "tool_choice": "required", **NOISE}
    whole = client.chat.completions.create(**asked)
    with client.chat.completions.stream(**asked) as stream:
        streamed = stream.get_final_completion()
    names = [
        [(call.function.name, call.function.arguments) for call in answer.choices[0].message.tool_calls or []]  # type: ignore[union-attr]
        for answer in (whole, streamed)
    ]
    assert names[0] == names[1] and names[0]


def test_nothing_is_called_where_the_choice_is_none_and_the_tools_are_not_shown(post: Any) -> None:
    silent = post(messages=QUESTION, tool_choice="none", max_tokens=30, **NOISE).json()
    plain = post(messages=QUESTION, tools=[], max_tokens=30, **NOISE).json()
    assert "tool_calls" not in silent["choices"][0]["message"]
    assert silent["usage"]["prompt_tokens"] == plain["usage"]["prompt_tokens"]


def test_allowed_tools_narrow_what_may_be_called(post: Any) -> None:
    clock = {"type": "function", "function": {"name": "clock"}}
    choice = {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [clock]}}
    body = post(messages=QUESTION, tool_choice=choice, parallel_tool_calls=False, **NOISE).json()
    [call] = body["choices"][0]["message"]["tool_calls"]
    assert call["function"] == {"name": "clock", "arguments": "{}"}


def test_calls_and_their_results_are_read_back(post: Any, client: openai.OpenAI) -> None:
    first = client.chat.completions.create(model="caller", messages=QUESTION, tools=TOOLS, temperature=0)
    message = first.choices[0].message.model_dump()
    assert message["tool_calls"]
    result = {"role": "tool", "tool_call_id": message["tool_calls"][0]["id"], "content": "Sun."}
    body = post(messages=[*QUESTION, message, result], max_tokens=5, tool_choice="none").json()
    shown = "Weather?" + ANSWER + "<tool_response>Sun.</tool_response>"
    assert body["usage"]["prompt_tokens"] == len(shown) + 7  # three opening marks, three closing ones, the answer's


def test_an_answer_that_is_cut_off_ends_with_length_and_what_there_is(post: Any) -> None:
    body = post(messages=QUESTION, temperature=0, max_tokens=len(ANSWER) - 20).json()
    check(ChatCompletion, body)
    [choice] = body["choices"]
    assert choice["finish_reason"] == "length"
    assert CALLED.startswith(choice["message"]["tool_calls"][0]["function"]["arguments"])


def test_a_stop_string_inside_a_call_does_not_cut_it(post: Any) -> None:
    choice = post(messages=QUESTION, temperature=0, stop=["Bern", "weather"]).json()["choices"][0]
    assert choice["finish_reason"] == "tool_calls"
    assert choice["message"]["tool_calls"][0]["function"]["arguments"] == CALLED


def test_a_model_whose_template_has_no_tools_says_so(engine_server: EngineServer) -> None:
    headers = {"authorization": f"Bearer {engine_server.token}"}
    url = engine_server.url + "/v1/chat/completions"
    asked = {"model": "llama", "messages": QUESTION, "tools": [WEATHER]}
    error = httpx.post(url, headers=headers, json=asked, timeout=60).json()["error"]
    assert error["param"] == "tools" and "template" in error["message"]
    call = {"id": "c", "type": "function", "function": {"name": "weather", "arguments": CALLED}}
    messages = [*QUESTION, {"role": "assistant", "tool_calls": [call]}]
    messages.append({"role": "tool", "tool_call_id": "c", "content": "Sun."})
    refused = httpx.post(url, headers=headers, json={"model": "llama", "messages": messages}, timeout=60)
    assert (refused.status_code, refused.json()["error"]["param"]) == (400, "messages[1]")


def test_journal_and_answer_count_the_same(post: Any, caller: EngineServer, tmp_path: Path) -> None:
    usage = post(messages=QUESTION, temperature=0).json()["usage"]
    rows = httpx.get(caller.url + "/usage", headers={"authorization": f"Bearer {caller.token}"}, timeout=60).json()[
        "data"
    ]
    assert rows[-1]["completion_tokens"] == usage["completion_tokens"]
    assert rows[-1]["prompt_tokens"] == usage["prompt_tokens"] and rows[-1]["finish_reason"] == "stop"
