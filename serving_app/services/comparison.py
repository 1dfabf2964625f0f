"""The invariant: what the engines counted is what the ledger billed. Reads whole journals, so it is for operators."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from serving_app import engine_client, selectors
from serving_app.prices import Tokens


@dataclass(frozen=True, slots=True)
class Comparison:
    """Engines' counts minus the ledger's over ended attempts; `attempts` names those that differ. `elsewhere`: attempts
    of engines that keep no journal, or are no longer known; nothing can be said of those.
    """

    prompt_tokens: int
    completion_tokens: int
    compared: int
    elsewhere: int
    attempts: tuple[str, ...]

    @property
    def is_even(self) -> bool:
        return not self.attempts


async def _journal(url: str) -> dict[str, Tokens]:
    """The closing counts of every attempt in one engine's journal."""
    counts: dict[str, Tokens] = {}
    after = 0
    while rows := await engine_client.usage(url, after=after):
        for row in rows:
            if row.finish_reason is not None:
                counts[row.attempt_id] = Tokens(
                    prompt=row.prompt_tokens, completion=row.completion_tokens, cached=row.cached_tokens
                )
        after = rows[-1].seq
    return counts


async def _journals(urls: list[str]) -> dict[str, Tokens]:
    counts: dict[str, Tokens] = {}
    try:
        for url in urls:
            counts |= await _journal(url)
    finally:
        await engine_client.close()
    return counts


def _engine_counts() -> dict[str, Tokens]:
    return asyncio.run(_journals([replica.url for replica in selectors.replicas().filter(has_journal=True)]))


def engine_minus_ledger() -> Comparison:
    """Compare all journals with the ledger, attempt by attempt. Raises EngineAway when an engine is down."""
    engines = _engine_counts()
    ledger = selectors.settled_counts()
    compared = engines.keys() | (ledger.keys() & selectors.attempts_with_journal())
    differing = {
        attempt: (engines.get(attempt, Tokens()), ledger.get(attempt, Tokens()))
        for attempt in compared
        if engines.get(attempt) != ledger.get(attempt)
    }
    return Comparison(
        prompt_tokens=sum(engine.prompt - billed.prompt for engine, billed in differing.values()),
        completion_tokens=sum(engine.completion - billed.completion for engine, billed in differing.values()),
        compared=len(compared),
        elsewhere=len(ledger.keys() - compared),
        attempts=tuple(sorted(differing)),
    )


def engine_usage_of(request_id: str) -> Tokens | None:
    """The engines' count of one request; None when no journal has ended it."""
    return _engine_counts().get(request_id)
