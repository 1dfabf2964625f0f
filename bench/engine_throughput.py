"""Tokens a second of our inference engine against `transformers serve --continuous-batching`, over HTTP.

Builds a random model of SmolLM2-135M's shape in bfloat16 with a byte-level tokenizer of its own, starts one server at a
time, and lets the same driver run 16 streams of 64 tokens against each, alternating. Both are greedy, on the same
number of threads. Absolute numbers depend on the machine; the ratio is what counts.

    .venv/bin/python bench/engine_throughput.py [--rounds 3] [--threads 2]
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import torch
from tokenizers import Tokenizer, decoders, pre_tokenizers
from tokenizers.models import BPE
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

ROOT = Path(__file__).resolve().parent.parent
RESULT = ROOT / "bench" / "results" / "engine_throughput.json"
VOCABULARY = 49_152
TEMPLATE = "{% for message in messages %}<|{{ message.role }}|>{{ message.content }}{% endfor %}<|assistant|>"
SPECIALS = ["<|end|>", "<|user|>", "<|assistant|>"]


@dataclass(frozen=True)
class Load:
    """What the driver does: streams at once, tokens of each."""

    streams: int
    tokens: int


@dataclass(frozen=True)
class Round:
    """One measured run: tokens a second over all streams, and the median time to first text in seconds."""

    tokens_per_second: float
    first_text: float


def write_model(folder: Path) -> None:
    """A random model and a tokenizer whose every id has a text, so that both servers decode real text."""
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=VOCABULARY,
        hidden_size=576,
        intermediate_size=1536,
        num_hidden_layers=30,
        num_attention_heads=9,
        num_key_value_heads=3,
        max_position_embeddings=2048,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=VOCABULARY - len(SPECIALS),
    )
    LlamaForCausalLM(config).to(torch.bfloat16).save_pretrained(folder)
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    words = ("".join(letters) for size in (3, 4) for letters in itertools.product("abcdefghijklmnop", repeat=size))
    pieces = [*alphabet, *itertools.islice(words, VOCABULARY - len(SPECIALS) - len(alphabet))]
    core = Tokenizer(BPE(vocab={piece: at for at, piece in enumerate(pieces)}, merges=[]))
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    core.add_special_tokens(SPECIALS)
    PreTrainedTokenizerFast(
        tokenizer_object=core, eos_token="<|end|>", pad_token="<|end|>", chat_template=TEMPLATE
    ).save_pretrained(folder)


def command(name: str, model: Path, port: int, threads: int, scratch: Path) -> list[str]:
    """The command line of a server: `ours`, `transformers` with continuous batching, or `plain` transformers without."""
    if name == "ours":
        engine = [sys.executable, "-m", "serving_app.engine", "--port", str(port), "--threads", str(threads)]
        return [
            *engine,
            "--model-root",
            str(model.parent),
            "--journal",
            str(scratch / "journal"),
            "--model",
            f"m={model}",
        ]
    serve = [str(Path(sys.executable).parent / "transformers"), "serve", str(model), "--port", str(port)]
    batching = [] if name == "plain" else ["--continuous-batching", "--cb-block-size", "32"]
    return [*serve, "--host", "127.0.0.1", *batching]


@contextmanager
def running(name: str, model: Path, threads: int, scratch: Path) -> Iterator[str]:
    """Start a server, give its base URL when it is ready, and stop it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads), "HF_HUB_OFFLINE": "1", "PYTHONPATH": str(ROOT)}
    with (scratch / f"{name}.log").open("ab") as log:
        server = subprocess.Popen(command(name, model, port, threads, scratch), env=environment, stderr=log, stdout=log)
    try:
        asyncio.run(wait_until_ready(f"http://127.0.0.1:{port}", server))
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        try:
            server.wait(timeout=30)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


