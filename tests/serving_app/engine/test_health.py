"""Health says why nothing is taken: draining, a journal that cannot be written, a thread that is stuck or dead."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from serving_app.engine.engine import Engine
from serving_app.engine.errors import EngineError
from serving_app.engine.journal import Journal
from serving_app.engine.settings import EngineSettings


def with_engine(folder: Path, check: Any) -> None:
    async def run() -> None:
        engine = Engine(EngineSettings(model_root=folder, threads=1, drain_seconds=1), Journal(folder / "journal"))
        check(engine)
        await engine.drain()
        assert engine.health().status == "draining"
        with pytest.raises(EngineError) as refused:
            engine.check_open("a")
        assert (refused.value.status, refused.value.retry_after) == (503, 2)

    asyncio.run(run())


def test_an_engine_without_work_is_ready_and_a_drained_one_is_not(tmp_path: Path) -> None:
    def check(engine: Engine) -> None:
        assert engine.health().ready

    with_engine(tmp_path, check)


def test_loading_at_start_is_not_ready(tmp_path: Path) -> None:
    def check(engine: Engine) -> None:
        engine.starting = True
        assert (engine.health().ready, engine.health().status) == (False, "loading")
        engine.starting = False

    with_engine(tmp_path, check)


def test_an_unwritable_journal_refuses_new_work(tmp_path: Path) -> None:
    def check(engine: Engine) -> None:
        engine.journal.fault = "The disk is full."
        assert engine.health().status == "journal"
        with pytest.raises(EngineError, match="disk is full"):
            engine.check_open("a")

    with_engine(tmp_path, check)


def test_work_without_progress_is_stuck(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def check(engine: Engine) -> None:
        with monkeypatch.context() as stuck:
            stuck.setattr(type(engine.stepper), "busy", property(lambda self: True))
            stuck.setattr(engine.stepper, "_progress", engine.stepper._progress - 61)
            assert engine.health().status == "stuck"

    with_engine(tmp_path, check)


def test_a_dead_engine_thread_is_stuck(tmp_path: Path) -> None:
    def check(engine: Engine) -> None:
        engine.stepper.fail_all("ended for the test")
        assert engine.health().status == "stuck"

    with_engine(tmp_path, check)


def test_an_engine_that_drains_is_not_stuck_though_its_thread_has_ended(tmp_path: Path) -> None:
    async def run() -> None:
        engine = Engine(EngineSettings(model_root=tmp_path, threads=1, drain_seconds=1), Journal(tmp_path / "journal"))
        engine._beaten -= 600
        assert engine.stalled_for() >= 600
        await engine.drain()
        assert engine.stepper.stalled_for() == float("inf")
        assert engine.stalled_for() == 0

    asyncio.run(run())
