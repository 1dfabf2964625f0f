"""Is every token billed once? Requests with callers who hang up, while gateway, engine, worker and database are killed.

`python bench/ledger_trials.py [--requests 10000] [--seconds-between-kills 25]` → bench/results/ledger_trials.json.
Seven tenths of the requests go to the embedded set-up, whose SQLite cannot be killed apart; the rest to one on a
PostgreSQL cluster of its own, which is killed too. Both ask the starter model for 1 to 24 tokens. In between, 200 racing
requests share a budget for a part of them. At the end the studio is left alone until no attempt is open, and the ledger
is compared with the engine's journal and with what callers were told. Ends with 1 unless all of it is even.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import signal
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import psycopg
from kills import VICTIMS, victims
from postgres import Postgres
from studio import Studio, call

RESULTS = Path(__file__).with_name("results") / "ledger_trials.json"
MODEL, AT_ONCE, RACING = "studio-starter-1", 16, 200
QUESTION = "Where is my parcel? It should have come on Tuesday, and the tracking page says nothing."
BILLED = "('settle', 'adjust')"


@dataclass
class Tally:
    """What callers saw. `told` holds the tokens of every answer that was complete; `outcomes` counts the rest."""

    told: dict[str, tuple[int, int]] = field(default_factory=dict)
    outcomes: Counter[str] = field(default_factory=Counter)

    @property
    def let_in(self) -> int:
        return sum(count for name, count in self.outcomes.items() if name not in ("refused", "unreachable"))


class Caller:
    """Asks again and again, at random whole or streamed, and hangs up on a part of the answers."""

    def __init__(self, url: str, key: str, tally: Tally, draw: random.Random) -> None:
        self._url, self._tally, self._draw = f"{url}/v1/chat/completions", tally, draw
        self._headers = {"authorization": f"Bearer {key}"}

    async def run(self, wanted: int, *, at_once: int = AT_ONCE) -> None:
        """`at_once` requests under way at any time until `wanted` were let in."""
        async with aiohttp.ClientSession(headers=self._headers, connector=aiohttp.TCPConnector(limit=0)) as session:

            async def go_on() -> None:
                while self._tally.let_in < wanted:
                    outcome = await self._ask(session)
                    self._tally.outcomes[outcome] += 1
                    if outcome in ("refused", "unreachable"):
                        await asyncio.sleep(self._draw.uniform(0.1, 0.6))

            await asyncio.gather(*(go_on() for _ in range(at_once)))

    async def _ask(self, session: aiohttp.ClientSession) -> str:
        streamed = self._draw.random() < 0.7
        body: dict[str, Any] = {"model": MODEL, "messages": [{"role": "user", "content": QUESTION}]}
        body["max_tokens"] = self._draw.randint(1, 24)
        if streamed:
            body |= {"stream": True, "stream_options": {"include_usage": True}}
        patience = self._draw.uniform(0, 0.5) if self._draw.random() < 0.25 else 120.0
        try:
            async with asyncio.timeout(patience), session.post(self._url, json=body) as answer:
                if answer.status != 200:
                    return "refused"
                raw = await answer.read()
        except TimeoutError:
            return "hung up"
        except aiohttp.ClientConnectorError:
            return "unreachable"
        except (aiohttp.ClientError, ConnectionError):
            return "broken"
        usage = _usage_in(raw, streamed=streamed)
        if usage is None:
            return "broken"
        self._tally.told[answer.headers["x-request-id"]] = usage
        return "complete"


def _usage_in(raw: bytes, *, streamed: bool) -> tuple[int, int] | None:
    """Tokens of a complete answer; None where it broke off."""
    blocks = [block[6:] for block in raw.split(b"\n\n") if block.startswith(b"data: {")] if streamed else [raw]
    if streamed and not raw.endswith(b"data: [DONE]\n\n"):
        return None
    usage = json.loads(blocks[-1]).get("usage")
    return (usage["prompt_tokens"], usage["completion_tokens"]) if usage else None


async def _killing(kills: dict[str, Callable[[], None]], pause: float, killed: Counter[str]) -> None:
    """One victim after another, until cancelled."""
    while True:
        for name, kill in kills.items():
            await asyncio.sleep(pause)
            await asyncio.to_thread(kill)
            killed[name] += 1


def _kills(studio: Studio, cluster: Postgres | None) -> dict[str, Callable[[], None]]:
    def of(word: str) -> Callable[[], None]:
        def kill() -> None:
            for pid in victims(studio.running.pid, word):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

        return kill

    found = {name: of(word) for name, word in VICTIMS.items()}
    if cluster is not None:

        def kill_database() -> None:
            cluster.kill()
            cluster.start()

        found["database"] = kill_database
    return found


class Book:
    """The studio's database, read past the studio."""

    def __init__(self, studio: Studio, cluster: Postgres | None) -> None:
        self._file, self._url = studio.home / "studio.sqlite3", cluster.url if cluster else ""

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        if self._url:
            with psycopg.connect(self._url) as server:
                return list(server.execute(sql))
        with sqlite3.connect(self._file, timeout=30) as file:
            return list(file.execute(sql))

    def number(self, sql: str) -> int:
        return int(self.rows(sql)[0][0] or 0)


async def _race(studio: Studio, key: str) -> Counter[int]:
    """RACING requests at once; how many got which status."""
    body = {"model": MODEL, "messages": [{"role": "user", "content": QUESTION}], "max_tokens": 8}
    headers = {"authorization": f"Bearer {key}"}
    connector, statuses = aiohttp.TCPConnector(limit=0), []
    async with aiohttp.ClientSession(headers=headers, connector=connector) as session:

        async def ask() -> None:
            async with session.post(f"{studio.url}/v1/chat/completions", json=body) as answer:
                await answer.read()
                statuses.append(answer.status)

        await asyncio.gather(*(ask() for _ in range(RACING)))
    return Counter(statuses)


