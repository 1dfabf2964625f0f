"""Which files of a repository are taken: weights as safetensors, tokenizer, configuration. It reads no file."""

from __future__ import annotations

import re
from collections.abc import Sequence

from training_app.engine.errors import EngineError

WEIGHTS = re.compile(r"model(-\d{5}-of-\d{5})?\.safetensors")
PICKLED = (".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt")
BESIDE = {
    "config.json",
    "generation_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "chat_template.jinja",
    "chat_template.json",
    "tokenizer.model",
    "vocab.json",
    "vocab.txt",
    "merges.txt",
    "model.safetensors.index.json",
}
NEEDED = ("config.json", "tokenizer.json")


def chosen(repo: str, names: Sequence[str]) -> tuple[list[str], list[str]]:
    """Small files and weights of a repository's `names`, both from its top level alone.

    Errors: EngineError for a repository that has pickled weights only, or lacks a part.
    """
    weights = sorted(name for name in names if WEIGHTS.fullmatch(name))
    if not weights:
        if any(name.endswith(PICKLED) for name in names):
            raise EngineError(
                "pickled_weights",
                f"{repo} holds pickled weights only, which can run code when they are opened.",
                fix="Choose a model that is published as safetensors.",
            )
        raise EngineError("no_weights", f"{repo} holds no model.safetensors.", fix="Choose a whole transformers model.")
    for name in NEEDED:
        if name not in names:
            raise EngineError("incomplete", f"{repo} has no {name}.", fix="Choose a whole transformers model.")
    return sorted(BESIDE & set(names)), weights
