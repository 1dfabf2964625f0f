"""Where and in which number format a model runs, decided by what the machine can do. Loads no model."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from training_app.engine.errors import EngineError

# Below this size a CPU spends its time outside the matrix products, and bfloat16 gains nothing when answering.
SMALL_MODEL_PARAMETERS = 50_000_000
# Above this size activations no longer fit beside weights and optimiser state on one GPU.
CHECKPOINTED_PARAMETERS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    """How to train: the format weights are held in, whether the arithmetic runs in bfloat16, and memory for time."""

    device: torch.device
    weights: torch.dtype
    autocast: bool
    gradient_checkpointing: bool


def pick_device(name: str, threads: int) -> torch.device:
    """The torch device for a spec's `device`, with the CPU's threads set. EngineError `no_gpu` without a GPU."""
    torch.set_num_threads(threads)
    if name == "cuda" and not torch.cuda.is_available():
        raise EngineError(
            "no_gpu", "The spec asks for a GPU, but this machine offers none.", fix="Choose the device cpu."
        )
    return torch.device(name)


def plan_training(
    device: torch.device, *, method: str, parameters: int, precision: str = "auto", checkpointing: str = "auto"
) -> TrainingPlan:
    """Full fine-tunes keep float32 master weights; an adapter on a GPU may leave its frozen base in bfloat16."""
    fast = has_fast_bfloat16(device) if precision == "auto" else precision == "bfloat16"
    frozen_base = method != "full" and device.type == "cuda" and fast
    saves_memory = device.type == "cuda" and parameters > CHECKPOINTED_PARAMETERS
    return TrainingPlan(
        device=device,
        weights=torch.bfloat16 if frozen_base else torch.float32,
        autocast=fast,
        gradient_checkpointing=saves_memory if checkpointing == "auto" else checkpointing == "on",
    )


def plan_inference(device: torch.device, *, parameters: int) -> torch.dtype:
    """The weights' format for answering: bfloat16 where it is fast and the model is large enough to gain from it."""
    if has_fast_bfloat16(device) and (device.type == "cuda" or parameters >= SMALL_MODEL_PARAMETERS):
        return torch.bfloat16
    return torch.float32


def has_fast_bfloat16(device: torch.device) -> bool:
    """Whether the hardware multiplies bfloat16 natively (AVX-512 BF16 or AMX on a CPU, Ampere or later on a GPU)."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    capabilities = torch.backends.cpu.get_cpu_capability()
    return "AVX512" in capabilities and _cpu_multiplies_bfloat16()


def _cpu_multiplies_bfloat16() -> bool:
    return bool(torch.cpu._is_avx512_bf16_supported())
