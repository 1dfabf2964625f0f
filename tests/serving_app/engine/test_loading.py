"""Loads whose caller goes away: the thread goes on, so what it read is kept, and nobody reads it twice meanwhile."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from serving_app.engine import registry
from serving_app.engine.engine import Engine
from serving_app.engine.journal import Journal
from serving_app.engine.settings import EngineSettings
from tests.serving_app.engine.conftest import tiny_llama, write_model


def test_a_model_is_read_once_though_who_asked_for_it_goes_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_model(tmp_path / "m", tiny_llama())
    begun, go, read = threading.Event(), threading.Event(), []
    real = registry.load_model

    def slow(folder: Path, settings: EngineSettings) -> registry.LoadedModel:
        read.append(folder)
        begun.set()
        assert go.wait(60)
        return real(folder, settings)

    monkeypatch.setattr(registry, "load_model", slow)

    async def leave_and_ask_again() -> None:
        settings = EngineSettings(model_root=tmp_path, threads=1, drain_seconds=1)
        engine = Engine(settings, Journal(tmp_path / "journal"))
        first = asyncio.create_task(engine.load(name="m", path="m", digest="d"))
        await asyncio.to_thread(begun.wait, 60)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        second = asyncio.create_task(engine.load(name="m", path="m", digest="d"))
        await asyncio.sleep(0)
        go.set()
        assert (await second) is engine.models.find("m")
        await engine.drain()

    asyncio.run(leave_and_ask_again())
    assert len(read) == 1
