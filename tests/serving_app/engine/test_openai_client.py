"""The official `openai` package, unmodified, against a running engine; bodies against the package's own types."""

from __future__ import annotations

import asyncio
import itertools
import json
from typing import Any

import httpx
import openai
import pytest
from openai.types import Completion, Model
from openai.types.chat import ChatCompletion, ChatCompletionChunk

ASK: list[Any] = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello there, how are you?"}]


@pytest.fixture
def client(engine_server: Any) -> openai.OpenAI:
    return openai.OpenAI(base_url=engine_server.url + "/v1", api_key=engine_server.token, max_retries=0)


@pytest.fixture
def http(engine_server: Any) -> httpx.Client:
    headers = {"authorization": f"Bearer {engine_server.token}"}
    return httpx.Client(base_url=engine_server.url, headers=headers, timeout=120)


def test_a_whole_answer_is_strictly_valid_and_counts_its_tokens(http: httpx.Client) -> None:
    answer = http.post("/v1/chat/completions", json={"model": "llama", "messages": ASK, "max_tokens": 12, "seed": 1})
    body = answer.json()
    completion = ChatCompletion.model_validate(body, strict=True)
    assert set(body["choices"][0]) == {"index", "message", "logprobs", "finish_reason"}
    assert body["choices"][0]["message"]["refusal"] is None
    assert completion.usage is not None
    # Every byte is a token: two opening marks, two closing marks, one for the answer to come.
    assert completion.usage.prompt_tokens == len("Be brief.Hello there, how are you?") + 5
    assert completion.usage.completion_tokens == 12
    assert completion.choices[0].finish_reason == "length"
    assert answer.headers["x-request-id"].startswith("req_")


def test_a_stream_gives_the_same_text_as_a_whole_answer(client: openai.OpenAI) -> None:
    wishes: dict[str, Any] = {"model": "llama", "messages": ASK, "max_completion_tokens": 40, "seed": 5}
    whole = client.chat.completions.create(**wishes)
    chunks = list(client.chat.completions.create(**wishes, stream=True, stream_options={"include_usage": True}))
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == whole.choices[0].message.content
    assert chunks[0].choices[0].delta.role == "assistant"
    assert chunks[-1].choices == []
    assert chunks[-1].usage is not None and whole.usage is not None
    assert chunks[-1].usage.completion_tokens == whole.usage.completion_tokens
    assert all(chunk.usage is None for chunk in chunks[:-1])
    assert {chunk.id for chunk in chunks} == {chunks[0].id}


def test_stream_events_are_strictly_valid_and_end_as_openais_do(http: httpx.Client) -> None:
    body = {"model": "llama", "messages": ASK, "max_tokens": 5, "stream": True}
    lines = [line for line in http.post("/v1/chat/completions", json=body).text.split("\n\n") if line]
    assert lines[-1] == "data: [DONE]"
    chunks = [json.loads(line.removeprefix("data: ")) for line in lines[:-1]]
    for chunk in chunks:
        ChatCompletionChunk.model_validate(chunk, strict=True)
        assert "usage" not in chunk
    assert chunks[-1]["choices"][0] == {"index": 0, "delta": {}, "logprobs": None, "finish_reason": "length"}


def test_the_async_client_runs_many_streams_at_once(engine_server: Any) -> None:
    async def one(client: openai.AsyncOpenAI, number: int) -> tuple[int, int]:
        stream = await client.chat.completions.create(
            model="llama",
            messages=[{"role": "user", "content": f"question {number}"}],
            max_tokens=20 + number,
            logit_bias={"256": -100},
            stream=True,
            stream_options={"include_usage": True},
        )
        last = None
        async for chunk in stream:
            last = chunk
        assert last is not None and last.usage is not None
        return number, last.usage.completion_tokens

    async def all_of_them() -> list[tuple[int, int]]:
        async with openai.AsyncOpenAI(base_url=engine_server.url + "/v1", api_key=engine_server.token) as client:
            return await asyncio.gather(*(one(client, number) for number in range(40)))

    assert asyncio.run(all_of_them()) == [(number, 20 + number) for number in range(40)]


