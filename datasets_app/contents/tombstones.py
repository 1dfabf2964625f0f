"""What is left of a version once it is erased, and recipes without a person: no word of any row, numbers alone.

Takes and gives plain reports and recipes; writes nothing.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from datasets_app.curation.erasure import Phrase, texts_in
from datasets_app.curation.kinds import BY_NAME
from datasets_app.recipes import Recipe

ERASED = "[erased]"  # stands for each text, so that a recipe still says that there was one
# What people do not write themselves: codes, ids of files, settings.
NOT_WRITTEN = frozenset({"languages", "language", "validation_files", "tokenizer", "erased"})
NUMBERS = ("version", "rows", "splits", "leaks", "personal_data", "findings", "canaries", "tokens", "pairs")
STEP_NUMBERS = ("kind", "changed", "dropped", "seconds", "counts")
DUPLICATE_NUMBERS = ("exact", "near_clusters", "near_rows")


def report_left(report: Mapping[str, Any]) -> dict[str, Any]:
    """The counts of a report. What is not named here may quote rows, also what later reports have."""
    found = {name: report[name] for name in NUMBERS if name in report}
    duplicates = report.get("duplicates") or {}
    steps = report.get("steps") or []
    return {
        **found,
        "duplicates": {name: duplicates[name] for name in DUPLICATE_NUMBERS if name in duplicates},
        "steps": [{name: step[name] for name in STEP_NUMBERS if name in step} for step in steps],
    }


def recipe_left(body: Recipe) -> Recipe:
    """A copy of a recipe without anything that a person wrote into it: edits, words, patterns, prompts, planted texts."""
    found = copy.deepcopy(body)
    if "canaries" in found:
        found["canaries"] = []
    if found.get("system_prompt"):
        found["system_prompt"] = ERASED
    for each in found.get("steps", []):
        options = each.get("options", {})
        for name in _written(each):
            options[name] = [ERASED] * len(options[name]) if isinstance(options[name], list) else None
        if each.get("kind") == "edits":
            rows = options.get("rows", [])
            options["rows"] = [{**row, "messages": []} if "messages" in row else row for row in rows]
    return found


def says(body: Recipe, phrase: Phrase) -> bool:
    """Whether a person wrote the phrase into a recipe, but for its edits."""
    told = [body.get("system_prompt"), body.get("canaries")]
    told += [each["options"][name] for each in body.get("steps", []) for name in _written(each)]
    return any(phrase.is_in(text) for text in texts_in(told))


def without_phrase(body: Recipe, phrase: Phrase) -> Recipe:
    """A copy of a recipe whose words do not say the phrase; conditions that do are switched off, prompts are gone."""
    found = copy.deepcopy(body)
    if "canaries" in found:
        found["canaries"] = [text for text in found["canaries"] if not phrase.is_in(text)]
    if phrase.is_in(str(found.get("system_prompt") or "")):
        found["system_prompt"] = ""
    for each in found.get("steps", []):
        for name in _written(each):
            value = each["options"][name]
            if isinstance(value, list):
                each["options"][name] = [text for text in value if not phrase.is_in(str(text))]
            elif any(map(phrase.is_in, texts_in(value))):
                each["options"][name], each["enabled"] = None, False
    return found


def _written(step: Mapping[str, Any]) -> list[str]:
    """Options of a step that hold what people wrote."""
    kind, options = BY_NAME.get(str(step.get("kind"))), step.get("options", {})
    if kind is None:
        return []
    written = {each.name for each in kind.options if each.type in ("text", "texts", "tree")} - NOT_WRITTEN
    if kind.name == "edits":
        written.discard("rows")
    return [name for name in options if name in written]
