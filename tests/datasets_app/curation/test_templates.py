"""Rows of one template: told by their frame, and never divided between splits."""

from __future__ import annotations

import time

import pytest

from datasets_app.curation.rows import Conversation
from datasets_app.curation.templates import FRAME_WORDS, READ_CHARACTERS, frame, frames

MACRO = "Dear {}, your order {} was handed to our carrier on {} and will reach you within three days. Yours, {}."
FILLED = [
    ("Anna", "#A-1009", "03/04/2025", "Tom"),
    ("Anna Maria Schmidt", "55512", "1 May 2025", "Zoë Müller"),
    ("[PERSON]", "[ORDER]", "{{date}}", "[PERSON_2]"),
    ("{first_name}", "<order id>", "%s", "$AGENT"),
    ("anna@x.org", "https://x.org/o/9", "€ 20.50", "O'Neil"),
]


def test_what_was_filled_in_does_not_count() -> None:
    assert len({frame(MACRO.format(*each)) for each in FILLED}) == 1
    assert frame(MACRO.format(*FILLED[0]).replace("carrier", "neighbour")) != frame(MACRO.format(*FILLED[0]))


@pytest.mark.parametrize(
    "macro",
    [
        "Здравствуйте, ваш заказ {} передан курьеру и будет у вас в течение трёх рабочих дней, ждите звонка.",
        "Η παραγγελία σας {} παραδόθηκε στον μεταφορέα και θα είναι κοντά σας μέσα σε τρεις ημέρες.",
        "Twoja paczka {} została źle oznaczona, że łączna kwota będzie zwrócona na twoje konto jutro rano.",
    ],
)
def test_words_of_other_scripts_are_words_and_no_names(macro) -> None:
    one, other = frame(macro.format("A-1009")), frame(macro.format("№ 55512"))
    assert one and one == other
    assert frame(macro.format("Анна")) == one, "and their names are names"


@pytest.mark.parametrize(
    "text",
    [
        "What is the capital of France?",
        "I can not find my card anywhere in my house today and I am worried",
        "WHERE IS MY PARCEL AND WHEN WILL IT REACH ME AT LAST IN BERLIN",
        "they owe Anna 1 and Ben 2 or Cora 3 and 4 to Dora and 5 to Ella",
        "",
    ],
)
def test_short_texts_texts_with_nothing_filled_in_and_lists_have_no_frame(text) -> None:
    assert frame(text) == ""


def test_the_frame_has_enough_words() -> None:
    words = "we sent it to your new address on "
    assert frame(words + "Monday") and len(words.split()) == FRAME_WORDS
    assert not frame(words.removeprefix("we ") + "Monday")


@pytest.mark.parametrize("sign", ["a", "A", "a@", "1", "{", "<a", " A", "A ", "..", "$a", "a.b-c/", "\ue000"])
def test_long_runs_of_one_sign_take_no_time(sign) -> None:
    start = time.process_time()
    frame(sign * (2 * READ_CHARACTERS))
    assert time.process_time() - start < 5


def test_a_row_is_tied_by_its_question_and_by_the_whole() -> None:
    asked, said = MACRO.format(*FILLED[0]), "Thank you, I will wait for it until Friday and then write again."

    def row(question: str, answer: str) -> Conversation:
        return Conversation(({"role": "user", "content": question}, {"role": "assistant", "content": answer}))

    one, other = frames(row(asked, said)), frames(row(MACRO.format(*FILLED[1]), said.replace("Friday", "May 3")))
    assert len(one) == 2 and one == other
    assert frames(row(asked, "No."))[0] == one[0] and frames(row(asked, "No."))[1] != one[1]
    assert frames(row("Where is it?", "Here.")) == []
