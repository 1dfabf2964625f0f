"""Texts to vectors: the mean of a model's last hidden states over all tokens of a text, scaled to length 1.

One request's work, cut into pieces that the engine thread does between steps, so that long lists stop no stream. Knows
tensors and one model; refuses to know HTTP.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from transformers import DynamicCache

from serving_app.engine.accounts import Accounts
from serving_app.engine.loader import LoadedModel
from serving_app.engine.requests import Closed, Event, Request

# What a forward pass can raise: out of memory and shape errors are RuntimeErrors in torch.
FORWARD_ERRORS = (RuntimeError, ValueError, IndexError, TypeError, KeyError, AttributeError, MemoryError)


class Embedding:
    """The vectors of one request's prompts, in their order once `over`. `budget` bounds the tokens of one piece."""

    def __init__(
        self, loaded: LoadedModel, request: Request, prompts: list[list[int]], *, accounts: Accounts, budget: int
    ) -> None:
        self._inner: Any = loaded.model.base_model
        self.loaded = loaded
        self._request = request
        self._prompts = prompts
        self._accounts = accounts
        self._budget = budget
        self._pieces = self._read()
        self._found: dict[int, Tensor] = {}
        self.over = False

    @property
    def tokens(self) -> int:
        """Tokens of all its texts."""
        return sum(map(len, self._prompts))

    @property
    def vectors(self) -> list[list[float]]:
        """One vector a prompt."""
        return [self._found[index].tolist() for index in range(len(self._prompts))]

    def step(self) -> list[tuple[Request, Event]]:
        """Do one piece; gives the closing event with the last one."""
        if self._request.cancelled:
            return self._close("cancelled", None)
        try:
            count = next(self._pieces)
        except StopIteration:
            return self._close("stop", None)
        except FORWARD_ERRORS as error:
            return self.fail(f"The model failed in the middle of a text: {error}")
        self._accounts.embedded(self._request, count)
        return []

    def fail(self, problem: str) -> list[tuple[Request, Event]]:
        """End it here."""
        return self._close("error", problem)

    def _close(self, reason: str, problem: str | None) -> list[tuple[Request, Event]]:
        self.over = True
        self._accounts.closed(self._request, reason)
        return [(self._request, Closed(self._request.usage, reason, problem))]

    def _read(self) -> Iterator[int]:
        """Texts of like length together, texts over the budget in parts; gives the tokens of each piece."""
        for group in grouped([len(prompt) for prompt in self._prompts], budget=self._budget):
            longest = self._prompts[group[-1]]
            if len(longest) <= self._budget:
                self._together(group)
                yield sum(len(self._prompts[index]) for index in group)
            else:
                yield from self._in_parts(group[0])

    @torch.inference_mode()
    def _together(self, group: list[int]) -> None:
        """One pass over several texts. They are padded behind their ends, where no token of theirs looks."""
        prompts = [self._prompts[index] for index in group]
        width = max(map(len, prompts))
        tokens = torch.tensor([prompt + [0] * (width - len(prompt)) for prompt in prompts])
        with self.loaded.adapters.rows([self.loaded.adapter] * len(prompts)):
            states = self._inner(input_ids=tokens, use_cache=False).last_hidden_state.float()
        for index, prompt, row in zip(group, prompts, states, strict=True):
            self._found[index] = unit(row[: len(prompt)].sum(dim=0))

    def _in_parts(self, index: int) -> Iterator[int]:
        prompt, cache, total = self._prompts[index], DynamicCache(), None
        for start in range(0, len(prompt), self._budget):
            part = prompt[start : start + self._budget]
            states = self._part(part, cache)
            total = states if total is None else total + states
            yield len(part)
        if total is not None:
            self._found[index] = unit(total)

    @torch.inference_mode()
    def _part(self, tokens: list[int], cache: DynamicCache) -> Tensor:
        with self.loaded.adapters.rows([self.loaded.adapter]):
            output = self._inner(input_ids=torch.tensor([tokens]), past_key_values=cache, use_cache=True)
        total: Tensor = output.last_hidden_state[0].float().sum(dim=0)
        return total


def unit(total: Tensor) -> Tensor:
    """A sum of states scaled to length 1: the mean has the same direction."""
    return torch.nn.functional.normalize(total, dim=0)


def grouped(lengths: list[int], *, budget: int) -> Iterator[list[int]]:
    """Indices in groups, shortest first, whose padded size fits into `budget`; at least one index each."""
    group: list[int] = []
    for index in sorted(range(len(lengths)), key=lambda at: lengths[at]):
        if group and lengths[index] * (len(group) + 1) > budget:
            yield group
            group = []
        group.append(index)
    if group:
        yield group
