"""How often the tagger speaks up in ordinary texts that nobody labelled, and what looking for names costs on real files.

`REAL_DATA_DIR=… python bench/ordinary_texts.py [--show N]` → bench/results/ordinary_texts.json. Turns are searched in the
order of their conversation, with the turns before them, as a recipe's step does; `--show` prints N findings a set, for
somebody to say which of them are wrong. A share says how many texts hold such a finding, right or wrong.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import random
import sys
import time
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from datasets_app.curation.pii.finder import Finder, finder  # noqa: E402 - threads are counted when NumPy loads
from datasets_app.curation.pii.patterns import Span  # noqa: E402

RESULTS = Path(__file__).with_name("results") / "ordinary_texts.json"
EARLIER_TURNS = 8
BATCH = 500
MOST = 4000
HIDDEN, NAMED = {"PERSON", "ADDRESS"}, {"PERSON", "ADDRESS", "LOCATION", "ORGANIZATION"}
Turn = tuple[str, list[str]]


def _conversations(folder: Path) -> dict[str, list[list[str]]]:
    """The turns of each conversation, by set; single texts are conversations of one turn."""

    def lines(name: str) -> list[Any]:
        return [json.loads(line) for line in (folder / name).read_text(encoding="utf-8").splitlines()]

    def table(name: str, **options: Any) -> list[dict[str, str]]:
        with (folder / name).open(encoding="utf-8", newline="") as stream:
            return list(csv.DictReader(stream, **options))

    unlabelled = [
        row
        for row in table("dialogues/multidogo_finance/dev.tsv", delimiter="\t", quoting=csv.QUOTE_NONE)
        if set(row["slot-labels"].split(" ")) == {"O"}
    ]
    alpaca = json.loads((folder / "instructions/selfinstruct_human_alpaca.json").read_text(encoding="utf-8"))
    chats = {
        "sgd": lines("dialogues/sgd_test_messages.jsonl")[:300],
        "oasst": lines("chat/oasst_en_messages.jsonl")[:250],
    }
    return {
        "banking77": [[row["text"]] for row in table("banking77/test.csv")],
        "multidogo without labels": [
            [row["utterance"] for row in rows] for _key, rows in groupby(unlabelled, lambda row: row["conversationId"])
        ],
        **{key: [[turn["content"] for turn in each["messages"]] for each in made] for key, made in chats.items()},
        "self-instruct": [[row["instruction"], row["output"]] for row in alpaca],
        "cdc faq": [[row["question"], row["answer"]] for row in table("faq/covid_faq_cdc.csv")],
    }


def turns_of(conversations: Sequence[Sequence[str]]) -> list[Turn]:
    """Each text once, with the turns before it where it first stands."""
    found: dict[str, list[str]] = {}
    for turns in conversations:
        for at, text in enumerate(turns):
            found.setdefault(text, list(turns[max(0, at - EARLIER_TURNS) : at]))
    return list(found.items())[:MOST]


def searched(using: Finder, turns: Sequence[Turn]) -> tuple[list[list[Span]], float]:
    """Findings of each text, and texts a second."""
    start, found = time.perf_counter(), list[list[Span]]()
    for at in range(0, len(turns), BATCH):
        batch = turns[at : at + BATCH]
        found += using.find([text for text, _before in batch], [before for _text, before in batch])
    return found, len(turns) / (time.perf_counter() - start)


def _share(found: Sequence[Sequence[Span]], types: set[str]) -> float:
    return round(sum(any(span.entity_type in types for span in spans) for spans in found) / len(found), 4)


def main() -> None:
    """Search every set with and without names, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--show", type=int, default=0, metavar="N", help="print N findings of each set")
    options = parser.parse_args()
    folder = os.environ.get("REAL_DATA_DIR")
    if not folder:
        sys.exit("REAL_DATA_DIR is not set: this benchmark needs the sets.")
    with_names, without = finder(names=True), finder()
    for each in (with_names, without):
        each.find(["mail ann@example.com, 212-555-0147"])
    results = {}
    for key, conversations in _conversations(Path(folder)).items():
        turns = turns_of(conversations)
        found, rate = searched(with_names, turns)
        _shapes, rate_without = searched(without, turns)
        results[key] = {
            "texts": len(turns),
            "characters": round(sum(len(text) for text, _before in turns) / len(turns)),
            "with a person or an address": _share(found, HIDDEN),
            "with any of the four": _share(found, NAMED),
            "texts_a_second": round(rate),
            "texts_a_second_without_names": round(rate_without),
        }
        print(key, json.dumps(results[key]), flush=True)
        hits = [(text, span) for (text, _b), spans in zip(turns, found, strict=True) for span in spans]
        hits = [(text, span) for text, span in hits if span.entity_type in HIDDEN]
        for text, span in random.Random(0).sample(hits, min(options.show, len(hits))):
            around = text[max(0, span.start - 40) : span.end + 30].replace("\n", " / ")
            print(f"  {span.entity_type} {span.score:.2f} [{text[span.start : span.end]}] {around}")
    RESULTS.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