async def wait_until_ready(url: str, server: subprocess.Popen[bytes]) -> None:
    """Poll /health. Errors: RuntimeError when the server ends or takes more than three minutes."""
    deadline = time.monotonic() + 180
    async with aiohttp.ClientSession() as session:
        while time.monotonic() < deadline and server.poll() is None:
            try:
                async with session.get(url + "/health", timeout=aiohttp.ClientTimeout(5)) as answer:
                    if answer.status == 200:
                        return
            except (aiohttp.ClientError, TimeoutError):
                await asyncio.sleep(0.2)
    raise RuntimeError("a server did not become ready; its log is in the scratch folder")


async def drive(url: str, model: str, load: Load, *, key: str = "") -> Round:
    """All streams at once; each must be cut by its length, so that both servers write the same number of tokens."""
    headers = {"authorization": f"Bearer {key}"} if key else None
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), headers=headers) as session:
        began = time.perf_counter()
        firsts = await asyncio.gather(*(stream(session, url, model, number, load) for number in range(load.streams)))
        seconds = time.perf_counter() - began
    return Round(load.streams * load.tokens / seconds, statistics.median(firsts))


async def stream(session: aiohttp.ClientSession, url: str, model: str, number: int, load: Load) -> float:
    """One stream to its end; returns the time to its first text."""
    question = f"{number} stream number {number} asks about {'parcels ' * (1 + number % 5)}"
    body = {
        "model": model,
        "messages": [{"role": "user", "content": question}],
        "max_tokens": load.tokens,
        "temperature": 0,
        "stream": True,
    }
    began, first, finish = time.perf_counter(), None, None
    async with session.post(url + "/v1/chat/completions", json=body, timeout=aiohttp.ClientTimeout(600)) as answer:
        answer.raise_for_status()
        async for line in answer.content:
            if not line.startswith(b"data: {"):
                continue
            for choice in json.loads(line[6:])["choices"]:
                finish = choice.get("finish_reason") or finish
                if choice["delta"].get("content") and first is None:
                    first = time.perf_counter() - began
    if finish != "length" or first is None:
        raise RuntimeError(f"a stream ended with '{finish}' instead of its length")
    return first


def measure(name: str, model: Path, threads: int, scratch: Path, load: Load) -> Round:
    """Start a server, warm it up with one run, and take the better of two: a hiccup of the machine is no result."""
    with running(name, model, threads, scratch) as url:
        label = "m" if name == "ours" else str(model)
        asyncio.run(drive(url, label, load))
        runs = [asyncio.run(drive(url, label, load)) for _ in range(2)]
    best = max(runs, key=lambda run: run.tokens_per_second)
    print(f"{name:>12}: {best.tokens_per_second:6.0f} tokens/s, first text after {best.first_text:.2f} s", flush=True)
    return best


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    load = Load(streams=16, tokens=64)
    rounds: dict[str, list[Round]] = {"ours": [], "transformers": []}
    with tempfile.TemporaryDirectory() as scratch:
        model = Path(scratch) / "models" / "random-135m"
        write_model(model)
        for _ in range(options.rounds):
            for name, done in rounds.items():
                done.append(measure(name, model, options.threads, Path(scratch), load))
    speeds = {name: statistics.median(run.tokens_per_second for run in done) for name, done in rounds.items()}
    result = {
        "streams": load.streams,
        "tokens": load.tokens,
        "threads": options.threads,
        "tokens_per_second": {name: round(speed, 1) for name, speed in speeds.items()},
        "first_text_seconds": {
            name: round(statistics.median(run.first_text for run in done), 3) for name, done in rounds.items()
        },
        "rounds": {name: [round(run.tokens_per_second, 1) for run in done] for name, done in rounds.items()},
        "ratio": round(speeds["ours"] / speeds["transformers"], 2),
        "bar": 1.3,
    }
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=2) + "\n")
    print(f"median {speeds['ours']:.0f} against {speeds['transformers']:.0f} tokens/s: {result['ratio']} x (bar 1.3)")
    return 0 if result["ratio"] >= result["bar"] else 1


if __name__ == "__main__":
    sys.exit(main())
