"""What a key may do in a minute and at a time. Exact under races, whoever counts.

With REDIS_URL one atomic script counts a minute's requests and tokens, by Redis' clock, and refuses without a write to
the database. Where Redis is not set up, or away, the database counts, in the transaction that holds the key's balance;
nothing is let through for want of Redis. Requests at a time are the attempts that have not ended, always in the
database: a process that dies keeps no place for longer than the reaper needs.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from gptstudio.accounts.models import ApiKey
from gptstudio.core.errors import TooMuch
from serving_app import selectors
from serving_app.selectors import Limits, Rate, Standing, Taken, rate_in
from serving_app.services import redis_window

AGAIN_SECONDS = 1.0  # when to ask again for a place among the requests at a time


class RateExceeded(TooMuch):
    """A limit of the key is reached. `noun` says which; `can_wait` is False where no waiting helps."""

    def __init__(self, noun: str, limit: int, *, standing: Standing, wanted: int = 1, free_in: float = 0.0) -> None:
        self.noun, self.standing, self.free_in = noun, standing, free_in
        self.can_wait = wanted <= limit
        fix = "Wait a moment, or ask an admin to raise the limit."
        if noun == "parallel":
            said = f"This key may have {limit:,} request{'s' if limit > 1 else ''} at a time, and has."
        elif noun == "requests":
            said = f"This key may make {limit:,} requests a minute, and has."
        elif self.can_wait:
            said = (
                f"This key may take {limit:,} tokens a minute; this request may need {wanted:,}, which is too many now."
            )
        else:
            said = f"This request may need {wanted:,} tokens, and this key may take {limit:,} a minute."
            fix = "Ask for fewer: shorten it or set max_tokens."
        super().__init__(said, fix=fix, code="rate_limit_exceeded")


def limits_of(key: ApiKey | None) -> Limits:
    """A key's limits; none for a person in the playground."""
    if key is None:
        return Limits()
    return Limits(key.requests_per_minute, key.tokens_per_minute, key.parallel_requests)


def decide(window: list[Taken], limits: Limits, *, tokens: int) -> Standing:
    """The standing with one more request of this many tokens, or RateExceeded."""
    fits, standing, wanted = True, {}, {"requests": 1, "tokens": tokens}
    for noun, limit in (("requests", limits.requests), ("tokens", limits.tokens)):
        if limit:
            standing[noun], good = rate_in(window, limit=limit, wanted=wanted[noun], tokens=noun == "tokens")
            fits = fits and good
    return told(Standing(**standing), limits, tokens=tokens, fits=fits)


def told(standing: Standing, limits: Limits, *, tokens: int, fits: bool) -> Standing:
    """The standing, or RateExceeded about the limit that takes longest to have room again."""
    if fits:
        return standing
    rates: list[tuple[str, Rate, int]] = []
    if standing.requests is not None:
        rates.append(("requests", standing.requests, 1))
    if standing.tokens is not None:
        rates.append(("tokens", standing.tokens, tokens))
    noun, rate, wanted = max(rates, key=lambda each: (each[2] > each[1].limit, each[1].free_in))
    raise RateExceeded(noun, rate.limit, standing=standing, wanted=wanted, free_in=rate.free_in)


def count_in_database(api_key_id: str, limits: Limits, *, tokens: int) -> Standing:
    """As `decide`, from the log. The caller holds the key's balance, so no other request slips by."""
    return decide(selectors.window_of(api_key_id), limits, tokens=tokens)


def check_parallel(api_key_id: str, limits: Limits, *, standing: Standing) -> None:
    """RateExceeded where the key has as many open requests as it may. The caller holds the key's balance."""
    if limits.parallel and selectors.open_count(api_key_id) >= limits.parallel:
        raise RateExceeded("parallel", limits.parallel, standing=standing, free_in=AGAIN_SECONDS)


def check_room(key: ApiKey) -> None:
    """RateExceeded where a key has used up its requests of this minute: a look at the log before work is put into one
    more. The exact count comes with the reservation.
    """
    if key.requests_per_minute:
        decide(selectors.window_of(key.id), Limits(requests=key.requests_per_minute), tokens=0)


@contextmanager
def counted(key: ApiKey | None, attempt_id: str, *, tokens: int) -> Iterator[Standing | None]:
    """Around a reservation: counted by Redis beforehand, given back when the reservation is refused.

    Gives None where the database has to count: there is nothing to count, no Redis, or Redis is away.
    """
    limits = limits_of(key)
    standing = None
    if key is not None and limits.by_minute:
        found = redis_window.take(key.id, attempt_id, limits, tokens=tokens, before=lambda: selectors.window_of(key.id))
        standing = told(found.standing, limits, tokens=tokens, fits=found.fits) if found else None
    try:
        yield standing
    except BaseException:
        if key is not None and standing is not None:
            redis_window.correct(key.id, attempt_id, tokens=None)
        raise
    if limits.by_minute and standing is None:
        redis_window.missed()


def correct(key_id: str, attempt_id: str, *, tokens: int) -> None:
    """An attempt of a key with a limit of tokens took this many instead of the most that it could."""
    redis_window.correct(key_id, attempt_id, tokens=tokens)
