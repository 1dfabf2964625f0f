"""Keys and values of all running sequences, one row each, in tensors that grow by blocks.

A `transformers` cache that knows rows and positions and refuses to know sequences, requests and sampling. Each
forward pass is told beforehand where its tokens go and how far attention looks (`Placement`); rows are therefore
free to be of different lengths, and a row that is left needs no clearing: its stale tail is masked.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from transformers.cache_utils import Cache, CacheLayerMixin

LENGTH_BLOCK = 128


@dataclass(frozen=True, slots=True)
class Placement:
    """Where one forward pass writes and reads.

    `rows` and `positions` [tokens] say where each real token goes; `real` [tokens] are its places in the flattened
    batch x query grid (None: all of it, in order). `read` are the rows attention looks at, up to `length` positions.
    """

    rows: Tensor
    positions: Tensor
    real: Tensor | None
    read: slice | Tensor
    length: int


class SlotLayer(CacheLayerMixin):
    """One layer's keys and values, [rows, heads, positions, width]; turned keys [rows, heads, width, positions]."""

    is_sliding = False

    def __init__(self, table: SlotCache) -> None:
        super().__init__()
        self._table = table

    def lazy_initialization(self, key_states: Tensor, value_states: Tensor) -> None:
        """Allocate on the first write, when heads, width and type are known. Zeros: stale values must be finite."""
        rows, length = self._table.rows, self._table.length
        heads, width = key_states.shape[1], key_states.shape[3]
        self.keys = key_states.new_zeros(rows, heads, *((width, length) if self._table.turned else (length, width)))
        self.values = value_states.new_zeros(rows, value_states.shape[1], length, value_states.shape[3])
        self.is_initialized = True

    def update(self, key_states: Tensor, value_states: Tensor, *_: Any, **__: Any) -> tuple[Tensor, Tensor]:
        """Write this pass's states, [batch, heads, query, width], and return all that attention may see."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        place = self._table.placement
        keys = self._by_position(self.keys)
        keys[place.rows, :, place.positions] = _flat(key_states, place.real)
        self.values[place.rows, :, place.positions] = _flat(value_states, place.real)
        return keys[place.read, :, : place.length], self.values[place.read, :, : place.length]

    def _by_position(self, keys: Tensor) -> Tensor:
        """Keys as [rows, heads, positions, width], however they lie."""
        return keys.transpose(2, 3) if self._table.turned else keys

    def growth(self, rows: int, length: int) -> int:
        """Bytes that it would grow by."""
        keys = self._by_position(self.keys)
        positions = int(keys.shape[0] * keys.shape[2])
        return int(keys.nbytes + self.values.nbytes) * max(0, rows * length - positions) // positions

    @torch.inference_mode()
    def resize(self, rows: int, length: int) -> None:
        """Grow to at least this many rows and positions, keeping what is there."""
        if self.is_initialized:
            self.keys = _grown(self.keys, rows, length, at=3 if self._table.turned else 2)
            self.values = _grown(self.values, rows, length, at=2)

    @torch.inference_mode()
    def swap(self, one: int, other: int, length: int) -> None:
        """Exchange the first `length` positions of two rows."""
        for states in (self._by_position(self.keys), self.values):
            kept = states[one, :, :length].clone()
            states[one, :, :length] = states[other, :, :length]
            states[other, :, :length] = kept

    @torch.inference_mode()
    def copy(self, source: int, target: int, length: int) -> None:
        """Copy the first `length` positions of a row over another."""
        for states in (self._by_position(self.keys), self.values):
            states[target, :, :length] = states[source, :, :length]

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        """Attention's length and offset; only asked for by models that build their own masks."""
        return self._table.placement.length, 0

    def get_seq_length(self) -> int:
        """Zero: rows have no common length, positions are always passed in."""
        return 0

    def get_max_length(self) -> int:
        """Positions that fit now; the cache grows when more are needed."""
        return self._table.length


class SlotCache(Cache):
    """The layers of one model and the placement of the pass under way; `turned` says how the keys lie. `check` is told
    before the cache grows by how many bytes it will, and raises where there is no memory for them.
    """

    placement: Placement

    def __init__(
        self, layers: int, *, turned: bool = False, check: Callable[[int], None] = lambda _bytes: None
    ) -> None:
        self.turned = turned
        self._check = check
        self.rows = 0
        self.length = 0
        self.slot_layers = [SlotLayer(self) for _ in range(layers)]
        super().__init__(layers=list(self.slot_layers))

    def reserve(self, *, rows: int, length: int) -> None:
        """Make room. Rows double, positions grow by half and whole blocks, so that copies stay rare."""
        if rows <= self.rows and length <= self.length:
            return
        grown_rows, grown_length = self.rows, self.length
        if rows > self.rows:
            grown_rows = max(rows, self.rows * 2)
        if length > self.length:
            wanted = max(length, self.length + self.length // 2)
            grown_length = -(-wanted // LENGTH_BLOCK) * LENGTH_BLOCK
        self._check(sum(layer.growth(grown_rows, grown_length) for layer in self._written()))
        for layer in self.slot_layers:
            layer.resize(grown_rows, grown_length)
        self.rows, self.length = grown_rows, grown_length  # not before: memory may end at any layer

    def swap(self, one: int, other: int, *, length: int) -> None:
        """Exchange two rows' first `length` positions in every layer."""
        for layer in self._written():
            layer.swap(one, other, length)

    def copy(self, source: int, target: int, *, length: int) -> None:
        """Copy a row's first `length` positions over another row in every layer."""
        for layer in self._written():
            layer.copy(source, target, length)

    def _written(self) -> list[SlotLayer]:
        """Layers that hold anything; models that share keys between layers leave some untouched."""
        return [layer for layer in self.slot_layers if layer.is_initialized]


def _flat(states: Tensor, real: Tensor | None) -> Tensor:
    """[batch, heads, query, width] to [tokens, heads, width], padding left out."""
    tokens = states.transpose(1, 2).flatten(0, 1)
    return tokens if real is None else tokens[real]


def _grown(states: Tensor, rows: int, length: int, *, at: int) -> Tensor:
    """A copy with room for more rows and positions; `at` is the dimension of the positions. What an attempt that found no
    memory further on has made larger stays so.
    """
    shape = [max(rows, states.shape[0]), *states.shape[1:]]
    shape[at] = max(length, states.shape[at])
    if shape == list(states.shape):
        return states
    grown = states.new_zeros(shape)
    grown[: states.shape[0]].narrow(at, 0, states.shape[at]).copy_(states)
    return grown
