"""The finished model folder, written whole under a temporary name and renamed. Trains and measures nothing."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, PreTrainedTokenizerBase

from training_app.engine.checkpoints import RunState
from training_app.engine.data import Examples
from training_app.engine.model import load_speaker, merge_adapter, merged_dtype, stored_dtype
from training_app.engine.spec import ModelFolder, TrainSpec

ADAPTER_FILES = ("adapter_config.json", "adapter_model.safetensors")
LEARNS_FROM = {"supervised": "answers", "dpo": "pairs of answers, by direct preference optimisation"}
LOSSES = {
    "supervised": "The loss was taken on answers and their stop tokens only.",
    "dpo": "It was moved towards the answers that people preferred, and away from the others.",
}
# One file whatever the size: the studio's contract names model.safetensors.
ONE_FILE = "10000GB"


@dataclass(frozen=True, slots=True)
class Results:
    """What a training came to; tokens are counted without padding."""

    steps: int
    trained_tokens: int
    learn: Examples[Any]
    validate: Examples[Any] | None


def write_model_folder(
    spec: TrainSpec, tokenizer: PreTrainedTokenizerBase, checkpoint: Path, state: RunState, results: Results
) -> Path:
    """Write `<run>/model` from a checkpoint: full weights in the base's number format, or the adapter as trained.

    What was learned beside an adapter that the run started from is merged with it: no adapter stands on an adapter.
    """
    temporary, target = spec.common.run / "model.tmp", spec.common.run / "model"
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir()
    if spec.method == "full":
        _write_full(spec, checkpoint, temporary)
    elif spec.base_model.base_path is not None:
        _write_merged(spec.base_model, checkpoint, temporary)
    else:
        _write_adapter(spec, checkpoint, temporary)
    tokenizer.save_pretrained(temporary)
    (temporary / "spec.json").write_text(json.dumps(spec.content, indent=2, ensure_ascii=False), encoding="utf-8")
    (temporary / "README.md").write_text(_card(spec, state, results), encoding="utf-8")
    shutil.rmtree(target, ignore_errors=True)
    temporary.rename(target)
    return target


def _write_full(spec: TrainSpec, checkpoint: Path, target: Path) -> None:
    base = spec.base_model
    dtype = stored_dtype(base.path) if base.base_path is None else merged_dtype(base.base_path)
    model = AutoModelForCausalLM.from_pretrained(
        checkpoint, dtype=dtype, local_files_only=True, trust_remote_code=False, use_safetensors=True
    )
    model.save_pretrained(target, max_shard_size=ONE_FILE)


def _write_merged(base: ModelFolder, checkpoint: Path, target: Path) -> None:
    start = load_speaker(base, dtype=torch.float32, device=torch.device("cpu"))
    merge_adapter(start.model, checkpoint).to(merged_dtype(base.whole)).save_pretrained(target, max_shard_size=ONE_FILE)


def _write_adapter(spec: TrainSpec, checkpoint: Path, target: Path) -> None:
    for name in ADAPTER_FILES:
        shutil.copyfile(checkpoint / name, target / name)
    config_path = target / ADAPTER_FILES[0]
    config = json.loads(config_path.read_text(encoding="utf-8"))
    # PEFT notes the folder the base was loaded from; that path means nothing on another machine.
    config["base_model_name_or_path"] = spec.base_model.name
    config_path.write_text(json.dumps(config, indent=2, sort_keys=True), encoding="utf-8")


def _card(spec: TrainSpec, state: RunState, results: Results) -> str:
    parameters = spec.hyperparameters
    method = (
        "every weight" if spec.method == "full" else f"a LoRA adapter of rank {getattr(parameters.lora, 'rank', 0)}"
    )
    if spec.method != "full" and spec.base_model.base_path is not None:
        method += ", merged into its weights"
    best = (
        "none (no validation rows)" if state.best_loss is None else f"{state.best_loss:.4f} at step {state.best_step}"
    )
    validation_rows = len(results.validate.items) if results.validate else 0
    settings = {
        "learning rate": f"{parameters.learning_rate:g} ({parameters.scheduler}, warm-up {parameters.warmup_ratio:g})",
        "batch": f"{parameters.batch_size} x {parameters.gradient_accumulation_steps}",
        "learns from": LEARNS_FROM[parameters.objective],
        "asked for": f"{parameters.max_steps:,} steps" if parameters.max_steps else f"{parameters.n_epochs:g} epochs",
        "optimiser": f"{parameters.optimizer}, weight decay {parameters.weight_decay:g}",
        "longest row": f"{parameters.max_length} tokens",
        "seed": str(parameters.seed),
        "ended by": "early stopping" if state.stopped_early else "the planned number of steps",
    }
    counts = {
        "training rows": len(results.learn.items),
        "training tokens": results.learn.tokens,
        "answer tokens learned from": results.learn.learned_tokens,
        "rows cut at the end": results.learn.truncated,
        "rows left out (no answer)": results.learn.nothing_to_learn,
        "validation rows": validation_rows,
    }
    return "\n".join(
        [
            f"# {spec.common.job}",
            "",
            f"A fine-tune of **{spec.base_model.name}** that changed {method}. {LOSSES[parameters.objective]}",
            "",
            *_table("data", {name: f"{count:,}" for name, count in counts.items()}),
            "",
            *_table("setting", settings),
            "",
            *_table(
                "result",
                {
                    "steps": f"{results.steps:,}",
                    "tokens trained on": f"{results.trained_tokens:,}",
                    "best validation loss": best,
                },
            ),
            "",
            "Verdict, scores, safety and limits came later: they stand in EVALUATION.md, which a download has beside this file.",
            "",
        ]
    )


def _table(head: str, cells: dict[str, str]) -> list[str]:
    return [f"| {head} | |", "| --- | --- |", *(f"| {name} | {value} |" for name, value in cells.items())]
