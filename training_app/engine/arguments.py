"""A spec's settings in the words of TRL, PEFT and torch. Decides no default that a spec could have given."""

from __future__ import annotations

import importlib
import math
from typing import Any

import torch
from peft import LoraConfig
from transformers.optimization import Adafactor
from transformers.pytorch_utils import Conv1D
from trl import SFTConfig

from training_app.engine.device import TrainingPlan
from training_app.engine.errors import EngineError
from training_app.engine.hyperparameters import Hyperparameters
from training_app.engine.spec import TrainSpec

OPTIMIZERS: dict[str, type[torch.optim.Optimizer]] = {
    "adamw": torch.optim.AdamW,
    "adam": torch.optim.Adam,
    "rmsprop": torch.optim.RMSprop,
    "adafactor": Adafactor,
    "sgd": torch.optim.SGD,
}
ADAM = {"betas": (0.9, 0.999), "eps": 1e-8}
OPTIONS: dict[str, dict[str, Any]] = {
    "adamw": {**ADAM, "fused": True},
    "adam": {**ADAM, "fused": True},
    "rmsprop": {"alpha": 0.99},
    # The learning rate and its schedule are the spec's, not the optimiser's own.
    "adafactor": {"scale_parameter": False, "relative_step": False, "warmup_init": False},
    "sgd": {"momentum": 0.9},
    "adamw_8bit": ADAM,
}
SCHEDULERS = {
    "cosine": ("cosine", {}),
    "linear": ("linear", {}),
    "constant": ("constant_with_warmup", {}),
    "polynomial": ("polynomial", {"power": 2.0, "lr_end": 0.0}),
    "inverse_sqrt": ("inverse_sqrt", {}),
    "cosine_with_min_lr": ("cosine_with_min_lr", {"min_lr_rate": 0.1}),
}
# Parts of the paths of layers, by what people may choose.
LAYERS = {"attention": ("attn", "attention"), "mlp": ("mlp", "feed_forward", "ffn")}
# About this many points on a curve; a short run logs every step or two.
CURVE_POINTS = 200
MOST_STEPS_BETWEEN_POINTS = 10


def planned_steps(parameters: Hyperparameters, rows: int) -> int:
    """How many optimiser steps a run over `rows` rows takes unless it stops early."""
    if parameters.max_steps:
        return parameters.max_steps
    return max(1, math.ceil(math.ceil(rows / parameters.step_rows) * parameters.n_epochs))


def share_of_step(parameters: Hyperparameters, processes: int) -> tuple[int, int]:
    """How many rows each process computes at once, and how often it does so in a step, which has the same rows however
    many processes there are. EngineError `processes_unfit` where they cannot be shared evenly."""
    rows, rest = divmod(parameters.step_rows, processes)
    if rest:
        raise EngineError(
            "processes_unfit",
            f"A step learns from {parameters.step_rows:,} rows (batch size {parameters.batch_size:,} x accumulation "
            f"{parameters.gradient_accumulation_steps:,}), which {processes} processes cannot share evenly.",
            fix=f"Choose a batch size that is a multiple of {processes}, or train with fewer processes.",
        )
    at_once = max(size for size in range(1, min(parameters.micro_batch_size, rows) + 1) if rows % size == 0)
    return at_once, rows // at_once


