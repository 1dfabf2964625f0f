"""Attention of one new token a row, for bfloat16 on CPUs, over keys that lie with their positions last.

PyTorch's own attention takes a single bfloat16 query against keys that lie row by row two to eight times longer than
two plain batched products take against keys that lie column by column. Everything else, prompts too, goes to it as
before. Registered with `transformers` under a name of its own; knows no cache and no model.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from transformers import AttentionInterface, AttentionMaskInterface, PreTrainedModel
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

NAME = "slots"
Attended = tuple[Tensor, Tensor | None]


def attend(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    **options: Any,
) -> Attended:
    """As `transformers` asks for it: query [rows, heads, queries, width], key and value [rows, groups, keys, width].

    Returns [rows, queries, heads, width]. Scores are rounded to bfloat16 before the softmax, as in its plain variant.
    """
    if query.shape[2] > 1 or key.is_contiguous() or attention_mask is None or _has_more(options):
        attended: Attended = sdpa_attention_forward(
            module, query, key.contiguous(), value, attention_mask, scaling=scaling, **options
        )
        return attended
    rows, heads, _, width = query.shape
    groups, length = key.shape[1], key.shape[2]
    scale = width**-0.5 if scaling is None else scaling
    asked = (query * scale).reshape(rows * groups, heads // groups, width)
    scores = torch.bmm(asked, key.transpose(2, 3).flatten(0, 1)).view(rows, groups, heads // groups, length)
    shares = scores.add_(attention_mask).softmax(dim=-1).view(rows * groups, heads // groups, length)
    return torch.bmm(shares, value.flatten(0, 1)).view(rows, 1, heads, value.shape[3]), None


def _has_more(options: dict[str, Any]) -> bool:
    """Whether a model asks for what is not done here: capped scores, sinks, biases by position."""
    return any(options.get(name) is not None for name in ("softcap", "s_aux", "position_bias")) or bool(
        options.get("dropout")
    )


def take_attention(model: PreTrainedModel) -> bool:
    """Have a model attend this way; whether keys should lie with their positions last. False where nothing is won."""
    if model.dtype is not torch.bfloat16 or model.device.type != "cpu":
        return False
    if not getattr(model, "_supports_attention_backend", False):
        return False
    AttentionInterface.register(NAME, attend)
    AttentionMaskInterface.register(NAME, sdpa_mask)
    model.set_attn_implementation(NAME)
    return True
