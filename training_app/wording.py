"""Events and settings of the engine in the words of people. Pure tables."""

from __future__ import annotations

from typing import Any


def _number(value: Any, digits: int = 3) -> str:
    return "–" if value is None else f"{value:.{digits}g}"


CHOICES = {
    "adamw": "AdamW",
    "adam": "Adam",
    "rmsprop": "RMSprop",
    "adafactor": "Adafactor",
    "sgd": "SGD",
    "adamw_8bit": "AdamW in 8 bits",
    "cosine": "along a cosine",
    "linear": "in a line",
    "constant": "not at all",
    "polynomial": "with the square of what is left",
    "inverse_sqrt": "with the root of the steps",
    "cosine_with_min_lr": "along a cosine, to a tenth",
    "loss": "validation loss",
    "accuracy": "share that is right",
    "auto": "automatic",
    "float32": "float32",
    "bfloat16": "bfloat16",
    "on": "on",
    "off": "off",
    "supervised": "answers",
    "dpo": "pairs of answers (DPO)",
    "all-linear": "all linear layers",
    "attention": "attention layers",
    "mlp": "feed-forward layers",
}


def in_words(value: Any) -> Any:
    """A setting's choice as people call it; numbers and other words as they are."""
    return CHOICES.get(value, value) if isinstance(value, str) else value


STARTS = {
    "evaluate": "Comparing with the base model on the test rows",
    "safety": "Checking what it must not say",
}


def sentence(kind: str, data: dict[str, Any], *, phase: str = "train") -> str:
    """One line for the log; empty for kinds that the log does not show (progress)."""
    if phase != "train" and kind in ("started", "saved", "finished"):
        return STARTS.get(phase, "") if kind == "started" else ""
    match kind:
        case "started":
            resumed = data.get("resumed_from")
            return f"Resumed from step {resumed}" if resumed else "Training started"
        case "plan":
            return f"{data.get('train_rows', 0):,} rows, {data.get('steps', 0):,} steps"
        case "metric":
            return f"Step {data.get('step')}: training loss={_number(data.get('loss'))}"
        case "evaluation" if "step" in data:
            return f"Step {data.get('step')}: validation loss={_number(data.get('loss'))}"
        case "evaluation":
            return "Both models are scored"
        case "checkpoint":
            return f"Checkpoint at step {data.get('step')} is safe on disk"
        case "sample":
            return f"Step {data.get('step')}: a few validation questions were answered"
        case "saved":
            return "The model is saved"
        case "finished":
            early = data.get("reason") == "early_stopping"
            best = data.get("best_step")
            if early:
                return f"Stopped early: best at step {best}, no gain since"
            return f"Finished; best at step {best}" if best else "Finished"
        case "notice" | "failed":
            return str(data.get("message", ""))
        case "out_of_memory":
            return "There was not enough memory"
    return ""


def level(kind: str, data: dict[str, Any]) -> str:
    """OpenAI's levels: info, warn, error."""
    if kind in ("failed", "out_of_memory"):
        return "error"
    return {"warning": "warn", "warn": "warn", "error": "error"}.get(str(data.get("level", "")), "info")
