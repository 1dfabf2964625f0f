"""What people choose instead of hyperparameters, and how a choice becomes the whole set. Pure tables and sums."""

from __future__ import annotations

import math
from typing import Any

from gptstudio.core.errors import Invalid

PRESETS: tuple[dict[str, Any], ...] = (
    {
        "key": "quick",
        "title": "Quick look",
        "hint": "One pass over the data: tells within minutes whether the data teaches what you want.",
        "n_epochs": 1,
        "patience": 0,
    },
    {
        "key": "balanced",
        "title": "Balanced",
        "hint": "Three passes, stopping early when the validation rows stop getting better. Right for most data.",
        "n_epochs": 3,
        "patience": 4,
    },
    {
        "key": "thorough",
        "title": "Thorough",
        "hint": "Up to eight passes with a smaller learning rate. Takes longest; best for small, careful data.",
        "n_epochs": 8,
        "patience": 4,
        "learning_rate_multiplier": 0.6,
    },
)
METHODS = ("full", "lora")
OPTIMIZERS = ("adamw", "adam", "rmsprop")
SCHEDULERS = ("cosine", "linear", "constant")
HINTS = {
    "learning_rate": "How far each step moves the weights. Too high forgets, too low learns nothing.",
    "batch_size": "Rows looked at before each step. Larger is steadier and takes more memory.",
    "n_epochs": "How many times every training row is seen.",
    "optimizer": "The rule that turns errors into steps. AdamW suits nearly everything.",
    "scheduler": "How the learning rate falls over the run.",
    "warmup_ratio": "Share of the run in which the learning rate rises from zero.",
    "weight_decay": "Pulls weights towards zero, against learning rows by heart.",
    "max_length": "Longest row in tokens; what is longer is cut at the front, never the answer.",
    "early_stopping_patience": "Looks at the validation rows without gain before stopping; 0 never stops early.",
    "seed": "The same seed, data and settings give the same model.",
}
# (low, high, whole number)
RANGES: dict[str, tuple[float, float, bool]] = {
    "learning_rate": (1e-8, 1.0, False),
    "learning_rate_multiplier": (1e-4, 100.0, False),
    "batch_size": (1, 256, True),
    "gradient_accumulation_steps": (1, 256, True),
    "n_epochs": (0.01, 50, False),
    "weight_decay": (0.0, 1.0, False),
    "warmup_ratio": (0.0, 0.9, False),
    "max_grad_norm": (0.0, 1000.0, False),
    "max_length": (16, 32768, True),
    "early_stopping_patience": (0, 1000, True),
    "early_stopping_min_delta": (0.0, 10.0, False),
    "eval_steps": (1, 100_000, True),
    "save_steps": (1, 100_000, True),
    "seed": (0, 2**31 - 1, True),
    "lora_rank": (1, 256, True),
    "lora_alpha": (1, 1024, True),
    "lora_dropout": (0.0, 0.9, False),
}
CHOICES = {"optimizer": OPTIMIZERS, "scheduler": SCHEDULERS}
SWITCHES = ("class_weights",)
EVALUATIONS_A_RUN = 12


def preset(key: str) -> dict[str, Any]:
    """A preset by its key."""
    for each in PRESETS:
        if each["key"] == key:
            return each
    raise Invalid(f"There is no preset {key!r}.", fix="Choose quick, balanced or thorough.", param="preset")


def checked(requested: dict[str, Any]) -> dict[str, Any]:
    """What was asked for, without the "auto"s; Invalid names the first setting that cannot be."""
    found: dict[str, Any] = {}
    for name, value in requested.items():
        if value is None or value == "auto":
            continue
        if name in CHOICES:
            if value not in CHOICES[name]:
                raise Invalid(f"{name} is {value!r}.", fix=f"Choose from {', '.join(CHOICES[name])}.", param=name)
        elif name in RANGES:
            value = _number(name, value)
        elif name not in SWITCHES:
            known = ", ".join([*RANGES, *CHOICES, *SWITCHES])
            raise Invalid(f"There is no setting {name!r}.", fix=f"Known: {known}.", param=name)
        elif not isinstance(value, bool):
            raise Invalid(f"{name} is {value!r}.", fix="Use true or false.", param=name)
        found[name] = value
    return found


def _number(name: str, value: Any) -> int | float:
    low, high, whole = RANGES[name]
    good = isinstance(value, int | float) and not isinstance(value, bool)  # NaN and infinities fail the range
    if not good or not low <= value <= high or (whole and value != int(value)):
        kind = "a whole number" if whole else "a number"
        raise Invalid(f"{name} is {value!r}.", fix=f"Use {kind} from {low:g} to {high:g}.", param=name)
    return int(value) if whole else value


def automatic_learning_rate(*, parameters: int, method: str) -> float:
    """Falls with the model's size: 1e-3 at 5 M parameters, about 1.5e-4 at 135 M, 2e-5 from 1 B on (full fine-tune).

    A power law through the ends that were measured on small models; LoRA moves few weights, so it takes larger steps.
    """
    rate = 1e-3 * (max(parameters, 1) / 5e6) ** -0.72
    rate = min(1e-3, max(2e-5, rate))
    return float(f"{min(rate * (5 if method == 'lora' else 1), 5e-3):.2g}")


def automatic_batch_size(rows: int) -> int:
    """Small data needs more steps, large data steadier ones."""
    return 8 if rows < 4000 else 16


def resolve(
    *,
    preset_key: str,
    method: str,
    requested: dict[str, Any],
    parameters: int,
    rows: int,
    context_length: int,
    seed: int,
) -> dict[str, Any]:
    """The whole set of hyperparameters that the training spec carries. `rows` is the training split's size."""
    if method not in METHODS:
        raise Invalid(f"There is no method {method!r}.", fix="Choose full or lora.", param="method")
    chosen, asked = preset(preset_key), checked(requested)
    rate = asked.get("learning_rate") or automatic_learning_rate(parameters=parameters, method=method)
    if "learning_rate" not in asked:
        rate *= asked.get("learning_rate_multiplier", chosen.get("learning_rate_multiplier", 1.0))
    batch = asked.get("batch_size", automatic_batch_size(rows))
    epochs = asked.get("n_epochs", chosen["n_epochs"])
    accumulation = asked.get("gradient_accumulation_steps", 1)
    steps = max(1, math.ceil(rows / (batch * accumulation)) * epochs)
    cadence = asked.get("eval_steps", max(5, math.ceil(steps / EVALUATIONS_A_RUN)))
    return {
        "learning_rate": rate,
        "batch_size": batch,
        "gradient_accumulation_steps": accumulation,
        "n_epochs": epochs,
        "optimizer": asked.get("optimizer", "adamw"),
        "weight_decay": asked.get("weight_decay", 0.01),
        "warmup_ratio": asked.get("warmup_ratio", 0.1),
        "scheduler": asked.get("scheduler", "cosine"),
        "max_grad_norm": asked.get("max_grad_norm", 1.0),
        "max_length": min(asked.get("max_length", 512), context_length or 512),
        "seed": asked.get("seed", seed),
        "early_stopping_patience": asked.get("early_stopping_patience", chosen["patience"]),
        "early_stopping_min_delta": asked.get("early_stopping_min_delta", 0.0),
        "eval_steps": cadence,
        "save_steps": asked.get("save_steps", cadence),
        "lora": {
            "rank": asked.get("lora_rank", 16),
            "alpha": asked.get("lora_alpha", 32),
            "dropout": asked.get("lora_dropout", 0.05),
        },
        **{name: True for name in SWITCHES if asked.get(name)},
    }
