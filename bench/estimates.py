"""How far off the estimate before a start is: ten varied runs, each estimated, then done, in processes of their own.

`python bench/estimates.py [NAME…]` → bench/results/estimates.json. With names only these runs are done again; the
others keep their last result. Time is of the whole training process, from its start to its model folder; memory is its
peak. The engine's `estimate` sees the same spec as `train`, and nothing of what `train` took.
"""

from __future__ import annotations

import json
import math
import random
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from training_app.estimates import plan_of, project  # noqa: E402 - the folder must be known first

RESULTS = Path(__file__).with_name("results") / "estimates.json"
STARTER = ROOT / "training_app" / "engine" / "starter" / "model"
WORDS = ("please", "where", "parcel", "order", "refund", "account", "card", "late", "number", "help", "the", "address")
SETTINGS: dict[str, Any] = {
    "learning_rate": 0.0005, "batch_size": 8, "gradient_accumulation_steps": 1, "n_epochs": 1, "optimizer": "adamw",
    "weight_decay": 0.01, "warmup_ratio": 0.1, "scheduler": "cosine", "max_grad_norm": 1.0, "max_length": 512, "seed": 1,
    "early_stopping_patience": 0, "early_stopping_min_delta": 0.0, "eval_steps": 60, "save_steps": 60,
    "lora": {"rank": 16, "alpha": 32, "dropout": 0.05},
}  # fmt: skip
SHAPES = {
    "12M": {"hidden_size": 320, "intermediate_size": 960, "num_hidden_layers": 8, "num_attention_heads": 5},
    "40M": {"hidden_size": 576, "intermediate_size": 1536, "num_hidden_layers": 11, "num_attention_heads": 9},
}


@dataclass(frozen=True, slots=True)
class Run:
    """One run: a model, its rows (how many, words in the middle one), and what differs from SETTINGS."""

    name: str
    model: str
    rows: int
    words: int
    method: str = "full"
    settings: dict[str, Any] = field(default_factory=dict)


RUNS = (
    Run("starter, batch 8", "starter", 3000, 30, settings={"n_epochs": 2}),
    Run("starter, batch 32, long rows", "starter", 1600, 120, settings={"batch_size": 32}),
    Run("starter, LoRA", "starter", 3000, 40, "lora", {"n_epochs": 2, "batch_size": 16}),
    Run(
        "starter, RMSprop, accumulation", "starter", 2400, 50,
        settings={"batch_size": 4, "gradient_accumulation_steps": 4, "optimizer": "rmsprop"},
    ),
    Run("starter, looked at often", "starter", 2000, 30, settings={"eval_steps": 20, "save_steps": 10}),
    Run("12 M, batch 8", "12M", 700, 40),
    Run("12 M, LoRA, batch 16", "12M", 800, 60, "lora", {"batch_size": 16}),
    Run("12 M, batch 2, long rows", "12M", 220, 160, settings={"batch_size": 2, "eval_steps": 40}),
    Run("40 M, batch 4", "40M", 220, 40, settings={"batch_size": 4, "eval_steps": 30, "save_steps": 30}),
    Run("40 M, LoRA, long rows", "40M", 160, 120, "lora", {"batch_size": 4, "eval_steps": 20, "save_steps": 20}),
)  # fmt: skip


def model_folder(name: str, folder: Path) -> Path:
    """The starter, or a random model of another size that reads with its tokenizer."""
    if name == "starter":
        return STARTER
    import torch
    from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

    target = folder / name
    if not target.exists():
        torch.manual_seed(0)
        tokenizer = AutoTokenizer.from_pretrained(STARTER)
        ends = {"eos_token_id": tokenizer.eos_token_id, "pad_token_id": tokenizer.pad_token_id, "bos_token_id": None}
        config = LlamaConfig(vocab_size=8192, max_position_embeddings=1024, **SHAPES[name], **ends)
        LlamaForCausalLM(config).save_pretrained(target)
        tokenizer.save_pretrained(target)
    return target


