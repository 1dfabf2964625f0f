"""A byte-level BPE tokenizer as the metadata of a GGUF file. Knows no weights.

GGUF names a way of cutting text into words instead of describing it. A tokenizer that cuts in a way without a name here
would read other tokens than the model was trained on, so it is refused.
"""

from __future__ import annotations

import json
import re
from typing import Any

from gguf import GGUFWriter, TokenType
from transformers import PreTrainedTokenizerBase

from training_app.engine.errors import EngineError

LLAMA_3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
    r"|\s+(?!\S)|\s+"
)
QWEN_2 = LLAMA_3.replace(r"\p{N}{1,3}", r"\p{N}")
GPT_2_WORDS = {"type": "ByteLevel", "add_prefix_space": False, "use_regex": True}
BYTES_ALONE = {"type": "ByteLevel", "add_prefix_space": False, "use_regex": False}
SINGLE_DIGITS = {"type": "Digits", "individual_digits": True}
# llama.cpp's names (`llama-vocab.cpp`), with whether it takes a word that is a token as one, whatever the merges say.
NAMES: tuple[tuple[str, bool, list[dict[str, Any]]], ...] = (
    ("gpt-2", False, [GPT_2_WORDS]),
    ("smollm", False, [SINGLE_DIGITS, GPT_2_WORDS]),
    *(
        (
            name,
            ignores,
            [{"type": "Split", "pattern": {"Regex": words}, "behavior": "Isolated", "invert": False}, BYTES_ALONE],
        )
        for name, ignores, words in (("llama-bpe", True, LLAMA_3), ("qwen2", False, QWEN_2))
    ),
)
# Of no consequence for which tokens are read.
ASIDE = ("trim_offsets",)
GENERATION_TAG = re.compile(r"\{%([-+]?)\s*(end)?generation\s*([-+]?)%\}")


def write_vocabulary(
    writer: GGUFWriter, tokenizer: PreTrainedTokenizerBase, *, rows: int, stops: frozenset[int]
) -> None:
    """Add tokens, merges, special ids and chat template. `rows` is how many tokens the model has a row for.

    EngineError `tokenizer_unfit` where GGUF has no words for the tokenizer.
    """
    described = json.loads(tokenizer.backend_tokenizer.to_str())  # type: ignore[attr-defined]  # load_tokenizer: a fast one
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(_pre_tokenizer(described))
    tokens, types = _tokens(tokenizer, rows)
    writer.add_token_list(tokens)
    writer.add_token_types(types)
    writer.add_token_merges(
        [pair if isinstance(pair, str) else " ".join(pair) for pair in described["model"]["merges"]]
    )
    _write_special(writer, tokenizer, stops)
    writer.add_chat_template(without_generation_tags(str(tokenizer.chat_template)))


def without_generation_tags(template: str) -> str:
    """The template without `{% generation %}`, which marks answers for training and which other readers may not know.

    A condition that always holds stands in their place, so that line breaks are trimmed as before.
    """

    def plain(tag: re.Match[str]) -> str:
        left, end, right = tag.groups()
        return f"{{%{left} {'endif' if end else 'if true'} {right}%}}"

    return GENERATION_TAG.sub(plain, template)


def _pre_tokenizer(described: dict[str, Any]) -> str:
    model, cutting = described["model"], described["pre_tokenizer"] or {}
    is_plain = model["type"] == "BPE" and not any(
        model.get(each) for each in ("byte_fallback", "continuing_subword_prefix", "end_of_word_suffix", "dropout")
    )
    parts = cutting.get("pretokenizers", [cutting])
    found = [{key: value for key, value in part.items() if key not in ASIDE} for part in parts]
    ignores = bool(model.get("ignore_merges"))
    for name, ignored, wanted in NAMES:
        if is_plain and described["normalizer"] is None and found == wanted and ignores == ignored:
            return name
    raise EngineError(
        "tokenizer_unfit",
        "This model's tokenizer cannot be written as GGUF: that takes byte-level BPE which cuts words as GPT-2, "
        "SmolLM, Llama 3 or Qwen 2 does, without a normaliser.",
        fix="Take the safetensors folder instead, or start from a base model with such a tokenizer.",
    )


def _tokens(tokenizer: PreTrainedTokenizerBase, rows: int) -> tuple[list[str], list[TokenType]]:
    """One token and its type for each row of the embedding; rows that no text leads to are named as unused."""
    texts = {index: text for text, index in tokenizer.get_vocab().items()}
    added = tokenizer.added_tokens_decoder
    tokens, types = [], []
    for index in range(rows):
        tokens.append(texts.get(index, f"[PAD{index}]"))
        if index not in texts:
            types.append(TokenType.UNUSED)
        elif index in added:
            types.append(TokenType.CONTROL if added[index].special else TokenType.USER_DEFINED)
        else:
            types.append(TokenType.NORMAL)
    return tokens, types


def _write_special(writer: GGUFWriter, tokenizer: PreTrainedTokenizerBase, stops: frozenset[int]) -> None:
    begin, end, pad = tokenizer.bos_token_id, tokenizer.eos_token_id, tokenizer.pad_token_id
    if begin is not None:
        writer.add_bos_token_id(begin)
    writer.add_eos_token_id(end)
    writer.add_pad_token_id(pad)
    if others := sorted(stops - {end}):
        writer.add_eot_token_id(others[0])
    writer.add_add_bos_token(begin is not None and tokenizer("a")["input_ids"][0] == begin)
