"""LanguageTool over HTTP, against a small server that speaks its API."""

from __future__ import annotations

import pytest

from datasets_app.curation.cleaning.languagetool import LanguageTool
from datasets_app.curation.errors import Refusal


def test_matches_of_the_chosen_categories_are_applied(languagetool):
    tool = LanguageTool(languagetool.url, categories=["GRAMMAR"], language="en-GB")
    assert tool.correct("😀 he go to the colour shop, nothing more") == (
        "😀 he goes to the colour shop, nothing more",
        1,
    )
    assert tool.correct("all is well") == ("all is well", 0)
    assert [(path, language) for path, language, _ in languagetool.asked] == [("/v2/check", "en-GB")] * 2


def test_code_and_masks_stay(languagetool):
    tool = LanguageTool(languagetool.url + "/v2/", categories=["GRAMMAR", "TYPOS"])
    assert tool.correct("see `he go` and https://a.example/colour now") == (
        "see `he go` and https://a.example/colour now",
        0,
    )


def test_an_empty_text_is_not_sent(languagetool):
    assert LanguageTool(languagetool.url, categories=["GRAMMAR"]).correct("  ") == ("  ", 0)
    assert languagetool.asked == []


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ((500, "Error: too busy"), "answered 500: Error: too busy"),
        ((200, "<html>"), "not of its API"),
        ((200, "[]"), "not of its API"),
    ],
)
def test_a_server_that_answers_otherwise_is_refused_in_words(languagetool, answer, says):
    languagetool.answer = answer
    with pytest.raises(Refusal, match=says):
        LanguageTool(languagetool.url, categories=["GRAMMAR"]).correct("he go")


def test_a_server_that_is_not_there_is_refused_in_words(unused_tcp_port):
    with pytest.raises(Refusal, match=f"at http://127.0.0.1:{unused_tcp_port} does not answer"):
        LanguageTool(f"http://127.0.0.1:{unused_tcp_port}", categories=["GRAMMAR"]).correct("he go")


def test_only_http_addresses_are_taken():
    with pytest.raises(Refusal, match="no http address"):
        LanguageTool("file:///etc/passwd", categories=["GRAMMAR"])
