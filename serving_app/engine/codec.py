"""Text to token ids and back for one tokenizer. Refuses to know models and requests.

Encoding goes through the tokenizer's own Rust core where there is one: it keeps no state between calls, so it may run
beside other threads.
"""

from __future__ import annotations

import re
from typing import Any

from jinja2 import TemplateError
from transformers import PreTrainedTokenizerBase

from serving_app.engine.call_syntax import find_syntax
from serving_app.engine.errors import EngineError, invalid
from serving_app.engine.templates import TEMPLATES


class TextCodec:
    """One model's tokenizer and chat template."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase) -> None:
        self._tokenizer = tokenizer
        self._core: Any = getattr(tokenizer, "backend_tokenizer", None)
        byte_level = self._core is not None and "ByteLevel" in repr(self._core.decoder)
        self._bytes = _byte_alphabet() if byte_level else {}
        self._dropped: frozenset[int] = frozenset()
        self.calls = find_syntax(self._render) if tokenizer.chat_template else None
        if self.calls is not None:
            written = self.calls.opening + (self.calls.between or "") + self.calls.closing
            kept = {item for item in self.split_special(written) if isinstance(item, int)}
            hidden = {at for at, token in tokenizer.added_tokens_decoder.items() if token.special}
            self._dropped = frozenset(hidden - kept) if kept else self._dropped

    def write_chat(self, messages: list[dict[str, Any]], tools: list[dict[str, Any]] | None = None) -> str:
        """A conversation with the opening of the assistant's turn. Errors: what the template refuses, or cannot end."""
        if not self._tokenizer.chat_template:
            raise EngineError(
                "This model has no chat template; use /v1/completions instead.", param="model", code="no_chat_template"
            )
        try:
            return self._render(messages, tools, True)
        except (TemplateError, ValueError) as error:  # of several templates none may be the usual one
            raise invalid(f"The model's chat template refuses these messages: {error}", param="messages") from error

    def encode_chat(self, written: str) -> list[int]:
        """Token ids of what `write_chat` gave."""
        return self._encode(written, special=False)

    def encode_text(self, text: str) -> list[int]:
        """Token ids of plain text, with the special tokens that the tokenizer adds at its ends."""
        return self._encode(text, special=True)

    def decode(self, tokens: list[int]) -> str:
        """Text of token ids; special tokens have none, but for those that mark function calls."""
        if self._dropped:
            tokens = [token for token in tokens if token not in self._dropped]
            return str((self._core or self._tokenizer).decode(tokens, skip_special_tokens=False))
        if self._core is not None:
            return str(self._core.decode(tokens, skip_special_tokens=True))
        return str(self._tokenizer.decode(tokens, skip_special_tokens=True))

    def spell(self, token: int) -> tuple[str, list[int] | None]:
        """A single token as text and as bytes; bytes are None where the tokenizer does not tell them."""
        text = str(self._tokenizer.decode([token]))
        piece = self._tokenizer.convert_ids_to_tokens(token)
        if self._bytes and isinstance(piece, str) and all(character in self._bytes for character in piece):
            return text, [self._bytes[character] for character in piece]
        return text, None if "\ufffd" in text else list(text.encode())

    def split_special(self, text: str) -> list[str | int]:
        """Text cut at its special tokens, which are given by their ids."""
        specials: dict[str, str | int] = {
            str(token): at for at, token in self._tokenizer.added_tokens_decoder.items() if token.special
        }
        if not specials:
            return [text]
        cut = re.split("(" + "|".join(map(re.escape, sorted(specials, key=len, reverse=True))) + ")", text)
        return [specials.get(part, part) for part in cut if part]

    def _render(self, messages: list[dict[str, Any]], tools: list[dict[str, Any]] | None, opened: bool) -> str:
        template = self._tokenizer.get_chat_template(None, tools)
        values = {"messages": messages, "tools": tools, "documents": None, "add_generation_prompt": opened}
        return TEMPLATES.write(template, values | self._tokenizer.special_tokens_map)

    def _encode(self, text: str, *, special: bool) -> list[int]:
        if self._core is not None:
            return list(self._core.encode(text, add_special_tokens=special).ids)
        return list(self._tokenizer.encode(text, add_special_tokens=special))


def _byte_alphabet() -> dict[str, int]:
    """The characters by which byte-level BPE writes bytes (Radford et al. 2019): printable ones stand for themselves,
    the others for the code points from 256 on, in order."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in set(printable)]
    return {chr(byte): byte for byte in printable} | {chr(256 + at): byte for at, byte in enumerate(others)}
