"""Copies, exact and near."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from datasets_app.curation.dedupe import Clusters, buckets, cluster, exact_key, grams, jaccard, signature


def clustered(texts, threshold=0.7):
    clusters = Clusters(len(texts))
    cluster(
        np.stack([signature(grams(text)) for text in texts]),
        threshold=threshold,
        texts_of=lambda wanted: [(row, texts[row]) for row in wanted],
        clusters=clusters,
    )
    return clusters.labels()


def test_case_and_signs_do_not_make_two_texts_different():
    assert exact_key("Where is my card?") == exact_key("where  is my CARD")
    assert exact_key("Where is my card?") != exact_key("Where is my cart?")


def test_near_copies_come_together_and_others_stay_alone():
    texts = [
        "I still have not received my new card, please tell me when it will arrive",
        "How do I change the PIN of my account from another country",
        "I still have not received my new card, please tell me when it will arrive!! thanks",
    ]
    assert clustered(texts) == [0, 1, 0]


def test_a_pair_below_the_threshold_is_not_joined():
    texts = ["the quick brown fox jumps over the dog", "the quick brown fox jumps over the cat and more words follow"]
    similarity = jaccard(grams(texts[0]), grams(texts[1]))
    assert clustered(texts, similarity + 0.01) == [0, 1]
    assert clustered(texts, similarity - 0.01) == [0, 0]


def test_in_a_bucket_rows_are_compared_with_more_than_their_neighbour():
    base = " ".join(f"word{place}" for place in range(40))
    other = " ".join(f"term{place}" for place in range(40))
    signatures = np.tile(signature(grams(base)), (3, 1))  # all three propose one another
    clusters = Clusters(3)
    texts = [other + " a", base, other + " b"]
    cluster(signatures, threshold=0.7, texts_of=lambda wanted: [(row, texts[row]) for row in wanted], clusters=clusters)
    assert clusters.labels() == [0, 1, 0]


def test_rows_that_share_no_band_share_no_bucket():
    rng = np.random.default_rng(1)
    assert list(buckets(rng.integers(0, 2**32, size=(50, 128), dtype=np.uint32))) == []


def test_the_least_row_names_a_cluster():
    clusters = Clusters(4)
    assert clusters.join(3, 1) and clusters.join(1, 2) and not clusters.join(2, 3)
    assert clusters.labels() == [0, 1, 1, 1]


@given(st.text(max_size=60))
def test_every_text_is_wholly_like_itself(text):
    assert jaccard(grams(text), grams(text)) == 1.0


@given(st.lists(st.sampled_from("abcdefgh"), min_size=30, max_size=60), st.integers(0, 29))
def test_similar_texts_have_similar_signatures(words, place):
    text = " ".join(words)
    changed = " ".join([*words[:place], "zz", *words[place + 1 :]])
    similarity = jaccard(grams(text), grams(changed))
    estimated = float((signature(grams(text)) == signature(grams(changed))).mean())
    assert abs(similarity - estimated) < 0.25
