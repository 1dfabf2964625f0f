"""Adapters beside their base against merged copies: tokens a second and memory of one engine process.

Four LoRA adapters of rank 8 on every linear layer of a random model of SmolLM2-135M's shape in bfloat16; 16 streams of
64 tokens spread over them. The peer is the same engine with the four adapters merged into full models beforehand.

    .venv/bin/python bench/adapters.py [--rounds 3] [--threads 2]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import aiohttp
import psutil
import torch
from engine_throughput import Load, running, stream, write_model
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import AutoModelForCausalLM, AutoTokenizer

RESULT = Path(__file__).resolve().parent / "results" / "adapters.json"
LOAD = Load(streams=16, tokens=64)
NAMES = ["a", "b", "c", "d"]
WAYS: dict[str, list[str]] = {"base alone": ["m"], "one adapter": ["a"], "four adapters": NAMES, "four merged": NAMES}


def write_tuned(models: Path, base: Path) -> None:
    """Each adapter, and the full model that it makes of the base."""
    for seed, name in enumerate(NAMES):
        torch.manual_seed(seed)
        model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
        config = LoraConfig(r=8, lora_alpha=16, target_modules="all-linear", init_lora_weights=False)
        get_peft_model(model, config).save_pretrained(models / f"lora-{name}")
        plain = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
        whole = PeftModel.from_pretrained(plain, str(models / f"lora-{name}")).merge_and_unload()
        whole.to(torch.bfloat16).save_pretrained(models / f"full-{name}")
        AutoTokenizer.from_pretrained(base).save_pretrained(models / f"full-{name}")


async def load(url: str, way: str) -> None:
    """Load what a way of serving needs beside the base."""
    async with aiohttp.ClientSession() as session:
        for name in WAYS[way]:
            if way == "four merged":
                path, body = "load_model", {"name": name, "path": f"full-{name}"}
            else:
                path = "load_lora_adapter"
                body = {"lora_name": name, "lora_path": f"lora-{name}", "base_model_name": "m"}
            if name != "m":
                async with session.post(f"{url}/v1/{path}", json=body) as answer:
                    answer.raise_for_status()


async def drive(url: str, names: list[str]) -> float:
    """All streams at once; tokens a second."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        began = time.perf_counter()
        await asyncio.gather(*(stream(session, url, names[at % len(names)], at, LOAD) for at in range(LOAD.streams)))
        return LOAD.streams * LOAD.tokens / (time.perf_counter() - began)


def engine_memory() -> int:
    """Bytes of the engine that this process started."""
    [engine] = psutil.Process().children()
    return int(engine.memory_info().rss)


def measure(way: str, model: Path, threads: int, scratch: Path, note: Callable[[str, float, int], None]) -> None:
    with running("ours", model, threads, scratch) as url:
        asyncio.run(load(url, way))
        asyncio.run(drive(url, WAYS[way]))
        speed = max(asyncio.run(drive(url, WAYS[way])) for _ in range(2))
        note(way, speed, engine_memory())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    speeds: dict[str, list[float]] = {way: [] for way in WAYS}
    memory: dict[str, list[int]] = {way: [] for way in WAYS}

    def note(way: str, speed: float, size: int) -> None:
        speeds[way].append(speed)
        memory[way].append(size)
        print(f"{way:>14}: {speed:6.0f} tokens/s, {size / 2**20:6.0f} MiB", flush=True)

    with tempfile.TemporaryDirectory() as scratch:
        model = Path(scratch) / "models" / "random-135m"
        write_model(model)
        write_tuned(model.parent, model)
        for _ in range(options.rounds):
            for way in WAYS:
                measure(way, model, options.threads, Path(scratch), note)
    result = {
        "streams": LOAD.streams,
        "tokens": LOAD.tokens,
        "threads": options.threads,
        "tokens_per_second": {way: round(statistics.median(found), 1) for way, found in speeds.items()},
        "rounds": {way: [round(speed, 1) for speed in found] for way, found in speeds.items()},
        "mib": {way: round(statistics.median(found) / 2**20) for way, found in memory.items()},
    }
    RESULT.write_text(json.dumps(result, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
