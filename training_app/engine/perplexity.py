"""What a model loses on answer tokens, row by row. Knows no generation and no other metric."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch.nn.functional import cross_entropy

from training_app.engine.data import IGNORED, Example
from training_app.engine.losses import parts
from training_app.engine.model import Speaker

MOST_ROWS_PER_BATCH = 32
# So many logits at a time, one per vocabulary entry and position (float32: 256 MiB); a longer row is taken in parts.
MOST_LOGITS = 64 * 1024 * 1024


def answer_losses(
    speaker: Speaker,
    examples: Sequence[Example],
    *,
    on_progress: Callable[[int], None],
    most: int = MOST_ROWS_PER_BATCH,
) -> list[tuple[float, int]]:
    """For each row the negative log-likelihood (nats) of its answer tokens, and how many they are; `most` rows at a time.

    Cross-entropy is taken in float32 whatever format the model runs in.
    """
    found = [(0.0, 0)] * len(examples)
    lengths = [len(example.input_ids) for example in examples]
    budget = max(1, MOST_LOGITS // int(speaker.model.config.vocab_size))

    def work(batch: list[int]) -> None:
        for index, loss in zip(batch, _losses(speaker, [examples[index] for index in batch]), strict=True):
            found[index] = loss
        on_progress(len(batch))

    speaker.room.take(lengths, token_budget=budget, most=most, work=work)
    return found


def _losses(speaker: Speaker, batch: Sequence[Example]) -> list[tuple[float, int]]:
    width = max(len(example.input_ids) for example in batch)
    pad = int(speaker.tokenizer.pad_token_id)
    device = speaker.model.device
    ids = torch.tensor([example.input_ids + [pad] * (width - len(example.input_ids)) for example in batch])
    mask = torch.tensor([[1] * len(e.input_ids) + [0] * (width - len(e.input_ids)) for e in batch])
    labels = torch.tensor([example.labels + [IGNORED] * (width - len(example.labels)) for example in batch])
    total = torch.zeros(len(batch), dtype=torch.float64)
    with torch.inference_mode():
        for rows, positions in parts(labels, vocabulary=int(speaker.model.config.vocab_size), most=MOST_LOGITS):
            logits = logits_at(speaker.model, ids[rows].to(device), mask[rows].to(device), positions.to(device))
            targets = labels[rows][:, positions + 1].to(device)
            chosen = targets != IGNORED
            each = torch.zeros(targets.shape, dtype=torch.float32, device=device)
            each[chosen] = cross_entropy(logits[chosen].float(), targets[chosen], reduction="none")
            total[rows] += each.double().sum(dim=1).cpu()
    return list(zip(total.tolist(), (labels[:, 1:] != IGNORED).sum(dim=1).tolist(), strict=True))


def logits_at(model: Any, ids: torch.Tensor, mask: torch.Tensor, positions: torch.Tensor) -> torch.Tensor:
    """Logits at the positions alone; a model that cannot leave the others out builds all and drops them."""
    # Told by what it offers: PEFT takes half a second to load, and most models that come here know nothing of it.
    bare = model.get_base_model() if hasattr(model, "get_base_model") else model
    asked = {"input_ids": ids, "attention_mask": mask, "use_cache": False}
    if "logits_to_keep" in inspect.signature(type(bare).forward).parameters:
        kept: torch.Tensor = model(**asked, logits_to_keep=positions).logits
        return kept
    logits: torch.Tensor = model(**asked).logits
    return logits[:, positions]
