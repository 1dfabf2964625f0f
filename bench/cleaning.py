"""How right the cleaning rules are: errors are planted into real English text, and what comes back is compared.

    REAL_DATA_DIR=… python bench/cleaning.py

For each rule: `precision` is the share of its edits that restore a planted error (an edit that it would make on the
untouched text as well counts as wrong, although some of those mend what the writers really got wrong), `recall` the
share of planted errors that it restores. `untouched` counts edits per 1,000 words of text nobody planted anything in.
"""

from __future__ import annotations

import csv
import difflib
import json
import os
import random
import re
import sys
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from planting import PLANTERS, Planter, plant  # noqa: E402

from datasets_app.curation.cleaning.casing import recase  # noqa: E402
from datasets_app.curation.cleaning.grammar import correct  # noqa: E402
from datasets_app.curation.cleaning.spelling import Speller  # noqa: E402
from datasets_app.curation.cleaning.symbols import replace_symbols  # noqa: E402
from datasets_app.curation.cleaning.words import looks_english  # noqa: E402
from datasets_app.curation.filters.language import language_of  # noqa: E402
from datasets_app.curation.filters.lexicon import found_in  # noqa: E402
from datasets_app.curation.filters.patterns import compiled  # noqa: E402
from datasets_app.curation.filters.repetition import Repetition  # noqa: E402
from datasets_app.curation.firstpass import Chunk, FirstPass  # noqa: E402
from datasets_app.curation.layouts import ColumnMap  # noqa: E402
from datasets_app.curation.normalize import normalize  # noqa: E402
from datasets_app.curation.recipe import parse_recipe  # noqa: E402
from datasets_app.curation.rows import Record  # noqa: E402
from datasets_app.curation.steps import Known  # noqa: E402

LIMIT = 700
HELD_OUT = "self-instruct, held out"


