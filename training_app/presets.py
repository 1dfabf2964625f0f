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
METHODS = ("full", "lora", "qlora")
OPTIMIZERS = ("adamw", "adam", "rmsprop", "adafactor", "sgd", "adamw_8bit")
SCHEDULERS = ("cosine", "linear", "constant", "polynomial", "inverse_sqrt", "cosine_with_min_lr")
HINTS = {
    "learning_rate": "How far each step moves the weights. Too high forgets, too low learns nothing.",
    "batch_size": "Rows looked at before each step. Larger is steadier and takes more memory.",
    "n_epochs": "How many times every training row is seen.",
    "optimizer": "The rule that turns errors into steps. AdamW suits nearly everything.",
    "max_steps": "Ends after so many steps, whatever the number of passes; 0 lets the passes decide.",
    "gradient_accumulation_steps": "Batches looked at before each step: as good as a larger batch, without its memory.",
    "scheduler": "How the learning rate falls over the run. Cosine suits nearly everything.",
    "max_grad_norm": "A step that would be longer than this is shortened, so that one odd row cannot throw the run off.",
    "label_smoothing": "Share of each answer token's weight that is spread over all tokens, against overconfidence.",
    "eval_steps": "Steps between two looks at the validation rows.",
    "save_steps": "Steps between two checkpoints: what a machine's death can cost at most. One is also made ten minutes "
    "after the last.",
    "early_stopping_metric": "What must improve: the validation loss, or the share of answer tokens that are guessed "
    "right (with pairs of answers: of pairs in which the preferred answer gains).",
    "early_stopping_min_delta": "Less gain than this does not count as one.",
    "precision": "Format of the arithmetic. Auto takes bfloat16 where the machine is fast at it.",
    "gradient_checkpointing": "Takes a third longer and far less memory for long rows. Auto: for large models on GPUs.",
    "objective": "What it learns from: the answers (supervised), or pairs of a preferred and another answer (dpo).",
    "dpo_beta": "For pairs: how dearly the model pays for moving away from the base model. Smaller moves further.",
    "lora_rank": "How large the addition is. 8 to 32 suit most data.",
    "lora_alpha": "How strongly the addition counts; twice the rank is usual.",
    "lora_dropout": "Share of the addition that is left out at random while it learns, against learning by heart.",
    "lora_targets": "Which layers get an addition: all of them, or those of attention or of the feed-forward part alone.",
    "warmup_ratio": "Share of the run in which the learning rate rises from zero.",
    "weight_decay": "Pulls weights towards zero, against learning rows by heart.",
    "max_length": "Longest row in tokens; what is longer is cut at its end.",
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
    "max_steps": (0, 1_000_000, True),
    "weight_decay": (0.0, 1.0, False),
    "warmup_ratio": (0.0, 0.9, False),
    "max_grad_norm": (0.001, 1000.0, False),
    "label_smoothing": (0.0, 0.5, False),
    "max_length": (16, 32768, True),
    "early_stopping_patience": (0, 1000, True),
    "early_stopping_min_delta": (0.0, 10.0, False),
    "eval_steps": (1, 100_000, True),
    "save_steps": (1, 100_000, True),
    "seed": (0, 2**31 - 1, True),
    "lora_rank": (1, 256, True),
    "lora_alpha": (1, 1024, True),
    "lora_dropout": (0.0, 0.9, False),
    "dpo_beta": (0.001, 10.0, False),
}
CHOICES = {
    "optimizer": OPTIMIZERS,
    "scheduler": SCHEDULERS,
    "early_stopping_metric": ("loss", "accuracy"),
    "precision": ("auto", "float32", "bfloat16"),
    "gradient_checkpointing": ("auto", "on", "off"),
    "objective": ("supervised", "dpo"),
    "lora_targets": ("all-linear", "attention", "mlp"),
}
# What works on GPUs alone, by setting; the method qlora does, too.
GPU_ALONE = {"optimizer": ("adamw_8bit",)}
# Plain gradient steps need larger rates than adaptive ones; a preference needs a far smaller nudge than an answer.
RATE_FACTORS = {"sgd": 30.0}
DPO_RATE_FACTOR = 0.1
FOR_ANSWERS_ALONE = ("label_smoothing", "class_weights")
SWITCHES = ("class_weights",)
EVALUATIONS_A_RUN = 12
USUAL_LENGTH = 512  # tokens, where neither a person nor the data's recipe says how long rows are


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
    return float(f"{min(rate * (1 if method == 'full' else 5), 5e-3):.2g}")


