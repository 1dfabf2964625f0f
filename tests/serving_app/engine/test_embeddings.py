"""Embeddings are the mean of the model's last hidden states at length 1, however texts are put together; and counted."""

from __future__ import annotations

import asyncio
import base64
import math
import struct
import threading
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from openai.types import CreateEmbeddingResponse
from transformers import PreTrainedModel

from serving_app.engine.accounts import Accounts
from serving_app.engine.embedding import Embedding, grouped
from serving_app.engine.engine import Engine
from serving_app.engine.errors import EngineError
from serving_app.engine.journal import Journal
from serving_app.engine.metrics import Metrics
from serving_app.engine.protocol.embedding_request import read_embedding_request
from serving_app.engine.requests import Closed, Request
from serving_app.engine.settings import EngineSettings
from tests.openai_types import check
from tests.serving_app.engine.conftest import loaded

SIZE = 64
TEXTS = ["What is a studio?", "a", "Ümläute: ä", "long " * 80]


@pytest.fixture
def http(engine_server: Any) -> httpx.Client:
    headers = {"authorization": f"Bearer {engine_server.token}"}
    return httpx.Client(base_url=engine_server.url, headers=headers, timeout=120)


@pytest.fixture
def client(engine_server: Any) -> openai.OpenAI:
    return openai.OpenAI(base_url=engine_server.url + "/v1", api_key=engine_server.token, max_retries=0)


def worked(model: PreTrainedModel, folder: Path, prompts: list[list[int]], *, budget: int) -> tuple[Embedding, Closed]:
    """Run to the end; gives the work and its closing event."""
    request = Request("one", "m", False, lambda event: None)
    work = Embedding(loaded(model), request, prompts, accounts=Accounts(Journal(folder), Metrics()), budget=budget)
    events = []
    while not work.over:
        events += work.step()
    [(_request, closed)] = events
    assert isinstance(closed, Closed)
    return work, closed


@pytest.mark.parametrize("budget", [1, 7, 1000])
def test_vectors_are_the_mean_of_the_last_hidden_states(
    tiny_model: PreTrainedModel, tmp_path: Path, budget: int
) -> None:
    prompts = [[7 * at % 250 for at in range(size)] for size in (3, 40, 1, 12, 12)]
    work, closed = worked(tiny_model, tmp_path, prompts, budget=budget)
    assert (closed.reason, closed.usage.prompt_tokens, closed.usage.completion_tokens) == ("stop", 68, 0)
    for prompt, vector in zip(prompts, work.vectors, strict=True):
        with torch.no_grad():
            states = tiny_model(input_ids=torch.tensor([prompt]), output_hidden_states=True).hidden_states[-1][0]
        plain = torch.nn.functional.normalize(states.mean(dim=0), dim=0)
        assert torch.allclose(torch.tensor(vector), plain, atol=2e-4)


def test_a_failing_model_ends_the_request_with_its_reason(tiny_model: PreTrainedModel, tmp_path: Path) -> None:
    _work, closed = worked(tiny_model, tmp_path, [[1, 2], [99_999]], budget=1)
    assert closed.reason == "error" and "in the middle" in str(closed.problem)


def test_a_cancelled_request_ends_at_the_next_piece_with_what_was_read(
    tiny_model: PreTrainedModel, tmp_path: Path
) -> None:
    request = Request("one", "m", False, lambda event: None)
    accounts = Accounts(Journal(tmp_path), Metrics())
    work = Embedding(loaded(tiny_model), request, [[1, 2], [3, 4, 5]], accounts=accounts, budget=2)
    assert work.step() == []
    request.cancelled = True
    [(_request, closed)] = work.step()
    assert isinstance(closed, Closed)
    assert (closed.reason, closed.usage.prompt_tokens, work.over) == ("cancelled", 2, True)


