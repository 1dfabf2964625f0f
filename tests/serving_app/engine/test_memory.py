"""A model that does not fit is refused in a sentence before its weights are read."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from serving_app.engine import memory
from serving_app.engine.errors import EngineError
from serving_app.engine.loader import load_model
from serving_app.engine.settings import EngineSettings
from tests.serving_app.engine.conftest import tiny_llama, write_model


def test_the_size_is_that_of_the_numbers_in_the_wanted_type(tmp_path: Path) -> None:
    model = tiny_llama()
    folder = write_model(tmp_path / "m", model)
    numbers = sum(parameter.numel() for parameter in model.parameters())
    assert memory.weights_size(folder, torch.float32) == 4 * numbers
    assert memory.weights_size(folder, torch.bfloat16) == 2 * numbers


def test_a_model_over_the_limit_is_not_loaded(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "m", tiny_llama())
    with pytest.raises(
        EngineError, match="'m' needs about 0.00 GiB of memory, and this engine may take 0.00 more"
    ) as no:
        load_model(folder, EngineSettings(model_root=tmp_path, memory_limit=1))
    assert no.value.code == "insufficient_memory"
    assert load_model(folder, EngineSettings(model_root=tmp_path)).context == 512


def test_the_limit_of_a_container_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    most, used = tmp_path / "memory.max", tmp_path / "memory.current"
    monkeypatch.setattr(memory, "GROUPS", [(tmp_path, "memory.max", "memory.current")])
    used.write_text("1200\n")
    (tmp_path / "memory.stat").write_text("anon 900\ninactive_file 300\n")
    most.write_text("max\n")
    memory.check_room("m", 101, limit=None)
    most.write_text("1000\n")
    memory.check_room("m", 100, limit=None)
    with pytest.raises(EngineError):
        memory.check_room("m", 101, limit=None)
