"""What cannot be honoured is refused with its field's name, in the envelope, and never ignored."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from serving_app.engine.errors import EngineError
from serving_app.engine.protocol.chat_request import read_chat_request
from serving_app.engine.protocol.format_fields import SCHEMA_AT
from serving_app.engine.protocol.text_request import read_text_request

USER = {"role": "user", "content": "hi"}
NOT_QUITE_JSON = [b'{"model": NaN}', b'{"model": "\\ud800"}', b'{"model": "\xed\xa0\x80"}', '{"a": 1}'.encode("utf-16")]
TOOL = {"type": "function", "function": {"name": "f"}}


def called(arguments: str) -> dict[str, Any]:
    call = {"id": "1", "type": "function", "function": {"name": "f", "arguments": arguments}}
    return {"role": "assistant", "content": None, "tool_calls": [call]}


CALL = called("{}")


def chat(**more: Any) -> dict[str, Any]:
    return {"model": "m", "messages": [USER], **more}


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"tools": [TOOL], "logprobs": True}, "logprobs"),
        ({"tools": {"a": 1}}, "tools"),
        ({"tools": [TOOL] * 129}, "tools"),
        ({"tools": [TOOL, TOOL]}, "tools[1].function.name"),
        ({"tools": ["f"]}, "tools[0]"),
        ({"tools": [{"type": "custom", "custom": {"name": "f"}}]}, "tools[0].type"),
        ({"tools": [{"type": "function"}]}, "tools[0].function"),
        ({"tools": [{"type": "function", "function": {"name": "a b"}}]}, "tools[0].function.name"),
        ({"tools": [{**TOOL, "nonsense": 1}]}, "tools[0].nonsense"),
        (
            {"tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "array"}}}]},
            "tools[0].function.parameters",
        ),
        ({"tool_choice": "required"}, "tool_choice"),
        ({"tools": [TOOL], "tool_choice": "always"}, "tool_choice"),
        ({"tools": [TOOL], "tool_choice": 3}, "tool_choice"),
        ({"tools": [TOOL], "tool_choice": {"type": "custom", "custom": {"name": "f"}}}, "tool_choice.type"),
        (
            {"tools": [TOOL], "tool_choice": {"type": "function", "function": {"name": "g"}}},
            "tool_choice.function.name",
        ),
        (
            {"tools": [TOOL], "tool_choice": {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": []}}},
            "tool_choice.allowed_tools.tools",
        ),
        ({"parallel_tool_calls": True}, "parallel_tool_calls"),
        ({"tools": [TOOL], "parallel_tool_calls": "no"}, "parallel_tool_calls"),
        ({"response_format": "json"}, "response_format"),
        ({"response_format": {"type": "yaml"}}, "response_format.type"),
        ({"response_format": {"type": "text", "json_schema": {}}}, "response_format.json_schema"),
        ({"response_format": {"type": "json_schema"}}, "response_format.json_schema"),
        ({"response_format": {"type": "json_schema", "json_schema": {"name": "x"}}}, SCHEMA_AT),
        ({"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": []}}}, SCHEMA_AT),
        (
            {"response_format": {"type": "json_schema", "json_schema": {"name": "a b"}}},
            "response_format.json_schema.name",
        ),
        ({"modalities": ["text", "audio"]}, "modalities"),
        ({"audio": {"voice": "x", "format": "wav"}}, "audio"),
        ({"prediction": {"type": "content", "content": "x"}}, "prediction"),
        ({"store": True}, "store"),
        ({"store": 0}, "store"),
        ({"messages": [{**USER, "audio": 0}]}, "messages[0].audio"),
        ({"service_tier": "priority"}, "service_tier"),
        ({"top_k": 5}, "top_k"),
        ({"temperature": 2.1}, "temperature"),
        ({"temperature": True}, "temperature"),
        ({"temperature": float("nan")}, "temperature"),
        ({"top_p": "1"}, "top_p"),
        ({"n": 0}, "n"),
        ({"n": 1.0}, "n"),
        ({"n": 129}, "n"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_completion_tokens": -1}, "max_completion_tokens"),
        ({"stop": ["a"] * 5}, "stop"),
        ({"stop": [""]}, "stop"),
        ({"stop": 3}, "stop"),
        ({"logit_bias": {"x": 1}}, "logit_bias"),
        ({"logit_bias": {"1": 101}}, "logit_bias"),
        ({"logit_bias": [1]}, "logit_bias"),
        ({"logit_bias": {"9" * 5000: 1}}, "logit_bias"),
        ({"logit_bias": {str(token): 1 for token in range(1025)}}, "logit_bias"),
        ({"stop": ["a" * 1001]}, "stop"),
        ({"user": {"id": 1}}, "user"),
        ({"safety_identifier": "x" * 513}, "safety_identifier"),
        ({"metadata": {"a": 1}}, "metadata"),
        ({"metadata": {str(number): "" for number in range(17)}}, "metadata"),
        ({"top_logprobs": 2}, "top_logprobs"),
        ({"logprobs": True, "top_logprobs": 21}, "top_logprobs"),
        ({"stream_options": {"include_usage": True}}, "stream_options"),
        ({"stream": True, "stream_options": {"other": 1}}, "stream_options.other"),
        ({"stream": "yes"}, "stream"),
        ({"messages": []}, "messages"),
        ({"messages": ["hi"]}, "messages[0]"),
        ({"messages": [{"role": "robot", "content": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": "function", "content": "x", "name": "f"}]}, "messages[0].role"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages[0].tool_call_id"),
        ({"messages": [{"role": "tool", "content": "x", "tool_call_id": "1"}]}, "messages[0].tool_call_id"),
        ({"messages": [CALL]}, "messages"),
        ({"messages": [CALL, USER]}, "messages[1]"),
        ({"messages": [{**USER, "tool_calls": CALL["tool_calls"]}]}, "messages[0].tool_calls"),
        ({"messages": [{"role": "user"}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "messages[0].content[0].type"),
        ({"messages": [{"role": "assistant", "content": "x", "tool_calls": [TOOL]}]}, "messages[0].tool_calls[0].id"),
        ({"messages": [called("[]")]}, "messages[0].tool_calls[0].function.arguments"),
        ({"messages": [called("{")]}, "messages[0].tool_calls[0].function.arguments"),
        ({"messages": [called('{"a": NaN}')]}, "messages[0].tool_calls[0].function.arguments"),
        ({"messages": [{**USER, "weight": 1}]}, "messages[0].weight"),
        ({"model": ""}, "model"),
    ],
)
def test_a_chat_request_is_refused_by_field(more: dict[str, Any], param: str) -> None:
    with pytest.raises(EngineError) as refused:
        read_chat_request(chat(**more))
    assert (refused.value.status, refused.value.param) == (400, param)


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"prompt": None}, "prompt"),
        ({"prompt": []}, "prompt"),
        ({"prompt": [1.5]}, "prompt"),
        ({"prompt": [[1], []]}, "prompt"),
        ({"prompt": ["a"] * 33}, "prompt"),
        ({"prompt": ["a"] * 32, "n": 3}, "n"),
        ({"suffix": "x"}, "suffix"),
        ({"best_of": 3}, "best_of"),
        ({"logprobs": 6}, "logprobs"),
        ({"logprobs": 1, "echo": True}, "echo"),
        ({"messages": [USER]}, "messages"),
    ],
)
def test_a_text_request_is_refused_by_field(more: dict[str, Any], param: str) -> None:
    with pytest.raises(EngineError) as refused:
        read_text_request({"model": "m", "prompt": "x", **more})
    assert (refused.value.status, refused.value.param) == (400, param)


def test_fields_that_ask_for_what_is_done_anyway_are_accepted() -> None:
    request = read_chat_request(
        chat(
            tools=[],
            tool_choice="none",
            response_format={"type": "text"},
            modalities=["text"],
            store=False,
            service_tier="auto",
            metadata={"a": "b"},
            user="u",
            stop=None,
            n=None,
        )
    )
    assert request.choices == 1


def test_an_assistant_message_can_be_sent_back_as_it_came() -> None:
    echoed = {"role": "assistant", "content": "yes", "refusal": None, "tool_calls": None, "annotations": []}
    parts = {"role": "developer", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}
    request = read_chat_request(chat(messages=[parts, USER, echoed, USER]))
    assert request.messages[0] == {"role": "system", "content": "ab"}
    assert request.messages[2] == {"role": "assistant", "content": "yes"}


def post(engine_server: Any, path: str, **given: Any) -> httpx.Response:
    headers = {"authorization": f"Bearer {engine_server.token}", **given.pop("headers", {})}
    return httpx.post(engine_server.url + path, headers=headers, timeout=120, **given)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'"x"', b"\xff", b"[" * 100_000, *NOT_QUITE_JSON])
def test_a_body_that_is_no_json_object_is_refused(engine_server: Any, content: bytes) -> None:
    answer = post(engine_server, "/v1/chat/completions", content=content)
    assert answer.status_code == 400
    assert set(answer.json()["error"]) == {"message", "type", "param", "code"}


def test_every_error_is_in_the_envelope(engine_server: Any) -> None:
    for answer, status in [
        (post(engine_server, "/v1/nowhere"), 404),
        (httpx.get(engine_server.url + "/v1/models", timeout=60), 401),
        (httpx.get(engine_server.url + "/metrics", timeout=60), 401),
        (post(engine_server, "/v1/models"), 405),
        (post(engine_server, "/v1/completions", content=b" " * (9 * 2**20)), 413),
        (post(engine_server, "/v1/completions", json={}, headers={"x-request-id": "a b"}), 400),
        (post(engine_server, "/v1/completions", json={"model": "llama", "prompt": ""}), 400),
        (post(engine_server, "/v1/completions", json={"model": "llama", "prompt": [99999]}), 400),
        (
            post(engine_server, "/v1/completions", json={"model": "llama", "prompt": "a", "logit_bias": {"9999": 1}}),
            400,
        ),
    ]:
        assert answer.status_code == status
        assert set(answer.json()["error"]) == {"message", "type", "param", "code"}


@pytest.mark.parametrize("after", ["x", "-1", "1.5", "9" * 40])
def test_a_bad_sequence_number_is_refused(engine_server: Any, after: str) -> None:
    headers = {"authorization": f"Bearer {engine_server.token}"}
    answer = httpx.get(engine_server.url + "/usage", params={"after": after}, headers=headers, timeout=60)
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "after")


@pytest.mark.parametrize("path", ["../", "/etc", "..", "llama/../../x", "escape"])
def test_models_are_only_loaded_from_below_the_root(engine_server: Any, path: str) -> None:
    link = engine_server.root / "escape"
    if not link.is_symlink():
        link.symlink_to("/etc")
    answer = post(engine_server, "/v1/load_model", json={"name": "x", "path": path, "digest": "d"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "path_not_allowed")


def test_a_folder_that_is_no_model_is_refused_with_a_sentence(engine_server: Any) -> None:
    empty = engine_server.root / "empty"
    empty.mkdir(exist_ok=True)
    answer = post(engine_server, "/v1/load_model", json={"name": "x", "path": "empty", "digest": "d"})
    assert answer.status_code == 400
    assert "no config.json" in answer.json()["error"]["message"]
    (empty / "config.json").write_text("{}")
    answer = post(engine_server, "/v1/load_model", json={"name": "x", "path": "empty", "digest": "d"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_model_folder")