def test_what_was_read_stands_in_the_journal_before_the_end(tiny_model: PreTrainedModel, tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    request = Request("one", "m", False, lambda event: None)
    work = Embedding(loaded(tiny_model), request, [[1, 2], [3, 4, 5]], accounts=Accounts(journal, Metrics()), budget=2)
    work.step()
    assert [(row.prompt_tokens, row.finish_reason) for row in journal.rows_after(0)] == [(2, None)]
    assert work.tokens == 5


def test_texts_that_wait_are_bounded_over_all_requests_but_one_alone_is_taken(model_root: Path, tmp_path: Path) -> None:
    settings = EngineSettings(model_root=model_root, threads=1, drain_seconds=1, embedding_tokens=10)

    async def ask() -> list[str]:
        engine = Engine(settings, Journal(tmp_path / "journal"))
        served = await engine.load(name="llama", path="llama", digest=None)
        told = []
        async with engine.embed(served, [[1] * 400] * 40, attempt_id="long") as (_work, events):
            try:
                async with engine.embed(served, [[1, 2]], attempt_id="short"):
                    told.append("taken")
            except EngineError as error:
                told.append(f"{error.status} {error.code}")
            told.append((await events.get()).reason)
        async with engine.embed(served, [[1, 2]], attempt_id="again") as (_work, events):
            told.append((await events.get()).reason)
        await engine.drain()
        return told

    assert asyncio.run(ask()) == ["429 rate_limit_exceeded", "stop", "stop"]


@given(lengths=st.lists(st.integers(1, 50), max_size=20), budget=st.integers(1, 60))
def test_groups_hold_every_text_once_and_stay_within_the_budget(lengths: list[int], budget: int) -> None:
    groups = list(grouped(lengths, budget=budget))
    assert sorted(index for group in groups for index in group) == list(range(len(lengths)))
    assert all(len(group) == 1 or len(group) * max(lengths[at] for at in group) <= budget for group in groups)


def test_the_official_client_gets_one_vector_a_text_in_order(client: openai.OpenAI) -> None:
    answer = client.embeddings.create(model="llama", input=TEXTS)
    assert [each.index for each in answer.data] == [0, 1, 2, 3]
    for text, each in zip(TEXTS, answer.data, strict=True):
        alone = client.embeddings.create(model="llama", input=text, encoding_format="float").data[0].embedding
        assert len(each.embedding) == SIZE and math.isclose(sum(value * value for value in alone), 1, abs_tol=1e-5)
        assert all(math.isclose(one, other, abs_tol=2e-4) for one, other in zip(each.embedding, alone, strict=True))
    assert answer.usage.prompt_tokens == answer.usage.total_tokens == sum(len(text.encode()) for text in TEXTS)


def test_bodies_are_strictly_valid_and_base64_holds_the_same_numbers(http: httpx.Client) -> None:
    asked = {"model": "llama", "input": "hello"}
    body = http.post("/v1/embeddings", json={**asked, "dimensions": SIZE, "user": "u"}).json()
    check(CreateEmbeddingResponse, body)
    packed = http.post("/v1/embeddings", json={**asked, "encoding_format": "base64"}).json()["data"][0]["embedding"]
    numbers = struct.unpack(f"<{SIZE}f", base64.b64decode(packed))
    assert all(math.isclose(*pair, abs_tol=1e-6) for pair in zip(numbers, body["data"][0]["embedding"], strict=True))


def test_token_ids_and_the_text_they_spell_have_the_same_vector(client: openai.OpenAI) -> None:
    text = client.embeddings.create(model="llama", input="AB").data[0].embedding
    ids = client.embeddings.create(model="llama", input=[32, 33]).data[0].embedding
    several = client.embeddings.create(model="llama", input=[[32, 33], [1]]).data[0].embedding
    assert all(math.isclose(one, other, abs_tol=1e-5) for one, other in zip(text, ids, strict=True))
    assert all(math.isclose(one, other, abs_tol=1e-5) for one, other in zip(text, several, strict=True))


def test_the_journal_counts_what_the_answer_says(http: httpx.Client) -> None:
    asked = {"model": "llama", "input": ["one", "three"]}
    answer = http.post("/v1/embeddings", json=asked, headers={"x-request-id": "embed-1"})
    assert answer.headers["x-request-id"] == "embed-1"
    after, mine = 0, []
    while page := http.get("/usage", params={"after": after}).json()["data"]:
        mine += [row for row in page if row["attempt_id"] == "embed-1"]
        after = page[-1]["seq"]
    assert [(row["prompt_tokens"], row["finish_reason"]) for row in mine] == [(0, None), (8, None), (8, "stop")]
    assert answer.json()["usage"]["prompt_tokens"] == 8


def test_texts_and_answers_are_worked_on_side_by_side(client: openai.OpenAI) -> None:
    found: list[int] = []
    texts = ["some words to embed " * 20] * 60
    beside = threading.Thread(
        target=lambda: found.append(len(client.embeddings.create(model="llama", input=texts).data))
    )
    beside.start()
    answer = client.chat.completions.create(
        model="llama", messages=[{"role": "user", "content": "hi"}], max_tokens=5, logit_bias={"256": -100}
    )
    assert answer.usage is not None and answer.usage.completion_tokens == 5
    beside.join(timeout=240)
    assert found == [60]


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"input": None}, "input"),
        ({"input": ""}, "input"),
        ({"input": []}, "input"),
        ({"input": ["a", ""]}, "input"),
        ({"input": ["a", 1]}, "input"),
        ({"input": [1, -1]}, "input"),
        ({"input": [True]}, "input"),
        ({"input": ["a"] * 2049}, "input"),
        ({"encoding_format": "hex"}, "encoding_format"),
        ({"encoding_format": 1}, "encoding_format"),
        ({"encoding_format": ""}, "encoding_format"),
        ({"dimensions": 0}, "dimensions"),
        ({"user": 1}, "user"),
        ({"stream": True}, "stream"),
        ({"model": None}, "model"),
    ],
)
def test_a_request_is_refused_by_field(more: dict[str, Any], param: str) -> None:
    with pytest.raises(EngineError) as refused:
        read_embedding_request({"model": "m", "input": "x", **more})
    assert (refused.value.status, refused.value.param) == (400, param)


@pytest.mark.parametrize(
    ("more", "param", "code"),
    [
        ({"input": "x" * 9000}, "input", "context_length_exceeded"),
        ({"input": [99_999]}, "input", "invalid_value"),
        ({"dimensions": 8}, "dimensions", "unsupported_value"),
        ({"input": ["x" * 500] * 700}, "input", "invalid_value"),
        ({"model": "nobody"}, "model", "model_not_found"),
    ],
)
def test_what_this_model_cannot_do_is_refused(http: httpx.Client, more: dict[str, Any], param: str, code: str) -> None:
    answer = http.post("/v1/embeddings", json={"model": "llama", "input": "x", **more})
    assert answer.status_code == (404 if param == "model" else 400)
    assert (answer.json()["error"]["param"], answer.json()["error"]["code"]) == (param, code)
