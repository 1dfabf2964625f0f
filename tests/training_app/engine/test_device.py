"""What runs where, decided by what the machine can do."""

from __future__ import annotations

import pytest
import torch

from training_app.engine import device
from training_app.engine.errors import EngineError


@pytest.mark.parametrize("fast", [True, False])
def test_a_cpu_trains_with_float32_weights_and_bfloat16_arithmetic_only_where_it_is_fast(
    fast: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device, "has_fast_bfloat16", lambda _device: fast)
    plan = device.plan_training(torch.device("cpu"), method="lora", parameters=10**9)
    assert (plan.weights, plan.autocast, plan.gradient_checkpointing) == (torch.float32, fast, False)


def test_a_small_model_answers_in_float32_on_a_cpu_and_a_large_one_in_bfloat16(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "has_fast_bfloat16", lambda _device: True)
    cpu = torch.device("cpu")
    assert device.plan_inference(cpu, parameters=5_000_000) == torch.float32
    assert device.plan_inference(cpu, parameters=135_000_000) == torch.bfloat16


def test_a_gpu_that_is_not_there_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(EngineError, match="this machine offers none"):
        device.pick_device("cuda", 1)
