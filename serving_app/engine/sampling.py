"""Logits to tokens for a whole batch at once, each row by its own wishes and its own random stream.

Refuses to know models, text and requests: it sees numbers. A row's draw depends on its seed, its own earlier draws
and its logits, never on which other rows share the batch.
"""

from __future__ import annotations

from collections.abc import Sequence as Rows
from dataclasses import dataclass, field

import torch
from torch import Tensor

from serving_app.engine.grammar import Grammar
from serving_app.engine.params import SamplingParams, TokenLogprob


@dataclass(slots=True)
class SamplerRow:
    """Sampling state of one sequence: its wishes, its random stream, how often each token was drawn."""

    params: SamplingParams
    generator: torch.Generator
    grammar: Grammar | None = None
    counts: dict[int, int] = field(default_factory=dict)

    @classmethod
    def start(cls, params: SamplingParams, *, choice: int, grammar: Grammar | None = None) -> SamplerRow:
        """State for choice number `choice` of a request; the same seed and choice give the same draws."""
        generator = torch.Generator()
        if params.seed is None:
            generator.seed()
        else:
            generator.manual_seed((params.seed * 1_000_003 + choice) % 2**63)
        return cls(params, generator, grammar)

    @property
    def plain(self) -> bool:
        """Whether the logits can be used as the model gave them and nothing is asked about them."""
        params = self.params
        changed = params.penalized or bool(params.logit_bias) or self.grammar is not None
        return not changed and params.logprobs is None


def sample(logits: Tensor, rows: Rows[SamplerRow]) -> tuple[list[int], list[TokenLogprob | None]]:
    """Draw one token a row from `logits` [rows, vocabulary].

    Returns the tokens and, where asked for, their log probabilities. Counts of the rows are updated.
    """
    if all(row.params.greedy and row.plain for row in rows):
        # In float32, since torch looks for the largest bfloat16 one number at a time.
        return logits.float().argmax(dim=-1).tolist(), [None] * len(rows)
    raw = logits.float()
    adjusted = _adjust(raw, rows)
    tokens = _draw(adjusted, rows)
    for row, token in zip(rows, tokens, strict=True):
        if row.params.penalized:
            row.counts[token] = row.counts.get(token, 0) + 1
        if row.grammar is not None:
            row.grammar.take(token)
    return tokens, _logprobs(raw, rows, tokens)


def _adjust(raw: Tensor, rows: Rows[SamplerRow]) -> Tensor:
    """Logits with biases, penalties and grammars; a copy only when some row has any."""
    if not any(row.params.penalized or row.params.logit_bias or row.grammar for row in rows):
        return raw
    adjusted = raw.clone()
    for index, row in enumerate(rows):
        if row.params.logit_bias:
            _add(adjusted[index], list(row.params.logit_bias), list(row.params.logit_bias.values()))
        if row.params.penalized and row.counts:
            _add(adjusted[index], list(row.counts), [-_penalty(row.params, count) for count in row.counts.values()])
        if row.grammar is not None and row.grammar.problem is None:
            adjusted[index].masked_fill_(row.grammar.forbidden(), -torch.inf)
    return adjusted


def _add(logits: Tensor, tokens: list[int], amounts: list[float]) -> None:
    """Add amounts to single logits in place; `tokens` are distinct."""
    logits[torch.tensor(tokens)] += torch.tensor(amounts)


def _penalty(params: SamplingParams, count: int) -> float:
    return count * params.frequency_penalty + params.presence_penalty


def _draw(logits: Tensor, rows: Rows[SamplerRow]) -> list[int]:
    """Greedy rows take the largest logit; the others draw by inverse transform from their own random stream."""
    tokens: list[int] = logits.argmax(dim=-1).tolist()
    picked = [index for index, row in enumerate(rows) if not row.params.greedy]
    if not picked:
        return tokens
    chosen = [rows[index] for index in picked]
    temperatures = torch.tensor([max(row.params.temperature, 1e-4) for row in chosen])
    probabilities = torch.softmax(logits[picked] / temperatures[:, None], dim=-1)
    nucleus = [at for at, row in enumerate(chosen) if row.params.top_p < 1.0]
    if nucleus:
        limits = torch.tensor([chosen[at].params.top_p for at in nucleus])
        probabilities[nucleus] = keep_nucleus(probabilities[nucleus], limits)
    draws = torch.stack([torch.rand(1, generator=row.generator, dtype=torch.float64) for row in chosen])
    for index, token in zip(picked, invert(probabilities, draws), strict=True):
        tokens[index] = token
    return tokens


def keep_nucleus(probabilities: Tensor, limits: Tensor) -> Tensor:
    """Zero all but the smallest set of likeliest tokens whose mass reaches the row's limit (Holtzman et al. 2020).

    `probabilities` [rows, vocabulary], `limits` [rows]; the likeliest token always stays. Not normalised again.
    """
    ordered, order = probabilities.sort(dim=-1, descending=True)
    before = ordered.cumsum(dim=-1) - ordered
    kept = torch.where(before < limits[:, None], ordered, 0.0)
    kept[:, 0] = ordered[:, 0]
    return torch.zeros_like(probabilities).scatter_(-1, order, kept)


def invert(probabilities: Tensor, draws: Tensor) -> list[int]:
    """Tokens where the running sum of `probabilities` [rows, vocabulary] passes `draws` [rows, 1] in [0, 1).

    The sums need not be 1: draws are scaled to each row's total. A token of probability 0 is never drawn.
    """
    running = probabilities.cumsum(dim=-1, dtype=torch.float64)
    found = torch.searchsorted(running, draws * running[:, -1:], right=True)
    last = probabilities.shape[-1] - 1
    return [int(at) if at <= last else int(probabilities[row].argmax()) for row, (at,) in enumerate(found.tolist())]


def _logprobs(raw: Tensor, rows: Rows[SamplerRow], tokens: list[int]) -> list[TokenLogprob | None]:
    results: list[TokenLogprob | None] = [None] * len(rows)
    for index, (row, token) in enumerate(zip(rows, tokens, strict=True)):
        if row.params.logprobs is None:
            continue
        scores = torch.log_softmax(raw[index], dim=-1)
        values, places = scores.topk(min(row.params.logprobs, scores.shape[-1]))
        top = tuple(zip(places.tolist(), values.tolist(), strict=True))
        results[index] = TokenLogprob(token, float(scores[token]), top)
    return results
