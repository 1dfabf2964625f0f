"""The starter's text: seeded, wide, and with wordings that training never sees."""

from __future__ import annotations

import random
import re
from itertools import islice

import pytest

from training_app.engine.starter.corpus import documents, plain_text
from training_app.engine.starter.grammar import Grammar, is_kept_back, load_bank
from training_app.engine.starter.library_text import paragraphs
from training_app.engine.starter.messages import PROBLEM_BANKS, grammar_for, intents, write_message


def test_the_same_seed_gives_the_same_documents_and_another_seed_does_not() -> None:
    first = list(islice(documents(3), 200))
    assert first == list(islice(documents(3), 200))
    assert first != list(islice(documents(4), 200))


def test_every_chat_alternates_and_ends_with_the_assistant() -> None:
    for document in islice(documents(0), 2000):
        if not isinstance(document, str):
            roles = [message["role"] for message in document if message["role"] != "system"]
            assert roles == ["user", "assistant"] * (len(roles) // 2)
            assert all(message["content"].strip() for message in document)


def test_no_bracket_or_gap_is_left_in_the_text() -> None:
    for document in islice(documents(1), 3000):
        if not isinstance(document, str):
            assert not re.search(r"[\[\]{}|]", plain_text(document)), document


def test_there_are_thousands_of_topics_each_with_a_name_of_its_own() -> None:
    topics = [intent.topic for intent in intents()]
    assert len(set(topics)) == len(topics) > 1500
    assert all(re.fullmatch(r"[a-z0-9]+(_[a-z0-9]+)+", topic) for topic in topics)


def test_the_vocabulary_is_wide() -> None:
    words = {
        word for document in islice(documents(0), 8000) for word in re.findall(r"[a-z]+", plain_text(document).lower())
    }
    assert len(words) > 3500


def test_training_never_uses_a_wording_that_is_kept_back() -> None:
    says = [
        "the {o} is one",
        "the {o} is two",
        "the {o} is three",
        "the {o} is four",
        *map("the {{o}} is {}".format, range(60)),
    ]
    kept_back = {say for say in says if is_kept_back(say)}
    training = Grammar(random.Random(0), {})
    held_out = Grammar(random.Random(0), {}, held_out=True)
    assert kept_back
    assert not {training.choose(says) for _ in range(2000)} & kept_back
    assert {held_out.choose(says) for _ in range(2000)} >= kept_back


def test_some_real_wordings_are_kept_back() -> None:
    says = [say for bank in PROBLEM_BANKS for problem in load_bank(bank)["problem"] for say in problem["say"]]
    assert 10 < sum(map(is_kept_back, says)) < len(says) / 5


def test_held_out_prose_shares_no_paragraph_with_training() -> None:
    training = {document for document in islice(documents(0), 20_000) if isinstance(document, str)}
    held_out = {document for document in islice(documents(0, held_out=True), 5000) if isinstance(document, str)}
    assert training and held_out
    assert not training & held_out


def test_library_prose_stops_at_its_limit() -> None:
    some = paragraphs(20_000)
    assert 20_000 <= sum(map(len, some)) < 22_000
    assert len(set(some)) == len(some)


def test_a_template_with_a_lone_bracket_is_refused() -> None:
    with pytest.raises(ValueError, match="bracket without a partner"):
        Grammar(random.Random(0), {}).expand("the [lamp is broken")


def test_a_message_names_its_thing() -> None:
    grammar = grammar_for(random.Random(5), held_out=False)
    for intent in intents()[::40]:
        message = write_message(grammar, intent)
        assert message.gist
        assert message.thing in intent.things
