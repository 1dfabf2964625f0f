"""What the base model made of pairs of answers, kept in the run folder: numbers alone. Knows no trainer and no specs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Sequence
from math import isfinite
from pathlib import Path

from training_app.engine.data import Pair
from training_app.engine.device import TrainingPlan
from training_app.engine.reports import write_report

Scores = list[tuple[float, float]]
UNSEEN = (0.0, 0.0)


def reference_of(
    path: Path,
    pairs: Sequence[Pair],
    *,
    wanted: Collection[int],
    key: str,
    score: Callable[[Sequence[Pair]], Scores],
    writes: bool,
) -> Scores:
    """The scores of all pairs: what an earlier start of this run wrote down, else `score` of those that are wanted.

    The others are never learned from; they stand as zeros. Of several processes one `writes`.
    """
    if (kept := _kept(path, key, len(pairs))) is not None:
        return kept
    places = sorted(wanted)
    found = [UNSEEN] * len(pairs)
    for place, scores in zip(places, score([pairs[place] for place in places]), strict=True):
        found[place] = scores
    is_sound = all(isfinite(value) for scores in found for value in scores)
    if writes and is_sound:  # else training says what is wrong with them
        write_report(path, {"version": 1, "key": key, "scores": [list(each) for each in found]})
    return found


def reference_key(base: Path, pairs: Sequence[Pair], wanted: Collection[int], plan: TrainingPlan) -> str:
    """A digest of all that the scores depend on: the base model's weights as files, the tokens, the arithmetic."""
    digest = hashlib.sha256(f"{base}{plan.weights}{plan.autocast}{sorted(wanted)}".encode())
    for file in sorted(base.glob("*.safetensors")):
        digest.update(f"{file.name}{file.stat().st_size}{file.stat().st_mtime_ns}".encode())
    for pair in pairs:
        for answer in (pair.preferred, pair.other):
            digest.update(json.dumps([answer.input_ids, answer.labels]).encode())
    return digest.hexdigest()


def _kept(path: Path, key: str, count: int) -> Scores | None:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        scores = [(float(preferred), float(other)) for preferred, other in content["scores"]]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return scores if content["key"] == key and len(scores) == count else None
