"""/api/v1/guardrails as programs meet it."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.django_db
NOTHING = {"personal_data": "allow", "words": [], "patterns": [], "lexicon": []}
UNSET = {"prompts": NOTHING, "answers": NOTHING, "review_days": 90}


def test_guardrails_are_read_replaced_and_lifted(program) -> None:
    ask = program("guardrails:write")
    assert ask("get", "/api/v1/guardrails").json() == {**UNSET, "keep_days": None}
    wanted = {
        "prompts": {"personal_data": "refuse", "words": ["falcon"]},
        "answers": {"lexicon": ["threats"]},
        "keep_days": 9,
        "review_days": 30,
    }
    done = ask("put", "/api/v1/guardrails", wanted)
    assert done.status_code == 200
    assert done.json() == {
        "prompts": {**NOTHING, "personal_data": "refuse", "words": ["falcon"]},
        "answers": {**NOTHING, "lexicon": ["threats"]},
        "keep_days": 9,
        "review_days": 30,
    }
    assert ask("get", "/api/v1/guardrails").json() == done.json()
    lifted = {**UNSET, "keep_days": 9, "review_days": 30}
    assert ask("put", "/api/v1/guardrails", {}).json() == lifted
    assert ask("put", "/api/v1/guardrails", {"keep_days": None}).json() == {**lifted, "keep_days": None}


@pytest.mark.parametrize(
    "wrong",
    [
        {"prompts": {"personal_data": "stop"}},
        {"answers": {"patterns": ["("]}},
        {"answers": {"lexicon": ["manners"]}},
        {"prompts": {"words": "falcon"}},
        {"keep_days": 0},
        {"review_days": 0},
        {"review_days": None},
    ],
)
def test_rules_that_cannot_be_are_refused(program, wrong) -> None:
    assert program("guardrails:write")("put", "/api/v1/guardrails", wrong).status_code == 400
