"""LoRA adapters beside their base: one copy of the base's weights, and one batch for all who use them.

A layer with adapters gives `base(x) + (x down) up`, with `down` [in, rank] and `up` [rank, out], for the rows of those
adapters. The matrices of all adapters in a batch lie side by side, and a row's share of the columns that are not its
own is zero, so two more products a layer are enough for any number of adapters. Knows tensors and one model.
"""

from __future__ import annotations

import itertools
import math
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path

import torch
from peft import LoraConfig, PeftConfig
from peft.utils.other import get_pattern_key
from safetensors.torch import load_file
from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from serving_app.engine.eight_bit import EightBitLinear
from serving_app.engine.fast_linear import PackedLinear

PREFIX, DOWN, UP = "base_model.model.", ".lora_A.weight", ".lora_B.weight"
# What may be set in an adapter that is nothing but a pair of matrices a layer. Anything else changes the arithmetic.
PLAIN_FIELDS = {
    "task_type", "peft_type", "auto_mapping", "peft_version", "base_model_name_or_path", "revision", "inference_mode",
    "r", "target_modules", "exclude_modules", "lora_alpha", "lora_dropout", "fan_in_fan_out", "use_rslora",
    "layers_to_transform", "layers_pattern", "rank_pattern", "alpha_pattern", "runtime_config",
}  # fmt: skip
# Beginnings that leave the base's weights alone.
PLAIN_BEGINNINGS = (True, False, "gaussian", "orthogonal")
EXPERTS = ("num_experts", "num_local_experts", "n_routed_experts")
# Batches come with the same few sets of adapters again and again.
SETS_KEPT = 8


@dataclass(frozen=True, slots=True, eq=False)
class Adapter:
    """Matrices by layer's name, `down` [in, rank] and `up` [rank, out] with the scale in it; `rank` is the widest."""

    layers: dict[str, tuple[Tensor, Tensor]]
    rank: int


@dataclass(frozen=True, slots=True, eq=False)
class _Joined:
    """The matrices of some adapters side by side. `shares` [adapters + 1, columns]: whose columns are whose."""

    layers: dict[str, tuple[Tensor, Tensor]]
    shares: Tensor


@dataclass(frozen=True, slots=True, eq=False)
class _Chosen:
    """What the pass under way adds; `shares` [rows, 1, columns], None where all rows use the one adapter."""

    layers: dict[str, tuple[Tensor, Tensor]]
    shares: Tensor | None


class AdapterStack:
    """The adapters of one model, each under a number from 1 up; 0 is the plain base.

    `attach` may be called from any thread: passes under way do not see it. All else belongs to the engine thread.
    """

    def __init__(self, model: PreTrainedModel) -> None:
        self._model = model
        self._numbers = itertools.count(1)
        self._adapters: dict[int, Adapter] = {}
        self._joined: OrderedDict[tuple[int, ...], _Joined] = OrderedDict()
        self.chosen: _Chosen | None = None

    def attach(self, adapter: Adapter) -> int:
        """Take an adapter up; gives its number. Errors: ValueError when it does not fit the model."""
        places = [(name, *self._place(name)) for name in adapter.layers]
        for name, _, _, layer in places:
            _check_shapes(layer, *adapter.layers[name])
        for name, parent, own, layer in places:
            if not isinstance(layer, AdaptedLinear):
                setattr(parent, own, AdaptedLinear(layer, name, self))
        number = next(self._numbers)
        dtype = self._model.dtype
        layers = {name: (down.to(dtype), up.to(dtype)) for name, (down, up) in adapter.layers.items()}
        self._adapters[number] = Adapter(layers, adapter.rank)
        return number

    def detach(self, number: int) -> None:
        """Let go of an adapter that no row uses any more."""
        self._adapters.pop(number, None)
        for key in [key for key in self._joined if number in key]:
            del self._joined[key]

    @contextmanager
    def rows(self, numbers: list[int]) -> Iterator[None]:
        """While inside, row i of a pass uses adapter `numbers[i]`."""
        self.chosen = self._choose(numbers)
        try:
            yield
        finally:
            self.chosen = None

    def _choose(self, numbers: list[int]) -> _Chosen | None:
        used = tuple(sorted(set(numbers) - {0}))
        if not used:
            return None
        joined = self._joined.get(used) or self._join(used)
        self._joined[used] = joined
        self._joined.move_to_end(used)
        if len(self._joined) > SETS_KEPT:
            self._joined.popitem(last=False)
        if len(used) == 1 and 0 not in numbers:
            return _Chosen(joined.layers, None)
        places = torch.tensor([used.index(number) + 1 if number else 0 for number in numbers])
        return _Chosen(joined.layers, joined.shares[places, None])

    @torch.inference_mode()
    def _join(self, used: tuple[int, ...]) -> _Joined:
        adapters = [self._adapters[number] for number in used]
        shares = torch.zeros(len(used) + 1, sum(adapter.rank for adapter in adapters), dtype=self._model.dtype)
        layers: dict[str, tuple[Tensor, Tensor]] = {}
        start = 0
        for place, adapter in enumerate(adapters, start=1):
            shares[place, start : start + adapter.rank] = 1
            for name, (down, up) in adapter.layers.items():
                if name not in layers:
                    layers[name] = (
                        down.new_zeros(len(down), shares.shape[1]),
                        up.new_zeros(shares.shape[1], up.shape[1]),
                    )
                layers[name][0][:, start : start + down.shape[1]] = down
                layers[name][1][start : start + len(up)] = up
            start += adapter.rank
        return _Joined(layers, shares)

    def _place(self, name: str) -> tuple[nn.Module, str, nn.Module]:
        """A layer with its parent and its own name there. Errors: ValueError."""
        path, _, own = name.rpartition(".")
        try:
            parent = self._model.get_submodule(path)
            return parent, own, parent.get_submodule(own)
        except AttributeError as error:
            raise ValueError(f"the base model has no layer {name}") from error