def write_rows(path: Path, rows: int, words: int, *, seed: int) -> Path:
    """Chats whose lengths spread as those of people do."""
    rng = random.Random(seed)

    def text(middle: float) -> str:
        return " ".join(rng.choices(WORDS, k=max(2, min(400, round(rng.lognormvariate(math.log(middle), 0.6))))))

    records = [
        {
            "row_id": number,
            "file": "rows.csv",
            "row": number,
            "messages": [
                {"role": "user", "content": text(words * 0.6)},
                {"role": "assistant", "content": text(words * 0.4)},
            ],
        }
        for number in range(rows)
    ]
    pq.write_table(pa.Table.from_pylist(records), path)
    return path


def engine(command: str, spec: dict[str, Any], folder: Path) -> None:
    """Run the engine as the studio does."""
    folder.mkdir()
    (folder / "spec.json").write_text(json.dumps({**spec, "kind": command}))
    argv = [sys.executable, "-m", "training_app.engine", command, str(folder / "spec.json")]
    with (folder / "stderr").open("wb") as log:
        done = subprocess.run(argv, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=log, check=False)
    if done.returncode:
        raise SystemExit(f"{command} ended with {done.returncode}: {(folder / 'stderr').read_text()[-2000:]}")


def measure(run: Run, folder: Path, models: Path) -> dict[str, Any]:
    """Estimate a run, do it, and say how far off the estimate was."""
    settings = {**SETTINGS, **run.settings}
    splits = {
        name: str(write_rows(folder / f"{name}.parquet", count, run.words, seed=seed))
        for seed, (name, count) in enumerate((("train", run.rows), ("validation", max(20, run.rows // 10))))
    }
    spec = {
        "v": 1, "job": "ftjob-bench", "attempt": 1, "device": "cpu", "threads": 2, "method": run.method,
        "base_model": {"name": run.model, "path": str(model_folder(run.model, models))},
        "data": splits, "hyperparameters": settings,
    }  # fmt: skip
    engine("estimate", spec, folder / "estimate")
    tried = json.loads((folder / "estimate" / "estimate.json").read_text())
    plan = plan_of(rows=run.rows, hyperparameters=settings, has_validation=True)
    expected = project(tried, plan=plan)
    engine("train", spec, folder / "train")
    events = [json.loads(line) for line in (folder / "train" / "events.jsonl").read_text().splitlines()]
    usage = next(each["data"] for each in events if each["kind"] == "usage")
    return {
        "name": run.name,
        "steps": plan.steps,
        "steps_tried": tried["steps_tried"],
        "expected_seconds": round(expected.seconds, 1),
        "seconds": usage["seconds"],
        "time_error": round(abs(expected.seconds / usage["seconds"] - 1), 3),
        "expected_mb": expected.memory_bytes // 10**6,
        "mb": usage["memory_bytes"] // 10**6,
        "memory_error": round(abs(expected.memory_bytes / usage["memory_bytes"] - 1), 3),
    }


def main() -> int:
    """The chosen runs, or all; ends with 1 where an estimate was off by more than a fifth."""
    chosen = sys.argv[1:] or [run.name for run in RUNS]
    earlier = json.loads(RESULTS.read_text())["runs"] if RESULTS.exists() and sys.argv[1:] else []
    found = {each["name"]: each for each in earlier}
    with tempfile.TemporaryDirectory(prefix="studio-estimates-") as home:
        for run in (each for each in RUNS if each.name in chosen):
            with tempfile.TemporaryDirectory(dir=home) as folder:
                found[run.name] = measure(run, Path(folder), Path(home))
            print(found[run.name], flush=True)
    runs = [found[run.name] for run in RUNS if run.name in found]
    worst = {each: max(run[f"{each}_error"] for run in runs) for each in ("time", "memory")}
    RESULTS.write_text(json.dumps({"bar": 0.2, "worst": worst, "runs": runs}, indent=1) + "\n")
    return int(max(worst.values()) > 0.2)


if __name__ == "__main__":
    sys.exit(main())
