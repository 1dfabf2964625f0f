"""Languages."""

from __future__ import annotations

import pytest

from datasets_app.curation.filters.language import CODES, UNKNOWN, Languages, language_of
from datasets_app.curation.rows import Conversation


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Could you please tell me where my new card is?", "en"),
        ("¿Me podrían decir dónde está mi tarjeta nueva, por favor?", "es"),
        ("Können Sie mir bitte sagen, wo meine neue Karte ist?", "de"),
        ("请问我的新银行卡在哪里？谢谢", "zh"),
        ("ok thanks", UNKNOWN),
        ("[EMAIL] https://a.example/just/a/path 12345", UNKNOWN),
        ("", UNKNOWN),
    ],
)
def test_language_of(text, code):
    assert language_of(text, accuracy="low") == code


def row(question, answer, **more):
    return Conversation(({"role": "user", "content": question}, {"role": "assistant", "content": answer}), **more)


def test_a_row_goes_when_a_text_is_in_another_language_and_stays_when_it_is_unknown():
    english = Languages(["en"], accuracy="low")
    german = "Können Sie mir bitte sagen, wo meine neue Karte ist?"
    assert english.judge(english.of(row("ok", "Your card is on its way to you."))) is None
    why = english.judge(english.of(row(german, "Your card is on its way to you.")))
    assert why.reason == "language" and why.detail == "The text is in “de”; the recipe keeps en."
    assert Languages(["en", "DE"]).judge(["de", "en"]) is None
    assert Languages(["en"], keep_unknown=False).judge([UNKNOWN]).reason == "language_unknown"
    assert Languages(["en"], place="answer", accuracy="low").of(row(german, "no")) == [UNKNOWN]


def test_the_codes_that_can_be_chosen_are_those_that_lingua_knows():
    from lingua import Language

    assert set(CODES) == {language.iso_code_639_1.name.lower() for language in Language.all()}
