"""Do web process and engine grow with the requests that they answer?

`python bench/memory_growth.py [--requests 10000]` → bench/results/memory_growth.json. Resident memory after a tenth of
the requests, when caches are warm, beside that after all of them; streamed and whole answers of 1 to 12 tokens from the
starter model, some of them given up by their callers, no two prompts alike. Ends with 1 where one grew by more than 5 %.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import sys
from pathlib import Path
from typing import Any

import aiohttp
from kills import VICTIMS, victims
from studio import Studio

RESULTS = Path(__file__).with_name("results") / "memory_growth.json"
MODEL, AT_ONCE, POINTS = "studio-starter-1", 12, 10
MOST_GROWTH = 0.05


def resident_mb(pid: int) -> float:
    """Of one process."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


async def drive(studio: Studio, requests: int, draw: random.Random) -> None:
    """Requests of all kinds, AT_ONCE under way."""
    gate, headers = asyncio.Semaphore(AT_ONCE), {"authorization": f"Bearer {studio.key}"}

    async def ask(session: aiohttp.ClientSession) -> None:
        words = " ".join(f"parcel {draw.randrange(10**6)}" for _ in range(draw.randint(1, 12)))
        body: dict[str, Any] = {"model": MODEL, "messages": [{"role": "user", "content": f"Where are {words}?"}]}
        body |= {"max_tokens": draw.randint(1, 12), "stream": draw.random() < 0.7}
        async with gate, session.post(f"{studio.url}/v1/chat/completions", json=body) as answer:
            answer.raise_for_status()
            if draw.random() < 0.1:
                answer.close()
            else:
                await answer.read()

    async with aiohttp.ClientSession(headers=headers, connector=aiohttp.TCPConnector(limit=0)) as session:
        await asyncio.gather(*(ask(session) for _ in range(requests)))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=10_000)
    requests = parser.parse_args().requests
    draw, series = random.Random(0), []
    with Studio() as studio:
        pids = {name: victims(studio.running.pid, VICTIMS[name])[0] for name in ("web", "engine")}
        for point in range(1, POINTS + 1):
            asyncio.run(drive(studio, requests // POINTS, draw))
            sizes = {name: round(resident_mb(pid), 1) for name, pid in pids.items()}
            series.append({"requests": point * requests // POINTS, **sizes})
            print(series[-1], flush=True)
    first, last = series[0], series[-1]
    growth = {name: round(last[name] / first[name] - 1, 4) for name in ("web", "engine")}
    RESULTS.write_text(json.dumps({"megabytes": series, "growth": growth, "bar": MOST_GROWTH}, indent=1) + "\n")
    print(growth)
    return int(max(growth.values()) > MOST_GROWTH)


if __name__ == "__main__":
    sys.exit(main())
