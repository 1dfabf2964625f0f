"""A sliding minute for each key in Redis: one script takes a turn, by the server's clock, or says when there is room.

It knows no rows. A key that Redis does not know (the first request for a while, or Redis lost its memory) is filled in
from the database first, so that a restart of Redis forgets nothing. While Redis is away everybody is told so by None.

A Redis that was out of reach and kept its memory missed what the database let in meanwhile. So each process that went
on without it raises the epoch once it is back, and a key that was filled in an earlier epoch is filled in anew.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import redis
from django.conf import settings

from serving_app.selectors import Limits, Rate, Standing, Taken

logger = logging.getLogger(__name__)
SECONDS = 0.5  # a Redis that takes longer is away
AWAY_SECONDS = 1.0  # before it is asked again

EPOCH = "studio:minute:epoch"
# KEYS: a sorted set attempt → arrival in ms; a hash attempt → tokens, with the running sum under "sum" and the epoch in
# which it was filled in under "known"; the epoch. Scripts run one after another, so nobody sees the set between two of their lines.
SWEEP = """
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
for _, each in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now - 60000)) do
  redis.call('HINCRBY', KEYS[2], 'sum', -(tonumber(redis.call('HGET', KEYS[2], each)) or 0))
  redis.call('HDEL', KEYS[2], each)
  redis.call('ZREM', KEYS[1], each)
end
"""
# ARGV: attempt, tokens, limit of requests (0: none), limit of tokens (0: none)
TAKE = (
    SWEEP
    + """
local epoch = tonumber(redis.call('GET', KEYS[3]) or '0')
if tonumber(redis.call('HGET', KEYS[2], 'known') or '-1') ~= epoch then return {-1, epoch} end
local wanted, most, most_tokens = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local used = redis.call('ZCARD', KEYS[1])
local tokens = tonumber(redis.call('HGET', KEYS[2], 'sum')) or 0
local over = most > 0 and math.max(0, used + 1 - most) or 0
local over_tokens = most_tokens > 0 and math.max(0, tokens + wanted - most_tokens) or 0
if over == 0 and over_tokens == 0 then
  redis.call('ZADD', KEYS[1], now, ARGV[1])
  redis.call('HSET', KEYS[2], ARGV[1], wanted)
  redis.call('HINCRBY', KEYS[2], 'sum', wanted)
  redis.call('PEXPIRE', KEYS[1], 120000)
  redis.call('PEXPIRE', KEYS[2], 120000)
  return {1, used + 1, tokens + wanted, 0, 0, 60000}
end
local free, free_tokens, reset = 0, 0, 0
local rows = redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES')
for at = 1, #rows, 2 do
  local left = tonumber(rows[at + 1]) + 60000 - now
  if over > 0 then over, free = over - 1, left end
  if over_tokens > 0 then
    over_tokens, free_tokens = over_tokens - (tonumber(redis.call('HGET', KEYS[2], rows[at])) or 0), left
  end
  reset = left
end
return {0, used, tokens, free, free_tokens, reset}
"""
)
# ARGV: the epoch before the log was read; then attempt, how long ago in ms, tokens, for each request of the last minute.
# What another process counted in just now, and has not written to the log yet, stays.
FILL = """
if redis.call('HGET', KEYS[2], 'known') == ARGV[1] then return 0 end
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local found, sum = {}, 0
for _, each in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], now - 5000, '+inf')) do
  found[each] = {redis.call('ZSCORE', KEYS[1], each), tonumber(redis.call('HGET', KEYS[2], each)) or 0}
end
for at = 2, #ARGV, 3 do found[ARGV[at]] = {now - ARGV[at + 1], tonumber(ARGV[at + 2])} end
redis.call('DEL', KEYS[1], KEYS[2])
for each, had in pairs(found) do
  redis.call('ZADD', KEYS[1], had[1], each)
  redis.call('HSET', KEYS[2], each, had[2])
  sum = sum + had[2]
end
redis.call('HSET', KEYS[2], 'sum', sum)
redis.call('HSET', KEYS[2], 'known', ARGV[1])
redis.call('PEXPIRE', KEYS[1], 120000)
redis.call('PEXPIRE', KEYS[2], 120000)
return 1
"""
# ARGV: attempt, tokens; -1 takes the attempt out altogether
CORRECT = """
local had = redis.call('HGET', KEYS[2], ARGV[1])
if not had then return 0 end
if ARGV[2] == '-1' then
  redis.call('HDEL', KEYS[2], ARGV[1])
  redis.call('ZREM', KEYS[1], ARGV[1])
  return redis.call('HINCRBY', KEYS[2], 'sum', -had)
