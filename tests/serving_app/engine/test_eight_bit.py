"""Weights of eight bits: near the plain ones, smaller, and served like any others."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import torch
from torch import nn
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from serving_app.engine.eight_bit import EightBitLinear, take_eight_bits
from serving_app.engine.fast_linear import pack_linear_layers
from serving_app.engine.loader import load_adapter
from tests.serving_app.engine.conftest import loaded, tiny_gpt2, tiny_llama, tiny_qwen2, write_adapter


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("rows", [1, 7, 40])
def test_a_product_is_near_the_plain_one_and_of_the_same_type(dtype: torch.dtype, rows: int) -> None:
    torch.manual_seed(rows)
    layer = nn.Linear(96, 50).to(dtype)
    inputs = torch.randn(2, rows, 96, dtype=dtype)
    found, plain = EightBitLinear(layer.weight, layer.bias)(inputs), layer(inputs)
    assert found.dtype == dtype and found.shape == plain.shape
    assert (found - plain).float().norm() < 0.05 * plain.float().norm()


def test_rows_of_different_size_keep_scales_of_their_own_and_a_row_of_zeros_stays_zero() -> None:
    weight = torch.tensor([[1000.0, -500.0], [0.001, 0.0005], [0.0, 0.0]])
    found = EightBitLinear(weight, None)(torch.tensor([[1.0, 1.0]]))[0]
    assert found[0] == pytest.approx(500, rel=0.03) and found[1] == pytest.approx(0.0015, rel=0.03)
    assert found[2] == 0


@pytest.mark.parametrize("make", [tiny_llama, tiny_gpt2, tiny_qwen2])
def test_all_layers_but_the_one_that_writes_the_logits_are_replaced(make: Callable[[], PreTrainedModel]) -> None:
    torch.manual_seed(1)
    plain, model = make(), make()
    model.load_state_dict(plain.state_dict())
    linear = [name for name, layer in model.named_modules() if type(layer) in (nn.Linear, Conv1D)]
    assert take_eight_bits(model) == len(linear) - 1
    assert type(model.get_output_embeddings()) is nn.Linear
    pack_linear_layers(model)
    tokens = torch.arange(1, 30)[None]
    with torch.inference_mode():
        one, other = plain(input_ids=tokens).logits, model(input_ids=tokens).logits
    agreement = torch.nn.functional.cosine_similarity(one[0], other[0]).mean()
    assert 0.9 < agreement < 1 - 1e-7, "near, and yet not the same numbers"


def test_adapters_stand_beside_weights_of_eight_bits(tmp_path: Path) -> None:
    base = loaded(tiny_llama())
    take_eight_bits(base.model)
    tuned = load_adapter(base, write_adapter(tmp_path / "adapter", tiny_llama()))
    assert tuned is not None and tuned.adapter == 1
    tokens = torch.arange(1, 9)[None]
    with torch.inference_mode():
        plain = base.model(input_ids=tokens).logits
        with base.adapters.rows([1]):
            adapted = base.model(input_ids=tokens).logits
    assert not torch.equal(plain, adapted)


def test_an_engine_serves_with_weights_of_eight_bits(start_engine: Any) -> None:
    server = start_engine("--model", "m=llama", "--dtype", "int8")
    server.wait_until_ready()
    body = {"model": "m", "prompt": "go on", "max_tokens": 8, "temperature": 0, "logit_bias": {"256": -100}}
    headers = {"authorization": f"Bearer {server.token}"}
    answer = httpx.post(server.url + "/v1/completions", json=body, headers=headers, timeout=60)
    assert answer.status_code == 200 and answer.json()["usage"]["completion_tokens"] == 8
