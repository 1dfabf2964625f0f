from __future__ import annotations

import random
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets_app.curation.pii.tagger.storing import load
from datasets_app.curation.pii.tagger.tagger import MODEL, Tagger

MEGABYTE = 2**20


@pytest.fixture(scope="session")
def tagger() -> Tagger:
    return Tagger.load()


def found(tagger: Tagger, text: str, *before: str) -> list[tuple[str, str]]:
    (spans,) = tagger.spans([text], [before])
    return [(text[span.start : span.end], span.entity_type) for span in spans]


@pytest.mark.parametrize(
    ("text", "value", "entity"),
    [
        ("Hello, my name is Bob Marwick and I lost my card.", "Bob Marwick", "PERSON"),
        ("hi im dora lindqvist, pls help", "dora lindqvist", "PERSON"),
        ("PLEASE CALL CHARLIE OKONKWO TOMORROW", "CHARLIE OKONKWO", "PERSON"),
        ("Please send it to 118 Harrow Lane, Leeds LS6 2AB, thanks.", "118 Harrow Lane, Leeds LS6 2AB", "ADDRESS"),
        ("ich wohne in der Lindenstraße 14, 50674 Köln", "Lindenstraße 14, 50674 Köln", "ADDRESS"),
    ],
)
def test_plain_examples_are_found_in_any_casing(tagger: Tagger, text: str, value: str, entity: str) -> None:
    assert any(entity == kind and value in part for part, kind in found(tagger, text))


@pytest.mark.parametrize(
    "text",
    [
        "How do I activate my new card?",
        "my top up was declined and i don't know why",
        "The train to the airport leaves every ten minutes.",
        "Can I use Apple Pay in Europe?",
    ],
)
def test_ordinary_questions_hold_nothing(tagger: Tagger, text: str) -> None:
    assert found(tagger, text) == []


def test_bare_digits_are_found_after_the_question_for_them(tagger: Tagger) -> None:
    assert found(tagger, "4471", "What are the last four digits of your social security number?") == [
        ("4471", "US_SSN")
    ]


def test_offsets_count_characters_also_behind_emoji_and_combining_accents(tagger: Tagger) -> None:
    text = "👋🏽 \u200d hello, my name is Alice Novotna\u0301"
    (spans,) = tagger.spans([text])
    assert [text[span.start : span.end] for span in spans if span.entity_type == "PERSON"] == ["Alice Novotna\u0301"]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.text(max_size=60), max_size=5))
def test_findings_lie_inside_any_text_in_order_with_scores_between_0_and_1(texts: list[str]) -> None:
    tagger = Tagger.load()
    for text, spans in zip(texts, tagger.spans(texts, least=0.2), strict=True):
        at = 0
        for span in spans:
            assert at <= span.start < span.end <= len(text)
            assert 0.0 <= span.score <= 1.0
            at = span.end


def test_what_is_found_does_not_depend_on_the_texts_beside_it(tagger: Tagger) -> None:
    rng = random.Random(8)
    words = [
        "hello",
        "Alice",
        "Marwick",
        "12",
        "Harrow",
        "Lane",
        "card",
        "4471",
        "in",
        "Leeds",
        "for",
        "Bob",
        ",",
        "\n",
    ]
    texts = [" ".join(rng.choices(words, k=rng.randrange(1, 40))) for _ in range(150)]
    together = tagger.spans(texts, least=0.1)
    fresh = Tagger.load()
    assert [fresh.spans([text], least=0.1)[0] for text in reversed(texts)][::-1] == together


def test_a_name_far_down_a_long_text_is_found(tagger: Tagger) -> None:
    text = "We changed the delivery of your order again today. " * 60 + "Yours, Bob Marwick"
    assert found(tagger, text)[-1] == ("Bob Marwick", "PERSON")


def test_the_model_is_small_and_holds_no_code() -> None:
    names = {file.name for file in MODEL.iterdir()}
    assert names == {"weights.safetensors", "tagger.json"}
    assert sum(file.stat().st_size for file in MODEL.iterdir()) <= 15 * MEGABYTE


def test_a_folder_without_a_model_says_so(tmp_path) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(FileNotFoundError):
        load(tmp_path)


def test_finding_needs_no_torch() -> None:
    code = """
import sys
from datasets_app.curation.pii.tagger.tagger import Tagger
Tagger.load().spans(["hi"])
print("torch" in sys.modules)
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "False"
