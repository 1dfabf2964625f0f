"""A base model in 4 bits below a LoRA adapter (QLoRA; Dettmers et al., 2023). On GPUs alone."""

from __future__ import annotations

from typing import Any

import torch
from peft import prepare_model_for_kbit_training
from transformers import BitsAndBytesConfig, PreTrainedModel

from training_app.engine.arguments import bitsandbytes, needs_gpu
from training_app.engine.device import TrainingPlan


def four_bits(device: torch.device) -> BitsAndBytesConfig:
    """How the base model is loaded. EngineError where the machine cannot."""
    needs_gpu(device, "QLoRA (a base model in 4 bits)", "the method lora")
    bitsandbytes()
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16,
    )


def made_trainable(model: PreTrainedModel, plan: TrainingPlan) -> None:
    """Norms and output layer in float32, and a way for gradients through the frozen layers."""
    options: dict[str, Any] = {"use_gradient_checkpointing": plan.gradient_checkpointing}
    prepare_model_for_kbit_training(model, **options)
