"""Desired against actual: what one engine should load and unload. It asks engines; the rows are others' business."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Future
from functools import partial
from typing import Any

from gptstudio.core import artifacts, storage
from gptstudio.core.storage import StorageTrouble
from serving_app import engine_client
from serving_app.engine_client import EngineAway, EngineBroke, EngineRefused
from serving_app.models import EngineReplica
from serving_app.selectors import name_on
from serving_app.services.asking import Asking, NotYet
from training_app.models import LanguageModel

OURS = re.compile(r"model_[0-9a-z]{26}@[0-9a-f]{8}")
RETRY_SECONDS = 30.0
BROKE = "The engine did not say that it was loaded before the connection ended. It is asked again."
PATIENCE_SECONDS = 20.0  # for one load in one pass; then the other engines have their turn, and it goes on meanwhile


class Loader:
    """Brings engines to the desired state. A model that could not be loaded is tried again after a while; one that takes
    long is waited for in later passes, and until then its engine is given no other.
    """

    def __init__(self, asking: Asking) -> None:
        self._asking = asking
        self._not_before: dict[tuple[str, str], float] = {}
        self._under_way: dict[str, tuple[str, Future[Any]]] = {}

    def bring(self, replica: EngineReplica, desired: Mapping[str, LanguageModel]) -> dict[str, str]:
        """Load what is missing, unload what is not wanted. Returns the problems by the engine's model name."""
        problems = {name: text for name, text in replica.problems.items() if name in desired}
        if replica.name in self._under_way:
            self._has_ended(replica, problems, seconds=0)
            return problems  # what the engine has by now, the next pass sees
        for name, model in desired.items():
            if name_on(replica, model):
                problems.pop(name, None)
            elif time.monotonic() >= self._not_before.get((replica.name, name), 0.0):
                problems.pop(name, None)
                self._under_way[replica.name] = name, self._asking.begin(_load(replica, model))
                if not self._has_ended(replica, problems, seconds=PATIENCE_SECONDS):
                    return problems
        for name in replica.loaded:
            if OURS.fullmatch(name) and name not in desired:
                self._unload(replica, name)
        return problems

    def _has_ended(self, replica: EngineReplica, problems: dict[str, str], *, seconds: float) -> bool:
        """Whether the load under way is over after so long; a problem with it is added."""
        name, future = self._under_way[replica.name]
        try:
            self._asking.wait(future, seconds=seconds)
        except NotYet:
            return False
        except (EngineBroke, EngineRefused) as error:
            self._not_before[(replica.name, name)] = time.monotonic() + RETRY_SECONDS
            problems[name] = str(error) if isinstance(error, EngineRefused) else BROKE
        except EngineAway:
            del self._under_way[replica.name]
            raise
        del self._under_way[replica.name]
        return True

    def _unload(self, replica: EngineReplica, name: str) -> None:
        """Adapters and full models have different routes; which one a name was is known to the engine alone. The route
        for adapters comes first: vLLM has no other, and a name that ours loaded as a full model is refused there.
        """
        for is_adapter in (True, False):
            try:
                self._asking.ask(engine_client.unload(replica.url, name=name, is_adapter=is_adapter))
            except EngineRefused:
                continue
            return


def _load(replica: EngineReplica, model: LanguageModel) -> Coroutine[Any, Any, Any]:
    """Asks the engine to load a model, once its folder lies here: engines read what this machine has, or share."""
    name = model.engine_name
    if model.is_adapter and model.base is not None:
        base = name_on(replica, model.base) or model.base.engine_name
        # Ours looks below its own model root, wherever that lies. vLLM asks the hub for what is no path.
        path = model.digest if replica.has_journal else str(artifacts.root() / model.digest)
        return _fetched(model, partial(engine_client.load_adapter, replica.url, name=name, path=path, base=base))
    load = partial(engine_client.load_model, replica.url, name=name, path=model.digest, digest=model.digest)
    return _fetched(model, load)


async def _fetched(model: LanguageModel, load: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    try:
        await asyncio.to_thread(storage.asked_for, model.stored)
    except StorageTrouble as trouble:
        raise EngineRefused(trouble.status, {"message": str(trouble)}) from trouble
    return await load()
