"""Sample data of a use case, made of templates that we wrote: the same bytes each time, no row of anybody's."""

from __future__ import annotations

import csv
import io
import json
import random
import re
from typing import Any

from gptstudio.overview.demo_data.files import tickets
from gptstudio.overview.use_cases.catalogue import UseCase, written

SEED = 0
COLUMNS = ("prompt", "completion")
_GAP = re.compile(r"\{(\w+)(?:\.(\w+))?\}")
Pair = tuple[str, str]


def sample_of(case: UseCase) -> bytes:
    """The file's bytes: the demo's tickets for customer support, else requests and answers as the templates have them."""
    if case.key == "support":
        return tickets(SEED, case.rows)
    pairs = _pairs(written(case.key), case.rows)
    return _as_chats(pairs) if case.file.endswith(".jsonl") else _as_table(pairs)


def _pairs(found: dict[str, Any], count: int) -> list[Pair]:
    """So many requests, none twice, with their answers."""
    rng = random.Random(SEED)
    scenes = found["scene"]
    weights = [each["weight"] for each in scenes]
    pairs: dict[str, str] = {}
    while len(pairs) < count:
        scene = rng.choices(scenes, weights)[0]
        drawn = {name: rng.choice(values) for name, values in found["slots"].items()}
        pairs.setdefault(_filled(rng.choice(scene["ask"]), drawn), _filled(scene["answer"], drawn))
    return list(pairs.items())


def _filled(template: str, drawn: dict[str, Any]) -> str:
    """The template with its gaps filled, each from what was drawn for the row; gaps left empty leave no space behind."""

    def value(match: re.Match[str]) -> str:
        found = drawn[match.group(1)]
        return str(found[match.group(2)] if match.group(2) else found)

    filled = _GAP.sub(value, _GAP.sub(value, template))  # what fills a gap may have gaps itself
    return re.sub(r"  +", " ", filled).strip()


def _as_table(pairs: list[Pair]) -> bytes:
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\n")
    writer.writerows([COLUMNS, *pairs])
    return lines.getvalue().encode()


def _as_chats(pairs: list[Pair]) -> bytes:
    return "".join(f"{json.dumps({'messages': _turns(pair)}, ensure_ascii=False)}\n" for pair in pairs).encode()


def _turns(pair: Pair) -> list[dict[str, str]]:
    return [{"role": role, "content": text} for role, text in zip(("user", "assistant"), pair, strict=True)]