class AdaptedLinear(nn.Module):
    """A linear layer and what adapters add to it in the pass under way."""

    def __init__(self, layer: nn.Module, name: str, stack: AdapterStack) -> None:
        super().__init__()
        self.layer = layer
        self._name = name
        self._stack = stack

    def forward(self, inputs: Tensor) -> Tensor:
        """`inputs` [rows, tokens, in] to [rows, tokens, out]."""
        product: Tensor = self.layer(inputs)
        chosen = self._stack.chosen
        pair = chosen.layers.get(self._name) if chosen is not None else None
        if chosen is None or pair is None:
            return product
        narrow = inputs @ pair[0]
        if chosen.shares is not None:
            narrow = narrow * chosen.shares
        return product + narrow @ pair[1]


def read_adapter(folder: Path) -> Adapter | None:
    """A PEFT folder's matrices; None when it is more than pairs of matrices, and has to be merged.

    The scale is alpha / rank, or alpha / sqrt(rank) where the adapter says so (rsLoRA, arXiv 2312.03732).
    Errors: those of files, safetensors and PEFT.
    """
    config = PeftConfig.from_pretrained(str(folder))
    tensors = load_file(folder / "adapter_model.safetensors")
    if not isinstance(config, LoraConfig) or not _is_plain(config):
        return None
    names = {key.removeprefix(PREFIX).removesuffix(DOWN) for key in tensors if key.endswith(DOWN)}
    if set(tensors) != {PREFIX + name + end for name in names for end in (DOWN, UP)}:
        return None
    layers: dict[str, tuple[Tensor, Tensor]] = {}
    for name in sorted(names):
        down, up = (tensors[PREFIX + name + end].float().t().contiguous() for end in (DOWN, UP))
        alpha = config.alpha_pattern.get(get_pattern_key(config.alpha_pattern.keys(), name), config.lora_alpha)
        rank = down.shape[1]
        layers[name] = (down, up * (alpha / (math.sqrt(rank) if config.use_rslora else rank)))
    return Adapter(layers, max((down.shape[1] for down, _ in layers.values()), default=0))


def fits(adapter: Adapter, model: PreTrainedModel) -> bool:
    """Whether all its layers are plain linear ones that see rows as they come.

    Embeddings have to be merged, and so have layers of a model that sorts its tokens by experts.
    """
    config = model.config.get_text_config()
    if any(getattr(config, name, None) for name in EXPERTS):
        return False
    modules = dict(model.named_modules())
    plain = AdaptedLinear | PackedLinear | EightBitLinear | nn.Linear | Conv1D
    return all(isinstance(modules.get(name), plain) for name in adapter.layers)


def _is_plain(config: LoraConfig) -> bool:
    usual = LoraConfig()
    changed = {each.name for each in fields(config) if getattr(config, each.name) != getattr(usual, each.name)}
    if config.init_lora_weights in PLAIN_BEGINNINGS:
        changed.discard("init_lora_weights")
    return changed <= PLAIN_FIELDS


def _check_shapes(layer: nn.Module, down: Tensor, up: Tensor) -> None:
    inner = layer.layer if isinstance(layer, AdaptedLinear) else layer
    if isinstance(inner, Conv1D):
        shape = (inner.weight.shape[0], inner.weight.shape[1])
    else:
        shape = (int(inner.in_features), int(inner.out_features))
    if (down.shape[0], up.shape[1]) != shape or down.shape[1] != up.shape[0]:
        raise ValueError(
            f"its matrices are {down.shape[0]} by {up.shape[1]}, and the base's layer is {shape[0]} by {shape[1]}"
        )