def test_several_choices_differ_and_the_prompt_counts_once(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(
        model="llama", messages=ASK, max_tokens=8, n=3, seed=2, logit_bias={"256": -100}
    )
    assert [choice.index for choice in answer.choices] == [0, 1, 2]
    assert len({choice.message.content for choice in answer.choices}) > 1
    assert answer.usage is not None
    assert answer.usage.completion_tokens == 24
    assert answer.usage.prompt_tokens < 50


def test_streamed_text_never_holds_a_stop_string(client: openai.OpenAI) -> None:
    wishes: dict[str, Any] = {"model": "llama", "messages": ASK, "max_tokens": 60, "temperature": 0}
    plain = client.chat.completions.create(**wishes).choices[0].message.content
    assert plain is not None and len(plain) > 6
    stop = plain[3:5]
    chunks = list(client.chat.completions.create(**wishes, stop=[stop, "never there"], stream=True))
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    assert text == plain[: plain.index(stop)]
    assert chunks[-1].choices[0].finish_reason == "stop"


def test_logprobs_carry_alternatives_and_bytes(http: httpx.Client) -> None:
    body = {"model": "llama", "messages": ASK, "max_tokens": 4, "temperature": 0, "logprobs": True, "top_logprobs": 3}
    answer = http.post("/v1/chat/completions", json={**body, "logit_bias": {"256": -100}}).json()
    ChatCompletion.model_validate(answer, strict=True)
    content = answer["choices"][0]["logprobs"]["content"]
    assert len(content) == 4
    for entry in content:
        assert [len(entry["bytes"]), len(entry["top_logprobs"])] == [1, 3]
        assert entry["logprob"] == entry["top_logprobs"][0]["logprob"] <= 0


def test_a_repeated_prompt_reports_cached_tokens(client: openai.OpenAI) -> None:
    messages: list[Any] = [{"role": "user", "content": "a question that nobody else asks, number 4711"}]
    for expected in (False, True):
        answer = client.chat.completions.create(model="llama", messages=messages, max_tokens=2)
        assert answer.usage is not None and answer.usage.prompt_tokens_details is not None
        assert bool(answer.usage.prompt_tokens_details.cached_tokens) == expected


def test_text_completions_take_text_and_token_ids(client: openai.OpenAI, http: httpx.Client) -> None:
    answer = client.completions.create(model="llama", prompt=["abc", "xyz"], n=2, echo=True, temperature=0)
    assert [choice.text[:3] for choice in answer.choices] == ["abc", "abc", "xyz", "xyz"]
    assert answer.usage is not None
    assert answer.usage.prompt_tokens == 6
    raw = http.post("/v1/completions", json={"model": "llama", "prompt": [65, 66], "max_tokens": 3, "logprobs": 2})
    completion = Completion.model_validate(raw.json(), strict=True)
    assert completion.choices[0].logprobs is not None
    assert completion.choices[0].logprobs.text_offset is not None
    streamed = client.completions.create(model="llama", prompt="abc", max_tokens=4, temperature=0, stream=True)
    assert (
        "".join(chunk.choices[0].text for chunk in streamed)
        == client.completions.create(model="llama", prompt="abc", max_tokens=4, temperature=0).choices[0].text
    )


def test_usage_is_the_same_in_response_journal_and_metrics(http: httpx.Client) -> None:
    def generated() -> float:
        lines = http.get("/metrics").text.splitlines()
        return sum(float(line.split()[-1]) for line in lines if line.startswith("vllm:generation_tokens_total{"))

    before = generated()
    answer = http.post(
        "/v1/chat/completions",
        json={"model": "llama", "messages": ASK, "max_tokens": 37, "n": 2, "logit_bias": {"256": -100}},
        headers={"x-request-id": "attempt-1"},
    )
    assert answer.headers["x-request-id"] == "attempt-1"
    usage = answer.json()["usage"]
    assert usage["completion_tokens"] == 74
    rows = [row for row in every_row(http) if row["attempt_id"] == "attempt-1"]
    counts = [row["completion_tokens"] for row in rows]
    assert counts == sorted(counts)
    assert max(later - earlier for earlier, later in itertools.pairwise(counts)) <= 16
    last = rows[-1]
    assert (last["finish_reason"], last["completion_tokens"]) == ("length", 74)
    assert (last["prompt_tokens"], last["cached_tokens"]) == (
        usage["prompt_tokens"],
        usage["prompt_tokens_details"]["cached_tokens"],
    )
    assert generated() - before == 74


def every_row(http: httpx.Client) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    while page := http.get("/usage", params={"after": rows[-1]["seq"] if rows else 0}).json()["data"]:
        rows += page
    return rows


def test_models_are_listed_with_their_origin(client: openai.OpenAI, http: httpx.Client) -> None:
    assert "llama" in [model.id for model in client.models.list()]
    body = http.get("/v1/models/llama").json()
    Model.model_validate(body, strict=True)
    assert (body["root"], body["parent"], body["digest"]) == ("llama", None, None)


def test_the_client_raises_its_own_errors(client: openai.OpenAI, engine_server: Any) -> None:
    with pytest.raises(openai.NotFoundError) as missing:
        client.chat.completions.create(model="nobody", messages=ASK)
    assert (missing.value.code, missing.value.param) == ("model_not_found", "model")
    with pytest.raises(openai.BadRequestError) as long:
        client.chat.completions.create(model="llama", messages=ASK, max_tokens=9000)
    assert long.value.code == "context_length_exceeded"
    stranger = openai.OpenAI(base_url=engine_server.url + "/v1", api_key="wrong", max_retries=0)
    with pytest.raises(openai.AuthenticationError):
        stranger.models.list()
