"""Planted rows."""

from __future__ import annotations

from datasets_app.curation.kinds import BY_NAME
from datasets_app.curation.pii.canaries import planted, recall
from datasets_app.curation.pii.keys import Keys
from datasets_app.curation.steps import Known
from datasets_app.curation.steps.personal_data import PersonalData

KEYS = Keys(b"secret")
CANARIES = planted(KEYS, "a version")
VALUES = [(each.entity_type, each.text[each.start : each.end]) for each in CANARIES]


def told(**options):
    """What the step with these options makes of the canaries, without the tagger."""
    made = {**BY_NAME["personal_data"].defaults(), "names": False, **options}
    return recall(PersonalData(made, Known(secret=b"secret")), CANARIES)


def test_canaries_are_the_same_for_one_version_and_others_for_another_or_under_another_secret():
    assert planted(KEYS, "a version") == CANARIES
    assert CANARIES != planted(KEYS, "another") != planted(Keys(b"other"), "another")


def test_each_canary_marks_its_value():
    for canary in CANARIES:
        assert 0 <= canary.start < canary.end <= len(canary.text)
        assert canary.text[canary.start : canary.end].strip()


def test_recall_is_what_was_hidden_of_what_was_planted():
    usual = told()
    hidden, sown = (sum(pair[place] for pair in usual["by_type"].values()) for place in (0, 1))
    assert (usual["hidden"], usual["planted"], usual["recall"]) == (hidden, sown, round(hidden / sown, 4))
    assert usual["by_type"]["EMAIL_ADDRESS"][0] == usual["by_type"]["EMAIL_ADDRESS"][1] > 0


def test_a_step_that_keeps_everything_hides_none():
    assert told(default="keep", policy={})["hidden"] == 0


def test_a_step_that_leaves_answers_alone_hides_none_in_them():
    by_users = told(turns="user")["by_type"]["EMAIL_ADDRESS"]
    said = [each.role for each in CANARIES if each.entity_type == "EMAIL_ADDRESS"]
    assert by_users == [said.count("user"), len(said)] and "assistant" in said


def test_the_lists_and_decisions_of_the_step_count():
    mails = [value for kind, value in VALUES if kind == "EMAIL_ADDRESS"]
    rejected = {f"value:{KEYS.of_value('EMAIL_ADDRESS', value)}": "reject" for value in mails}
    assert (
        told(allow=mails)["by_type"]["EMAIL_ADDRESS"][0] == told(decisions=rejected)["by_type"]["EMAIL_ADDRESS"][0] == 0
    )
    assert told(deny=[value for _kind, value in VALUES])["recall"] == 1.0


def test_a_row_that_is_left_out_hides_what_it_holds():
    assert told(default="drop_row", policy={})["hidden"] == told(policy={})["hidden"]
