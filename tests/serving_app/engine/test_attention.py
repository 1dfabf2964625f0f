"""Attention of one new token a row gives what PyTorch's own gives, however long the rows and however the keys lie."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from transformers import LlamaConfig, LlamaForCausalLM
from transformers.integrations.sdpa_attention import sdpa_attention_forward

from serving_app.engine.attention import attend, take_attention
from serving_app.engine.cache import Placement, SlotCache
from serving_app.engine.forward import ForwardPass, PromptPiece

WIDTH, LENGTH = 16, 40


class _Layer(nn.Module):
    def __init__(self, groups: int) -> None:
        super().__init__()
        self.num_key_value_groups, self.is_causal = groups, True


def _states(*, heads: int, groups: int, queries: int = 1, rows: int = 5) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Queries, turned keys as the cache gives them, values and a mask in which row n sees n + 3 keys."""
    torch.manual_seed(0)
    query = torch.randn(rows, heads, queries, WIDTH).bfloat16()
    keys = torch.randn(rows + 2, groups, WIDTH, LENGTH + 9).bfloat16().transpose(2, 3)[:rows, :, :LENGTH]
    values = torch.randn(rows + 2, groups, LENGTH + 9, WIDTH).bfloat16()[:rows, :, :LENGTH]
    hidden = torch.arange(LENGTH) >= torch.arange(rows)[:, None] + 3
    mask = torch.zeros(rows, 1, queries, LENGTH, dtype=torch.bfloat16)
    return query, keys, values, mask.masked_fill_(hidden[:, None, None], torch.finfo(torch.bfloat16).min)


@pytest.mark.parametrize(("heads", "groups"), [(6, 2), (4, 4), (3, 1)])
@pytest.mark.parametrize("queries", [1, 4])
def test_it_attends_as_pytorch_does(heads: int, groups: int, queries: int) -> None:
    query, keys, values, mask = _states(heads=heads, groups=groups, queries=queries)
    layer = _Layer(heads // groups)
    expected, _ = sdpa_attention_forward(layer, query.float(), keys.float(), values.float(), mask.float(), scaling=0.3)
    found, _ = attend(layer, query, keys, values, mask, scaling=0.3)
    assert found.shape == expected.shape == (5, queries, heads, WIDTH)
    assert torch.allclose(found.float(), expected, atol=0.03)


def test_what_a_row_may_not_see_changes_nothing() -> None:
    query, keys, values, mask = _states(heads=6, groups=2)
    first, _ = attend(_Layer(3), query, keys, values, mask)
    keys[:, :, 8:] += 5
    values[:, :, 8:] += 5
    second, _ = attend(_Layer(3), query, keys, values, mask)
    assert torch.equal(first, second)


def _model(dtype: torch.dtype) -> LlamaForCausalLM:
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=97,
        hidden_size=48,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=6,
        num_key_value_heads=2,
    )
    return LlamaForCausalLM(config).to(dtype).eval()


def test_a_bfloat16_model_reads_in_pieces_and_writes_as_it_does_alone() -> None:
    model, plain = _model(torch.bfloat16), _model(torch.bfloat16)
    forward = ForwardPass(model)
    assert forward.cache.turned
    prompts = [list(range(1, 30)), list(range(40, 52))]
    forward.prefill([PromptPiece(0, 0, prompts[0][:9]), PromptPiece(1, 0, prompts[1])])
    forward.prefill([PromptPiece(0, 9, prompts[0][9:])])
    logits = forward.decode([5, 6], [len(prompt) for prompt in prompts])
    for row, (prompt, token) in enumerate(zip(prompts, (5, 6), strict=True)):
        with torch.inference_mode():
            expected = plain(input_ids=torch.tensor([[*prompt, token]]), use_cache=False).logits[0, -1]
        assert torch.allclose(logits[row].float(), expected.float(), atol=0.05)


def test_float32_models_keep_pytorchs_attention() -> None:
    model = _model(torch.float32)
    assert not take_attention(model)
    assert not ForwardPass(model).cache.turned


@torch.inference_mode()
@pytest.mark.parametrize("turned", [False, True])
def test_rows_are_copied_swapped_and_grown_however_the_keys_lie(turned: bool) -> None:
    cache = SlotCache(1, turned=turned)
    layer = cache.slot_layers[0]

    def put(row: int, states: Tensor) -> tuple[Tensor, Tensor]:
        length = states.shape[2]
        cache.reserve(rows=row + 1, length=length)
        cache.placement = Placement(torch.full((length,), row), torch.arange(length), None, slice(row, row + 1), length)
        return layer.update(states, states + 1)

    one, other = torch.randn(1, 2, 7, 4), torch.randn(1, 2, 200, 4)
    put(0, one)
    keys, values = put(1, other)
    assert torch.equal(keys, other) and torch.equal(values, other + 1)
    cache.swap(0, 1, length=7)
    cache.reserve(rows=3, length=7)
    cache.copy(1, 2, length=7)
    cache.placement = Placement(torch.arange(0), torch.arange(0), None, slice(1, 3), 7)
    keys, values = layer.update(torch.empty(0, 2, 0, 4), torch.empty(0, 2, 0, 4))
    for row in range(2):
        assert torch.equal(keys[row], one[0]) and torch.equal(values[row], one[0] + 1)
