"""A difference is said to be one when it is more than chance, and the interval is drawn as it says."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from training_app.engine.breakdown import by_length, headline, rows_to_read
from training_app.engine.intervals import compare
from training_app.engine.sums import Numbers


def share(values: list[float]) -> Numbers:
    return np.column_stack([np.asarray(values, dtype=float), np.ones(len(values))])


def planted(rows: int, right: int, wrong: int) -> tuple[Numbers, Numbers]:
    """Two systems alike but for `right` rows that turned right and `wrong` that turned wrong."""
    base = [0.0] * right + [1.0] * wrong + [0.0, 1.0] * ((rows - right - wrong) // 2)
    tuned = [1.0] * right + [0.0] * wrong + base[right + wrong :]
    return share(base), share(tuned)


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [(45, 20, "better"), (20, 45, "worse"), (30, 28, "no_difference"), (0, 0, "no_difference")],
)
def test_a_gain_is_said_where_it_is_more_than_chance(right: int, wrong: int, said: str) -> None:
    base, tuned = planted(500, right, wrong)
    found = compare({"exact_match": base}, {"exact_match": tuned}, seed=3)["exact_match"]
    assert found.said == said and found.differing == right + wrong
    assert found.difference == pytest.approx((right - wrong) / len(base))
    assert found.low <= found.difference <= found.high


def test_less_perplexity_is_better() -> None:
    generator = np.random.default_rng(0)
    tokens = generator.integers(3, 30, 80)
    before, after = np.column_stack([4.0 * tokens, tokens]), np.column_stack([3.0 * tokens, tokens])
    before[:, 0] += generator.normal(size=80)
    found = compare({"perplexity": before}, {"perplexity": after}, seed=0)["perplexity"]
    assert found.said == "better" and found.high < 0


def test_five_rows_that_differ_prove_nothing() -> None:
    base, tuned = share([0.0] * 5 + [0.5] * 95), share([1.0] * 5 + [0.5] * 95)
    found = compare({"rougeL": base}, {"rougeL": tuned}, seed=0)["rougeL"]
    assert (found.said, found.too_few) == ("no_difference", True) and found.low == 0 < found.difference < found.high
    six = share([1.0] * 6 + [0.5] * 94)
    assert not compare({"rougeL": share([0.0] * 6 + [0.5] * 94)}, {"rougeL": six}, seed=0)["rougeL"].too_few
    one, other = share([0.0]), share([1.0])
    assert compare({"rougeL": one}, {"rougeL": other}, seed=0)["rougeL"].said == "no_difference"


def test_the_interval_is_that_of_resampled_rows_and_a_little_wider_on_few() -> None:
    generator = np.random.default_rng(5)
    for rows in (20, 400):
        base, tuned = share(list(generator.random(rows))), share(list(generator.random(rows) + 0.1))
        found = compare({"rougeL": base}, {"rougeL": tuned}, seed=1, resamples=40_000)["rougeL"]
        gains = tuned[:, 0] - base[:, 0]
        drawn = generator.choice(gains, size=(40_000, rows)).mean(axis=1)
        plain = np.quantile(drawn, 0.975) - np.quantile(drawn, 0.025)
        # Student's t with 19 degrees of freedom over the normal's 1.96, times the root of 20 / 19: 1.095
        assert (found.high - found.low) / plain == pytest.approx(1.095 if rows == 20 else 1.004, abs=0.04)


def test_equal_seeds_give_equal_intervals() -> None:
    base, tuned = planted(60, 12, 5)
    one, other = (compare({"accuracy": base}, {"accuracy": tuned}, seed=9)["accuracy"] for _ in range(2))
    assert one == other


def test_rows_that_were_not_classified_do_not_count() -> None:
    base, tuned = planted(60, 20, 2)
    base[30:], tuned[30:] = 0.0, 0.0
    found = compare({"accuracy": base}, {"accuracy": tuned}, seed=0)["accuracy"]
    assert found.rows == 30 and found.base == pytest.approx(base[:30, 0].mean())


def test_rows_that_belong_together_count_as_one() -> None:
    """Twenty wordings of each of five questions, which a model all gets right: five things were learnt, not a hundred."""
    base, tuned = share([0.0] * 100 + [0.5] * 300), share([1.0] * 100 + [0.5] * 300)
    groups = [f"question {number // 20}" if number < 100 else f"alone {number}" for number in range(400)]
    apart, together = (
        compare({"rougeL": base}, {"rougeL": tuned}, seed=0, groups=given)["rougeL"] for given in (None, groups)
    )
    assert apart.said == "better" and apart.groups == 400
    assert together.said == "no_difference" and together.too_few and together.low <= 0
    assert (together.rows, together.differing, together.groups) == (400, 100, 305)
    assert together.difference == apart.difference and together.high > apart.high


def test_the_null_holds_where_groups_of_rows_are_alike() -> None:
    """Whole groups swap at random who gets which score. Taken row by row, chance would be found far too often."""
    generator = np.random.default_rng(4)
    groups = np.repeat(np.arange(40), 10)
    said = {"rows": 0, "groups": 0}
    for trial in range(120):
        gain = generator.normal(size=40)[groups]
        base, tuned = share([0.5] * 400), share(list(0.5 + gain))
        for name, given in (("rows", None), ("groups", groups.tolist())):
            found = compare({"rougeL": base}, {"rougeL": tuned}, seed=trial, resamples=400, groups=given)["rougeL"]
            said[name] += found.said != "no_difference"
    assert said["groups"] <= 15 and said["rows"] >= 40


def test_the_headline_follows_from_the_data() -> None:
    assert headline(["a", "b"], label_rows=2) == headline(["a", "b"], label_rows=1) == "accuracy"
    assert headline(["yes", "no", "it is late again today"], label_rows=0) == "exact_match"
    assert headline(["it is late again", "no", "it is late again today"], label_rows=0) == "rougeL"
    assert headline(["it is late again", "no", "it is late again today"], label_rows=1) == "rougeL"
    assert (
        headline(["您的订单已于昨天晚上发出", "ご注文の商品は昨日発送いたしました。", "ขอบคุณ"], label_rows=0)
        == "rougeL"
    )
    assert headline(["同意", "不同意"], label_rows=0) == "exact_match"


def test_the_parts_by_length_hold_every_row_once() -> None:
    base, tuned = planted(60, 20, 2)
    alone = [str(number) for number in range(60)]
    parts = by_length([number % 7 for number in range(60)], "rougeL", base, tuned, groups=alone, seed=0)
    assert sum(part["rows"] for part in parts) == 60 and len(parts) == 4
    assert all(one["to"] < other["from"] for one, other in pairwise(parts))
    assert len(by_length([4] * 60, "rougeL", base, tuned, groups=alone, seed=0)) == 1


def test_the_rows_to_read_are_the_largest_gains_and_losses() -> None:
    base, tuned = share([0.5] * 30), share([0.5] * 30)
    tuned[7, 0], tuned[21, 0] = 1.0, 0.0
    found = rows_to_read(base, tuned, [0.0] * 30, seed=0)
    assert found["best"][0] == 7 and found["worst"][0] == 21 and len(found["random"]) == 10
