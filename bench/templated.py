"""Templated rows, such as a support desk's macros with other names and numbers: do they cross the split?

`python bench/templated.py` → bench/results/templated.json. For each kind of slot, made-up templates of 12 to 40 words are
filled in several times and shuffled among ordinary rows; the whole is curated and split. Told are the share of pairs of a
template that are in one group, how many held-out rows have a row of their template in train, and how many groups hold rows
of two templates, or ordinary rows. Bars: all of the pairs, 0 and 0, for all kinds but `words`, lower-case words of the
language in the slots, which is for information.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable
from math import comb
from pathlib import Path

import pyarrow.parquet as pq

HERE = Path(__file__).resolve().parent
RESULT = HERE / "results" / "templated.json"
TEMPLATES, INSTANCES, ORDINARY = 150, 8, 1500
SPLITS = ("train", "validation", "test")
Words = list[str]


def _name(rng: random.Random, words: Words) -> str:
    return " ".join(rng.choice(words).capitalize() for _ in range(rng.randint(1, 2)))


FILLED: dict[str, Callable[[random.Random, Words], str]] = {
    "numbers": lambda rng, words: rng.choice(
        [
            f"{rng.randrange(10**6)}",
            f"#A{rng.randrange(10**5)}",
            f"${rng.randrange(1, 900)}.50",
            f"{rng.randrange(1, 28)}/0{rng.randrange(1, 9)}/2025",
        ]
    ),
    "names": _name,
    "masks": lambda rng, words: f"[{rng.choice(['PERSON', 'LOCATION', 'PHONE', 'ADDRESS'])}]",
    "mixed": lambda rng, words: FILLED[rng.choice(["numbers", "names", "masks"])](rng, words),
    "words": lambda rng, words: " ".join(rng.choices(words, k=rng.randint(1, 3))),
}


def _template(rng: random.Random, words: Words, weights: list[float]) -> tuple[Words, list[int]]:
    """Words of a question, and the places that are filled in: one for every five to eight words."""
    chosen = rng.choices(words, weights, k=rng.randint(12, 40))
    chosen[0] = chosen[0].capitalize()
    return chosen, sorted(rng.sample(range(1, len(chosen)), max(1, len(chosen) // rng.randint(5, 8))))


def rows(kind: str, *, seed: int) -> list[dict[str, str]]:
    """Questions and answers with the template that each came from; ordinary rows have one to themselves."""
    rng = random.Random(seed)
    words = ["".join(rng.choices("abcdefghiklmnoprstuvw", k=rng.randint(2, 10))) for _ in range(5000)]
    weights = [1 / (place + 3) for place in range(len(words))]
    made = []
    for number in range(TEMPLATES):
        (asked, open_in_asked), (said, open_in_said) = (_template(rng, words, weights) for _ in range(2))
        for _ in range(INSTANCES):
            texts = []
            for frame, places in ((asked, open_in_asked), (said, open_in_said)):
                filled = list(frame)
                for place in places:
                    filled[place] = FILLED[kind](rng, words)
                texts.append(" ".join(filled) + ".")
            made.append({"question": texts[0], "answer": texts[1], "template": f"t{number}"})
    for number in range(ORDINARY):
        asked, _ = _template(rng, words, weights)
        said, _ = _template(rng, words, weights)
        made.append({"question": " ".join(asked) + "?", "answer": " ".join(said) + ".", "template": f"o{number}"})
    rng.shuffle(made)
    return made


def measure(kind: str, *, openings: bool, seed: int) -> dict[str, float]:
    """Curate the rows of a kind and look where those of each template went."""
    with tempfile.TemporaryDirectory(prefix="templated-") as name:
        folder, made = Path(name), rows(kind, seed=seed)
        plain = [{key: row[key] for key in ("question", "answer")} for row in made]
        (folder / "rows.jsonl").write_text("\n".join(map(json.dumps, plain)) + "\n", encoding="utf-8")
        steps = [{"kind": "normalize"}, {"kind": "exact_duplicates"}, {"kind": "near_duplicates"}]
        recipe = {"version": 1, "steps": [*steps, {"kind": "split", "options": {"openings": openings}}]}
        (folder / "recipe.json").write_text(json.dumps(recipe), encoding="utf-8")
        command = [sys.executable, "-m", "datasets_app.curation", "run", "--recipe", str(folder / "recipe.json")]
        command += ["--in", str(folder / "rows.jsonl"), "--out", str(folder / "out")]
        subprocess.run(command, check=True, cwd=HERE.parent, stdout=subprocess.DEVNULL)
        found = [
            (split, made[row["row"]]["template"], row["group"])
            for split in SPLITS
            for row in pq.read_table(folder / "out" / f"{split}.parquet", columns=["row", "group"]).to_pylist()
        ]
    trained = {template for split, template, _group in found if split == "train"}
    held = [template for split, template, _group in found if split != "train" and template.startswith("t")]
    templates, sizes = defaultdict(set), Counter((template, group) for _split, template, group in found)
    rows_of = Counter(template for _split, template, _group in found)
    for template, group in sizes:
        templates[group].add(template)
    together = sum(comb(size, 2) for size in sizes.values())
    return {
        "pairs_together": round(together / sum(comb(size, 2) for size in rows_of.values()), 4),
        "held_out": len(held),
        "crossing": sum(template in trained for template in held),
        "groups_of_several": sum(len(each) > 1 for each in templates.values()),
    }


def main() -> None:
    """Write the result and print it."""
    result = {
        kind: {
            "with_frames": measure(kind, openings=True, seed=5),
            "near_copies_alone": measure(kind, openings=False, seed=5),
        }
        for kind in FILLED
    }
    RESULT.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