def overspend(studio: Studio, book: Book) -> dict[str, Any]:
    """A fresh key whose budget covers some of the racing requests."""
    budget = 1_500
    body = {"name": "race", "scopes": ["chat"], "budget_micro": budget}
    issued = call(f"{studio.url}/api/v1/api-keys", studio.key, body)
    statuses = asyncio.run(_race(studio, issued["secret"]))
    spent = book.number(
        f"SELECT sum(cost_micro) FROM serving_usageevent WHERE api_key_id = '{issued['id']}' AND kind IN {BILLED}"
    )
    answered, refused = statuses[200], statuses[429]
    return {"budget": budget, "spent": spent, "answered": answered, "refused": refused, "over": max(0, spent - budget)}


def _until_settled(studio: Studio, book: Book) -> None:
    """The reaper releases what reached no engine after a minute."""
    deadline = time.monotonic() + 240
    while book.number("SELECT count(*) FROM serving_completion WHERE state = 'running'"):
        if time.monotonic() > deadline:
            return
        time.sleep(2)


def verdict(studio: Studio, book: Book, tally: Tally) -> dict[str, Any]:
    """What differs between ledger, journal and callers; all numbers but `attempts` and `billed` should be 0."""
    with suppress(RuntimeError):  # it ends with 1 where something differs, which is counted below
        studio.manage("reconcile_usage")
    token = (studio.home / "engine_token").read_text().strip()
    journal: dict[str, tuple[int, int]] = {}
    after, url = 0, f"http://127.0.0.1:{studio.env['ENGINE_PORT']}"
    while rows := call(f"{url}/usage?after={after}", token)["data"]:
        ended = [row for row in rows if row["finish_reason"] is not None]
        journal |= {row["attempt_id"]: (row["prompt_tokens"], row["completion_tokens"]) for row in ended}
        after = rows[-1]["seq"]
    billed = {
        row[0]: (int(row[1]), int(row[2]))
        for row in book.rows(
            "SELECT attempt_id, sum(prompt_tokens), sum(completion_tokens) FROM serving_usageevent "
            f"WHERE kind IN {BILLED} GROUP BY attempt_id"
        )
    }
    both = journal.keys() | billed.keys()
    pairs = [(journal.get(each, (0, 0)), billed.get(each, (0, 0))) for each in both]
    return {
        "attempts": book.number("SELECT count(*) FROM serving_completion"),
        "billed": len(billed),
        "missing": len(journal.keys() - billed.keys()),
        "unknown_to_the_engine": len(billed.keys() - journal.keys()),
        "doubled": book.number(
            f"SELECT count(*) FROM (SELECT attempt_id FROM serving_usageevent WHERE kind IN {BILLED} "
            "GROUP BY attempt_id HAVING count(*) > 1) AS twice"
        ),
        "open": book.number("SELECT count(*) FROM serving_completion WHERE state = 'running'"),
        "held": book.number("SELECT sum(abs(reserved_micro)) FROM serving_balance"),
        "prompt_tokens_difference": sum(abs(one[0] - other[0]) for one, other in pairs),
        "completion_tokens_difference": sum(abs(one[1] - other[1]) for one, other in pairs),
        "answers_billed_otherwise": sum(billed.get(each) != usage for each, usage in tally.told.items()),
        "sums_and_balances_wrong": _wrong_sums(studio),
    }


def _wrong_sums(studio: Studio) -> int:
    """What `rebuild_usage` had to mend."""
    words = studio.manage("rebuild_usage").split(";")[1].split()
    return int(words[0]) + int(words[words.index("and") + 1])


def trial(requests: int, pause: float, *, with_postgres: bool) -> dict[str, Any]:
    """One set-up."""
    began, tally, killed = time.monotonic(), Tally(), Counter[str]()
    with ExitStack() as stack:
        cluster = stack.enter_context(Postgres()) if with_postgres else None
        studio = stack.enter_context(Studio(database=cluster.url if cluster else ""))
        book = Book(studio, cluster)
        race = overspend(studio, book)

        async def load() -> None:
            killing = asyncio.create_task(_killing(_kills(studio, cluster), pause, killed))
            await Caller(studio.url, studio.key, tally, random.Random(requests)).run(requests)
            killing.cancel()

        asyncio.run(load())
        studio.wait_until_ready()
        _until_settled(studio, book)
        found = verdict(studio, book, tally)
    return {
        "database": "PostgreSQL" if with_postgres else "SQLite",
        "requests": tally.let_in,
        "callers": dict(tally.outcomes),
        "killed": dict(killed),
        **found,
        "race": race,
        "seconds": round(time.monotonic() - began),
    }


def is_even(found: dict[str, Any]) -> bool:
    """Whether nothing is missing, doubled, left open, counted otherwise or overspent."""
    zeros = set(found) - {"database", "requests", "callers", "killed", "attempts", "billed", "race", "seconds"}
    return not any(found[name] for name in zeros) and not found["race"]["over"] and found["race"]["refused"] > 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--seconds-between-kills", type=float, default=25.0)
    options = parser.parse_args()
    trials = []
    for share, with_postgres in ((0.7, False), (0.3, True)):
        wanted = round(options.requests * share)
        trials.append(trial(wanted, options.seconds_between_kills, with_postgres=with_postgres))
        print(json.dumps(trials[-1]), flush=True)
    RESULTS.write_text(json.dumps({"trials": trials}, indent=1) + "\n", encoding="utf-8")
    return int(not all(map(is_even, trials)))


if __name__ == "__main__":
    sys.exit(main())
