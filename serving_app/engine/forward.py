"""Forward passes over rows of the slot cache: a batch of prompt pieces, or one new token for each running row.

Knows tensors and one model; refuses to know who is running and why.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor
from transformers import PreTrainedModel

from serving_app.engine.adapters import AdapterStack
from serving_app.engine.attention import take_attention
from serving_app.engine.cache import Placement, SlotCache
from serving_app.engine.memory import check_growth


@dataclass(frozen=True, slots=True)
class PromptPiece:
    """Part of a prompt for one row: its tokens go to positions `start`, `start` + 1 and so on. Adapter 0: none."""

    row: int
    start: int
    tokens: list[int]
    adapter: int = 0


class ForwardPass:
    """One model with its slot cache. Both calls return logits [rows, vocabulary] of each row's last token.

    The cache grows as long as the whole process stays within `memory_limit`, in bytes; None: the machine's.
    """

    def __init__(
        self, model: PreTrainedModel, adapters: AdapterStack | None = None, *, memory_limit: int | None = None
    ) -> None:
        self._model = model
        self._adapters = adapters or AdapterStack(model)
        self._blocked = torch.finfo(model.dtype).min
        self.cache = SlotCache(
            model.config.get_text_config().num_hidden_layers,
            turned=take_attention(model),
            check=partial(check_growth, limit=memory_limit),
        )

    @torch.inference_mode()
    def prefill(self, pieces: list[PromptPiece]) -> Tensor:
        """Work through prompt pieces of any lengths, padded on the left so that every row's last token is last."""
        width = max(len(piece.tokens) for piece in pieces)
        length = max(piece.start + len(piece.tokens) for piece in pieces)
        tokens = torch.tensor([[0] * (width - len(piece.tokens)) + piece.tokens for piece in pieces])
        starts = torch.tensor([piece.start + len(piece.tokens) - width for piece in pieces])
        pads = torch.tensor([width - len(piece.tokens) for piece in pieces])
        columns = torch.arange(width)
        positions = (starts[:, None] + columns).clamp(min=0)
        real = (columns >= pads[:, None]).flatten().nonzero().flatten()
        rows = torch.tensor([piece.row for piece in pieces])
        placement = Placement(
            rows=rows.repeat_interleave(width)[real],
            positions=positions.flatten()[real],
            real=None if len(real) == tokens.numel() else real,
            read=_as_slice(rows),
            length=length,
        )
        self.cache.reserve(rows=int(rows.max()) + 1, length=length)
        with self._adapters.rows([piece.adapter for piece in pieces]):
            return self._run(tokens, positions, placement)

    @torch.inference_mode()
    def decode(self, tokens: list[int], positions: list[int], adapters: list[int] | None = None) -> Tensor:
        """One step for rows 0, 1, 2 and so on: each row's newest token at its own position, with its adapter."""
        count, length = len(tokens), max(positions) + 1
        self.cache.reserve(rows=count, length=length)
        places = torch.tensor(positions)
        placement = Placement(torch.arange(count), places, None, slice(0, count), length)
        with self._adapters.rows(adapters or [0] * count):
            return self._run(torch.tensor(tokens)[:, None], places[:, None], placement)

    def _run(self, tokens: Tensor, positions: Tensor, placement: Placement) -> Tensor:
        self.cache.placement = placement
        # Adding a ready mask of the model's own type spares every layer a conversion from booleans. The lowest
        # finite number instead of minus infinity keeps padding rows, which see nothing real, free of NaN.
        hidden = torch.arange(placement.length) > positions[:, :, None]
        mask = torch.zeros(hidden.shape, dtype=self._model.dtype).masked_fill_(hidden, self._blocked)
        output = self._model(
            input_ids=tokens,
            position_ids=positions,
            attention_mask=mask[:, None],
            past_key_values=self.cache,
            use_cache=True,
            logits_to_keep=1,
        )
        logits: Tensor = output.logits
        return logits[:, -1]


def _as_slice(rows: Tensor) -> slice | Tensor:
    """A slice where rows follow one another: attention then reads the cache in place instead of a copy."""
    first, count = int(rows[0]), len(rows)
    return slice(first, first + count) if bool((rows == torch.arange(first, first + count)).all()) else rows
