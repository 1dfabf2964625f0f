"""The gateway beside LiteLLM's proxy, both in front of an engine that answers at once.

`python bench/litellm_peer.py [--rounds 3] [--litellm PATH]` → bench/results/litellm_peer.json. PATH is the program
`litellm`; left out, `litellm[proxy]` is installed into a virtual environment that is thrown away. One process each.
LiteLLM runs without a database, which is its quickest way; the studio with all that it has: key, limits, ledger,
request log, reconciler. Measured in turn, at 1, 10 and 50 requests under way: requests a second, and the time added to
what the engine itself takes, for streams of 16 pieces to their end and for whole answers. Load, engine and gateway
share the machine's cores.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib.metadata
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import aiohttp
from studio import Door, Studio, free_port

RESULTS = Path(__file__).with_name("results") / "litellm_peer.json"
AT_ONCE = (1, 10, 50)
REQUESTS = {1: 150, 10: 400, 50: 600}
MODEL = "studio-starter-1"
KEY = "sk-bench-1234"


@contextmanager
def _program(argv: list[str], *, ready: str, log: Path, env: dict[str, str] | None = None) -> Iterator[None]:
    """A server, once `ready` answers with anything below 500."""
    with log.open("wb") as file:
        running = subprocess.Popen(argv, stdout=file, stderr=file, env={**os.environ, **(env or {})})
    try:
        deadline = time.monotonic() + 180
        while True:
            try:
                urllib.request.urlopen(ready, timeout=5)
                break
            except urllib.error.HTTPError as error:
                if error.code < 500:
                    break
            except OSError:
                pass
            if running.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{argv[0]} did not start: {log.read_text()[-2000:]}")
            time.sleep(0.3)
        yield
    finally:
        running.terminate()
        running.wait(timeout=60)


def _installed(folder: Path) -> str:
    """LiteLLM's program in a fresh virtual environment."""
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    subprocess.run([str(folder / "bin" / "pip"), "install", "-q", "litellm[proxy]"], check=True)
    return str(folder / "bin" / "litellm")


def _version(program: str) -> str:
    found = sorted(Path(program).resolve().parents[1].glob("lib/*/site-packages/litellm-[0-9]*.dist-info"))
    return importlib.metadata.PathDistribution(found[-1]).version if found else "unknown"


def _configuration(folder: Path, engine: str) -> Path:
    path = folder / "litellm.yaml"
    model = {"model": f"openai/{MODEL}", "api_base": f"{engine}/v1", "api_key": "none"}
    wanted = {
        "model_list": [{"model_name": MODEL, "litellm_params": model}],
        "general_settings": {"master_key": KEY},
        "litellm_settings": {"telemetry": False},
    }
    path.write_text(json.dumps(wanted), encoding="utf-8")  # JSON is YAML
    return path


async def drive(door: Door, at_once: int, *, streamed: bool) -> tuple[float, float]:
    """Requests a second, and the median of the milliseconds that one takes to its end."""
    gate, taken = asyncio.Semaphore(at_once), []
    body: dict[str, Any] = {"model": door.model, "messages": [{"role": "user", "content": "Say a word."}]}
    body |= {"max_tokens": 16, "stream": streamed}
    headers = {"authorization": f"Bearer {door.key}"}

    async def ask(session: aiohttp.ClientSession) -> None:
        async with gate:
            began = time.perf_counter()
            async with session.post(f"{door.url}/v1/chat/completions", json=body) as answer:
                answer.raise_for_status()
                raw = await answer.read()
            taken.append(1000 * (time.perf_counter() - began))
            if b"word15" not in raw:
                raise RuntimeError("an answer is not whole")

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), headers=headers) as session:
        await asyncio.gather(*(ask(session) for _ in range(at_once)))  # connections are made
        taken.clear()
        began = time.perf_counter()
        await asyncio.gather(*(ask(session) for _ in range(REQUESTS[at_once])))
        seconds = time.perf_counter() - began
    return REQUESTS[at_once] / seconds, statistics.median(taken)


def measure(doors: dict[str, Door], rounds: int) -> dict[str, Any]:
    """All doors in turn, round after round; medians, and what studio and LiteLLM add to the engine's own time."""
    found: dict[str, Any] = {}
    for kind, streamed in (("streams", True), ("whole", False)):
        found[kind] = {}
        for at_once in AT_ONCE:
            runs: dict[str, list[tuple[float, float]]] = {name: [] for name in doors}
            for _ in range(rounds):
                for name, door in doors.items():
                    runs[name].append(asyncio.run(drive(door, at_once, streamed=streamed)))
            speed = {name: statistics.median(each[0] for each in of) for name, of in runs.items()}
            taken = {name: statistics.median(each[1] for each in of) for name, of in runs.items()}
            adds = {name: taken[name] - taken["engine"] for name in ("studio", "litellm")}
            found[kind][str(at_once)] = {
                "requests_a_second": {name: round(each, 1) for name, each in speed.items()},
                "added_ms": {name: round(each, 1) for name, each in adds.items()},
                "speed_ratio": round(speed["studio"] / speed["litellm"], 2),
                "added_ratio": round(adds["studio"] / adds["litellm"], 2),
            }
            print(kind, at_once, json.dumps(found[kind][str(at_once)]), flush=True)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--litellm", default="", help="the program; left out, it is installed for this run")
    options = parser.parse_args()
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        program = options.litellm or _installed(scratch / "venv")
        port, other = free_port(), free_port()
        engine = f"http://127.0.0.1:{port}"
        argv = [sys.executable, str(Path(__file__).with_name("instant_engine.py")), "--port", str(port)]
        stack.enter_context(_program(argv, ready=f"{engine}/health", log=scratch / "engine.log"))
        argv = [program, "--config", str(_configuration(scratch, engine)), "--host", "127.0.0.1", "--port", str(other)]
        proxy = f"http://127.0.0.1:{other}"
        env = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_LOG": "ERROR"}
        stack.enter_context(
            _program([*argv, "--num_workers", "1"], ready=f"{proxy}/health/liveliness", log=scratch / "l.log", env=env)
        )
        studio = stack.enter_context(Studio(engine=engine))
        doors = {
            "engine": Door(engine, MODEL, ""),
            "studio": Door(studio.url, MODEL, studio.key),
            "litellm": Door(proxy, MODEL, KEY),
        }
        result = {"litellm": _version(program), "rounds": options.rounds, **measure(doors, options.rounds)}
    RESULTS.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    streams = result["streams"].values()
    good = all(each["speed_ratio"] >= 2 and each["added_ratio"] <= 0.5 for each in streams)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
