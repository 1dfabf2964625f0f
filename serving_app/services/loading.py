"""Desired against actual: what one engine should load and unload. It asks engines; the rows are others' business."""

from __future__ import annotations

import re
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from serving_app import engine_client
from serving_app.engine_client import EngineRefused
from serving_app.models import EngineReplica
from serving_app.selectors import name_on
from training_app.models import LanguageModel

OURS = re.compile(r"model_[0-9a-z]{26}@[0-9a-f]{8}")
RETRY_SECONDS = 30.0
Run = Callable[[Awaitable[Any]], Any]


class Loader:
    """Brings engines to the desired state. A model that could not be loaded is tried again after a while."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._not_before: dict[tuple[str, str], float] = {}

    def bring(self, replica: EngineReplica, desired: Mapping[str, LanguageModel]) -> dict[str, str]:
        """Load what is missing, unload what is not wanted. Returns the problems by the engine's model name."""
        problems = {name: text for name, text in replica.problems.items() if name in desired}
        for name, model in desired.items():
            if name_on(replica, model):
                problems.pop(name, None)
            elif time.monotonic() >= self._not_before.get((replica.name, name), 0.0):
                problem = self._load(replica, model)
                problems.pop(name, None)
                if problem:
                    problems[name] = problem
        for name in replica.loaded:
            if OURS.fullmatch(name) and name not in desired:
                self._unload(replica, name)
        return problems

    def _load(self, replica: EngineReplica, model: LanguageModel) -> str:
        name = model.engine_name
        try:
            if model.is_adapter and model.base is not None:
                base = name_on(replica, model.base) or model.base.engine_name
                self._run(engine_client.load_adapter(replica.url, name=name, path=model.digest, base=base))
            else:
                self._run(engine_client.load_model(replica.url, name=name, path=model.digest, digest=model.digest))
        except EngineRefused as error:
            self._not_before[(replica.name, name)] = time.monotonic() + RETRY_SECONDS
            return str(error)
        return ""

    def _unload(self, replica: EngineReplica, name: str) -> None:
        """Adapters and full models have different routes; which one a name was is known to the engine alone."""
        for is_adapter in (False, True):
            try:
                self._run(engine_client.unload(replica.url, name=name, is_adapter=is_adapter))
            except EngineRefused:
                continue
            return
