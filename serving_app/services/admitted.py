"""Who asks, and what was let in: plain values, which no database stands behind any more."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gptstudio.accounts.models import ApiKey, Workspace
from gptstudio.accounts.policies import Actor
from serving_app.guardrails.guard import Guard
from serving_app.models.usage import ANSWER_IDS
from serving_app.selectors import Standing


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: a program with a key, or a person in the playground (`key` None)."""

    actor: Actor
    workspace: Workspace
    key: ApiKey | None = None
    arrived: float = field(default_factory=time.monotonic)


@dataclass(frozen=True, slots=True)
class Admission:
    """All that the gateway needs once the database is left alone: where to ask, under which names, for whom."""

    attempt_id: str
    called: str
    served: str
    engine_name: str
    url: str
    path: str
    body: Mapping[str, Any]
    caller: Caller
    replica: str
    has_journal: bool
    is_vllm: bool = False
    guard: Guard | None = None
    keeps: bool = False
    is_private: bool = False
    standing: Standing = field(default_factory=Standing)

    @property
    def keeps_apart(self) -> bool:
        """Whether the engine shares computed prefixes within a workspace alone."""
        return self.has_journal or self.is_vllm

    @property
    def answer_id(self) -> str:
        """The id of the answer: clients that keep no headers find the request by it."""
        return ANSWER_IDS.get(self.path.removeprefix("/v1/"), "") + self.attempt_id

    @property
    def is_one(self) -> bool:
        """Whether one answer to one prompt was asked for."""
        prompt = self.body.get("prompt")
        several = isinstance(prompt, list) and len(prompt) > 1 and not isinstance(prompt[0], int)
        return self.body.get("n") in (None, 1) and not several

    @property
    def streamed(self) -> bool:
        return self.body.get("stream") is True

    @property
    def wants_usage(self) -> bool:
        options = self.body.get("stream_options")
        return isinstance(options, dict) and options.get("include_usage") is True
