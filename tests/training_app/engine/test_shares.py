"""A share of the training rows: whole groups, nested, and the spec that asks for one."""

from __future__ import annotations

import json

import pytest

from training_app.engine.data import Row
from training_app.engine.errors import EngineError
from training_app.engine.shares import share_of
from training_app.engine.spec import parse_train


def rows_in(sizes: list[int]) -> list[Row]:
    names = [f"g{group}" for group, size in enumerate(sizes) for _ in range(size)]
    return [Row(row_id=at, file="a", row=at, messages=[], group=name) for at, name in enumerate(names)]


def test_a_smaller_share_lies_within_a_larger_one_and_tears_no_group() -> None:
    rows = rows_in([1, 3, 2, 5, 1, 4, 1, 1, 2, 7, 1, 1, 3, 2, 1, 5])
    drawn = {share: [row.row_id for row in share_of(rows, share=share, seed=4)] for share in (0.25, 0.5, 1.0)}
    assert set(drawn[0.25]) < set(drawn[0.5]) < set(drawn[1.0]) == {row.row_id for row in rows}
    for share, found in drawn.items():
        assert found == sorted(found) and abs(len(found) - share * len(rows)) <= 3
        taken, left = ({row.group for row in rows if (row.row_id in found) is inside} for inside in (True, False))
        assert not taken & left


def test_the_seed_decides_which_and_rows_without_a_group_stand_for_themselves() -> None:
    rows = [Row(row_id=at, file="a", row=at, messages=[]) for at in range(40)]
    first, again, other = (share_of(rows, share=0.25, seed=seed) for seed in (1, 1, 2))
    assert first == again != other and len(first) == len(other) == 10


def test_there_is_always_something_to_learn_from() -> None:
    assert len(share_of(rows_in([9]), share=0.01, seed=0)) == 9
    assert len(share_of(rows_in([1, 9]), share=0.01, seed=0)) in (1, 9)


@pytest.mark.parametrize("share", [0, -0.5, 1.5, "half"])
def test_a_share_that_is_none_is_refused_by_name(share, train_content, tmp_path) -> None:
    train_content["data"]["train_share"] = share
    with pytest.raises(EngineError, match="spec.data.train_share is"):
        parse_train(train_content, tmp_path)


def test_a_run_on_half_of_the_rows_learns_from_half_and_leaves_its_losses(train_content, write_run, run_engine) -> None:
    train_content["data"]["train_share"] = 0.5
    spec = write_run("half", train_content)
    code, events = run_engine("train", spec)
    plan = next(event["data"] for event in events if event["kind"] == "plan")
    assert (code, plan["train_rows"], plan["validation_rows"], plan["steps"]) == (0, 23, 8, 6)
    found = json.loads((spec.parent / "validation_losses.json").read_text())
    assert [(place, group) for place, _nats, _tokens, group in found["rows"]] == [(at, at) for at in range(8)]
    nats, tokens = (sum(row[column] for row in found["rows"]) for column in (1, 2))
    assert nats / tokens == pytest.approx(events[-1]["data"]["best_loss"], rel=0.02)
