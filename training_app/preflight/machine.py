"""What the run needs of the machine, and what may be done with the base model. Reads settings and the disk."""

from __future__ import annotations

import re
import shutil
from typing import Any

from django.conf import settings

from gptstudio.web.wording import size
from training_app.estimates import learning_parameters, least_memory
from training_app.models import LanguageModel
from training_app.preflight.finding import Act, Finding

SPARE_BYTES = 512 * 1024**2
CHECKPOINT_FACTOR = (
    60  # bytes on disk a parameter that learns: three checkpoints with optimiser state, the model, and slack
)
OPEN = re.compile(
    r"apache|mit\b|bsd|isc\b|cc0|cc-by(-sa)?-\d|unlicense|mpl|openrail|gpl|same as the studio", re.IGNORECASE
)
CLOSED = re.compile(r"(^|[-_ ])nc([-_ ]|$)|non-?commercial|research", re.IGNORECASE)


def disk(base_model: LanguageModel, *, method: str, hyperparameters: dict[str, Any]) -> Finding:
    """Whether checkpoints and model find room."""
    title = "Disk"
    free = shutil.disk_usage(settings.STUDIO_HOME).free
    learn = learning_parameters(base_model.parameters, method=method, hyperparameters=hyperparameters)
    need = learn * CHECKPOINT_FACTOR + SPARE_BYTES
    if free < need:
        return Finding(
            title,
            f"{free / 1e9:.1f} GB free; the run may need {need / 1e9:.1f} GB.",
            "stop",
            "Free some space under STUDIO_HOME.",
            Act("free", "See what can be put away"),
        )
    return Finding(title, f"{free / 1e9:,.0f} GB free.", "fine")


def memory(
    base_model: LanguageModel,
    *,
    method: str,
    hyperparameters: dict[str, Any],
    seen: dict[str, Any],
    tried: dict[str, Any],
) -> Finding | None:
    """Whether it fits: the peak of a few real steps where they were taken, else weights and their state alone.

    None while nobody knows how much memory there is.
    """
    title, device = "Memory", settings.TRAINING_DEVICE
    there = tried.get("memory") or (seen.get("memory") if device == "cpu" else None)
    if not there:
        return None
    least = least_memory(
        parameters=base_model.parameters, method=method, hyperparameters=hyperparameters, device=device
    )
    need = int(tried.get("memory_bytes") or least)
    what = "The longest batch took" if tried else "Weights and optimiser alone take"
    message = (
        f"{what} {size(need)}; there are {size(there['total'])}, {size(there['free'])} of them free when looked at."
    )
    if need <= there["free"]:
        return Finding(title, message, "fine")
    return Finding(
        title,
        message,
        "stop" if need > there["total"] else "warning",
        "Use a smaller batch, shorter rows, or LoRA.",
        _smaller(hyperparameters, method),
    )


def _smaller(hyperparameters: dict[str, Any], method: str) -> Act | None:
    batch, accumulation = hyperparameters["batch_size"], hyperparameters["gradient_accumulation_steps"]
    if batch > 1:
        halved = {"batch_size": batch // 2, "gradient_accumulation_steps": accumulation * 2}
        return Act("fill", "Halve the batch, double the accumulation", halved)
    return Act("fill", "Use LoRA", method="lora") if method == "full" else None


def number_format(seen: dict[str, Any], *, method: str, hyperparameters: dict[str, Any]) -> Finding | None:
    """In which format weights lie and learn."""
    title, stored = "Number format", seen.get("dtype")
    if not stored:
        return None
    if stored == "float16":
        return Finding(
            title,
            "The base model lies in float16, which overflows above 65,504; what is computed here has more room.",
            "warning",
            "Prefer the same model in bfloat16 if there is one.",
        )
    arithmetic = {
        "float32": "The arithmetic is float32",
        "bfloat16": "The arithmetic is bfloat16",
    }.get(
        str(hyperparameters.get("precision")),
        "The arithmetic is bfloat16 where the machine is fast at it, else float32",
    )
    written = "the adapter is written as it learned" if method != "full" else f"the model is written as {stored}"
    return Finding(title, f"The base model lies in {stored}. {arithmetic}; {written}.", "fine")


def licence(base_model: LanguageModel) -> Finding:
    """What may be done with what comes of it. A reading of the licence's name, no advice."""
    title, said = "Licence of the base model", base_model.licence
    if not said:
        fix = "Look at where the model comes from, and register it with its licence."
        return Finding(title, f"Nobody said under which licence {base_model.name} is.", "warning", fix)
    if CLOSED.search(said):
        return Finding(title, f"{said}: not for commercial use, and what you make of it neither.", "warning")
    if OPEN.search(said):
        return Finding(title, f"{said}.", "fine")
    return Finding(
        title, f"{said} is none that the studio knows.", "warning", "Read what it allows before you release."
    )