def texts(data: Path) -> dict[str, list[str]]:
    """English texts by source, at most LIMIT of each, tidied."""
    found: dict[str, list[str]] = {"oasst": [], "gsm8k": [], "cdc_faq": [], "sgd": []}
    for line in (data / "chat/oasst_en_messages.jsonl").open(encoding="utf-8"):
        found["oasst"] += [each["content"] for each in json.loads(line)["messages"]]
    for line in (data / "instructions/gsm8k_test.jsonl").open(encoding="utf-8"):
        found["gsm8k"].append(json.loads(line)["question"])
    with (data / "faq/covid_faq_cdc.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            found["cdc_faq"] += [row["question"], row["answer"]]
    for line in (data / "dialogues/sgd_test_messages.jsonl").open(encoding="utf-8"):
        found["sgd"] += [each["content"] for each in json.loads(line)["messages"]]
    chance = random.Random(11)
    return {name: _chosen(given, chance) for name, given in found.items()}


def held_out(data: Path) -> list[str]:
    """Texts of self-instruct: nobody looked at them while the rules were written."""
    rows = json.loads((data / "instructions/selfinstruct_human_alpaca.json").read_text(encoding="utf-8"))
    return _chosen([row[name] for row in rows for name in ("instruction", "output")], random.Random(12))


def _chosen(given: list[str], chance: random.Random) -> list[str]:
    tidy = sorted({normalize(text)[:1500] for text in given})
    chance.shuffle(tidy)
    return [text for text in tidy if text and looks_english(text) and len(text.split()) > 3][:LIMIT]


def edits(before: str, after: str) -> list[tuple[int, int, str]]:
    """What changed, word by word: offsets in `before` and the new text."""
    old, new = re.findall(r"\w+|\s+|[^\w\s]", before), re.findall(r"\w+|\s+|[^\w\s]", after)
    places = [0]
    for token in old:
        places.append(places[-1] + len(token))
    found = difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    return [_leftmost(before, places[a], places[b], "".join(new[c:d])) for kind, a, b, c, d in found if kind != "equal"]


def _leftmost(before: str, start: int, end: int, new: str) -> tuple[int, int, str]:
    """Taking out the first or the second of two like words is the same edit."""
    while not new and start and before[start - 1] == before[end - 1]:
        start, end = start - 1, end - 1
    return start, end, new


def measure(given: list[str], planter: Planter, fix: Callable[[str], str], seed: int) -> Counter[str]:
    """Planted, restored, edits made, and edits made on untouched text."""
    chance, counts = random.Random(seed), Counter[str]()
    wrong_ones: list[str] = []
    for text in given:
        spoilt, errors = plant(text, planter, chance)
        once, mended = fix(text), fix(spoilt)
        counts["words"] += len(text.split())
        counts["untouched"] += len(edits(text, once)) if once != text else 0
        if not errors:
            continue
        wanted, made = set(edits(spoilt, text)), set(edits(spoilt, mended))
        restored = len(wanted & made)
        counts["planted"] += len(wanted)
        counts["restored"] += restored
        counts["made"] += len(made)
        wrong_ones += [f"{spoilt[max(0, a - 30) : b + 30]!r} -> {new!r}" for a, b, new in made - wanted]
    for line in wrong_ones[: int(os.environ.get("SHOW", "0"))]:
        print("   ", line)
    return counts


def speed(given: list[str], speller: Speller) -> dict[str, float]:
    """Texts a second of each step, one process, over the texts as they are."""
    repetition, search = Repetition(), compiled(r"ticket #?\d{4,}")
    found = {}
    for name, fix in {
        "normalize": normalize,
        "case": lambda text: recase(text, "sentence"),
        "symbols": lambda text: replace_symbols(text, emoji="remove", urls="placeholder", handles="placeholder"),
        "grammar": correct,
        "spelling": speller.correct,
        "repetition": repetition.judge_text,
        "toxicity": found_in,
        "patterns": search.search,
        "language": language_of,
    }.items():
        for text in given[:200]:
            fix(text)  # lists, dictionaries and models are loaded
        start = time.process_time()
        for text in given:
            fix(text)
        found[name] = round(len(given) / (time.process_time() - start))
    return found


CHAIN = ("normalize", "symbols", "case", "grammar", "length", "repetition", "toxicity", "conditions")


def chain(given: list[str], rows: int) -> dict[str, float]:
    """Seconds for `rows` chat rows of one question and one answer through the first pass with the steps of CHAIN."""
    chance = random.Random(rows)
    options = {
        "symbols": {"emoji": "remove", "urls": "placeholder"},
        "length": {"answer_least": 1},
        "conditions": {"keep": {"derived": "words", "op": ">", "value": 1}},
    }
    steps = [{"kind": kind, "options": options.get(kind, {})} for kind in CHAIN]
    first = FirstPass(parse_recipe({"version": 1, "steps": steps}), Known())
    mapping = ColumnMap(layout="prompt_completion", prompt="q", completion="a")
    records = [
        Record(row, None, {"q": chance.choice(given), "a": f"{chance.choice(given)} {row}"}) for row in range(rows)
    ]
    start, kept = time.process_time(), 0
    for at in range(0, rows, 500):
        passed = first.run(Chunk("bench", mapping, tuple(records[at : at + 500])))
        kept += sum(hasattr(each, "conversation") for each in passed.outcomes)
    seconds = time.process_time() - start
    return {"rows": rows, "kept": kept, "seconds": round(seconds, 2), "rows_a_second": round(rows / seconds)}


def main() -> int:
    """Measure each rule, and spelling, on each source; print and store."""
    sources = texts(Path(os.environ["REAL_DATA_DIR"]))
    everything = [text for given in sources.values() for text in given]
    speller = Speller(counts=Counter(word for text in everything for word in re.findall(r"\b[a-z]+\b", text)))
    unseen, rows = held_out(Path(os.environ["REAL_DATA_DIR"])), []
    for name, planter in PLANTERS.items():
        total = Counter[str]()
        fix = partial(_spelt, speller) if name == "spelling" else partial(_ruled, name)
        for seed, (source, given) in enumerate(sources.items()):
            counts = measure(given, planter, fix, seed)
            total += counts
            rows.append(_row(name, source, counts))
        rows.append(_row(name, "all", total))
        rows.append(_row(name, HELD_OUT, measure(unseen, planter, fix, 99)))
    short = [text for text in everything if len(text) < 200]
    result = {
        "texts": {name: len(given) for name, given in sources.items()},
        "rules": rows,
        "texts_a_second": {"short": speed(short, speller), "all": speed(everything, speller)},
        "chain": {"steps": CHAIN, "runs": [chain(short, rows) for rows in (1_000, 5_000, 50_000)][1:]},
        "mean_characters": {
            name: round(sum(map(len, given)) / len(given)) for name, given in (("short", short), ("all", everything))
        },
    }
    print(json.dumps(result["texts_a_second"]))
    print(json.dumps(result["chain"]))
    (HERE / "results" / "cleaning.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return 0


def _spelt(speller: Speller, text: str) -> str:
    return speller.correct(text)[0]


def _ruled(rule: str, text: str) -> str:
    return correct(text, [rule])[0]


def _row(rule: str, source: str, counts: Counter[str]) -> dict[str, object]:
    row = {
        "rule": rule,
        "source": source,
        "planted": counts["planted"],
        "precision": round(counts["restored"] / max(1, counts["made"]), 4),
        "recall": round(counts["restored"] / max(1, counts["planted"]), 4),
        "untouched_per_1000_words": round(1000 * counts["untouched"] / max(1, counts["words"]), 3),
    }
    print(json.dumps(row), flush=True)
    return row


if __name__ == "__main__":
    sys.exit(main())
