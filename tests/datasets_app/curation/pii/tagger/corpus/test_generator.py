from __future__ import annotations

import os
import random
import subprocess
import sys
from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from datasets_app.curation.pii.tagger.corpus.generator import Example, Generator
from datasets_app.curation.pii.tagger.labels import ENTITIES


def drawn(generator: Generator, seed: int, count: int) -> list[Example]:
    rng = random.Random(seed)
    return [generator.example(rng) for _ in range(count)]


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_labels_lie_in_order_inside_the_text_and_begin_and_end_with_a_character(
    generator: Generator, seed: int
) -> None:
    for example in drawn(generator, seed, 10):
        for labelled in (example.context, example.text):
            at = 0
            for start, end, entity in labelled.spans:
                assert at <= start < end <= len(labelled.text)
                assert labelled.text[start:end] == labelled.text[start:end].strip()
                assert entity in ENTITIES
                at = end


def test_the_same_seed_draws_the_same_examples(generator: Generator) -> None:
    assert drawn(generator, 3, 60) == drawn(generator, 3, 60)
    assert drawn(generator, 3, 60) != drawn(generator, 4, 60)


def test_every_type_of_entity_and_plenty_of_ordinary_text_occur(generator: Generator) -> None:
    examples = drawn(generator, 1, 3000)
    seen = Counter(entity for example in examples for _, _, entity in example.text.spans)
    assert set(seen) == set(ENTITIES)
    assert sum(not example.text.spans for example in examples) > len(examples) // 3


def test_some_turns_of_chats_are_bare_values_that_only_the_turns_before_explain(generator: Generator) -> None:
    bare = [
        example
        for example in drawn(generator, 2, 2000)
        if example.context.text and example.text.spans[:1] == ((0, len(example.text.text), "US_SSN"),)
    ]
    assert bare
    assert all(example.text.text[0].isdigit() for example in bare)


def test_texts_come_in_all_casings(generator: Generator) -> None:
    texts = [example.text.text for example in drawn(generator, 6, 600)]
    long = [text for text in texts if sum(map(str.isalpha, text)) > 12]
    assert any(text.isupper() for text in long)
    assert any(text.islower() for text in long)
    assert any(text.istitle() for text in long)


def test_every_process_draws_the_same_examples_whatever_order_it_gives_to_sets() -> None:
    code = (
        "import random; from datasets_app.curation.pii.tagger.corpus.generator import Generator; "
        "made, rng = Generator(7, draws=20), random.Random(3); "
        "print([made.example(rng) for _ in range(300)])"
    )

    def said(order: str) -> str:
        surroundings = {**os.environ, "PYTHONHASHSEED": order}
        ran = subprocess.run([sys.executable, "-c", code], env=surroundings, capture_output=True, text=True, check=True)
        return ran.stdout

    assert said("1") == said("2") != ""
