"""Loading and unloading, leaving clients, a full queue, and every way an engine can end."""

from __future__ import annotations

import json
import time
from typing import Any

import httpx
import openai
import pytest

QUESTION = {"messages": [{"role": "user", "content": "go on"}], "logit_bias": {"256": -100}}
# Minutes of work even for a tiny model: what must happen meanwhile happens long before it ends, however slow the test is.
TOKENS = 8000
ENDLESS = {
    "model": "llama", "stream": True, "prompt": ["go on"] * 32, "n": 2, "max_tokens": TOKENS, "logit_bias": {"256": -100}
}  # fmt: skip


def http(server: Any) -> httpx.Client:
    headers = {"authorization": f"Bearer {server.token}"}
    return httpx.Client(base_url=server.url, headers=headers, timeout=240)


def rows_of(client: httpx.Client, attempt: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    while page := client.get("/usage", params={"after": rows[-1]["seq"] if rows else 0}).json()["data"]:
        rows += page
    return [row for row in rows if row["attempt_id"] == attempt]


def wait_for_end(client: httpx.Client, attempt: str) -> dict[str, Any]:
    """The closing row; the request's own end makes it appear, so asking again is enough."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        rows = rows_of(client, attempt)
        if rows and rows[-1]["finish_reason"] is not None:
            return rows[-1]
    raise AssertionError(f"{attempt} was never closed")


def test_models_and_adapters_come_and_go(engine_server: Any) -> None:
    client = http(engine_server)

    def say(model: str) -> str:
        answer = client.post(
            "/v1/chat/completions", json={"model": model, "temperature": 0, **QUESTION, "max_tokens": 12}
        )
        assert answer.status_code == 200, answer.text
        return str(answer.json()["choices"][0]["message"]["content"])

    load = {"name": "q", "path": "qwen2", "digest": "d1"}
    assert client.post("/v1/load_model", json=load).json()["digest"] == "d1"
    assert client.post("/v1/load_model", json=load).status_code == 200
    taken = client.post("/v1/load_model", json={**load, "digest": "d2"})
    assert (taken.status_code, taken.json()["error"]["code"]) == (400, "name_taken")
    adapter = {"lora_name": "tuned", "lora_path": "adapter", "base_model_name": "llama"}
    assert client.post("/v1/load_lora_adapter", json=adapter).json()["parent"] == "llama"
    assert [model["id"] for model in client.get("/v1/models").json()["data"]] == ["llama", "q", "tuned"]
    unasked = [line for line in client.get("/metrics").text.splitlines() if 'model_name="q"' in line]
    assert 'vllm:num_requests_running{model_name="q"} 0.0' in unasked
    assert len({say("llama"), say("tuned"), say("q")}) == 3
    assert client.post("/v1/unload_model", json={"name": "tuned"}).status_code == 400
    assert client.post("/v1/unload_lora_adapter", json={"lora_name": "tuned"}).status_code == 200
    assert client.post("/v1/unload_model", json={"name": "q"}).status_code == 200
    assert client.post("/v1/unload_model", json={"name": "q"}).status_code == 404
    assert [model["id"] for model in client.get("/v1/models").json()["data"]] == ["llama"]


def test_a_client_that_leaves_ends_its_request(engine_server: Any) -> None:
    client = http(engine_server)
    headers = {"x-request-id": "leaves"}
    with client.stream("POST", "/v1/completions", json=ENDLESS, headers=headers) as stream:
        next(stream.iter_bytes())
    last = wait_for_end(client, "leaves")
    assert last["finish_reason"] == "cancelled"
    assert last["completion_tokens"] < 64 * TOKENS


def test_an_attempt_id_cannot_run_twice_at_once(engine_server: Any) -> None:
    client = http(engine_server)
    headers = {"x-request-id": "twice"}
    with client.stream("POST", "/v1/completions", json=ENDLESS, headers=headers) as stream:
        pieces = stream.iter_bytes()  # held: httpx hangs up when its iterator is let go of
        next(pieces)
        again = client.post("/v1/completions", json={**ENDLESS, "stream": False}, headers=headers)
        assert again.json()["error"]["code"] == "duplicate_request"


def test_a_full_queue_refuses_with_a_time_to_come_back(start_engine: Any) -> None:
    server = start_engine("--model", "m=llama", "--slots", "1")
    server.wait_until_ready()
    client = http(server)
    many = {"model": "m", "prompt": ["a"] * 32, "n": 2, "max_tokens": 400, "stream": True, "logit_bias": {"256": -100}}
    refusal = None
    with openai.OpenAI(base_url=server.url + "/v1", api_key=server.token, max_retries=0) as sdk:
        streams = []
        for _ in range(12):
            try:
                streams.append(sdk.completions.create(**many))
            except openai.RateLimitError as error:
                refusal = error
                break
        assert refusal is not None
        assert refusal.response.headers["retry-after"] == "1"
        assert client.get("/health").json()["waiting"] <= 256
        for stream in streams:
            stream.close()


def test_sigterm_finishes_what_runs_and_takes_nothing_new(start_engine: Any) -> None:
    server = start_engine("--model", "m=llama")
    server.wait_until_ready()
    client = http(server)
    body = {"model": "m", "stream": True, "max_tokens": 450, **QUESTION}
    with client.stream("POST", "/v1/chat/completions", json=body, headers={"x-request-id": "last"}) as stream:
        lines = stream.iter_lines()
        first = next(lines)
        server.started.terminate()
        text = [first, *lines]
    assert "data: [DONE]" in text
    assert server.started.wait(timeout=120) == 0
    rows = [json.loads(line) for path in sorted(server.journal.glob("usage-*")) for line in path.open()]
    assert (rows[-1]["finish_reason"], rows[-1]["completion_tokens"]) == ("length", 450)


def test_after_kill_9_the_journal_closes_what_was_open(start_engine: Any) -> None:
    server = start_engine("--model", "m=llama", "--max-context", "8192")
    server.wait_until_ready()
    client = http(server)
    body = {"model": "m", "stream": True, "max_tokens": TOKENS, **QUESTION}
    seen = 0
    with (
        pytest.raises(httpx.HTTPError),
        client.stream("POST", "/v1/chat/completions", json=body, headers={"x-request-id": "killed"}) as stream,
    ):
        for line in stream.iter_lines():
            seen += '"content":' in line
            if seen == 40:
                server.started.kill()
    again = start_engine("--model", "m=llama")
    again.wait_until_ready()
    rows = rows_of(http(again), "killed")
    assert rows[-1]["finish_reason"] == "error"
    assert rows[-1]["prompt_tokens"] > 0
    # Rows come every 16 tokens and text lags behind tokens, so no more than 16 of those seen can be missing.
    assert rows[-1]["completion_tokens"] >= 40 - 1 - 16
    numbers = [row["seq"] for row in http(again).get("/usage").json()["data"]]
    assert numbers == list(range(1, len(numbers) + 1))


def test_a_taken_port_is_told_in_a_sentence(engine_server: Any, start_engine: Any) -> None:
    second = start_engine(port=engine_server.port)
    _, complaint = second.started.communicate(timeout=240)
    assert second.started.returncode == 1
    assert f"cannot listen on 127.0.0.1:{engine_server.port}" in complaint.decode()
    assert "Traceback" not in complaint.decode()


def test_a_model_that_cannot_be_loaded_at_start_is_told_in_a_sentence(start_engine: Any) -> None:
    server = start_engine("--model", "m=nowhere")
    _, complaint = server.started.communicate(timeout=240)
    assert server.started.returncode == 1
    assert "There is no folder 'nowhere'" in complaint.decode()
    assert "Traceback" not in complaint.decode()


def test_health_needs_no_token_and_says_what_is_served(engine_server: Any) -> None:
    answer = httpx.get(engine_server.url + "/health", timeout=60)
    assert (answer.status_code, answer.json()["status"]) == (200, "ok")
    assert "llama" in answer.json()["models"]
