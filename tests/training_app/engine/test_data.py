"""The loss falls on answers and their stop tokens, and on nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from transformers import PreTrainedTokenizerBase

from training_app.engine.batching import LengthPools, batches_by_tokens
from training_app.engine.data import IGNORED, Example, build_examples, read_rows, sample_rows
from training_app.engine.errors import EngineError
from training_app.engine.model import load_tokenizer

UNMARKED = (
    "{% for m in messages %}<|{{ m['role'] }}|>{{ m['content'] }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
CHAT = [
    ("system", "Be brief."), ("user", "Où?"), ("assistant", " Là-bas ✓"), ("user", "Sure?"), ("assistant", "Yes."),
]  # fmt: skip


def examples_of(
    tokenizer: PreTrainedTokenizerBase, path: Path, *, max_length: int = 200
) -> tuple[list[Example], int, int]:
    stop = frozenset([tokenizer.eos_token_id])
    built = build_examples(read_rows(path), tokenizer, stop, max_length=max_length)
    return built.items, built.truncated, built.nothing_to_learn


def learned_text(tokenizer: PreTrainedTokenizerBase, example: Example) -> str:
    return tokenizer.decode([label for label in example.labels if label != IGNORED])


@pytest.mark.parametrize("kind", ["marked", "unmarked", "none"])
def test_exactly_the_answers_and_their_stop_tokens_are_learned(
    kind: str, tiny: Path, model_folder: Callable[..., Path], make_split: Callable[..., Path]
) -> None:
    folder = {"marked": lambda: tiny, "unmarked": lambda: model_folder(template=UNMARKED)}.get(
        kind, lambda: model_folder(template=None)
    )()
    tokenizer = load_tokenizer(folder)
    (example,), _, _ = examples_of(tokenizer, make_split("rows", [CHAT]))
    assert learned_text(tokenizer, example) == " Là-bas ✓<|end|>Yes.<|end|>"
    assert all(label in (IGNORED, token) for token, label in zip(example.input_ids, example.labels, strict=True))


def test_a_template_whose_answers_never_stop_is_refused(
    model_folder: Callable[..., Path], make_split: Callable[..., Path]
) -> None:
    outside = (
        "{% for m in messages %}<|{{ m['role'] }}|>{% generation %}{{ m['content'] }}{% endgeneration %}<|end|>"
        "{% endfor %}"
    )
    tokenizer = load_tokenizer(model_folder(template=outside))
    with pytest.raises(EngineError, match=r"In rows\.csv, row 1, the chat template puts no stop token") as caught:
        examples_of(tokenizer, make_split("rows", [CHAT]))
    assert caught.value.code == "stop_token_unlearned"


def test_a_template_that_rewrites_earlier_turns_is_refused(
    model_folder: Callable[..., Path], make_split: Callable[..., Path]
) -> None:
    rewriting = (
        "{% for m in messages %}<|{{ m['role'] }}|>"
        "{{ m['content'] if loop.last else m['content'] | upper }}<|end|>{% endfor %}"
        "{% if add_generation_prompt %}<|assistant|>{% endif %}"
    )
    tokenizer = load_tokenizer(model_folder(template=rewriting))
    with pytest.raises(EngineError, match=r"rows\.csv, row 1: The base model's chat template has no generation marks"):
        examples_of(tokenizer, make_split("rows", [CHAT]))


def test_rows_without_an_answer_in_reach_are_counted_and_left_out(tiny: Path, make_split: Callable[..., Path]) -> None:
    rows = [
        [("user", "x" * 60), ("assistant", "never reached")],
        [("user", "no answer")],
        [("user", "hi"), ("assistant", "y" * 60)],
        [("user", "hi"), ("assistant", "ho")],
    ]
    items, truncated, nothing = examples_of(load_tokenizer(tiny), make_split("rows", rows), max_length=40)
    assert (len(items), truncated, nothing) == (2, 2, 2)
    assert [len(item.input_ids) for item in items] == [40, 8]


def test_a_split_that_is_no_parquet_is_named(tmp_path: Path) -> None:
    path = tmp_path / "train.parquet"
    path.write_text("text")
    with pytest.raises(EngineError, match=r"The split train\.parquet cannot be read"):
        read_rows(path)


def test_a_sample_is_seeded_and_keeps_the_order(make_split: Callable[..., Path]) -> None:
    rows = read_rows(make_split("rows", 50))
    chosen = [row.row_id for row in sample_rows(rows, limit=10, seed=3)]
    assert chosen == sorted(chosen)
    assert chosen == [row.row_id for row in sample_rows(rows, limit=10, seed=3)]
    assert chosen != [row.row_id for row in sample_rows(rows, limit=10, seed=4)]


def test_pools_give_every_row_once_with_little_padding_and_a_new_order_each_epoch() -> None:
    lengths = [(index * 37) % 101 + 1 for index in range(203)]
    pools = LengthPools(lengths, batch_size=8, seed=1)
    first = list(pools)
    assert sorted(first) == list(range(203))
    assert first == list(pools)
    assert max(lengths) in {lengths[row] for row in first[8:16]}, "the longest batch is the second"
    pools.set_epoch(1)
    assert list(pools) != first
    batches = [first[start : start + 8] for start in range(0, 200, 8)]
    padded = sum(8 * max(lengths[row] for row in batch) for batch in batches)
    assert padded < 1.15 * sum(lengths[row] for batch in batches for row in batch)


@pytest.mark.parametrize("seed", range(12))
def test_the_longest_row_is_in_the_second_batch_though_some_rows_fill_no_batch(seed: int) -> None:
    lengths = [5] * 9 + [99]
    order = list(LengthPools(lengths, batch_size=4, seed=seed))
    assert 9 in order[4:8] and sorted(order) == list(range(10))


def test_batches_by_tokens_keep_to_their_budget() -> None:
    lengths = [5, 100, 7, 60, 3, 80]
    batches = batches_by_tokens(lengths, token_budget=200, most=3)
    assert sorted(index for batch in batches for index in batch) == list(range(6))
    assert all(len(batch) * max(lengths[index] for index in batch) <= 200 for batch in batches)
