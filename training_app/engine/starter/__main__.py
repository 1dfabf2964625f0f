"""Builds the starter model: `python -m training_app.engine.starter --out DIR [--seed 0] [--steps N]`."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from itertools import islice
from pathlib import Path

import torch

from training_app.engine.starter.card import write_folder
from training_app.engine.starter.corpus import documents, plain_text
from training_app.engine.starter.training import Plan, train
from training_app.engine.starter.vocabulary import train_tokenizer

TOKENIZER_DOCUMENTS = 30_000


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="training_app.engine.starter", description="Builds the starter model.")
    parser.add_argument("--out", type=Path, required=True, help="folder to write the model to")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=Plan().steps, help="training steps on short blocks")
    parser.add_argument("--threads", type=int, default=2)
    return parser.parse_args()


def main() -> None:
    """Tokenizer, training, measurement; progress goes to standard error, the result to standard output."""
    arguments = _arguments()
    torch.set_num_threads(arguments.threads)
    print("Learning the vocabulary.", file=sys.stderr)
    texts = (plain_text(document) for document in islice(documents(arguments.seed), TOKENIZER_DOCUMENTS))
    tokenizer = train_tokenizer(texts)
    plan = replace(Plan(), steps=arguments.steps, long_steps=min(Plan().long_steps, arguments.steps // 10))
    model = train(
        tokenizer, plan=plan, seed=arguments.seed, report=lambda line: print(line, file=sys.stderr, flush=True)
    )
    result = write_folder(arguments.out, model, tokenizer, seed=arguments.seed)
    print(
        f"{model.num_parameters():,} parameters; perplexity on held-out text {result.overall:.2f} "
        f"(conversations {result.chats:.2f}, library prose {result.prose:.2f})"
    )


if __name__ == "__main__":
    main()
