"""Make the model: `python -m datasets_app.curation.pii.tagger --out folder`."""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

from datasets_app.curation.pii.tagger.corpus.generator import Generator
from datasets_app.curation.pii.tagger.storing import save
from datasets_app.curation.pii.tagger.training import Plan, train


def main(arguments: list[str]) -> None:
    usual = Plan()
    parser = argparse.ArgumentParser(prog="tagger", description="Train the personal-data tagger on generated text.")
    parser.add_argument("--out", type=Path, required=True, help="the folder to write")
    parser.add_argument("--examples", type=int, default=usual.examples, help="how many generated texts to learn from")
    parser.add_argument("--seed", type=int, default=usual.seed, help="another seed, another model")
    given = parser.parse_args(arguments)
    start = time.monotonic()

    def tell(learnt: int, loss: float) -> None:
        print(f"{learnt:>7} texts, {time.monotonic() - start:5.0f} s, loss {loss:.4f}", flush=True)

    plan = Plan(examples=given.examples, seed=given.seed)
    trained = train(Generator(plan.seed), plan, tell)
    weights = {name: tensor.numpy() for name, tensor in trained.network.state_dict().items()}
    about = {"size": trained.size.as_dict(), "temperature": 1.0, "seed": plan.seed, "examples": plan.examples}
    save(given.out, weights, about, trained.vocabulary, trained.kinds)
    print(f"{given.out}: {sum(file.stat().st_size for file in given.out.iterdir()) / 2**20:.1f} MB")


if __name__ == "__main__":
    main(sys.argv[1:])
