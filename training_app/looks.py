"""What an engine left for people to look at in a run's folder. Reads files; knows no page and writes nothing.

All of it holds texts of rows or answers to them, so it is gone once the version's rows are erased; losses are numbers alone.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from datasets_app.contents.rows import rows_of
from datasets_app.models import VersionState
from gptstudio.core.errors import NotFound
from training_app.models import FineTuningJob


def folder_of(job: FineTuningJob) -> Path:
    """Where a machine that runs it has them."""
    return job.folder / "looks"


def is_erased(job: FineTuningJob) -> bool:
    """Whether the rows that this run learned from are no longer kept."""
    return job.version is not None and job.version.state == VersionState.ERASED


def _read(job: FineTuningJob, name: str) -> dict[str, Any]:
    path = job.left / "looks" / name
    if is_erased(job) or not path.is_file():
        return {}
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def first_batch(job: FineTuningJob) -> dict[str, Any]:
    """The first batch, token by token; empty before the run has begun."""
    return _read(job, "first_batch.json")


def hardest(job: FineTuningJob) -> dict[str, Any]:
    """The validation rows that the kept weights find hardest, with their messages; empty before the run is over."""
    found = _read(job, "hardest_rows.json")
    if not found:
        return {}
    rows = _rows(job, [each["place"] for each in found["rows"]])
    shown = [{**each, "messages": rows[each["place"]]} for each in found["rows"] if each["place"] in rows]
    return {**found, "rows": shown}


def losses(job: FineTuningJob) -> list[list[float]]:
    """What the kept weights lose on each validation row that was measured: place, nats, answer tokens, group. Empty where
    the run left none."""
    path = job.left / "validation_losses.json"
    if not path.is_file():
        return []
    found: list[list[float]] = json.loads(path.read_text(encoding="utf-8"))["rows"]
    return found


def samples(job: FineTuningJob) -> list[dict[str, Any]]:
    """The questions that were asked at evaluations, each with its reference and the answers by step, in their order."""
    paths = [] if is_erased(job) else sorted((job.left / "looks").glob("sample-*.json"), key=_step_in)
    looks = [json.loads(path.read_text(encoding="utf-8")) for path in paths]
    places = list(dict.fromkeys(each["place"] for look in looks for each in look["answers"]))
    rows = _rows(job, places)
    return [
        {
            "place": place,
            **_asked(rows[place]),
            "answers": [
                {"step": look["step"], "text": each["answer"]}
                for look in looks
                for each in look["answers"]
                if each["place"] == place
            ],
        }
        for place in places
        if place in rows
    ]


def _step_in(path: Path) -> int:
    return int(path.stem.removeprefix("sample-"))


def _rows(job: FineTuningJob, places: list[int]) -> dict[int, list[dict[str, Any]]]:
    """Messages of validation rows by place; none where they cannot be had any more."""
    if not places or job.version is None:
        return {}
    try:
        found = rows_of(job.version, [("validation", place) for place in places])
    except (NotFound, OSError):
        return {}
    return {place: row["messages"] for (_split, place), row in found.items()}


def _asked(messages: list[dict[str, Any]]) -> dict[str, str]:
    """What stood before the last answer, and that answer."""
    answers = [index for index, each in enumerate(messages) if each["role"] == "assistant"]
    last = answers[-1] if answers else len(messages) - 1
    return {"prompt": messages[max(0, last - 1)]["content"], "reference": messages[last]["content"]}