def automatic_batch_size(rows: int) -> int:
    """Small data needs more steps, large data steadier ones."""
    return 8 if rows < 4000 else 16


def smaller_part(batch: int, part: int) -> int:
    """How many rows to compute at once instead of `part`: at most half of it, and a divisor of the batch; 1 stays 1."""
    return next((each for each in range(part // 2, 0, -1) if batch % each == 0), part)


def refuse_on_cpu(method: str, asked: dict[str, Any]) -> None:
    """Raise Invalid for what only a GPU can do."""
    if method == "qlora":
        raise Invalid("QLoRA works on a GPU only, and this studio trains on a CPU.", fix="Use lora.", param="method")
    for name, values in GPU_ALONE.items():
        if asked.get(name) in values:
            raise Invalid(
                f"{name} {asked[name]} works on a GPU only, and this studio trains on a CPU.",
                fix="Use adamw, or adafactor, which takes little memory.",
                param=name,
            )


def resolve(
    *,
    preset_key: str,
    method: str,
    requested: dict[str, Any],
    parameters: int,
    rows: int,
    context_length: int,
    seed: int,
    token_limit: int = 0,
) -> dict[str, Any]:
    """The whole set of hyperparameters that the training spec carries. `rows` is the training split's size, `token_limit`
    what its rows were held to, 0 where they were not: nothing of them is cut unless somebody asks for that."""
    if method not in METHODS:
        raise Invalid(f"There is no method {method!r}.", fix="Choose full, lora or qlora.", param="method")
    chosen, asked = preset(preset_key), checked(requested)
    optimizer, objective = asked.get("optimizer", "adamw"), asked.get("objective", "supervised")
    for name in FOR_ANSWERS_ALONE:
        if objective == "dpo" and asked.get(name):
            raise Invalid(f"Pairs of answers are learned from without {name}.", fix="Leave it out.", param=name)
    rate = asked.get("learning_rate") or automatic_learning_rate(parameters=parameters, method=method)
    if "learning_rate" not in asked:
        rate *= asked.get("learning_rate_multiplier", chosen.get("learning_rate_multiplier", 1.0))
        rate *= RATE_FACTORS.get(optimizer, 1.0) * (DPO_RATE_FACTOR if objective == "dpo" else 1.0)
    batch = asked.get("batch_size", automatic_batch_size(rows))
    epochs = asked.get("n_epochs", chosen["n_epochs"])
    accumulation = asked.get("gradient_accumulation_steps", 1)
    steps = asked.get("max_steps") or max(1, math.ceil(rows / (batch * accumulation)) * epochs)
    cadence = asked.get("eval_steps", max(5, math.ceil(steps / EVALUATIONS_A_RUN)))
    return {
        "learning_rate": rate,
        "batch_size": batch,
        "gradient_accumulation_steps": accumulation,
        "n_epochs": epochs,
        "max_steps": asked.get("max_steps", 0),
        "optimizer": optimizer,
        "weight_decay": asked.get("weight_decay", 0.01),
        "warmup_ratio": asked.get("warmup_ratio", 0.1),
        "scheduler": asked.get("scheduler", "cosine"),
        "max_grad_norm": asked.get("max_grad_norm", 1.0),
        "label_smoothing": asked.get("label_smoothing", 0.0),
        "max_length": min(asked.get("max_length", token_limit or USUAL_LENGTH), context_length or USUAL_LENGTH),
        "seed": asked.get("seed", seed),
        "early_stopping_metric": asked.get("early_stopping_metric", "loss"),
        "early_stopping_patience": asked.get("early_stopping_patience", chosen["patience"]),
        "early_stopping_min_delta": asked.get("early_stopping_min_delta", 0.0),
        "eval_steps": cadence,
        "save_steps": asked.get("save_steps", cadence),
        "precision": asked.get("precision", "auto"),
        "gradient_checkpointing": asked.get("gradient_checkpointing", "auto"),
        "objective": objective,
        "dpo_beta": asked.get("dpo_beta", 0.1),
        "lora": {
            "rank": asked.get("lora_rank", 16),
            "alpha": asked.get("lora_alpha", 32),
            "dropout": asked.get("lora_dropout", 0.05),
            "targets": asked.get("lora_targets", "all-linear"),
        },
        **{name: True for name in SWITCHES if asked.get(name)},
    }
