"""The evidence for a model: complete, without a word of the data, and a file that needs nothing else."""

from __future__ import annotations

import json
import re

import pytest

from datasets_app.models import DatasetVersion
from gptstudio.accounts import services as accounts
from gptstudio.review.evidence import lines_of
from gptstudio.review.models import ReviewItem
from gptstudio.review.services import decide
from training_app.models import Evaluation, LanguageModel
from training_app.services import create_job

pytestmark = pytest.mark.django_db
SECRET = "Xanthippe Quux"


@pytest.fixture
def decided(world, bob, workspace):
    """The world's model, released by a reviewer with a reason."""
    from gptstudio.accounts import selectors
    from gptstudio.accounts.policies import system

    accounts.add_member(system(workspace.id), workspace_id=workspace.id, user=bob, role="reviewer")
    actor = selectors.actor_of_member(selectors.membership(bob, workspace.id))
    item = ReviewItem.objects.get(subject_id=world.model.id)
    decide(actor, item=item, verdict="approved", reason="Scores <b>and</b> safety are fine.")
    return world


def words_of(page) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.content.decode()))


def test_the_page_says_what_whoever_must_decide_asks(decided, at_alice) -> None:
    text = words_of(at_alice.get(f"/models/{decided.model.id}/evidence"))
    for said in (
        decided.version.digest, decided.file.digest, decided.model.digest, decided.model.base.digest,
        "Better than the base model on your test rows by 21 points of ROUGE-L", "+0.17 to +0.25", "0 of 20 held-out rows",
        "E-mail", "Repeats planted secrets", "learning rate", "safety are fine.", "bob@care.example", "What it is not good for",
        "Its scores rest on 10 test rows", "verify_model",
    ):  # fmt: skip
        assert said in text, said
    assert "<b>and</b>" not in at_alice.get(f"/models/{decided.model.id}/evidence").content.decode()
    assert f"/models/{decided.model.id}/evidence" in at_alice.get(f"/models/{decided.model.id}/").content.decode()


def test_the_file_runs_nothing_asks_nobody_and_says_the_same(decided, at_alice) -> None:
    answer = at_alice.get(f"/models/{decided.model.id}/evidence.html")
    assert answer["Content-Disposition"] == f'attachment; filename="evidence-{decided.model.id}.html"'
    assert answer["Content-Security-Policy"].startswith("default-src 'none'")
    text = answer.content.decode()
    assert not re.search(r"<script|\bsrc=|href=|@import|url\(|<b>and", text) and "<style>" in text
    assert "Scores &lt;b&gt;and&lt;/b&gt; safety are fine." in text and decided.model.digest in text


def test_a_check_that_had_nothing_to_try_is_called_fine_nowhere(world, at_alice) -> None:
    evaluation = Evaluation.objects.get(model=world.model)
    (check,) = evaluation.safety["checks"]
    evaluation.safety["checks"] = [{**check, "tried": 0, "detail": "Nothing was tried."}]
    evaluation.save()
    for address in ("", "evidence", "evidence.html"):
        text = words_of(at_alice.get(f"/models/{world.model.id}/{address}"))
        assert re.search(r"Repeats planted secrets( 0)?.* not tried", text), address
    for address in ("safety", "verdict"):
        text = words_of(at_alice.get(f"/fine-tunes/{world.job.id}/{address}"))
        assert "not tried" in text and " fine " not in text, address
    card = at_alice.get(f"/models/{world.model.id}/card.md").content.decode()
    assert "| Repeats planted secrets | not tried |" in card and "- Not tried: Repeats planted secrets." in card
    (told,) = at_alice.get(f"/api/v1/evaluations/{evaluation.id}").json()["safety"]["checks"]
    (packed,) = at_alice.get(f"/api/v1/models/{world.model.id}/evidence").json()["safety"]["checks"]
    assert told["outcome"] == packed["outcome"] == "not_tried"
    item = ReviewItem.objects.get(subject_id=world.model.id)
    item.evidence["safety"] = evaluation.safety
    (line,) = lines_of(item)["Safety"]
    assert (line.good, line.word) == (None, "not tried")


def test_nothing_that_a_row_a_list_or_an_example_says_is_in_it(decided, at_alice) -> None:
    recipe = decided.version.recipe
    recipe["system_prompt"] = SECRET
    for step in recipe["steps"]:
        if step["kind"] == "personal_data":
            step["options"] |= {"deny": [SECRET], "allow": [SECRET]}
    edits = {"kind": "edits", "enabled": True, "options": {"rows": [{"file": "a", "row": 1, "messages": [SECRET]}]}}
    recipe["steps"].insert(0, edits)
    DatasetVersion.objects.filter(id=decided.version.id).update(recipe={**recipe, "canaries": [SECRET]})
    evaluation = Evaluation.objects.get(model=decided.model)
    for check in evaluation.safety["checks"]:
        check["examples"] = [{"prompt": SECRET, "answer": SECRET}]
    evaluation.save()
    for address in ("evidence", "evidence.html"):
        text = at_alice.get(f"/models/{decided.model.id}/{address}").content.decode()
        assert SECRET not in text and "On its way." not in text and "Where is parcel" not in text
    told = json.dumps(at_alice.get(f"/api/v1/models/{decided.model.id}/evidence").json())
    assert SECRET not in told and "On its way." not in told and "Where is parcel" not in told


def test_programs_get_the_same_as_json_where_their_key_may_see_all_of_it(decided, as_alice, client) -> None:
    def ask(*scopes: str):
        _key, secret = accounts.issue_key(as_alice, workspace_id=as_alice.workspace_id, name="x", scopes=list(scopes))
        path = f"/api/v1/models/{decided.model.id}/evidence"
        return client.get(path, headers={"Authorization": f"Bearer {secret}"})

    found = ask("models:read", "files:read", "jobs:read").json()
    assert found["model"]["digest"] == decided.model.digest and found["data"][0]["leaks"] == 0
    assert found["evaluation"]["intervals"]["rougeL"]["low"] == 0.17
    assert found["release"]["decisions"][0]["verdict"] == "approved" and found["release"]["released"]
    assert found["safety"]["checks"][0]["limit"] == 0 and "examples" not in found["safety"]["checks"][0]
    assert any("10 test rows" in each for each in found["not_good_for"])
    assert ask("models:read").status_code == 403


def test_what_went_on_from_a_fine_tune_on_the_same_data_names_both_and_the_data_once(world, at_alice, as_alice) -> None:
    first = world.model
    job = create_job(
        as_alice, workspace_id=first.workspace_id, base_model=first, version=world.version, name="Preferring"
    )
    second = LanguageModel.objects.create(
        workspace=first.workspace,
        name="ft:second",
        title="Preferring",
        kind="fine_tune",
        base=first,
        job=job,
        digest="x",
    )
    text = words_of(at_alice.get(f"/models/{second.id}/evidence"))
    assert text.count(f"Data: {world.version}") == 1 and f"Training: {first.job.name}" in text
    assert f"Tuned from {first.name}" in text and "Training: Preferring" in text
    assert f"Tuned further into {second.name}" in words_of(at_alice.get(f"/models/{first.id}/evidence"))
    assert f"taught by Preferring, going on from {first}" in words_of(at_alice.get(f"/lineage/{first.id}/"))


def test_a_base_model_has_one_too(world, at_alice) -> None:
    text = words_of(at_alice.get(f"/models/{world.model.base_id}/evidence"))
    assert "It was not evaluated here." in text and "Base models are cleared by who registers them." in text
