"""Who learns, who tells when to stop, who examines."""

from __future__ import annotations

from collections import Counter
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets_app.curation.splits import TEST, TRAIN, VALIDATION, assign

SHARES = [(0.8, 0.1, 0.1), (0.7, 0.15, 0.15), (0.9, 0.0, 0.1), (0.5, 0.5, 0.0)]


@given(
    st.lists(st.integers(0, 40), min_size=1, max_size=150),
    st.lists(st.sampled_from(["a", "b", None]), min_size=150, max_size=150),
    st.sampled_from(SHARES),
    st.integers(0, 5),
)
def test_a_group_is_never_divided(group_of, labels, shares, seed):
    found = assign(group_of, shares=shares, seed=seed, labels=labels[: len(group_of)])
    splits = {}
    assert all(splits.setdefault(group, split) == split for group, split in zip(group_of, found, strict=True))
    assert not {split for split in found if shares[split] == 0}


@given(st.lists(st.integers(1, 8), min_size=60, max_size=150), st.sampled_from(SHARES), st.integers(0, 9))
def test_the_shares_are_met_but_for_the_size_of_a_group(sizes, shares, seed):
    group_of = [group for group, size in enumerate(sizes) for _row in range(size)]
    counts = Counter(assign(group_of, shares=shares, seed=seed, labels=[None] * len(group_of)))
    assert all(abs(counts[split] - share * len(group_of)) <= max(sizes) + 1 for split, share in enumerate(shares))


def rows_of(sizes, names=None):
    """The group and the label of each row, for groups of these sizes."""
    group_of = [group for group, size in enumerate(sizes) for _row in range(size)]
    return group_of, [names[group] if names else None for group in group_of]


def distance(counts, shares, rows):
    return sum((counts[split] - share * rows) ** 2 for split, share in enumerate(shares))


@given(
    st.lists(st.one_of(st.integers(1, 9), st.integers(1, 90)), min_size=1, max_size=60),
    st.lists(st.sampled_from(["a", "b", "c", None]), min_size=60, max_size=60),
    st.sampled_from(SHARES),
    st.integers(0, 5),
)
def test_no_group_could_stand_elsewhere_and_bring_the_shares_nearer(sizes, names, shares, seed):
    group_of, labels = rows_of(sizes, names)
    found = assign(group_of, shares=shares, seed=seed, labels=labels)
    counts, rows = Counter(found), len(found)
    asked = distance(counts, shares, rows)
    for group, split in dict(zip(group_of, found, strict=True)).items():
        for other in (each for each, share in enumerate(shares) if share and each != split):
            moved = counts.copy()
            moved.subtract({split: sizes[group], other: -sizes[group]})
            assert distance(moved, shares, rows) >= asked - 0.01


@given(st.lists(st.integers(1, 60), min_size=2, max_size=6), st.sampled_from(SHARES))
def test_few_groups_are_divided_nearly_as_well_as_they_can_be(sizes, shares):
    group_of, labels = rows_of(sizes)
    open_to = [split for split, share in enumerate(shares) if share or split == TRAIN]
    counts, rows = Counter(assign(group_of, shares=shares, seed=0, labels=labels)), len(group_of)

    def of(splits):
        return distance(Counter(splits[group] for group in group_of), shares, rows)

    best = min(of(splits) for splits in product(open_to, repeat=len(sizes)))
    assert distance(counts, shares, rows) ** 0.5 <= best**0.5 + 0.15 * rows


@pytest.mark.parametrize(("groups", "expected"), [(4, (3, 0, 1)), (5, (4, 0, 1)), (8, (6, 1, 1)), (9, (7, 1, 1))])
def test_a_few_large_conversations_leave_an_exam(groups, expected):
    found = Counter(assign(rows_of([100] * groups)[0], shares=(0.8, 0.1, 0.1), seed=0, labels=[None] * 100 * groups))
    assert tuple(found[split] // 100 for split in (TRAIN, VALIDATION, TEST)) == expected


@pytest.mark.parametrize("size", [1, 10])
def test_labels_of_three_groups_each_leave_both_held_out_splits_their_share(size):
    group_of, labels = rows_of([size] * 120, [f"label {group // 3}" for group in range(120)])
    counts = Counter(assign(group_of, shares=(0.8, 0.1, 0.1), seed=0, labels=labels))
    assert counts == {TRAIN: 96 * size, VALIDATION: 12 * size, TEST: 12 * size}


def test_what_one_label_is_too_coarse_for_the_others_make_good():
    group_of, labels = rows_of([500, *[1] * 500], ["coarse", *["fine"] * 500])
    counts = Counter(assign(group_of, shares=(0.8, 0.1, 0.1), seed=0, labels=labels))
    assert counts == {TRAIN: 800, VALIDATION: 100, TEST: 100}


@pytest.mark.parametrize("shares", SHARES[:2])
def test_every_label_is_divided_in_the_shares(shares):
    labels = [("common", "rare", "scarce")[(row % 10 > 6) + (row % 10 > 8)] for row in range(1000)]
    found = assign(range(1000), shares=shares, seed=3, labels=labels)
    for label in set(labels):
        counts = Counter(split for split, name in zip(found, labels, strict=True) if name == label)
        assert all(abs(counts[split] - share * labels.count(label)) <= 2 for split, share in enumerate(shares))


def test_many_small_labels_do_not_empty_a_split():
    labels = [f"label {row // 5}" for row in range(500)]
    counts = Counter(assign(range(500), shares=(0.8, 0.1, 0.1), seed=0, labels=labels))
    assert abs(counts[VALIDATION] - 50) <= 5 and abs(counts[TEST] - 50) <= 5


def test_a_group_too_large_for_a_small_split_trains():
    group_of = [0] * 60 + list(range(1, 41))
    assert assign(group_of, shares=(0.8, 0.1, 0.1), seed=0, labels=[None] * 100)[0] == TRAIN


def test_a_seed_gives_one_split_and_another_seed_another():
    def split(seed):
        return assign(range(200), shares=(0.8, 0.1, 0.1), seed=seed, labels=[None] * 200)

    assert split(1) == split(1) != split(2)


def test_rows_whose_split_was_given_keep_it():
    found = assign(
        range(100), shares=(1.0, 0.0, 0.0), seed=0, labels=[None] * 100, fixed=dict.fromkeys(range(10), VALIDATION)
    )
    assert found == [VALIDATION] * 10 + [TRAIN] * 90
