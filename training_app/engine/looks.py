"""What people may look at inside a run, in `<run>/looks/`: its first batch as the model sees it. Knows no trainer.

Texts of rows are written here and nowhere else, so that erasing a version can take them along: events, curves and
other files name rows by their place in the split.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tokenizers.decoders import DecodeStream
from transformers import PreTrainedTokenizerBase

from training_app.engine.batching import LengthPools
from training_app.engine.data import IGNORED, Example
from training_app.engine.reports import write_report

FOLDER = "looks"
FIRST_BATCH = "first_batch.json"
MOST_ROWS, MOST_TOKENS = 8, 600


def folder_of(run: Path) -> Path:
    """The folder, made when it is first asked for."""
    folder = run / FOLDER
    folder.mkdir(exist_ok=True)
    return folder


def write_first_batch(
    run: Path, tokenizer: PreTrainedTokenizerBase, items: Sequence[Any], order: LengthPools, *, batch_size: int
) -> None:
    """The rows of the first batch, token by token, with the tokens that are learned marked."""
    chosen = [items[index] for index in order.first(batch_size)]
    examples = [each for each in chosen if isinstance(each, Example)]
    width = max((len(each.input_ids) for each in examples), default=0)
    content = {
        "version": 1,
        "rows_in_batch": len(chosen),
        "width": width,
        "padding": sum(width - len(each.input_ids) for each in examples),
        "rows": [_row(tokenizer, each) for each in examples[:MOST_ROWS]],
    }
    write_report(folder_of(run) / FIRST_BATCH, content)


def _row(tokenizer: PreTrainedTokenizerBase, example: Example) -> dict[str, Any]:
    return {
        "tokens": len(example.input_ids),
        "learned": example.learned,
        "pieces": pieces(tokenizer, example.input_ids[:MOST_TOKENS], example.labels[:MOST_TOKENS]),
    }


def pieces(tokenizer: PreTrainedTokenizerBase, ids: Sequence[int], labels: Sequence[int]) -> list[list[Any]]:
    """[text, is learned] for each token; tokens that hold parts of one character are one piece."""
    stream = DecodeStream(skip_special_tokens=False)
    found: list[list[Any]] = []
    is_learned = False
    for token, label in zip(ids, labels, strict=True):
        is_learned = is_learned or label != IGNORED
        text = stream.step(tokenizer.backend_tokenizer, token)
        if text:
            found.append([text, is_learned])
            is_learned = False
    return found
