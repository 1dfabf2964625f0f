"""What the kept weights lose on validation rows: the hardest of them for people, all of them to compare runs by.

Rows are named by their place in the split; no text of a row is written.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from peft import PeftModel, set_peft_model_state_dict
from safetensors.torch import load_file

from training_app.engine.data import Example, Row, build_examples
from training_app.engine.looks import folder_of
from training_app.engine.model import Speaker
from training_app.engine.perplexity import answer_losses
from training_app.engine.reports import write_report

HARDEST, LOSSES = "hardest_rows.json", "validation_losses.json"
MOST_ROWS, KEPT = 512, 30


def write_hardest(
    run: Path, speaker: Speaker, model: Any, rows: Sequence[Row], *, checkpoint: Path, step: int, limit: int
) -> None:
    """Put the checkpoint's weights into `model`; write what each row loses, and the rows of the highest loss an answer
    token, hardest first.

    `model` is changed: the run is over, and its model folder is made from the checkpoint itself.
    """
    places, examples = _examples(speaker, rows, limit=limit)
    if not examples:
        return
    load_weights(model, checkpoint)
    model.eval()
    sums = answer_losses(replace(speaker, model=model), examples, on_progress=lambda _rows: None)
    _write_losses(run, [rows[place] for place in places], places, sums, step=step)
    losses = [total / count for total, count in sums]
    found = [
        {"place": place, "loss": round(loss, 4), "tokens": example.learned}
        for place, example, loss in zip(places, examples, losses, strict=True)
    ]
    found.sort(key=lambda each: -float(each["loss"]))
    mean = sum(each["loss"] * each["tokens"] for each in found) / sum(each["tokens"] for each in found)
    content = {"version": 1, "step": step, "measured": len(found), "mean_loss": round(mean, 4), "rows": found[:KEPT]}
    write_report(folder_of(run) / HARDEST, content)


def _write_losses(
    run: Path, rows: Sequence[Row], places: Sequence[int], sums: Sequence[tuple[float, int]], *, step: int
) -> None:
    """Of each row its place, nats, answer tokens, and the number of the group that it belongs to: numbers alone."""
    numbers: dict[str, int] = {}
    groups = [
        numbers.setdefault(row.group or f"alone {place}", len(numbers)) for row, place in zip(rows, places, strict=True)
    ]
    lines = [[place, *each, group] for place, each, group in zip(places, sums, groups, strict=True)]
    write_report(run / LOSSES, {"version": 1, "step": step, "rows": lines})


def _examples(speaker: Speaker, rows: Sequence[Row], *, limit: int) -> tuple[list[int], list[Example]]:
    """At most MOST_ROWS rows from all over the split that have something to learn, with their places."""
    stride = -(-len(rows) // MOST_ROWS) or 1
    places: list[int] = []
    examples: list[Example] = []
    for place in range(0, len(rows), stride):
        built = build_examples([rows[place]], speaker.tokenizer, speaker.stop_tokens, max_length=limit)
        for example in built.items:
            places.append(place)
            examples.append(example)
    return places, examples


def load_weights(model: Any, checkpoint: Path) -> None:
    """A checkpoint's weights into the model as it stands; of an adapter its own weights alone."""
    for file in sorted(checkpoint.glob("*.safetensors")):
        weights = load_file(file)
        if isinstance(model, PeftModel):
            set_peft_model_state_dict(model, weights)
        else:
            model.load_state_dict(weights, strict=False)  # tied weights are stored once
