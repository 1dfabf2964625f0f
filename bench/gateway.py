"""What the gateway costs: the same requests to the engine's own port and through `/v1`, in turn, on one studio.

`python bench/gateway.py [--rounds 3]` → bench/results/gateway.json. A random model of 135 million parameters in
bfloat16 is registered as a base model; key, ledger and request log are on. Measured are tokens a second of 16 and of 32
streams of 64 tokens, beside `transformers serve` with `--continuous-batching` and without in the same run; the time that
the gateway adds to a stream of one token at 1, 10 and 50 at once; and how much sooner the first token comes when a
prompt of 512 tokens is known from before. Load, gateway and engine share the machine's cores.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import aiohttp
from engine_throughput import Load, Round, drive, running, write_model
from studio import Door, Studio, call

RESULTS = Path(__file__).with_name("results") / "gateway.json"
NAME = "random-135m"
TOKENS, STREAMS, AT_ONCE = 64, (16, 32), (1, 10, 50)
THREADS = 2
PEERS = {"transformers": 2, "plain": 1}  # runs a round; without batching one takes minutes, and a hiccup of it little
BARS = {"transformers": 1.7, "plain": 8}
SAMPLES = 60
PREFIX = 512


def open_doors(studio: Studio) -> tuple[Door, Door]:
    """Register the model; the engine's own door and the gateway's, once both answer."""
    registered = call(
        f"{studio.url}/api/v1/base-models", studio.key, {"name": NAME, "path": NAME, "licence": "none, it is random"}
    )
    engine = f"http://127.0.0.1:{studio.env['ENGINE_PORT']}"
    token = (studio.home / "engine_token").read_text().strip()
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline:
        names = [model["id"] for model in call(f"{engine}/v1/models", token)["data"]]
        found = next((name for name in names if name.startswith(registered["id"])), None)
        if found:
            return Door(engine, found, token), Door(studio.url, NAME, studio.key)
        time.sleep(0.5)
    raise RuntimeError("the engine did not load the model")


def throughput(door: Door, streams: int, *, runs: int = 2) -> Round:
    """The best of some runs: a hiccup of the machine is no result."""
    done = [asyncio.run(drive(door.url, door.model, Load(streams, TOKENS), key=door.key)) for _ in range(runs)]
    return max(done, key=lambda run: run.tokens_per_second)


def peer_speeds(name: str, model: Path, scratch: Path, *, runs: int) -> dict[int, float]:
    """Tokens a second of a server that is not ours, by streams, once it is warm."""
    with running(name, model, THREADS, scratch) as url:
        peer = Door(url, str(model), "")
        asyncio.run(drive(peer.url, peer.model, Load(2, 8)))
        return {streams: throughput(peer, streams, runs=runs).tokens_per_second for streams in STREAMS}


async def answers(door: Door, at_once: int, *, prompt: str = "Say a word.") -> list[float]:
    """Seconds that each of SAMPLES streams of one token took to its end, `at_once` under way at any time."""
    gate, taken = asyncio.Semaphore(at_once), []
    body: dict[str, Any] = {"model": door.model, "messages": [{"role": "user", "content": prompt}]}
    body |= {"max_tokens": 1, "temperature": 0, "stream": True}
    headers = {"authorization": f"Bearer {door.key}"}

    async def ask(session: aiohttp.ClientSession) -> None:
        async with gate:
            began = time.perf_counter()
            async with session.post(f"{door.url}/v1/chat/completions", json=body) as answer:
                answer.raise_for_status()
                await answer.read()
            taken.append(time.perf_counter() - began)

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), headers=headers) as session:
        await asyncio.gather(*(ask(session) for _ in range(max(SAMPLES, 3 * at_once))))
    return taken


def added(direct: Door, gateway: Door, rounds: int) -> dict[str, dict[str, float]]:
    """Milliseconds that the gateway adds to the median and the 95th percentile, by requests at once."""
    found = {}
    for at_once in AT_ONCE:
        times: dict[Door, list[float]] = {direct: [], gateway: []}
        for _ in range(rounds):
            for door, all_of_them in times.items():
                all_of_them += asyncio.run(answers(door, at_once))
        cuts = {door: statistics.quantiles(seconds, n=20) for door, seconds in times.items()}
        found[str(at_once)] = {
            "p50_ms": round(1000 * (cuts[gateway][9] - cuts[direct][9]), 1),
            "p95_ms": round(1000 * (cuts[gateway][18] - cuts[direct][18]), 1),
            "direct_p50_ms": round(1000 * cuts[direct][9], 1),
        }
    return found


def prefix_share(door: Door, rounds: int) -> dict[str, float]:
    """Seconds to one token after a fresh prompt of PREFIX tokens, and after the same one with another last word."""
    draw = random.Random(0)
    cold, warm = [], []
    for _ in range(2 * rounds):
        letters = "".join(draw.choices("abcdefghijklmnop", k=PREFIX))  # its tokenizer has no merges: a token each
        for ending, taken in (("a", cold), ("b", warm)):
            body = {"model": door.model, "messages": [{"role": "user", "content": letters + ending}], "max_tokens": 1}
            began = time.perf_counter()
            call(f"{door.url}/v1/chat/completions", door.key, body)
            taken.append(time.perf_counter() - began)
    return {
        "cold_seconds": round(statistics.median(cold), 3),
        "warm_seconds": round(statistics.median(warm), 3),
        "share": round(statistics.median(warm) / statistics.median(cold), 3),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    speeds: dict[str, dict[int, list[float]]] = {
        name: {streams: [] for streams in STREAMS} for name in ("gateway", "engine", *PEERS)
    }
    with tempfile.TemporaryDirectory() as scratch:
        model = Path(scratch) / "models" / NAME
        write_model(model)
        for _ in range(rounds):
            for peer, runs in PEERS.items():
                for streams, speed in peer_speeds(peer, model, Path(scratch), runs=runs).items():
                    speeds[peer][streams].append(speed)
            with Studio(imports=model) as studio:
                direct, gateway = open_doors(studio)
                throughput(gateway, STREAMS[0])
                for streams in STREAMS:
                    for name, door in (("engine", direct), ("gateway", gateway)):
                        speeds[name][streams].append(throughput(door, streams).tokens_per_second)
        with Studio(imports=model) as studio:
            direct, gateway = open_doors(studio)
            asyncio.run(answers(gateway, 4))
            overhead, prefix = added(direct, gateway, rounds), prefix_share(direct, rounds)
    median = {
        name: {str(streams): round(statistics.median(runs), 1) for streams, runs in by.items()}
        for name, by in speeds.items()
    }
    result = {
        "tokens_per_second": median,
        **{
            f"against_{name}": {key: round(speed / median[name][key], 3) for key, speed in median["gateway"].items()}
            for name in (*PEERS, "engine")
        },
        "added": overhead,
        "prefix": prefix,
    }
    RESULTS.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=2))
    return 0 if all(min(result[f"against_{name}"].values()) >= bar for name, bar in BARS.items()) else 1


if __name__ == "__main__":
    sys.exit(main())
