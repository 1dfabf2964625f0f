"""Perplexity over answer tokens. Knows no generation and no other metric."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch.nn.functional import cross_entropy

from training_app.engine.batching import batches_by_tokens
from training_app.engine.data import IGNORED, Example
from training_app.engine.model import Speaker

MOST_ROWS_PER_BATCH = 32
# Logits are float32, one per vocabulary entry and position: this many bytes of them at a time.
LOGIT_BYTES = 256 * 1024 * 1024


def answer_perplexity(
    speaker: Speaker, examples: Sequence[Example], *, on_progress: Callable[[int], None]
) -> float | None:
    """exp of the mean negative log-likelihood (nats) of all answer tokens of all rows, each token weighing the same.

    None when there is no answer token. Cross-entropy is taken in float32 whatever format the model runs in.
    """
    total, count = 0.0, 0
    lengths = [len(example.input_ids) for example in examples]
    budget = max(1, LOGIT_BYTES // (4 * int(speaker.model.config.vocab_size)))
    for batch in batches_by_tokens(lengths, token_budget=budget, most=MOST_ROWS_PER_BATCH):
        loss, tokens = _sum_loss(speaker, [examples[index] for index in batch])
        total, count = total + loss, count + tokens
        on_progress(len(batch))
    return math.exp(min(total / count, 700.0)) if count else None


def _sum_loss(speaker: Speaker, batch: Sequence[Example]) -> tuple[float, int]:
    width = max(len(example.input_ids) for example in batch)
    pad = int(speaker.tokenizer.pad_token_id)
    device = speaker.model.device
    ids = torch.tensor([example.input_ids + [pad] * (width - len(example.input_ids)) for example in batch])
    mask = torch.tensor([[1] * len(e.input_ids) + [0] * (width - len(e.input_ids)) for e in batch])
    labels = torch.tensor([example.labels + [IGNORED] * (width - len(example.labels)) for example in batch])
    with torch.inference_mode():
        logits = speaker.model(input_ids=ids.to(device), attention_mask=mask.to(device)).logits
        targets = labels[:, 1:].to(device)
        chosen = targets != IGNORED
        loss = cross_entropy(logits[:, :-1][chosen].float(), targets[chosen], reduction="sum")
    return float(loss), int(chosen.sum())