end
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
return redis.call('HINCRBY', KEYS[2], 'sum', ARGV[2] - had)
"""


@dataclass(frozen=True, slots=True)
class Answer:
    """How the key stands, and whether the request was counted in."""

    standing: Standing
    fits: bool


class Windows:
    """All keys' minutes in one Redis."""

    def __init__(self, url: str) -> None:
        self._redis = redis.Redis.from_url(
            url, socket_timeout=SECONDS, socket_connect_timeout=SECONDS, **settings.REDIS_TLS
        )
        self._take, self._fill, self._correct = (self._redis.register_script(each) for each in (TAKE, FILL, CORRECT))
        self._away_until = 0.0
        self._missed = self._told = 0  # how often something went past Redis, and up to where it was told so
        self._unsure: set[tuple[str, str]] = set()  # turns that Redis may have counted without our hearing of it

    def ask(self, work: Callable[[], Any]) -> Any:
        """What `work` gives, or None while Redis is away."""
        if time.monotonic() < self._away_until:
            self.missed()
            return None
        try:
            return work()
        except redis.RedisError as error:
            self.missed()
            self._away_until = time.monotonic() + AWAY_SECONDS
            logger.warning("Redis is away, the database counts the limits of keys: %s", error)
            return None

    def missed(self) -> None:
        """Something went past Redis: what it knows of keys is old from now on."""
        self._missed += 1

    def take(self, key_id: str, arguments: Sequence[Any], before: Callable[[], list[Taken]]) -> list[int]:
        """The script's answer; a key that is unknown, or known from an earlier epoch, is filled in first."""
        self._tell()
        try:
            while (found := self._take(keys=[*_keys(key_id), EPOCH], args=list(arguments)))[0] == -1:
                rows = [(each.attempt_id, int(each.ago * 1000), each.tokens) for each in before()]
                self._fill(keys=_keys(key_id), args=[found[1], *(value for row in rows for value in row)])
        except redis.RedisError:
            self._unsure.add((key_id, str(arguments[0])))
            raise
        answer: list[int] = found
        return answer

    def _tell(self) -> None:
        """Raise the epoch if something went past Redis since the last time."""
        for turn in list(self._unsure):
            self.correct(*turn, -1)  # the log has it, if the database let it in
            self._unsure.discard(turn)
        seen = self._missed
        if seen != self._told:
            self._redis.incr(EPOCH)
            self._told = seen

    def correct(self, key_id: str, attempt_id: str, tokens: int) -> Any:
        return self._correct(keys=_keys(key_id), args=[attempt_id, tokens])


def _keys(key_id: str) -> list[str]:
    return [f"studio:minute:{{{key_id}}}:at", f"studio:minute:{{{key_id}}}:tokens"]  # one slot of a cluster


@lru_cache(maxsize=4)
def _windows(url: str) -> Windows:
    return Windows(url)


def take(
    key_id: str, attempt_id: str, limits: Limits, *, tokens: int, before: Callable[[], list[Taken]]
) -> Answer | None:
    """Count a request in, if it fits. None: there is no Redis, or it is away."""
    if not settings.REDIS_URL:
        return None
    windows, arguments = _windows(settings.REDIS_URL), (attempt_id, tokens, limits.requests or 0, limits.tokens or 0)
    found = windows.ask(lambda: windows.take(key_id, arguments, before))
    if found is None:
        return None
    fits, used, used_tokens, free, free_tokens, reset = found
    requests = Rate(limits.requests, used, free / 1000, reset / 1000) if limits.requests else None
    spent = Rate(limits.tokens, used_tokens, free_tokens / 1000, reset / 1000) if limits.tokens else None
    return Answer(Standing(requests, spent), bool(fits))


def missed() -> None:
    """The database let a request in that Redis was not asked about, and its row is committed."""
    if settings.REDIS_URL:
        _windows(settings.REDIS_URL).missed()


def correct(key_id: str, attempt_id: str, *, tokens: int | None) -> None:
    """What an attempt took after all; None: it was not let in."""
    if settings.REDIS_URL:
        windows = _windows(settings.REDIS_URL)
        windows.ask(lambda: windows.correct(key_id, attempt_id, -1 if tokens is None else tokens))
