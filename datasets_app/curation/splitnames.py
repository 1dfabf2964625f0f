"""Names that files give to splits: training, dev, holdout and so on. A table and its reading."""

from __future__ import annotations

SPLIT_KEYS = ("split", "subset", "partition", "dataset", "datasplit", "set", "fold")
NAMES = {
    "train": "train", "training": "train", "trn": "train",
    "validation": "validation", "valid": "validation", "val": "validation", "dev": "validation",
    "development": "validation", "tune": "validation",
    "test": "test", "testing": "test", "tst": "test", "holdout": "test", "eval": "test", "evaluation": "test",
}  # fmt: skip


def split_named(value: object) -> str | None:
    """``train``, ``validation`` or ``test`` for what a cell says, or None where it names none of them."""
    return NAMES.get(str(value).strip().lower())
