"""How much personal data the studio finds in labelled text, and how much of what it finds is none.

`REAL_DATA_DIR=… python bench/personal_data.py [--only NAME …]` → bench/results/personal_data.json, through the same
command as people use. In Python: `score(corpus, find)` with any `find(texts, contexts) -> one list of spans a text`.

A labelled span counts as found when findings of any type cover at least half of its characters. A finding is false
unless at least half of its own characters are labelled, by any label. A row is flagged when it has a finding.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, Protocol

ROOT = Path(__file__).resolve().parents[1]
RESULTS = Path(__file__).with_name("results") / "personal_data.json"
STRUCTURED = {"EMAIL_ADDRESS", "CREDIT_CARD", "IBAN_CODE", "US_SSN", "IP_ADDRESS"}
IDENTIFYING = STRUCTURED | {"PERSON", "ADDRESS", "STREET_ADDRESS", "PHONE_NUMBER", "US_DRIVER_LICENSE"}
CHAT = {"name", "card_number", "ssn", "account_number", "address"}
EARLIER_TURNS = 8


class Found(Protocol):
    """What a finder gives: characters `start` to `end` (exclusive)."""

    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int: ...


Find = Callable[[Sequence[str], Sequence[Sequence[str]]], Sequence[Sequence[Found]]]


@dataclass(frozen=True, slots=True)
class Row:
    """A text, its labelled spans (start, end, label), and the earlier turns of its conversation, oldest first."""

    text: str
    labels: tuple[tuple[int, int, str], ...]
    earlier: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Corpus:
    """A labelled file. `wanted`: the labels whose recall counts; `field`, `group`: what the command is told."""

    name: str
    path: Path
    field: str
    group: str | None
    wanted: frozenset[str]
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """A finding as the command prints it."""

    start: int
    end: int
    entity_type: str


def labelled_json(folder: Path, name: str) -> Corpus:
    """`pii/<name>.json`."""
    path = folder / "pii" / f"{name}.json"
    rows = [
        Row(
            item["full_text"],
            tuple((span["start_position"], span["end_position"], span["entity_type"]) for span in item["spans"]),
        )
        for item in json.loads(path.read_text(encoding="utf-8"))
    ]
    return Corpus(name, path, "full_text", None, frozenset(IDENTIFYING), tuple(rows))


def _word_labels(text: str, labels: Sequence[str]) -> tuple[tuple[int, int, str], ...]:
    """Neighbouring words of one label are one span."""
    spans, at = [], 0
    for label, words in groupby(zip(text.split(" "), labels, strict=True), key=lambda pair: pair[1]):
        length = len(" ".join(word for word, _label in words))
        if label != "O":
            spans.append((at, at + length, label))
        at += length + 1
    return tuple(spans)


def labelled_chat(folder: Path, part: str) -> Corpus:
    """One part of multidogo_finance; rows lie in turn order, and earlier turns of the conversation are context."""
    path = folder / "dialogues" / "multidogo_finance" / f"{part}.tsv"
    earlier: dict[str, list[str]] = defaultdict(list)
    rows = []
    with path.open(encoding="utf-8", newline="") as stream:
        for line in csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE):
            text, before = line["utterance"], earlier[line["conversationId"]]
            rows.append(Row(text, _word_labels(text, line["slot-labels"].split(" ")), tuple(before[-EARLIER_TURNS:])))
            before.append(text)
    return Corpus(f"multidogo_finance_{part}", path, "utterance", "conversationId", frozenset(CHAT), tuple(rows))


def unlabelled(folder: Path) -> Corpus:
    """banking77: questions that name nobody, the gauge of false alarms."""
    path = folder / "banking77" / "train.csv"
    with path.open(encoding="utf-8", newline="") as stream:
        rows = tuple(Row(line["text"], ()) for line in csv.DictReader(stream))
    return Corpus("banking77", path, "text", None, frozenset(), rows)


def corpora(folder: Path) -> list[Corpus]:
    """Every set, from the folder of real data."""
    return [
        labelled_json(folder, "synth_v2_halfA"),
        labelled_json(folder, "generated_large_halfA"),
        *(labelled_chat(folder, part) for part in ("train", "dev", "test")),
        unlabelled(folder),
    ]


def by_the_command(corpus: Corpus) -> list[list[Place]]:
    """Findings a row, from `python -m datasets_app.curation scan`."""
    command = [sys.executable, "-m", "datasets_app.curation", "scan", "--in", str(corpus.path), "--field", corpus.field]
    if corpus.group:
        command += ["--group", corpus.group]
    out = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    found: list[list[Place]] = [[] for _row in corpus.rows]
    for line in out.splitlines():
        each = json.loads(line)
        found[each["row"]].append(Place(each["start"], each["end"], each["entity_type"]))
    return found


def _covered(start: int, end: int, spans: Sequence[tuple[int, int]]) -> bool:
    """Whether `spans` cover at least half of the characters from `start` to `end`."""
    places = {place for low, high in spans for place in range(max(low, start), min(high, end))}
    return 2 * len(places) >= end - start


def measure(corpus: Corpus, found: Sequence[Sequence[Found]]) -> dict[str, Any]:
    """Recall by label, precision over all findings, and the share of rows without labels that were flagged."""
    labelled, hit = Counter[str](), Counter[str]()
    findings = false = bare = flagged = 0
    for row, spans in zip(corpus.rows, found, strict=True):
        places = [(span.start, span.end) for span in spans]
        for start, end, label in row.labels:
            labelled[label] += 1
            hit[label] += _covered(start, end, places)
        findings += len(places)
        false += sum(not _covered(*place, [label[:2] for label in row.labels]) for place in places)
        bare += not row.labels
        flagged += not row.labels and bool(places)
    return {
        "rows": len(corpus.rows),
        "recall": _share(hit, labelled, corpus.wanted),
        "recall_structured": _share(hit, labelled, STRUCTURED),
        "precision": round(1 - false / findings, 4) if findings else None,
        "findings": findings,
        "flagged_without_labels": round(flagged / bare, 4) if bare else None,
        "by_label": {name: [hit[name], labelled[name], _share(hit, labelled, {name})] for name in sorted(labelled)},
    }


def _share(hit: Counter[str], labelled: Counter[str], names: frozenset[str] | set[str]) -> float | None:
    wanted = sum(labelled[name] for name in names)
    return round(sum(hit[name] for name in names) / wanted, 4) if wanted else None


def score(corpus: Corpus, find: Find) -> dict[str, Any]:
    """`measure` for a finder in this process."""
    return measure(corpus, find([row.text for row in corpus.rows], [row.earlier for row in corpus.rows]))


def main() -> None:
    """Score every set and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", metavar="NAME", help="these sets alone; nothing is written then")
    options = parser.parse_args()
    folder = os.environ.get("REAL_DATA_DIR")
    if not folder:
        sys.exit("REAL_DATA_DIR is not set: this benchmark needs the labelled sets.")
    results = {}
    for corpus in corpora(Path(folder)):
        if options.only and corpus.name not in options.only:
            continue
        results[corpus.name] = measure(corpus, by_the_command(corpus))
        print(corpus.name, json.dumps(results[corpus.name]), flush=True)
    if not options.only:
        RESULTS.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
