"""Answers that must have a form: a JSON schema becomes, step by step, the set of tokens that may come next.

Built on llguidance. Knows one tokenizer; refuses to know models, sampling and HTTP. A schema whose keywords cannot all
be kept to is refused, so that what is written is always valid.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cached_property
from typing import Any

import torch
from llguidance import LLMatcher, LLTokenizer
from torch import Tensor
from transformers import PreTrainedTokenizerBase

from serving_app.engine.errors import EngineError, invalid, unsupported

LONGEST_SCHEMA = 120_000
# One way to write each value: a small model that may choose its white space can go on with it forever.
STYLE: Any = {"whitespace_flexible": False, "item_separator": ", ", "key_separator": ": ", "lenient": False}


class Grammar:
    """Where one sequence stands in its grammar."""

    def __init__(self, matcher: LLMatcher, *, vocabulary: int) -> None:
        self._matcher = matcher
        self._vocabulary = vocabulary

    def copy(self) -> Grammar:
        """The same state, to go on by itself."""
        return Grammar(self._matcher.deep_copy(), vocabulary=self._vocabulary)

    def forbidden(self) -> Tensor:
        """Which tokens may not come next, as booleans [vocabulary]. End tokens may where the text is complete."""
        bits = torch.frombuffer(bytearray(self._matcher.compute_bitmask()), dtype=torch.uint8)
        flags = bits[:, None].bitwise_right_shift(torch.arange(8, dtype=torch.uint8)).bitwise_and(1)
        return flags.flatten()[: self._vocabulary] == 0

    def take(self, token: int) -> None:
        """Go on with this token."""
        self._matcher.consume_token(token)

    @property
    def problem(self) -> str | None:
        """Why the grammar cannot go on, such as a limit of its parser; else None."""
        return f"The schema cannot be followed: {_sentence(self._matcher)}" if self._matcher.is_error() else None


class Grammars:
    """The grammars of one model. Building the first takes up to a second with a large vocabulary."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase, *, vocabulary: int, end_tokens: Iterable[int]) -> None:
        self._tokenizer = tokenizer
        self._vocabulary = vocabulary
        self._ends = sorted(end_tokens)

    def of_schema(self, schema: dict[str, Any], *, param: str) -> Grammar:
        """The grammar of all JSON texts that fit a schema. Errors: 400 with what cannot be kept to."""
        if len(json.dumps(schema)) > LONGEST_SCHEMA:
            raise invalid(f"'{param}' may have at most {LONGEST_SCHEMA:,} characters.", param=param)
        matcher = LLMatcher(self._vocables, LLMatcher.grammar_from_json_schema(schema, overrides=STYLE), log_level=0)
        if matcher.is_error():
            raise EngineError(
                f"'{param}' cannot be followed here: {_sentence(matcher)}", param=param, code="invalid_json_schema"
            )
        return Grammar(matcher, vocabulary=self._vocabulary)

    @cached_property
    def _vocables(self) -> LLTokenizer:
        core: Any = getattr(self._tokenizer, "backend_tokenizer", None)
        if core is None or not self._ends:
            raise unsupported(
                "response_format", "this model's tokenizer cannot tell the bytes and the end of an answer"
            )
        try:
            return LLTokenizer(core.to_str(), n_vocab=self._vocabulary, eos_token=self._ends)
        except ValueError as error:
            raise unsupported("response_format", f"this model's tokenizer cannot be read ({error})") from error


def _sentence(matcher: LLMatcher) -> str:
    """The first line of what the parser says; the rest is its inner state."""
    return matcher.get_error().partition("\n")[0][:300]
