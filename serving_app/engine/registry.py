"""The models an engine serves now: loading, unloading, looking up. Loading runs outside the event loop's thread."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from serving_app.engine.accounts import Accounts
from serving_app.engine.eight_bit import take_eight_bits
from serving_app.engine.errors import EngineError
from serving_app.engine.fast_linear import pack_linear_layers
from serving_app.engine.folders import resolve_folder
from serving_app.engine.forward import ForwardPass
from serving_app.engine.loader import LoadedModel, load_adapter, load_merged, load_model
from serving_app.engine.scheduler import Scheduler
from serving_app.engine.settings import EIGHT_BIT, EngineSettings


@dataclass(frozen=True, slots=True, eq=False)
class ServedModel:
    """A model under its name. The digest is the caller's word and is not computed again here.

    Adapters beside their base share its scheduler, and so its batches.
    """

    name: str
    folder: Path
    root: str
    digest: str | None
    parent: str | None
    created: int
    loaded: LoadedModel
    scheduler: Scheduler
    retired: threading.Event = field(default_factory=threading.Event)


Prepared = tuple[LoadedModel, Scheduler]


class ModelRegistry:
    """Names to served models. Used from the event loop's thread only; loads run one after another in a worker."""

    def __init__(self, settings: EngineSettings, accounts: Accounts) -> None:
        self._settings = settings
        self._accounts = accounts
        self._models: dict[str, ServedModel] = {}
        self._loading = asyncio.Lock()

    def all(self) -> list[ServedModel]:
        """Served models in the order in which they were loaded."""
        return list(self._models.values())

    def find(self, name: str) -> ServedModel:
        """The model of this name. Errors: 404 in OpenAI's words."""
        try:
            return self._models[name]
        except KeyError:
            raise model_not_found(name) from None

    async def load(self, *, name: str, path: str, digest: str | None) -> ServedModel:
        """Load a full model; loading the same one again changes nothing."""
        folder = resolve_folder(self._settings.model_root, path, param="path")

        def read() -> Prepared:
            return self._ready(load_model(folder, self._settings))

        return await self._add(name=name, folder=folder, digest=digest, parent=None, read=read)

    async def load_adapter(self, *, name: str, path: str, base: str) -> ServedModel:
        """Load a LoRA adapter beside a base model that is served here, or merged into a copy of it if it must be."""
        folder = resolve_folder(self._settings.model_root, path, param="lora_path")
        served = self.find(base)
        if served.parent is not None:
            raise EngineError(
                f"'{base}' is an adapter itself; name its base.", param="base_model_name", code="wrong_kind"
            )

        def read() -> Prepared:
            beside = load_adapter(served.loaded, folder)
            if beside is not None:
                return beside, served.scheduler
            return self._ready(load_merged(served.folder, folder, self._settings))

        return await self._add(name=name, folder=folder, digest=None, parent=base, read=read)

    def remove(self, name: str, *, adapter: bool) -> ServedModel:
        """Stop serving a name. What is being written is finished; the memory is free after that."""
        served = self.find(name)
        if adapter != (served.parent is not None):
            kind = "a LoRA adapter" if adapter else "a full model"
            raise EngineError(f"'{name}' was not loaded as {kind}.", param="name", code="wrong_kind")
        return self._models.pop(name)

    async def _add(
        self, *, name: str, folder: Path, digest: str | None, parent: str | None, read: Callable[[], Prepared]
    ) -> ServedModel:
        async with self._loading:
            known = self._models.get(name)
            if known is not None:
                return _same_or_refuse(known, folder=folder, digest=digest, parent=parent)
            # A thread of its own for every load: OpenMP's threads that it starts end with it. As long as they lived,
            # the OpenMP library would count more threads than cores and put the model's to sleep at every product.
            loader = ThreadPoolExecutor(max_workers=1, thread_name_prefix="loader")
            try:
                loaded, scheduler = await asyncio.get_running_loop().run_in_executor(loader, read)
            finally:
                loader.shutdown(wait=False)
            served = ServedModel(
                name=name,
                folder=folder,
                root=str(folder.relative_to(self._settings.model_root.resolve())),
                digest=digest,
                parent=parent,
                created=int(time.time()),
                loaded=loaded,
                scheduler=scheduler,
            )
            self._models[name] = served
            return served

    def _ready(self, loaded: LoadedModel) -> Prepared:
        """A model of its own, with its scheduler."""
        if self._settings.dtype == EIGHT_BIT:
            take_eight_bits(loaded.model)
        pack_linear_layers(loaded.model)
        scheduler = Scheduler(
            ForwardPass(loaded.model, loaded.adapters, memory_limit=self._settings.memory_limit),
            accounts=self._accounts,
            slots=self._settings.slots,
            prefill_tokens=self._settings.prefill_tokens,
        )
        return loaded, scheduler


def _same_or_refuse(known: ServedModel, *, folder: Path, digest: str | None, parent: str | None) -> ServedModel:
    if (known.folder, known.digest, known.parent) == (folder, digest, parent):
        return known
    raise EngineError(
        f"Another model is already loaded under the name '{known.name}'; unload it first.",
        param="name",
        code="name_taken",
    )


def model_not_found(name: str) -> EngineError:
    """A 404 in OpenAI's words."""
    message = f"The model '{name}' does not exist here or was unloaded."
    return EngineError(message, status=404, param="model", code="model_not_found")
