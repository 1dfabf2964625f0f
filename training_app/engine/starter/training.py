"""Trains the starter: Muon for the inner matrices, AdamW for the rest, one pass over generated text.

Knows no command line and writes nothing but the line it reports.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch.nn.functional import cross_entropy
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from training_app.engine.starter.corpus import documents
from training_app.engine.starter.packing import blocks, encode
from training_app.engine.starter.vocabulary import CONTEXT


@dataclass(frozen=True, slots=True)
class Plan:
    """How long and how large: tokens a step, steps on short blocks, then a few on whole contexts."""

    steps: int = 1000
    long_steps: int = 100
    block: int = 256
    rows: int = 16
    matrix_rate: float = 0.02
    other_rate: float = 3e-3
    warmup: int = 40
    hidden: int = 256
    layers: int = 4
    heads: int = 4
    inner: int = 704


def new_model(tokenizer: PreTrainedTokenizerFast, plan: Plan) -> LlamaForCausalLM:
    """A random Llama-shaped model with tied embeddings; draws from torch's global seed."""
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=plan.hidden,
        intermediate_size=plan.inner,
        num_hidden_layers=plan.layers,
        num_attention_heads=plan.heads,
        num_key_value_heads=plan.heads // 2,
        max_position_embeddings=CONTEXT,
        tie_word_embeddings=True,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    return LlamaForCausalLM(config)


def train(
    tokenizer: PreTrainedTokenizerFast, *, plan: Plan, seed: int, report: Callable[[str], None]
) -> LlamaForCausalLM:
    """The trained model in float32. The same seed, plan and thread count give the same weights."""
    torch.manual_seed(seed)
    model = new_model(tokenizer, plan)
    model.train()
    optimizers = _optimizers(model, plan)
    started, seen, smooth = time.monotonic(), 0, 0.0
    for step, (ids, weights) in enumerate(_batches(tokenizer, plan, seed)):
        share = rate_share(step, total=plan.steps + plan.long_steps, warmup=plan.warmup)
        loss = _step(model, optimizers, ids, weights, share)
        seen += ids.numel()
        smooth = loss if step == 0 else 0.95 * smooth + 0.05 * loss
        if step % 25 == 0:
            speed = seen / (time.monotonic() - started)
            report(f"step {step} of {plan.steps + plan.long_steps}, loss {smooth:.3f}, {speed:.0f} tokens a second")
    return model.eval()


def _batches(tokenizer: PreTrainedTokenizerFast, plan: Plan, seed: int) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Short blocks first (cheap), then whole contexts, so that late positions are trained too."""
    short = blocks(encode(tokenizer, documents(seed)), length=plan.block, rows=plan.rows)
    yield from (batch for _, batch in zip(range(plan.steps), short, strict=False))
    rows = max(1, plan.block * plan.rows // CONTEXT)
    long = blocks(encode(tokenizer, documents(seed + 1)), length=CONTEXT, rows=rows)
    yield from (batch for _, batch in zip(range(plan.long_steps), long, strict=False))


def rate_share(step: int, *, total: int, warmup: int) -> float:
    """Share of the full learning rate: linear warm-up, then a cosine down to a twentieth."""
    if step < warmup:
        return (step + 1) / warmup
    done = (step - warmup) / max(1, total - warmup)
    return 0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * done))


def _optimizers(model: LlamaForCausalLM, plan: Plan) -> list[torch.optim.Optimizer]:
    matrices = [p for name, p in model.named_parameters() if p.ndim == 2 and "embed" not in name]
    others = [p for name, p in model.named_parameters() if p.ndim != 2 or "embed" in name]
    return [
        torch.optim.Muon(matrices, lr=plan.matrix_rate, weight_decay=0.01, adjust_lr_fn="original"),
        torch.optim.AdamW(others, lr=plan.other_rate, betas=(0.9, 0.95), weight_decay=0.0),
    ]


def _step(
    model: LlamaForCausalLM,
    optimizers: list[torch.optim.Optimizer],
    ids: torch.Tensor,
    weights: torch.Tensor,
    share: float,
) -> float:
    with torch.autocast("cpu", dtype=torch.bfloat16):
        logits = model(input_ids=ids, use_cache=False).logits
    losses = cross_entropy(logits[:, :-1].float().flatten(0, 1), ids[:, 1:].flatten(), reduction="none")
    marks = weights[:, 1:].flatten()
    loss = (losses * marks).sum() / marks.sum()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group.setdefault("full_lr", group["lr"])
            group["lr"] = group["full_lr"] * share
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
    return float(loss.detach())
