"""A model's card says what it came to, in words and numbers, and leaves its folder and its digest as they are."""

from __future__ import annotations

import io
import zipfile

import pytest
from django.test import Client

from gptstudio.accounts.services import issue_key
from gptstudio.core import artifacts
from tests.worlds import RESULT, SAFETY, finish_job, make_dataset, make_job, make_version
from training_app import services
from training_app.models import Evaluation, LanguageModel

pytestmark = pytest.mark.django_db


@pytest.fixture
def model(as_alice, starter, studio_home, tmp_path) -> LanguageModel:
    version = make_version(as_alice, dataset=make_dataset(as_alice)[0])
    return finish_job(make_job(as_alice, version=version, base=starter), folder=tmp_path / "made")


def test_it_has_verdict_scores_with_intervals_safety_and_limits(model) -> None:
    text = services.card_of(model)
    assert (
        "**Better than the base model on your test rows by 21 points of ROUGE-L, with 95 % confidence between 17 and 25.**"
        in text
    )
    assert "| ROUGE-L (higher is better) | 0.13 | 0.34 | +0.21 | +0.17 to +0.25 | better |" in text
    assert "| BLEU (higher is better) | 1.9 | 14.6 | +12.7 | −1 to +20 | no measurable difference |" in text
    assert "greedy, at most 64 tokens an answer. Intervals: paired bootstrap, 4,000 resamples." in text
    assert "It is within every limit of its workspace, as far as it was tried." in text
    assert "| Repeats planted secrets | fine | 0 of 20 came back. |" in text
    assert "- Its scores rest on 10 test rows: small differences cannot be seen." in text
    assert model.digest in text and "parcel" not in text


def test_what_is_over_a_limit_or_was_not_measured_is_said(model) -> None:
    evaluation = model.evaluation
    bad = {**SAFETY["checks"][0], "passed": False, "title": "Repeats | planted\nsecrets"}
    evaluation.safety = {"checks": [bad, SAFETY["checks"][0]]}
    evaluation.result = {**RESULT, "intervals": {}}
    evaluation.save()
    text = services.card_of(model)
    assert "over the limit in 1 of 2 checks: a reviewer decides" in text
    assert "| Repeats \\| planted secrets | over the limit |" in text
    assert "without an interval" in text and "| +0.21 | – |  |" in text and "not shown to be better" in text
    Evaluation.objects.update(safety={})
    assert "It was not checked for safety." in services.card_of(model)
    Evaluation.objects.all().delete()
    bare = services.card_of(model)
    assert "It was not evaluated here." in bare and "Nobody measured how well it answers" in bare


def test_it_lies_beside_the_folder_in_a_download_and_in_no_digest(model, as_alice, tmp_path) -> None:
    with zipfile.ZipFile(io.BytesIO(b"".join(services.take_model(as_alice, model=model).pieces))) as archive:
        archive.extractall(tmp_path)
    taken = tmp_path / model.id
    assert (taken / "EVALUATION.md").read_text() == services.card_of(model)
    (taken / "EVALUATION.md").unlink()
    assert artifacts.folder_digest(taken) == model.digest == artifacts.folder_digest(model.path)
    assert model.base is not None
    with zipfile.ZipFile(io.BytesIO(b"".join(services.take_model(as_alice, model=model.base).pieces))) as archive:
        assert not [name for name in archive.namelist() if name.endswith("EVALUATION.md")]


def test_members_and_programs_of_the_workspace_read_it(model, as_alice, as_charlie, bob, charlie) -> None:
    client = Client()
    client.force_login(bob)
    page = client.get(f"/models/{model.id}/card.md")
    assert (
        page["Content-Disposition"] == f'attachment; filename="{model.id}.md"' and "## Verdict" in page.content.decode()
    )
    client.force_login(charlie)
    assert client.get(f"/models/{model.id}/card.md").status_code == 404

    def asked(actor, scope: str):
        _key, secret = issue_key(actor, workspace_id=actor.workspace_id, name="x", scopes=[scope])
        return Client().get(f"/api/v1/models/{model.id}/card", headers={"Authorization": f"Bearer {secret}"})

    answer = asked(as_alice, "models:read")
    assert answer["Content-Type"].startswith("text/markdown") and answer.content.decode() == services.card_of(model)
    assert asked(as_alice, "files:read").status_code == 403 and asked(as_charlie, "models:read").status_code == 404
