"""Planted rows."""

from __future__ import annotations

from datasets_app.curation.pii.canaries import planted, recall
from datasets_app.curation.pii.finder import Finder
from datasets_app.curation.pii.keys import Keys
from datasets_app.curation.pii.patterns import Span

KEYS = Keys(b"secret")


class Everything:
    """Marks all of a text."""

    def spans(self, texts, contexts=None):
        return [[Span(0, len(text), "PERSON", 0.9)] for text in texts]


def test_canaries_are_the_same_under_one_secret_and_others_under_another():
    assert planted(KEYS, 70) == planted(KEYS, 70) != planted(Keys(b"other"), 70)


def test_each_canary_marks_its_value():
    for canary in planted(KEYS):
        assert 0 <= canary.start < canary.end <= len(canary.text)
        assert canary.text[canary.start : canary.end].strip()


def test_recall_is_what_was_found_of_what_was_planted():
    told = recall(Finder(), KEYS)
    found, sown = (sum(pair[place] for pair in told["by_type"].values()) for place in (0, 1))
    assert (told["found"], told["planted"], told["recall"]) == (found, sown, round(found / sown, 4))
    assert told["by_type"]["EMAIL_ADDRESS"][0] == told["by_type"]["EMAIL_ADDRESS"][1] > 0


def test_whoever_marks_everything_finds_all():
    assert recall(Finder(Everything()), KEYS, 70)["recall"] == 1.0
