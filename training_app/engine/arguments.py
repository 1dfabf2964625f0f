"""A spec's settings in the words of TRL, PEFT and torch. Decides no default that a spec could have given."""

from __future__ import annotations

import math
from typing import Any

import torch
from peft import LoraConfig
from trl import SFTConfig

from training_app.engine.device import TrainingPlan
from training_app.engine.spec import Hyperparameters, TrainSpec

OPTIMIZERS: dict[str, type[torch.optim.Optimizer]] = {
    "adamw": torch.optim.AdamW,
    "adam": torch.optim.Adam,
    "rmsprop": torch.optim.RMSprop,
}
SCHEDULERS = {"cosine": "cosine", "linear": "linear", "constant": "constant_with_warmup"}
# About this many points on a curve; a short run logs every step or two.
CURVE_POINTS = 200
MOST_STEPS_BETWEEN_POINTS = 10


def trainer_arguments(spec: TrainSpec, plan: TrainingPlan, rows: int, *, has_validation: bool) -> SFTConfig:
    """The library's arguments for a spec; `rows` is the number of training rows."""
    parameters = spec.hyperparameters
    per_epoch = math.ceil(rows / (parameters.batch_size * parameters.gradient_accumulation_steps))
    steps = max(1, math.ceil(per_epoch * parameters.n_epochs))
    return SFTConfig(
        output_dir=str(spec.common.run / "checkpoints"),
        per_device_train_batch_size=parameters.batch_size,
        per_device_eval_batch_size=parameters.batch_size,
        gradient_accumulation_steps=parameters.gradient_accumulation_steps,
        num_train_epochs=parameters.n_epochs,
        learning_rate=parameters.learning_rate,
        weight_decay=parameters.weight_decay,
        warmup_steps=parameters.warmup_ratio,
        lr_scheduler_type=SCHEDULERS[parameters.scheduler],
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
        logging_steps=min(MOST_STEPS_BETWEEN_POINTS, max(1, steps // CURVE_POINTS)),
        logging_nan_inf_filter=False,
        include_num_input_tokens_seen="non_padding",
        prediction_loss_only=True,
        activation_checkpointing=plan.gradient_checkpointing,
        bf16=plan.autocast,
        use_cpu=plan.device.type == "cpu",
        dataloader_pin_memory=plan.device.type == "cuda",
        disable_tqdm=True,
        report_to=[],
    )


def optimizer_choice(parameters: Hyperparameters) -> tuple[type[torch.optim.Optimizer], dict[str, Any]]:
    """The optimiser's class and its options; weight decay comes from the library's arguments."""
    options: dict[str, Any] = {"lr": parameters.learning_rate}
    if parameters.optimizer == "rmsprop":
        options["alpha"] = 0.99
    else:
        options |= {"betas": (0.9, 0.999), "eps": 1e-8, "fused": True}
    return OPTIMIZERS[parameters.optimizer], options


def adapter_config(parameters: Hyperparameters) -> LoraConfig | None:
    """A LoRA adapter on every linear layer but the output one; None for a full fine-tune."""
    if parameters.lora is None:
        return None
    return LoraConfig(
        r=parameters.lora.rank,
        lora_alpha=parameters.lora.alpha,
        lora_dropout=parameters.lora.dropout,
        target_modules="all-linear",
        task_type="CAUSAL_LM",
    )
