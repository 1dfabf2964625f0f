"""Losses over the tokens of answers. Knows no trainer and no data set."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch.nn.functional import cross_entropy, log_softmax, logsigmoid

from training_app.engine.data import IGNORED


def answer_positions(labels: torch.Tensor) -> torch.Tensor:
    """Positions, ascending, whose next token is an answer token in at least one row of `labels` (rows x length)."""
    return (labels[:, 1:] != IGNORED).any(dim=0).nonzero().flatten()


def parts(labels: torch.Tensor, *, vocabulary: int, most: int) -> Iterator[tuple[slice, torch.Tensor]]:
    """Rows and answer positions of a batch in parts, so that none needs more than `most` logits at once."""
    positions = answer_positions(labels)
    rows = max(1, most // max(1, len(positions) * vocabulary))
    for start in range(0, len(labels), rows):
        for some in torch.split(positions, max(1, most // vocabulary)):
            yield slice(start, start + rows), some


def answer_loss(
    logits: torch.Tensor,
    targets: torch.Tensor,
    weights: torch.Tensor | None = None,
    *,
    count: Any = None,
    smoothing: float = 0.0,
) -> torch.Tensor:
    """Sum of cross-entropy over the answer tokens, divided by their number (`count`: that of the whole step).

    With `weights`, one a row (rows x positions), each row's part is scaled. Dividing by the number, and not by the sum
    of weights, keeps a step independent of what else is in it.
    """
    chosen = targets != IGNORED
    number = chosen.sum() if count is None else count
    if weights is None:
        total = cross_entropy(logits[chosen].float(), targets[chosen], reduction="sum", label_smoothing=smoothing)
        return total / number
    losses = cross_entropy(logits[chosen].float(), targets[chosen], reduction="none", label_smoothing=smoothing)
    each = weights.to(losses.device)[:, None].expand(targets.shape)[chosen]
    return (each * losses).sum() / number


def answer_log_probabilities(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """The log-probability of each row's answer tokens, summed (rows x positions in, rows out)."""
    chosen = targets != IGNORED
    each = log_softmax(logits.float(), dim=-1).gather(-1, targets.clamp(min=0)[..., None])[..., 0]
    return (each * chosen).sum(dim=1)


def preference_loss(
    preferred: torch.Tensor,
    other: torch.Tensor,
    reference_preferred: torch.Tensor,
    reference_other: torch.Tensor,
    *,
    beta: float,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Direct preference optimisation (Rafailov et al., 2023): the loss of each pair, and its margin.

    All arguments are log-probabilities of whole answers, by the model that learns and by the base model. A margin above
    0 means that the model has moved towards the preferred answer.
    """
    margin = beta * ((preferred - reference_preferred) - (other - reference_other))
    return -logsigmoid(margin), margin