def trainer_arguments(
    spec: TrainSpec, plan: TrainingPlan, rows: int, *, share: tuple[int, int], has_validation: bool
) -> SFTConfig:
    """The library's arguments for a spec; `rows` is the number of training rows, `share` that of this process in a step."""
    parameters = spec.hyperparameters
    at_once, times = share
    schedule, options = SCHEDULERS[parameters.scheduler]
    every = planned_steps(parameters, rows) // CURVE_POINTS
    return SFTConfig(
        output_dir=str(spec.common.run / "checkpoints"),
        per_device_train_batch_size=at_once,
        per_device_eval_batch_size=at_once,
        gradient_accumulation_steps=times,
        num_train_epochs=parameters.n_epochs,
        max_steps=parameters.max_steps or -1,
        learning_rate=parameters.learning_rate,
        weight_decay=parameters.weight_decay,
        warmup_steps=parameters.warmup_ratio,
        lr_scheduler_type=schedule,
        lr_scheduler_kwargs=options,
        max_grad_norm=parameters.max_grad_norm,
        max_length=None,
        packing=False,
        dataset_kwargs={"skip_prepare_dataset": True},
        seed=parameters.seed,
        eval_strategy="steps" if has_validation else "no",
        eval_steps=parameters.eval_steps,
        save_strategy="steps",
        save_steps=parameters.save_steps,
        save_only_model=False,
        logging_steps=min(MOST_STEPS_BETWEEN_POINTS, max(1, every)),
        logging_nan_inf_filter=False,
        include_num_input_tokens_seen="non_padding",
        prediction_loss_only=True,
        activation_checkpointing=plan.gradient_checkpointing,
        bf16=plan.autocast,
        use_cpu=plan.device.type == "cpu",
        dataloader_pin_memory=plan.device.type == "cuda",
        ddp_find_unused_parameters=False,
        ddp_broadcast_buffers=False,
        disable_tqdm=True,
        report_to=[],
    )


def optimizer_choice(
    parameters: Hyperparameters, device: torch.device
) -> tuple[type[torch.optim.Optimizer], dict[str, Any]]:
    """The optimiser's class and its options; weight decay comes from the library's arguments."""
    options = {"lr": parameters.learning_rate, **OPTIONS[parameters.optimizer]}
    if parameters.optimizer == "adamw_8bit":
        needs_gpu(device, "8-bit AdamW", "the optimiser adamw, or adafactor, which takes little memory")
        return bitsandbytes().optim.AdamW8bit, options
    return OPTIMIZERS[parameters.optimizer], options


def needs_gpu(device: torch.device, what: str, instead: str) -> None:
    """EngineError `no_gpu` where something that only a GPU can do was asked of a CPU."""
    if device.type != "cuda":
        raise EngineError("no_gpu", f"{what} works on a GPU only, and this run is on a CPU.", fix=f"Choose {instead}.")


def bitsandbytes() -> Any:
    """The library for 4 and 8 bits, which an installation without a GPU does not have."""
    try:
        return importlib.import_module("bitsandbytes")
    except ImportError as error:
        raise EngineError(
            "bitsandbytes_missing",
            "4-bit and 8-bit training need the library bitsandbytes, which is not installed on this machine.",
            fix="Install bitsandbytes where the workers run, or choose the method lora and the optimiser adamw.",
        ) from error


def adapter_config(parameters: Hyperparameters, model: torch.nn.Module) -> LoraConfig | None:
    """A LoRA adapter on the chosen linear layers, never on the output one; None for a full fine-tune."""
    if parameters.lora is None:
        return None
    return LoraConfig(
        r=parameters.lora.rank,
        lora_alpha=parameters.lora.alpha,
        lora_dropout=parameters.lora.dropout,
        target_modules=_layers(model, parameters.lora.targets),
        task_type="CAUSAL_LM",
    )


def _layers(model: torch.nn.Module, targets: str) -> str | list[str]:
    """The names of the layers to adapt. EngineError `lora_targets` where the model has none of that kind."""
    if targets == "all-linear":
        return targets
    linear = [name for name, layer in model.named_modules() if isinstance(layer, torch.nn.Linear | Conv1D)]
    wanted = [name for name in linear if any(part in name.lower() for part in LAYERS[targets])]
    if not wanted:
        raise EngineError(
            "lora_targets",
            f"The base model has no layers that are recognised as {targets}.",
            fix="Let the adapter learn in all linear layers.",
        )
    names = {name.rpartition(".")[2] for name in wanted}
    others = {name.rpartition(".")[2] for name in set(linear) - set(wanted)}
    return sorted(names) if not names & others else wanted
