"""What people do with a studio under fire: files, fine-tunes and chats, remembered so that they can be asked for again."""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

import aiohttp
from ledger_trials import MODEL, Caller, Tally

FINAL = ("succeeded", "failed", "cancelled")
ROWS, TIMEOUT = 40, aiohttp.ClientTimeout(total=60)


@dataclass
class Seen:
    """What the studio said yes to. `files` holds SHA-256 by id, `jobs` the state last told by id."""

    files: dict[str, str] = field(default_factory=dict)
    jobs: dict[str, str] = field(default_factory=dict)
    outcomes: Counter[str] = field(default_factory=Counter)


def rows_of(draw: random.Random) -> bytes:
    """A training file: words that nobody else says, so that no two rows are alike and each split gets its share."""

    def said(least: int, most: int) -> str:
        words = (
            "".join(draw.choices("abcdeghilmnoprstu", k=draw.randint(2, 8))) for _ in range(draw.randint(least, most))
        )
        return " ".join(words).capitalize()

    lines = []
    for _ in range(ROWS):
        turns = [{"role": "user", "content": said(6, 20) + "?"}, {"role": "assistant", "content": said(6, 20) + "."}]
        lines.append(json.dumps({"messages": turns}))
    return "\n".join(lines).encode()


class Traffic:
    """`with Traffic(url, key, seed) as traffic:` people come and go in a thread of their own; `traffic.seen` tells."""

    def __init__(self, url: str, key: str, seed: int) -> None:
        self.url, self._key, self._draw = url, key, random.Random(seed)
        self.seen, self.tally = Seen(), Tally()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))

    def __enter__(self) -> Traffic:
        self._thread.start()
        return self

    async def _run(self) -> None:
        caller = Caller(self.url, self._key, self.tally, random.Random(self._draw.random()))
        chats = asyncio.create_task(caller.run(10**9, at_once=2))
        headers = {"authorization": f"Bearer {self._key}"}
        async with aiohttp.ClientSession(headers=headers, timeout=TIMEOUT) as session:
            others = [asyncio.create_task(each(session)) for each in (self._upload, self._train)]
            while not self._stop.is_set():
                await asyncio.sleep(0.1)
            for task in (chats, *others):
                task.cancel()
            await asyncio.gather(chats, *others, return_exceptions=True)

    async def _ask(self, session: aiohttp.ClientSession, method: str, path: str, **sent: Any) -> dict[str, Any] | None:
        """The answer's JSON; None where it was refused or did not come, which is counted."""
        try:
            async with session.request(method, f"{self.url}{path}", **sent) as answer:
                self.seen.outcomes[f"{method} {path.split('/')[2]} {answer.status}"] += 1
                found: dict[str, Any] = await answer.json(content_type=None)
                return found if answer.status == 200 else None
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            self.seen.outcomes[f"{method} {path.split('/')[2]} {type(error).__name__}"] += 1
            return None

    async def _send_file(self, session: aiohttp.ClientSession) -> str | None:
        content = rows_of(self._draw)
        form = aiohttp.FormData({"purpose": "fine-tune"})
        form.add_field("file", content, filename=f"cases-{self._draw.randint(0, 10**9)}.jsonl")
        if (made := await self._ask(session, "POST", "/v1/files", data=form)) is None:
            return None
        self.seen.files[made["id"]] = hashlib.sha256(content).hexdigest()
        return str(made["id"])

    async def _upload(self, session: aiohttp.ClientSession) -> None:
        while True:
            await self._send_file(session)
            await asyncio.sleep(self._draw.uniform(0.5, 2.5))

    async def _train(self, session: aiohttp.ClientSession) -> None:
        """One fine-tune after the other."""
        while True:
            if (file := await self._send_file(session)) is not None:
                body = {"model": MODEL, "training_file": file, "hyperparameters": {"n_epochs": 1}}
                made = await self._ask(session, "POST", "/v1/fine_tuning/jobs", json=body)
                if made is not None:
                    await self._follow(session, made["id"])
            await asyncio.sleep(1)

    async def _follow(self, session: aiohttp.ClientSession, job: str) -> None:
        self.seen.jobs[job] = "queued"
        while self.seen.jobs[job] not in FINAL:
            await asyncio.sleep(1.5)
            if (found := await self._ask(session, "GET", f"/v1/fine_tuning/jobs/{job}")) is not None:
                self.seen.jobs[job] = found["status"]

    def unlike(self, wanted: list[str], *, patience: float = 30.0) -> list[str]:
        """The files among `wanted` that the studio does not give back as they were sent."""
        return asyncio.run(self._compared(wanted, time.monotonic() + patience))

    async def _compared(self, wanted: list[str], deadline: float) -> list[str]:
        headers, bad = {"authorization": f"Bearer {self._key}"}, list(wanted)
        async with aiohttp.ClientSession(headers=headers, timeout=TIMEOUT) as session:
            while bad and time.monotonic() < deadline:
                bad = [each for each in bad if await self._digest(session, each) != self.seen.files[each]]
                await asyncio.sleep(0.3 if bad else 0)
        return bad

    async def _digest(self, session: aiohttp.ClientSession, file: str) -> str:
        try:
            async with session.get(f"{self.url}/v1/files/{file}/content") as answer:
                return hashlib.sha256(await answer.read()).hexdigest() if answer.status == 200 else ""
        except (aiohttp.ClientError, TimeoutError, OSError):
            return ""

    def stop(self) -> None:
        """Everybody goes; what they were in the midst of is hung up."""
        self._stop.set()
        self._thread.join()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
