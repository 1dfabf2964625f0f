"""Each parameter that is honoured, through the gateway: its answer, whole and streamed, has OpenAI's shape exactly."""

from __future__ import annotations

import json
from typing import Any, Literal

import httpx
import openai
import pytest
from pydantic import BaseModel

from tests.openai_types import check_answer, check_stream

pytestmark = pytest.mark.once
HELLO = [{"role": "user", "content": "Hello there"}]
CHAT = {"messages": HELLO, "max_completion_tokens": 6, "logit_bias": {"256": -100}}
TEXT = {"prompt": "Hello there", "max_tokens": 6, "logit_bias": {"256": -100}}
WISHES: list[dict[str, Any]] = [
    {},
    {"n": 2, "seed": 7, "temperature": 0.5, "top_p": 0.9},
    {"presence_penalty": 1, "frequency_penalty": -1, "stop": ["never there"]},
    {"user": "u-1", "logprobs": 2},
    {"echo": True},
]
CHAT_WISHES: list[dict[str, Any]] = [
    {"logprobs": True, "top_logprobs": 2, "metadata": {"a": "b"}, "store": False, "safety_identifier": "x"},
    {"response_format": {"type": "text"}, "tool_choice": "none", "service_tier": "auto"},
]
ASKED = [
    *[("completions", {**TEXT, **wish}) for wish in WISHES],
    *[("chat/completions", {**CHAT, **wish}) for wish in [*WISHES[:3], *CHAT_WISHES]],
]


@pytest.fixture
def ask(studio, make_key, base_model):
    headers = {"Authorization": f"Bearer {make_key('chat')}"}

    def send(path: str, body: dict[str, Any]) -> httpx.Response:
        response = httpx.post(
            f"{studio}/v1/{path}", headers=headers, json={"model": base_model.name, **body}, timeout=120
        )
        assert response.status_code == 200, response.text
        return response

    return send


def test_every_answer_has_openais_shape_whole_and_streamed(ask):
    for path, body in ASKED:
        whole = ask(path, body)
        check_answer(whole)
        choices, count = whole.json()["choices"], body.get("n", 1)
        assert [choice["index"] for choice in choices] == list(range(count))
        assert all("logprobs" in choice and choice["finish_reason"] == "length" for choice in choices)
        assert whole.json()["usage"]["completion_tokens"] == 6 * count
        plain = check_stream(path, ask(path, {**body, "stream": True}).text)
        assert all("usage" not in chunk for chunk in plain)
        counted = check_stream(
            path, ask(path, {**body, "stream": True, "stream_options": {"include_usage": True}}).text
        )
        assert all(chunk["usage"] is None for chunk in counted[:-1])
        assert counted[-1]["choices"] == [] and counted[-1]["usage"]["completion_tokens"] == 6 * count


def test_json_by_a_schema_is_what_the_official_clients_parser_makes_of_it(client, base_model):
    class Verdict(BaseModel):
        fair: bool
        stars: Literal[1, 2, 3]

    for _ in range(3):
        answer = client.chat.completions.parse(model=base_model.name, messages=HELLO, response_format=Verdict)
        assert isinstance(answer.choices[0].message.parsed, Verdict)
        assert answer.choices[0].finish_reason == "stop"


def test_a_json_object_of_any_kind_is_one_whole_and_streamed(ask):
    # The model is random: it would go on with one text forever. So a quote comes first, then a brace, then all else.
    pushed = {"1": 100, "92": 50} | {str(token): -100 for token in range(2, 256) if token != 92}
    wish = {"messages": HELLO, "max_tokens": 900, "logit_bias": pushed, "response_format": {"type": "json_object"}}
    whole = ask("chat/completions", wish)
    check_answer(whole)
    assert isinstance(json.loads(whole.json()["choices"][0]["message"]["content"]), dict)
    chunks = check_stream("chat/completions", ask("chat/completions", {**wish, "stream": True}).text)
    pieces = [chunk["choices"][0]["delta"].get("content", "") for chunk in chunks]
    assert isinstance(json.loads("".join(pieces)), dict)


def test_a_schema_that_cannot_be_kept_to_is_a_400_with_the_reason(client, base_model):
    for schema, reason in (({"not": {}}, "not"), ({"type": "robot"}, "robot")):
        wanted = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
        with pytest.raises(openai.BadRequestError) as refused:
            client.chat.completions.create(model=base_model.name, messages=HELLO, response_format=wanted)
        assert refused.value.param == "response_format.json_schema.schema" and reason in str(refused.value)


def test_the_same_seed_gives_the_same_answer_and_another_choice_another(ask):
    def texts(seed: int) -> list[str]:
        body = {**CHAT, "max_completion_tokens": 30, "n": 2, "seed": seed, "temperature": 2}
        return [choice["message"]["content"] for choice in ask("chat/completions", body).json()["choices"]]

    assert texts(5) == texts(5) != texts(6)
    assert len(set(texts(5))) == 2


def test_a_bias_bans_and_forces_tokens_and_a_stop_string_is_never_shown(ask):
    forced = {**TEXT, "logit_bias": {"64": 100}, "temperature": 0}
    assert ask("completions", forced).json()["choices"][0]["text"] == "a" * 6
    stopped = ask("completions", {**forced, "stop": "aaa"}).json()
    assert stopped["choices"][0] == {"index": 0, "text": "", "logprobs": None, "finish_reason": "stop"}
    assert stopped["usage"]["completion_tokens"] == 3
    apart = ask("completions", {**TEXT, "frequency_penalty": 2, "logit_bias": {"64": 99, "65": 98}, "temperature": 0})
    assert set(apart.json()["choices"][0]["text"]) == {"a", "b"}


def test_log_probabilities_of_texts_hold_the_chosen_token_among_the_likeliest(ask):
    for wanted in (0, 2):
        found = ask("completions", {**TEXT, "logprobs": wanted, "temperature": 2}).json()["choices"][0]["logprobs"]
        assert [len(found[name]) for name in ("tokens", "token_logprobs", "top_logprobs", "text_offset")] == [6] * 4
        for token, logprob, top in zip(found["tokens"], found["token_logprobs"], found["top_logprobs"], strict=True):
            assert top[token] == logprob
            assert wanted <= len(top) + ("\ufffd" in top) * wanted and len(top) <= wanted + 1
