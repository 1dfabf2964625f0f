"""Labels chosen by likelihood: the likelihood is the model's own, and only answers that are labels are classified."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from training_app.engine import labels
from training_app.engine.data import Row, build_examples
from training_app.engine.labels import label_scores, labelled_rows
from training_app.engine.model import Speaker
from training_app.engine.templates import render_chat

BEFORE = [{"role": "system", "content": "Choose."}, {"role": "user", "content": "My card is lost."}]
NAMES = ["card lost", "card late", "refund", "a much longer label than the others"]


def row(index: int, answer: str, label: str | None) -> Row:
    turns = [{"role": "user", "content": f"Question {index}"}, {"role": "assistant", "content": answer}]
    return Row(row_id=index, file="f.csv", row=index, messages=turns, label=label)


def alone(speaker: Speaker, label: str) -> float:
    """The log-probability of the whole answer in one pass over the whole conversation, without anything shared."""
    whole = Row(0, "f", 0, [*BEFORE, {"role": "assistant", "content": label}])
    example = build_examples([whole], speaker.tokenizer, speaker.stop_tokens, max_length=500).items[0]
    with torch.inference_mode():
        logits = speaker.model(input_ids=torch.tensor([example.input_ids])).logits[0].double().log_softmax(-1)
    learned = [place for place, mark in enumerate(example.labels) if mark >= 0]
    return sum(float(logits[place - 1][example.input_ids[place]]) for place in learned)


@pytest.mark.parametrize("shares", [True, False], ids=["shared start", "no cache"])
def test_the_likelihood_of_a_label_is_that_of_the_whole_answer(
    speaker: Speaker, shares: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not shares:
        monkeypatch.setattr(labels, "_read", lambda *_given, **_options: None)
    expected = [alone(speaker, label) for label in NAMES]
    assert label_scores(speaker, BEFORE, NAMES) == pytest.approx(expected, abs=1e-3)


def test_labels_are_read_in_as_many_passes_as_memory_asks_for(
    speaker: Speaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once = label_scores(speaker, BEFORE, NAMES)
    read: list[int] = []
    monkeypatch.setattr(labels, "MOST_BYTES", 1)
    forward = speaker.model.forward
    monkeypatch.setattr(
        speaker.model, "forward", lambda **given: read.append(len(given["input_ids"])) or forward(**given)
    )
    assert label_scores(speaker, BEFORE, NAMES) == pytest.approx(at_once, abs=1e-3)
    assert read == [1] * (1 + len(NAMES))


def test_where_the_longest_label_does_not_fit_all_lose_the_same_beginning(speaker: Speaker) -> None:
    before = [{"role": "user", "content": "a b c d e f g h i j " * 30}]
    longest = max(NAMES, key=len)
    together = dict(zip(NAMES, label_scores(speaker, before, NAMES), strict=True))
    chats = {name: _ids(speaker, before, name) for name in NAMES}
    cut = len(chats[longest]) - speaker.context
    assert cut > 0
    for name in NAMES:
        alone_ids = chats[name][cut:]
        with torch.inference_mode():
            logits = speaker.model(input_ids=torch.tensor([alone_ids])).logits[0].double().log_softmax(-1)
        answer = len(_ids(speaker, [], name)) - 1  # all but the token that opens the turn
        places = range(len(alone_ids) - answer, len(alone_ids))
        assert together[name] == pytest.approx(sum(float(logits[at - 1][alone_ids[at]]) for at in places), abs=1e-3)


def _ids(speaker: Speaker, before: list[dict[str, str]], label: str) -> list[int]:
    chat = render_chat(speaker.tokenizer, [*before, {"role": "assistant", "content": label}])
    return speaker.tokenizer(chat.text, add_special_tokens=False)["input_ids"]


def test_answers_that_are_no_labels_are_not_classified() -> None:
    assert labelled_rows([row(0, "It is late.", "delivery"), row(1, "Paid back.", "refund")], []) is None
    assert labelled_rows([row(0, "a", "a"), row(1, "a", "a")], ["b"]) is None
    assert labelled_rows([row(0, "a", None), row(1, "b", None)], []) is None


def test_labels_of_the_data_set_without_a_test_row_can_be_chosen_too() -> None:
    found = labelled_rows([row(0, "Card lost", "card lost"), row(1, "x", "y"), row(2, "refund", "refund")], ["late"])
    assert found is not None
    assert found.labels == ("Card lost", "late", "refund")
    assert (found.places, found.truths, found.note) == ((0, 2), ("Card lost", "refund"), "")
    assert found.fitting == 2


def test_with_many_labels_fewer_rows_are_classified_and_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(labels, "MOST_PAIRS", 20)
    rows = [row(index, f"label {index % 5}", f"label {index % 5}") for index in range(40)]
    found = labelled_rows(rows, [])
    assert found is not None and found.places == tuple(range(0, 40, 10)) and found.fitting == 40
    assert found.note == "With 5 labels to choose from, 4 of 40 test rows were classified."


def test_with_very_many_labels_none_is_looked_for_and_it_is_said() -> None:
    found = labelled_rows([row(index, str(index), str(index)) for index in range(201)], [])
    assert found is not None and found.places == () and "201 labels" in found.note


def test_labelled_data_gets_accuracy_a_table_of_classes_and_a_confusion_matrix(
    tiny: Path,
    tmp_path: Path,
    write_run: Callable[..., Path],
    run_engine: Callable[..., tuple[int, list[dict[str, Any]]]],
) -> None:
    kinds = ("card", "refund", "card")
    records = [
        {
            "row_id": number, "file": "f.csv", "row": number, "label": kinds[number % 3],
            "messages": [
                {"role": "user", "content": f"Question {number}"},
                {"role": "assistant", "content": kinds[number % 3]},
            ],
        }
        for number in range(12)
    ]  # fmt: skip
    test = tmp_path / "labelled.parquet"
    pq.write_table(pa.Table.from_pylist(records), test)
    model = {"name": "tiny", "path": str(tiny)}
    spec = write_run(
        "labelled",
        {
            "v": 1, "kind": "evaluate", "job": "j", "attempt": 1, "device": "cpu", "threads": 1, "base_model": model,
            "tuned_model": model, "data": {"test": str(test), "labels": ["late"]}, "max_rows": 50, "max_new_tokens": 4,
            "seed": 0,
        },
    )  # fmt: skip

    assert run_engine("evaluate", spec)[0] == 0

    report = json.loads((spec.parent / "evaluation.json").read_text())
    found = report["labels"]
    assert found["names"] == ["card", "late", "refund"] and found["rows"] == 12
    assert [(each["label"], each["rows"]) for each in found["classes"]] == [("card", 8), ("late", 0), ("refund", 4)]
    right = sum(count for truth, said, count in found["confusion"]["tuned"] if truth == said)
    assert sum(count for *_pair, count in found["confusion"]["tuned"]) == 12
    assert report["headline"] == "accuracy" and report["tuned"]["accuracy"] == pytest.approx(right / 12)
    assert report["intervals"]["accuracy"]["said"] == "no_difference"  # a model against itself
    assert [(each["label"], each["rows"]) for each in report["classes"]] == [("card", 8), ("refund", 4)]
    assert "not length-normalised" in report["signatures"]["classification"]
