"""The model's folder: `weights.safetensors` in half precision and `tagger.json` with sizes and vocabulary. No pickle."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from datasets_app.curation.pii.tagger.labels import ENTITIES
from datasets_app.curation.pii.tagger.tokens import FIRST_WORD, RARE, UNKNOWN

WEIGHTS = "weights.safetensors"
ABOUT = "tagger.json"
Arrays = dict[str, NDArray[np.float32]]


def save(
    folder: Path, weights: Arrays, about: dict[str, Any], vocabulary: dict[str, int], kinds: Sequence[int]
) -> None:
    """Write both files; words are kept in the order of their numbers, those without a number of their own by kind.

    Args:
        kinds: for each number of a word what it is known as, one of `RARE` or `UNKNOWN`; one digit a word in the file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    save_file({name: array.astype(np.float16) for name, array in weights.items()}, folder / WEIGHTS)
    words = sorted((word for word in vocabulary if vocabulary[word] >= FIRST_WORD), key=lambda word: vocabulary[word])
    rare = {kind: " ".join(sorted(word for word in vocabulary if vocabulary[word] == RARE[kind])) for kind in RARE}
    known = "".join(str(kind) for kind in kinds[FIRST_WORD:])
    all_of_it = {**about, "entities": list(ENTITIES), "words": words, "known": known, "rare": rare}
    text = json.dumps(all_of_it, ensure_ascii=False, indent=0)
    (folder / ABOUT).write_text(text + "\n", encoding="utf-8")


def load(folder: Path) -> tuple[Arrays, dict[str, Any]]:
    """Weights in single precision and what `tagger.json` says.

    Raises:
        FileNotFoundError: the folder holds no model.
        ValueError: the model was trained for other entities than this code knows.
    """
    about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
    if about["entities"] != list(ENTITIES):
        raise ValueError(
            f"{folder / ABOUT} names other entities than this version; make the model again: make pii-model"
        )
    return {name: array.astype(np.float32) for name, array in load_file(folder / WEIGHTS).items()}, about


def vocabulary_of(about: dict[str, Any]) -> dict[str, int]:
    """The numbers of words, from what `load` says."""
    rare = {word: RARE[kind] for kind, words in about["rare"].items() for word in words.split(" ")}
    return rare | {word: number for number, word in enumerate(about["words"], start=FIRST_WORD)}


def kinds_of(about: dict[str, Any]) -> dict[str, int]:
    """What words are known as, whether they have a number of their own or not; those known as nothing are left out."""
    rare = {word: RARE[kind] for kind, words in about["rare"].items() for word in words.split(" ")}
    own = zip(about["words"], map(int, about["known"]), strict=True)
    return rare | {word: kind for word, kind in own if kind != UNKNOWN}
