"""Sampling: bounds of the nucleus, biases, penalties, seeds, log probabilities."""

from __future__ import annotations

import math

import pytest
import torch

from serving_app.engine.params import SamplingParams
from serving_app.engine.sampling import SamplerRow, invert, keep_nucleus, sample


def row(**wishes: object) -> SamplerRow:
    return SamplerRow.start(SamplingParams(max_tokens=1, **wishes), choice=0)  # type: ignore[arg-type]


LOGITS = torch.log(torch.tensor([[0.5, 0.3, 0.15, 0.05]]))


def shares(wishes: dict[str, object], *, draws: int = 4000) -> list[float]:
    sampler = row(seed=3, **wishes)
    tokens = [sample(LOGITS, [sampler])[0][0] for _ in range(draws)]
    return [tokens.count(token) / draws for token in range(4)]


def test_draws_follow_the_probabilities() -> None:
    assert shares({}) == pytest.approx([0.5, 0.3, 0.15, 0.05], abs=0.03)


def test_temperature_sharpens() -> None:
    squares = [0.25, 0.09, 0.0225, 0.0025]
    expected = [square / sum(squares) for square in squares]
    assert shares({"temperature": 0.5}) == pytest.approx(expected, abs=0.03)


def test_top_p_keeps_the_smallest_set_that_reaches_it() -> None:
    assert shares({"top_p": 0.75}) == pytest.approx([0.625, 0.375, 0, 0], abs=0.03)
    assert shares({"top_p": 0.0}, draws=50) == [1, 0, 0, 0]


def test_the_nucleus_of_each_row_has_its_own_limit() -> None:
    kept = keep_nucleus(torch.tensor([[0.1, 0.6, 0.3], [0.1, 0.6, 0.3]]), torch.tensor([0.5, 0.95]))
    assert kept.gt(0).tolist() == [[False, True, False], [True, True, True]]


def test_a_token_without_probability_is_never_drawn() -> None:
    probabilities = torch.tensor([[0.0, 1.0, 0.0]]).repeat(3, 1)
    draws = torch.tensor([[0.0], [0.5], [1.0 - 2**-53]], dtype=torch.float64)
    assert invert(probabilities, draws) == [1, 1, 1]


def test_logit_bias_can_force_and_forbid() -> None:
    assert sample(LOGITS, [row(temperature=0.0, logit_bias={3: 100.0})])[0] == [3]
    assert sample(LOGITS, [row(temperature=0.0, logit_bias={0: -100.0})])[0] == [1]


def test_a_frequency_penalty_grows_with_every_use_and_a_presence_penalty_does_not() -> None:
    repeated = row(temperature=0.0, frequency_penalty=0.3)
    assert [sample(LOGITS, [repeated])[0][0] for _ in range(6)] == [0, 0, 1, 0, 1, 0]
    # ln(0.5) - ln(0.3) = 0.51: less than one presence penalty, which is not added again.
    present = row(temperature=0.0, presence_penalty=0.6)
    assert [sample(LOGITS, [present])[0][0] for _ in range(5)] == [0, 1, 0, 0, 0]


def test_a_seed_repeats_and_choices_differ() -> None:
    params = SamplingParams(max_tokens=1, seed=7)
    flat = torch.zeros(1, 1000)

    def draws(choice: int) -> list[int]:
        sampler = SamplerRow.start(params, choice=choice)
        return [sample(flat, [sampler])[0][0] for _ in range(5)]

    assert draws(0) == draws(0)
    assert draws(0) != draws(1)


def test_logprobs_are_the_models_own_before_temperature_and_bias() -> None:
    sampler = row(temperature=0.0, logprobs=2, logit_bias={2: 100.0})
    (token,), (entry,) = sample(LOGITS, [sampler])
    assert token == 2
    assert entry is not None
    assert entry.logprob == pytest.approx(math.log(0.15), abs=1e-5)
    assert [at for at, _ in entry.top] == [0, 1]


def test_greedy_rows_and_sampled_rows_share_a_batch() -> None:
    logits = torch.cat([LOGITS, torch.zeros(1, 4)])
    tokens, logprobs = sample(logits, [row(temperature=0.0), row(seed=1)])
    assert tokens[0] == 0
    assert logprobs == [None, None]
