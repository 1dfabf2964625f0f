"""Two ways to train by hand what `bench/training_speed.py` lets the engine train, each told by the engine's own spec.

`python bench/training_peers.py trl|bare SPEC` prints a line `first step` once the first optimiser step is done and
writes the final weights to a folder `model` beside the spec.

- trl: `SFTTrainer` with the spec's hyperparameters and cadence of evaluations and checkpoints, its defaults otherwise
  (among these, activations are worked out twice to save memory). Precision is the spec's, float32.
- bare: a loop in PyTorch over shuffled, padded batches with the library's loss; it evaluates as often, leaves no
  checkpoint and saves the final weights.
"""

from __future__ import annotations

import json
import math
import random
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, set_seed

IGNORED = -100


def conversations(path: str) -> list[list[dict[str, str]]]:
    """The messages of a split."""
    found: list[list[dict[str, str]]] = pq.read_table(path, columns=["messages"]).column(0).to_pylist()
    return found


def first_step() -> None:
    """What the bench waits for."""
    print("first step", flush=True)


def with_trl(spec: dict[str, Any], folder: Path) -> None:
    """TRL as its guide shows it."""
    from datasets import Dataset
    from peft import LoraConfig
    from transformers import TrainerCallback
    from trl import SFTConfig, SFTTrainer

    class Tell(TrainerCallback):  # type: ignore[misc]
        """Says when the first step is done."""

        def on_step_end(self, _args: Any, state: Any, _control: Any, **_: Any) -> None:
            if state.global_step == 1:
                first_step()

    asked = spec["hyperparameters"]
    lora = asked["lora"]
    trainer = SFTTrainer(
        model=AutoModelForCausalLM.from_pretrained(spec["base_model"]["path"], dtype=torch.float32),
        processing_class=AutoTokenizer.from_pretrained(spec["base_model"]["path"]),
        train_dataset=Dataset.from_dict({"messages": conversations(spec["data"]["train"])}),
        eval_dataset=Dataset.from_dict({"messages": conversations(spec["data"]["validation"])}),
        peft_config=LoraConfig(
            r=lora["rank"], lora_alpha=lora["alpha"], lora_dropout=lora["dropout"], target_modules="all-linear"
        )
        if spec["method"] == "lora"
        else None,
        callbacks=[Tell()],
        args=SFTConfig(
            output_dir=str(folder / "checkpoints"),
            per_device_train_batch_size=asked["batch_size"],
            per_device_eval_batch_size=asked["batch_size"],
            gradient_accumulation_steps=asked["gradient_accumulation_steps"],
            num_train_epochs=asked["n_epochs"],
            learning_rate=asked["learning_rate"],
            weight_decay=asked["weight_decay"],
            warmup_steps=asked["warmup_ratio"],
            lr_scheduler_type=asked["scheduler"],
            max_grad_norm=asked["max_grad_norm"],
            max_length=asked["max_length"],
            seed=asked["seed"],
            eval_strategy="steps",
            eval_steps=asked["eval_steps"],
            save_steps=asked["save_steps"],
            assistant_only_loss=True,
            bf16=False,
            use_cpu=True,
            dataloader_pin_memory=False,
            report_to=[],
        ),
    )
    trainer.train()
    trainer.save_model(str(folder / "model"))


def examples(path: str, tokenizer: Any, most: int) -> list[tuple[list[int], list[int]]]:
    """Token ids and labels of each conversation; only answers are learned."""
    made = tokenizer.apply_chat_template(
        conversations(path), tokenize=True, return_dict=True, return_assistant_tokens_mask=True
    )
    return [
        (ids[:most], [token if own else IGNORED for token, own in zip(ids, mask, strict=True)][:most])
        for ids, mask in zip(made["input_ids"], made["assistant_masks"], strict=True)
    ]


def padded(rows: list[tuple[list[int], list[int]]], fill: int) -> dict[str, torch.Tensor]:
    """A batch: `input_ids`, `attention_mask` and `labels`, each (rows, longest)."""
    width = max(len(ids) for ids, _ in rows)
    return {
        "input_ids": torch.tensor([ids + [fill] * (width - len(ids)) for ids, _ in rows]),
        "attention_mask": torch.tensor([[1] * len(ids) + [0] * (width - len(ids)) for ids, _ in rows]),
        "labels": torch.tensor([labels + [IGNORED] * (width - len(labels)) for _, labels in rows]),
    }


def bare(spec: dict[str, Any], folder: Path) -> None:
    """No trainer: forward, backward, clip, step. Full fine-tunes without accumulation only."""
    asked = spec["hyperparameters"]
    size, fill_from = asked["batch_size"], spec["base_model"]["path"]
    tokenizer = AutoTokenizer.from_pretrained(fill_from)
    model = AutoModelForCausalLM.from_pretrained(fill_from, dtype=torch.float32)
    learn = examples(spec["data"]["train"], tokenizer, asked["max_length"])
    held_out = examples(spec["data"]["validation"], tokenizer, asked["max_length"])
    steps = math.ceil(len(learn) / size) * asked["n_epochs"]
    warm = math.ceil(steps * asked["warmup_ratio"])

    def rate(step: int) -> float:
        """Linear warm-up, then a cosine to nothing."""
        if step < warm:
            return step / max(1, warm)
        return 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, steps - warm)))

    optimizer = torch.optim.AdamW(
        model.parameters(), lr=asked["learning_rate"], weight_decay=asked["weight_decay"], fused=True
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, rate)
    draw = random.Random(asked["seed"])
    step = 0
    model.train()
    for _ in range(asked["n_epochs"]):
        order = draw.sample(range(len(learn)), len(learn))
        for start in range(0, len(order), size):
            batch = padded([learn[number] for number in order[start : start + size]], tokenizer.pad_token_id)
            model(**batch, use_cache=False).loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), asked["max_grad_norm"])
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
            step += 1
            if step == 1:
                first_step()
            if step % asked["eval_steps"] == 0:
                model.eval()
                with torch.no_grad():
                    for place in range(0, len(held_out), size):
                        model(**padded(held_out[place : place + size], tokenizer.pad_token_id), use_cache=False)
                model.train()
    model.save_pretrained(folder / "model")
    tokenizer.save_pretrained(folder / "model")


def main() -> int:
    """Train one spec in one way."""
    way, path = sys.argv[1], Path(sys.argv[2])
    spec = json.loads(path.read_text())
    torch.set_num_threads(spec["threads"])
    set_seed(spec["hyperparameters"]["seed"])
    {"trl": with_trl, "bare": bare}[way](spec, path.parent)
    return 0


if __name__ == "__main__":
    sys.exit(main())
