"""/api/v1/guardrails as programs meet it."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.django_db
NOTHING = {"personal_data": "allow", "words": [], "patterns": [], "lexicon": []}


def test_guardrails_are_read_replaced_and_lifted(program) -> None:
    ask = program("guardrails:write")
    assert ask("get", "/api/v1/guardrails").json() == {"prompts": NOTHING, "answers": NOTHING, "keep_days": None}
    wanted = {
        "prompts": {"personal_data": "refuse", "words": ["falcon"]},
        "answers": {"lexicon": ["threats"]},
        "keep_days": 9,
    }
    done = ask("put", "/api/v1/guardrails", wanted)
    assert done.status_code == 200
    assert done.json() == {
        "prompts": {**NOTHING, "personal_data": "refuse", "words": ["falcon"]},
        "answers": {**NOTHING, "lexicon": ["threats"]},
        "keep_days": 9,
    }
    assert ask("get", "/api/v1/guardrails").json() == done.json()
    lifted = {"prompts": NOTHING, "answers": NOTHING, "keep_days": 9}
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
    ],
)
def test_rules_that_cannot_be_are_refused(program, wrong) -> None:
    assert program("guardrails:write")("put", "/api/v1/guardrails", wrong).status_code == 400
