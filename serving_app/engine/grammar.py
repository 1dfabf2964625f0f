"""Answers that must have a form: a JSON schema becomes, step by step, the set of tokens that may come next.

The same for answers that call functions. Built on llguidance. Knows one tokenizer; refuses to know models, sampling and
HTTP. A schema whose keywords cannot all be kept to is refused, so that what is written is always valid.
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

from serving_app.engine.call_grammar import call_grammar
from serving_app.engine.codec import TextCodec
from serving_app.engine.errors import EngineError, invalid, unsupported
from serving_app.engine.protocol.tool_fields import ToolWish

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
        grammar = LLMatcher.grammar_from_json_schema(schema, overrides=STYLE)
        matcher = LLMatcher(self._need_vocables(param), grammar, log_level=0)
        if matcher.is_error():
            raise EngineError(
                f"'{param}' cannot be followed here: {_sentence(matcher)}", param=param, code="invalid_json_schema"
            )
        return Grammar(matcher, vocabulary=self._vocabulary)

    def of_calls(self, codec: TextCodec, wish: ToolWish, *, answer: dict[str, Any] | None) -> Grammar:
        """The grammar of an answer that may call functions. Errors: 400 with the schema that cannot be kept to."""
        if codec.calls is None:
            raise ValueError("a model without a syntax of calls was asked for one")
        schemas = {function.name: {**function.parameters, "x-guidance": STYLE} for function in wish.functions}
        if sum(len(json.dumps(schema)) for schema in schemas.values()) > LONGEST_SCHEMA:
            raise invalid(f"The schemas of 'tools' may have at most {LONGEST_SCHEMA:,} characters.", param="tools")
        text = call_grammar(
            codec.calls,
            schemas,
            must=wish.must,
            parallel=wish.parallel,
            answer=None if answer is None else {**answer, "x-guidance": STYLE},
            split=codec.split_special,
        )
        matcher = LLMatcher(self._need_vocables("tools"), LLMatcher.grammar_from_lark(text), log_level=0)
        if matcher.is_error():
            for function in wish.functions:  # the sentence about the whole does not say which of them it was
                self.of_schema(function.parameters, param=function.at)
            raise EngineError(f"'tools' cannot be followed here: {_sentence(matcher)}", param="tools")
        return Grammar(matcher, vocabulary=self._vocabulary)

    def _need_vocables(self, param: str) -> LLTokenizer:
        if getattr(self._tokenizer, "backend_tokenizer", None) is None or not self._ends:
            raise unsupported(param, "this model's tokenizer cannot tell the bytes and the end of an answer")
        try:
            return self._vocables
        except ValueError as error:
            raise unsupported(param, f"this model's tokenizer cannot be read ({error})") from error

    @cached_property
    def _vocables(self) -> LLTokenizer:
        core: Any = self._tokenizer.backend_tokenizer
        return LLTokenizer(core.to_str(), n_vocab=self._vocabulary, eos_token=self._ends)


def _sentence(matcher: LLMatcher) -> str:
    """The first line of what the parser says; the rest is its inner state."""
    return matcher.get_error().partition("\n")[0][:300]
