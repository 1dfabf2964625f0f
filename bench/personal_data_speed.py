"""How fast personal data is found, against Presidio's own loops with the same recognisers and the same model.

`REAL_DATA_DIR=… python bench/personal_data_speed.py [--rounds 3]` → bench/results/personal_data_speed.json. Texts are
distinct, about 84 characters long; rounds alternate; one core a process. Bars: 2.5 × `AnalyzerEngine` text by text,
1.3 × `BatchAnalyzerEngine`, 800 texts a second and core, two processes 1.7 × one.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from personal_data import corpora  # noqa: E402 - threads are counted when NumPy loads

from datasets_app.curation.pii import recognizers  # noqa: E402
from datasets_app.curation.pii.finder import finder  # noqa: E402

RESULTS = Path(__file__).with_name("results") / "personal_data_speed.json"
TEXTS, BATCH, PEER_TEXTS = 6000, 1000, 500


def distinct(folder: Path) -> list[str]:
    """Texts of every set, each once, shuffled; the mean length is the labelled sets' own."""
    texts = sorted({row.text for corpus in corpora(folder) for row in corpus.rows if 40 <= len(row.text) <= 200})
    random.Random(0).shuffle(texts)
    return texts[:TEXTS]


def engines(*, model: bool) -> tuple[Any, Any]:
    """Presidio's engine and its batch engine over a blank pipeline, our list of recognisers and, if wanted, our tagger."""
    import spacy
    from presidio_analyzer import (
        AnalyzerEngine,
        BatchAnalyzerEngine,
        EntityRecognizer,
        RecognizerRegistry,
        RecognizerResult,
    )
    from presidio_analyzer.nlp_engine import SpacyNlpEngine

    class Blank(SpacyNlpEngine):
        def __init__(self) -> None:
            super().__init__(models=[{"lang_code": "en", "model_name": "blank"}])
            self.nlp = {"en": spacy.blank("en")}

        def load(self) -> None:
            """It is loaded."""

    class Model(EntityRecognizer):
        def load(self) -> None:
            """It is loaded."""

        def analyze(self, text: str, entities: Sequence[str], nlp_artifacts: object = None) -> list[RecognizerResult]:
            tagger = finder(names=True).tagger
            assert tagger is not None
            return [
                RecognizerResult(each.entity_type, each.start, each.end, each.score) for each in tagger.spans([text])[0]
            ]

    registry = RecognizerRegistry(recognizers=[], supported_languages=["en"])
    for recognizer in recognizers.presidio():
        recognizer.supported_language = "en"
        registry.add_recognizer(recognizer)
    if model:
        registry.add_recognizer(
            Model(supported_entities=["PERSON", "ADDRESS", "LOCATION", "ORGANIZATION"], name="model")
        )
    engine = AnalyzerEngine(registry=registry, nlp_engine=Blank(), supported_languages=["en"])
    return engine, BatchAnalyzerEngine(analyzer_engine=engine)


def find(texts: Sequence[str]) -> int:
    """Findings of the studio's own finder."""
    return sum(map(len, finder(names=True).find(texts)))


def ready(_number: int) -> int:
    """Load what a process needs."""
    return find(["mail ann@example.com, 212-555-0147"])


def rate(texts: Sequence[str], work: Callable[[], object]) -> float:
    """Texts a second."""
    start = time.perf_counter()
    work()
    return len(texts) / (time.perf_counter() - start)


def one_by_one(engine: Any, texts: Sequence[str]) -> Callable[[], object]:
    """Presidio's plain loop."""
    return lambda: [engine.analyze(text, "en") for text in texts]


def at_once(engine: Any, texts: Sequence[str]) -> Callable[[], object]:
    """Presidio's batches."""
    return lambda: list(engine.analyze_iterator(texts, "en"))


def main() -> None:
    """Run the rounds and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    folder = os.environ.get("REAL_DATA_DIR")
    if not folder:
        sys.exit("REAL_DATA_DIR is not set: this benchmark needs the labelled sets.")
    texts = distinct(Path(folder))
    batches = [texts[at : at + BATCH] for at in range(0, len(texts), BATCH)]
    peers = {" without the model": engines(model=False), "": engines(model=True)}
    ready(0)
    rates: dict[str, list[float]] = defaultdict(list)
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        list(pool.map(ready, range(8)))
        for place in range(options.rounds):
            some = texts[place * PEER_TEXTS : (place + 1) * PEER_TEXTS]
            rates["studio"].append(rate(texts, lambda: [find(batch) for batch in batches]))
            for what, (engine, batch_engine) in peers.items():
                rates[f"AnalyzerEngine{what}"].append(rate(some, one_by_one(engine, some)))
                rates[f"BatchAnalyzerEngine{what}"].append(rate(some, at_once(batch_engine, some)))
            rates["two processes"].append(rate(texts, lambda: list(pool.map(find, batches))))
            print({name: round(each[-1]) for name, each in rates.items()}, flush=True)
    median = {name: statistics.median(each) for name, each in rates.items()}
    result = {
        "texts": len(texts),
        "characters": round(statistics.mean(map(len, texts)), 1),
        "texts_a_second": {name: round(each) for name, each in median.items()},
        "rounds": {name: [round(value) for value in each] for name, each in rates.items()},
        "studio_against": {
            name: round(median["studio"] / each, 2) for name, each in median.items() if "Engine" in name
        },
        "two_processes": round(median["two processes"] / median["studio"], 2),
    }
    print(json.dumps(result, indent=1))
    RESULTS.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
