"""Near copies among sketched rows."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets_app.curation.dedupe import PERMUTATIONS, sketch, words
from datasets_app.curation.near import LONG, Clusters, NearCopies, Sketches, common, likeness, proposed
from datasets_app.curation.rows import Conversation

VOCABULARY = [f"{first}{second}" for first in ("ka", "lo", "mi", "nu", "pe", "ro", "su") for second in "bdfghklmnprst"]


def talk(question: str, answer: str = "ok") -> Conversation:
    return Conversation(({"role": "user", "content": question}, {"role": "assistant", "content": answer}))


@pytest.fixture
def clustered(tmp_path):
    """Cluster labels of (question, answer) pairs or questions."""

    def find(*rows, threshold: float = 0.7) -> list[int]:
        clusters = Clusters(len(rows))
        with Sketches(tmp_path / "words") as sketches:
            for row in rows:
                sketches.add(sketch(talk(*((row,) if isinstance(row, str) else row))))
            NearCopies(sketches, threshold=threshold).join(clusters, Clusters(len(rows)))
        return clusters.labels()

    return find


def edited(text: list[str], share: float, chance: Random) -> list[str]:
    made = list(text)
    for _ in range(round(share * len(text))):
        place = chance.randrange(len(made))
        made[place : place + chance.randint(0, 1)] = [] if chance.random() < 0.3 else [chance.choice(VOCABULARY)]
    return made


def test_texts_with_up_to_a_fifth_of_their_words_changed_are_found_and_others_are_not(clustered):
    chance = Random(4)
    texts = [chance.choices(VOCABULARY, k=chance.randint(20, 60)) for _ in range(300)]
    texts += [edited(text, chance.uniform(0.05, 0.2), chance) for text in texts[:200]]
    labels = clustered(*(" ".join(text) for text in texts))
    assert sum(labels[300 + place] == place for place in range(200)) >= 190
    assert len(set(labels)) >= 300


def test_texts_of_one_template_stay_apart_where_they_differ_in_what_is_rare(clustered):
    made = [
        f"hello my name is {'abcdefghij'[n % 10] * 5}{n} and the {n * 7}th order of {n * 13} pieces for {n * 17} has not come"
        " so please tell me what you can do for me"
        for n in range(200)
    ]
    assert len(set(clustered(*made))) == 200


def test_a_long_question_that_comes_again_is_near_whatever_is_answered(clustered):
    question = "i still have not received my new card please tell me when it will arrive at my address"
    answers = ["soon", "we have sent it to you some days ago and it should be there by the end of the coming week"]
    others = [(f"quite another question about {n}", f"answer {n}") for n in range(20)]
    labels = clustered((question, answers[0]), (question + " thanks", answers[1]), *others)
    assert labels[:2] == [0, 0] and len(set(labels)) == 21


def test_a_pair_below_the_threshold_is_not_joined(clustered):
    first = "the quick brown fox jumps over the dog and runs away through the garden behind our house to the river"
    pair = (first, first.replace("dog", "cat").replace("garden", "park") + " and so on")
    similarity = likeness(words(pair[0] + " ok"), words(pair[1] + " ok"))
    assert clustered(*pair, threshold=similarity + 0.01) == [0, 1]
    assert clustered(*pair, threshold=similarity - 0.01) == [0, 0]


def test_the_least_row_names_a_cluster():
    clusters = Clusters(4)
    assert clusters.join(3, 1) and clusters.join(1, 2) and not clusters.join(2, 3)
    assert clusters.labels() == [0, 1, 1, 1]


def test_rows_that_share_no_band_are_not_proposed():
    signatures = np.arange(20 * PERMUTATIONS, dtype=np.uint64).astype(np.uint32).view(np.uint8)[: 20 * PERMUTATIONS]
    found = proposed(np.random.default_rng(1).permutation(signatures).reshape(20, -1), 0, np.arange(20))
    assert sum(len(pairs) for pairs in found) == 0


def slow_common(left, right) -> int:
    best = [[0] * (len(right) + 1) for _ in range(len(left) + 1)]
    for i, one in enumerate(left):
        for j, other in enumerate(right):
            best[i + 1][j + 1] = best[i][j] + 1 if one == other else max(best[i][j + 1], best[i + 1][j])
    return best[-1][-1]


LETTERS = st.lists(st.integers(0, 5), max_size=80)


@given(LETTERS, LETTERS)
def test_the_common_subsequence_by_bits_is_the_one_by_table(left, right):
    assert common(left, right) == slow_common(left, right)


def test_long_texts_are_compared_by_their_triples():
    chance = Random(2)
    text = chance.choices(VOCABULARY, k=2 * LONG)
    changed = [word if chance.random() > 0.1 else "zz" for word in text]
    found = likeness(words(" ".join(text)), words(" ".join(changed)))
    assert found == pytest.approx(0.9, abs=0.03)
