"""What training benches train: chats of mixed length, written by a seed, and random Llama-shaped models."""

from __future__ import annotations

import random
import tomllib
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

ROOT = Path(__file__).parents[1]
STARTER = ROOT / "training_app" / "engine" / "starter" / "model"
WORDS = ROOT / "training_app" / "engine" / "starter" / "bank"
# SmolLM2-135M's shape.
SHAPE_135M = {
    "vocab_size": 49152, "hidden_size": 576, "intermediate_size": 1536, "num_hidden_layers": 30,
    "num_attention_heads": 9, "num_key_value_heads": 3, "max_position_embeddings": 2048,
}  # fmt: skip
SHAPE_TINY = {
    "hidden_size": 64, "intermediate_size": 160, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "max_position_embeddings": 512, "attention_dropout": 0.1,
}  # fmt: skip
MESSAGE = pa.struct([("role", pa.string()), ("content", pa.string())])


def words() -> list[str]:
    """Words of the texts that the starter learned from."""
    found: set[str] = set()
    for path in sorted(WORDS.glob("*.toml")):
        found.update(_spoken(tomllib.loads(path.read_text(encoding="utf-8"))))
    return sorted(found)


def _spoken(value: Any) -> set[str]:
    if isinstance(value, str):
        return {word for word in value.split() if word.isalpha()}
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return {word for each in inside for word in _spoken(each)}


def chats(rows: int, *, seed: int, turns: int = 3) -> list[list[dict[str, str]]]:
    """Conversations of one to `turns` questions; lengths are spread as people's are, most short and some ten times so."""
    known, draw = words(), random.Random(seed)

    def said(middle: float) -> str:
        length = min(150, max(2, round(draw.lognormvariate(middle, 0.8))))
        return " ".join(draw.choices(known, k=length))

    return [
        [
            {"role": role, "content": said(middle)}
            for _ in range(draw.randint(1, turns))
            for role, middle in (("user", 2.3), ("assistant", 3.0))
        ]
        for _ in range(rows)
    ]


def write_split(path: Path, rows: list[list[dict[str, str]]]) -> Path:
    """A split as versions hold them."""
    numbers = pa.array(range(len(rows)), pa.int64())
    columns = {
        "row_id": numbers,
        "file": pa.array(["chats.jsonl"] * len(rows)),
        "row": numbers,
        "messages": pa.array(rows, pa.list_(MESSAGE)),
        "label": pa.nulls(len(rows), pa.string()),
    }
    pq.write_table(pa.table(columns), path)
    return path


def random_model(folder: Path, shape: dict[str, Any], *, seed: int = 1) -> Path:
    """A model of this shape with random weights and the starter's tokenizer and template."""
    import torch
    from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

    tokenizer = AutoTokenizer.from_pretrained(STARTER, local_files_only=True)
    torch.manual_seed(seed)
    ids = {"bos_token_id": tokenizer.bos_token_id, "eos_token_id": tokenizer.eos_token_id}
    size = {"vocab_size": len(tokenizer), **shape}
    config = LlamaConfig(**size, **ids, pad_token_id=tokenizer.pad_token_id, tie_word_embeddings=True)
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def train_spec(
    *, job: str, model: Path, train: Path, validation: Path, method: str = "full", **hyperparameters: Any
) -> dict[str, Any]:
    """A whole training spec for the engine."""
    return {
        "v": 1,
        "kind": "train",
        "job": job,
        "attempt": 1,
        "base_model": {"name": model.name, "path": str(model)},
        "data": {"train": str(train), "validation": str(validation)},
        "method": method,
        "hyperparameters": {
            "learning_rate": 1e-3, "batch_size": 8, "gradient_accumulation_steps": 1, "n_epochs": 1,
            "optimizer": "adamw", "weight_decay": 0.01, "warmup_ratio": 0.1, "scheduler": "cosine",
            "max_grad_norm": 1.0, "max_length": 512, "seed": 7, "early_stopping_patience": 0,
            "early_stopping_min_delta": 0.0, "eval_steps": 1000, "save_steps": 1000,
            "lora": {"rank": 8, "alpha": 16, "dropout": 0.1},
        }
        | hyperparameters,
        "device": "cpu",
        "threads": 2,
    }  # fmt: skip
