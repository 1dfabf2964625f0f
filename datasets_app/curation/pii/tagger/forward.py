"""The trained network in NumPy: no torch in processes that only find. Knows numbers of tokens, not texts.

A row's result does not depend on its neighbours to the last bit. Libraries add products up in an order that depends on
where a row stands, which matters where sums are rounded. So hidden states are whole multiples of 1/127 and weights whole
multiples of 1/511 of their column's largest: the sums are whole numbers below 2²⁴, exact in single precision in any order.
What depends on a token alone is worked out token by token.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from datasets_app.curation.pii.tagger.storing import Arrays
from datasets_app.curation.pii.tagger.tokens import Features

Floats = NDArray[np.float32]
Numbers = NDArray[np.int64]
ROWS = (8, 16, 32, 64)
"""How many rows a block may have; it is filled up to the next of these."""


STATE = 127
"""Steps of a hidden state between 0 and 1."""
WEIGHT = 511
"""Steps of a weight between 0 and the largest of its column; `STATE · WEIGHT · inputs` must stay below 2²⁴."""


class _Whole:
    """A linear map of hidden states, which come in as multiples of `STATE`: whole weights and what to scale the sum by."""

    def __init__(self, weights: Floats, bias: Floats) -> None:
        step = np.abs(weights).max(axis=0) / WEIGHT
        self.weights, self.scale, self.bias = np.rint(weights / step), step / STATE, bias

    def __call__(self, states: Floats) -> Floats:
        return states @ self.weights * self.scale + self.bias  # type: ignore[no-any-return]


class _Layer:
    """One bidirectional LSTM layer. Gates are scaled so that one tanh serves them all: σ(x) = (1 + tanh(x/2)) / 2."""

    def __init__(self, weights: Arrays, number: int) -> None:
        names = [f"l{number}", f"l{number}_reverse"]
        self.hidden = weights[f"lstm.weight_hh_l{number}"].shape[1]
        half = np.full(4 * self.hidden, 0.5, np.float32)
        half[2 * self.hidden : 3 * self.hidden] = 1.0
        self.entering = [np.ascontiguousarray(weights[f"lstm.weight_ih_{name}"].T * half) for name in names]
        self.bias = [(weights[f"lstm.bias_ih_{name}"] + weights[f"lstm.bias_hh_{name}"]) * half for name in names]
        staying = [_Whole(weights[f"lstm.weight_hh_{name}"].T * half, np.zeros_like(half)) for name in names]
        self._staying = np.stack([each.weights for each in staying])
        self._scale = np.stack([each.scale for each in staying])[:, None, :]

    def run(self, forwards: Floats, backwards: Floats) -> Floats:
        """Hidden states (T, 2, rows, hidden) in steps of 1/`STATE` from entering gates, both (T, rows, 4·hidden);
        `backwards` begins with each row's last token."""
        hidden, rows = self.hidden, forwards.shape[1]
        states = np.empty((len(forwards), 2, rows, hidden), np.float32)
        state, cell = np.zeros((2, rows, hidden), np.float32), np.zeros((2, rows, hidden), np.float32)
        gates = np.empty((2, rows, 4 * hidden), np.float32)
        for step in range(len(forwards)):
            np.matmul(state, self._staying, out=gates)
            gates *= self._scale
            gates[0] += forwards[step]
            gates[1] += backwards[step]
            np.tanh(gates, out=gates)
            enter, forget, new, leave = (gates[..., place * hidden : (place + 1) * hidden] for place in range(4))
            cell *= forget + 1
            cell += (enter + 1) * new
            cell *= 0.5
            state = states[step]
            np.tanh(cell, out=state)
            state *= leave + 1
            state *= STATE / 2
            np.rint(state, out=state)
        return states


class Forward:
    """Probabilities of tags from features of tokens."""

    def __init__(self, weights: Arrays, temperature: float = 1.0) -> None:
        self._weights = weights
        self._first, self._second = _Layer(weights, 0), _Layer(weights, 1)
        near, far = weights["near.weight"], weights["far.weight"]
        self._near = [weights["letter.weight"] @ near[:, :, tap].T for tap in range(3)]
        self._far = np.concatenate([far[:, :, tap].T for tap in range(3)])
        self._token = np.ascontiguousarray(weights["token.weight"].T)
        self._enter = [_Whole(*each) for each in zip(self._second.entering, self._second.bias, strict=True)]
        self._tag = _Whole(
            weights["tag.weight"].T / np.float32(temperature), weights["tag.bias"] / np.float32(temperature)
        )

    def gates(self, kinds: Sequence[Features]) -> Floats:
        """(2, K, 4·hidden): what each kind of token brings into the first layer, in both directions."""
        weights = self._weights
        letters = np.pad(np.array([kind.letters for kind in kinds]), ((0, 0), (1, 1)))
        spelt = sum(table[letters[:, tap : tap + letters.shape[1] - 2]] for tap, table in enumerate(self._near))
        spelt = np.maximum(spelt + weights["near.bias"], 0)
        wide = np.pad(spelt, ((0, 0), (1, 1), (0, 0)))
        around = np.concatenate([wide[:, :-2], wide[:, 1:-1], wide[:, 2:]], axis=2)
        spelt = np.maximum(around @ self._far + weights["far.bias"] + spelt, 0).max(axis=1)
        words, shapes = [kind.word for kind in kinds], [kind.shape for kind in kinds]
        known = np.concatenate([weights["word.weight"][words], spelt, weights["shape.weight"][shapes]], axis=1)
        tokens = np.maximum(known[:, None, :] @ self._token + weights["token.bias"], 0)
        first = self._first
        return np.stack([(tokens @ first.entering[way] + first.bias[way])[:, 0] for way in range(2)])

    def probabilities(self, gates: Floats, places: Numbers, lengths: Numbers) -> Floats:
        """(rows, T, tags) from `places` (rows, T) in `gates`, one of `ROWS`; behind a row's length the figures mean
        nothing."""
        turned = np.maximum(lengths[:, None] - 1 - np.arange(places.shape[1])[None, :], 0).T
        rows = np.arange(len(places))[None, :]

        def both(states: Floats) -> Floats:
            return np.concatenate([states[:, 0], states[turned, 1, rows]], axis=2)

        hidden = both(self._first.run(gates[0][places.T], gates[1][places[rows, turned]]))
        hidden = both(self._second.run(self._enter[0](hidden), self._enter[1](hidden[turned, rows])))
        logits = self._tag(hidden)
        logits -= logits.max(axis=2, keepdims=True)
        np.exp(logits, out=logits)
        logits /= logits.sum(axis=2, keepdims=True)
        return logits.transpose(1, 0, 2)  # type: ignore[no-any-return]
