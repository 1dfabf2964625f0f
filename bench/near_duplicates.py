"""Near-duplicates on planted pairs: texts of 20 to 60 words, 5 to 20 % of the words replaced, inserted or deleted.

`python bench/near_duplicates.py [--rows 4000]` → bench/results/near_duplicates.json. Bar: recall and precision at least
0.95 at the default settings; beside it datasketch's defaults, and datasketch at a lower threshold.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from itertools import combinations
from pathlib import Path

from datasketch import MinHash, MinHashLSH

sys.path.insert(0, str(Path(__file__).parent.parent))

from datasets_app.curation.dedupe import sketch
from datasets_app.curation.near import Clusters, NearCopies, Sketches
from datasets_app.curation.recipe import number_option, parse_recipe
from datasets_app.curation.rows import Conversation

RESULTS = Path(__file__).with_name("results") / "near_duplicates.json"
Pairs = set[tuple[int, int]]
EDITS = ("replace", "insert", "delete", "mixed")


def edited(words: Sequence[str], share: float, how: str, rng: random.Random, vocabulary: Sequence[str]) -> list[str]:
    """A copy with that share of its words changed."""
    made = list(words)
    for place in sorted(rng.sample(range(len(words)), max(1, round(share * len(words)))), reverse=True):
        kind = rng.choice(EDITS[:3]) if how == "mixed" else how
        if kind == "replace":
            made[place] = rng.choice(vocabulary)
        elif kind == "insert":
            made.insert(place, rng.choice(vocabulary))
        else:
            del made[place]
    return made


def planted(rows: int, how: str, *, share: float | None, seed: int) -> tuple[list[str], Pairs]:
    """Texts, a third of them with an edited copy, in random order; and which are pairs."""
    rng = random.Random(seed)
    vocabulary = ["".join(rng.choices("abcdefghiklmnoprstuvw", k=rng.randint(2, 10))) for _ in range(5000)]
    weights = [1 / (place + 3) for place in range(len(vocabulary))]
    made: list[tuple[int, list[str]]] = []
    for base in range(rows * 3 // 4):
        words = rng.choices(vocabulary, weights, k=rng.randint(20, 60))
        made.append((base, words))
        if base % 3 == 0:
            made.append((base, edited(words, share or rng.uniform(0.05, 0.2), how, rng, vocabulary)))
    rng.shuffle(made)
    by_base: defaultdict[int, list[int]] = defaultdict(list)
    for place, (base, _words) in enumerate(made):
        by_base[base].append(place)
    return [" ".join(words) for _base, words in made], {
        pair for each in by_base.values() for pair in combinations(each, 2)
    }


def within(clusters: Iterable[int]) -> Pairs:
    """All pairs within clusters."""
    rows: defaultdict[int, list[int]] = defaultdict(list)
    for place, label in enumerate(clusters):
        rows[label].append(place)
    return {pair for each in rows.values() for pair in combinations(each, 2)}


def ours(texts: Sequence[str]) -> Pairs:
    """The near-duplicate step at its default settings."""
    step = parse_recipe({"version": 1, "steps": [{"kind": "near_duplicates"}]}).step("near_duplicates")
    clusters = Clusters(len(texts))
    with tempfile.TemporaryDirectory() as folder, Sketches(Path(folder) / "words") as sketches:
        for text in texts:
            talk = ({"role": "user", "content": text}, {"role": "assistant", "content": "Noted."})
            sketches.add(sketch(Conversation(talk)))  # type: ignore[arg-type]
        NearCopies(sketches, threshold=number_option(step, "threshold")).join(clusters, Clusters(len(texts)))
    return within(clusters.labels())


def datasketch(texts: Sequence[str], **settings: float) -> Pairs:
    """MinHashLSH over words; what it proposes is taken as found, as its documentation shows it."""
    index, clusters = MinHashLSH(**settings), Clusters(len(texts))
    for place, text in enumerate(texts):
        found = MinHash()
        found.update_batch([word.encode() for word in set(text.split())])
        for other in index.query(found):
            clusters.join(place, other)
        index.insert(place, found)
    return within(clusters.labels())


def score(find: Callable[[Sequence[str]], Pairs], texts: Sequence[str], pairs: Pairs) -> dict[str, float]:
    """Recall and precision over pairs."""
    start = time.monotonic()
    found = find(texts)
    hits = len(found & pairs)
    return {
        "recall": round(hits / len(pairs), 4),
        "precision": round(hits / max(1, len(found)), 4),
        "seconds": round(time.monotonic() - start, 1),
    }


def main() -> None:
    """Every kind of edit, and the hardest share alone."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=4000)
    options = parser.parse_args()
    result = []
    for how, share in (*((how, None) for how in EDITS), ("replace", 0.2)):
        texts, pairs = planted(options.rows, how, share=share, seed=5)
        line = {
            "edits": how,
            "share": share or "5–20 %",
            "pairs": len(pairs),
            "ours": score(ours, texts, pairs),
            "datasketch, defaults": score(datasketch, texts, pairs),
            "datasketch, threshold 0.5": score(lambda given: datasketch(given, threshold=0.5), texts, pairs),
        }
        result.append(line)
        print(json.dumps(line), flush=True)
    RESULTS.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
