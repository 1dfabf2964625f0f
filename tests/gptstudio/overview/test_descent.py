"""Lineage both ways, and erasure in the browser and by REST."""

from __future__ import annotations

import json

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from datasets_app.models import CurationRecipe, DatasetFile, DatasetVersion
from datasets_app.recipes import default_recipe
from datasets_app.selectors import words_of
from datasets_app.services import create_recipe, set_words
from gptstudio.accounts.services import issue_key
from gptstudio.audit.models import AuditEvent
from gptstudio.core.errors import NotFound
from gptstudio.overview.lineage import lineage_of
from serving_app.models import KeptTexts
from serving_app.services import update_deployment
from tests.worlds import make_dataset, make_version

pytestmark = pytest.mark.django_db
PARCEL = "parcel 33"


@pytest.fixture
def served(world, as_alice):
    """The world with its fine-tune in the deployment."""
    from gptstudio.review.models import ReviewItem

    ReviewItem.objects.filter(subject_id=world.model.id).update(state="approved")
    update_deployment(
        as_alice, deployment=world.deployment, targets=[{"model": world.model.id, "weight": 1}], note="tuned"
    )
    return world


@pytest.fixture
def call(as_alice, workspace):
    _key, secret = issue_key(as_alice, workspace_id=workspace.id, name="dpo", scopes=["files:read", "erasure:write"])

    def ask(method: str, path: str, body=None):
        options = {"data": body, "content_type": "application/json"} if body is not None else {}
        return getattr(Client(), method)(f"/api/v1{path}", headers={"Authorization": f"Bearer {secret}"}, **options)

    return ask


def names(line) -> tuple[list[str], ...]:
    found = ([each.id for each in part] for part in (line.files, line.versions, line.models))
    return (*found, [each.id for each, _ in line.deployments])


def test_every_thing_on_a_line_sees_the_whole_line(served, as_alice) -> None:
    other = make_version(as_alice, dataset=make_dataset(as_alice, name="other")[0])
    whole = ([served.file.id], [served.version.id], [served.model.id], [served.deployment.id])
    for subject in (served.dataset, served.file, served.version, served.job):
        assert names(lineage_of(as_alice.workspace_id, subject.id)) == whole, subject
    for subject in (served.model, served.deployment):
        found = names(lineage_of(as_alice.workspace_id, subject.id))
        assert found[:2] == whole[:2] and found[3] == whole[3] and served.model.id in found[2]
    assert names(lineage_of(as_alice.workspace_id, other.id))[2:] == ([], [])


@pytest.mark.parametrize(
    "subject", ["nothing", "", "ds_none", "file-none", "dsv_none", "model_none", "dep_none", "ftjob-none"]
)
def test_what_is_none_has_no_lineage(as_alice, subject) -> None:
    with pytest.raises(NotFound):
        lineage_of(as_alice.workspace_id, subject)


def test_lineage_by_rest_names_what_each_came_from(served, call) -> None:
    found = call("get", f"/lineage/{served.model.id}").json()
    tuned = next(each for each in found["models"] if each["id"] == served.model.id)
    assert tuned["version_id"] == served.version.id and found["deployments"][0]["models"] == [served.model.id]
    assert found["versions"][0]["files"] == [served.file.id]
    path = f"/datasets/{served.dataset.id}/versions/{served.version.id}/lineage"
    assert call("get", path).json()["files"] == found["files"]


def test_a_person_is_traced_to_the_models_that_learnt_and_nothing_typed_is_kept(served, at_alice) -> None:
    page = at_alice.post("/erasure/", {"text": PARCEL}).content.decode()
    assert "0 uploads and 1 version hold it" in page and "Models to retrain" in page
    assert f"/models/{served.model.id}/" in page and f"/deployments/{served.deployment.id}/" in page
    line = AuditEvent.objects.get(action="erasure.traced")
    assert "33" not in json.dumps(line.data) and len(line.subject_id) == 16


def test_who_looks_for_nothing_or_nobody_is_told(world, at_alice) -> None:
    assert at_alice.post("/erasure/", {"text": "Jo"}).status_code == 400
    assert at_alice.post("/erasure/", {"file": world.file.id, "row": "x"}).status_code == 400
    assert at_alice.post("/erasure/", {"file": world.file.id, "row": "0"}).status_code == 400
    assert "Nothing holds it" in at_alice.post("/erasure/", {"text": "Nobody Nowhere"}).content.decode()


def test_one_record_is_made_again_without_and_the_old_is_emptied(served, at_alice) -> None:
    asked = {"file": served.file.id, "row": "8"}
    assert "1 version hold it" in at_alice.post("/erasure/", asked).content.decode()
    answer = at_alice.post("/erasure/make", asked)
    made = DatasetVersion.objects.get(number=2)
    assert answer["Location"] == f"/datasets/versions/{made.id}/" and made.origin == "erased"
    page = at_alice.post("/erasure/delete", {"version": served.version.id, "upload": served.file.id}, follow=True)
    assert "has no reason" in page.content.decode() and served.version.folder.exists()
    gone = {"version": served.version.id, "upload": served.file.id, "reason": "By letter of 3 May."}
    assert (
        "Erased: support, version 1, tickets.csv."
        in at_alice.post("/erasure/delete", gone, follow=True).content.decode()
    )
    tomb = at_alice.get(f"/datasets/versions/{served.version.id}/").content.decode()
    assert "By letter of 3 May." in tomb and "The rows of this version were erased" in tomb
    assert not served.version.folder.exists() and not served.file.path.exists()
    assert at_alice.get(f"/lineage/{served.model.id}/").status_code == 200


def test_an_editor_does_not_look_for_people(world, at_bob) -> None:
    for method, path in (("get", ""), ("post", ""), ("post", "make"), ("post", "delete")):
        assert getattr(at_bob, method)(f"/erasure/{path}").status_code == 403


def test_erasure_by_rest(served, call) -> None:
    found = call("post", "/erasure/trace", {"text": PARCEL}).json()
    assert [each["id"] for each in found["versions"]] == [served.version.id]
    assert found["models"] == [served.model.id] and found["deployments"] == [served.deployment.id]
    assert call("post", "/erasure/trace", {}).status_code == 400
    assert call("post", "/erasure/trace", {"text": "a name", "file": served.file.id}).status_code == 400
    made = call("post", "/erasure/versions", {"file": served.file.id, "row": 3})
    assert made.status_code == 202 and made.json()["models"] == [served.model.id]
    assert call("post", "/erasure/tombstones", {"files": ["file-none"], "reason": "x"}).status_code == 404
    body = {"versions": [served.version.id], "files": [served.file.id], "reason": "By letter."}
    none = {"requests": [], "feedback": [], "reviews": []}
    words = {"lists": [], "recipes": []}
    emptied = {"versions": body["versions"], "files": body["files"], "texts": none, "words": words}
    assert call("post", "/erasure/tombstones", body).json() == emptied
    assert DatasetFile.objects.get(id=served.file.id).erased_because == "By letter."
    assert call("post", "/erasure/tombstones", body).status_code in (404, 409)


def test_what_was_said_of_a_person_is_traced_and_erased(served, at_alice, at_charlie, call) -> None:
    KeptTexts.objects.filter(request=served.request).update(answers=[{"content": "Ask Nina Novak.", "calls": []}])
    page = at_alice.post("/erasure/", {"text": "nina novak"}).content.decode()
    assert "it was said in 1 text that is kept" in page and "Make versions without it" not in page
    assert AuditEvent.objects.get(action="erasure.traced").data == {"files": 0, "versions": 0, "texts": 1}
    asked = {"text": "nina novak", "said": "1"}
    assert "has no reason" in at_alice.post("/erasure/delete", asked, follow=True).content.decode()
    assert at_charlie.post("/erasure/delete", {**asked, "reason": "x"}, follow=True).status_code == 200
    assert KeptTexts.objects.exists(), "a stranger erases in a workspace of their own"
    found = call("post", "/erasure/trace", {"text": "Nina Novak"}).json()
    assert found["texts"] == {"requests": [served.request.id], "feedback": [], "reviews": []}
    page = at_alice.post("/erasure/delete", {**asked, "reason": "By letter."}, follow=True).content.decode()
    assert "Erased: 1 text of what was said." in page and not KeptTexts.objects.exists()
    again = call("post", "/erasure/tombstones", {"text": "Nina Novak", "reason": "By letter."})
    assert again.json()["texts"] == {"requests": [], "feedback": [], "reviews": []}
    assert AuditEvent.objects.filter(action="texts.erased").count() == 3


@pytest.mark.parametrize("way", ["page", "rest"])
def test_one_erasure_takes_rows_answers_and_what_was_said_along(served, at_alice, call, way) -> None:
    KeptTexts.objects.filter(request=served.request).update(answers=[{"content": "Ask about parcel 33.", "calls": []}])
    answers = served.model.evaluation.answers
    assert answers.exists()
    if way == "page":
        asked = {"version": served.version.id, "text": PARCEL, "said": "1", "reason": "By letter."}
        page = at_alice.post("/erasure/delete", asked, follow=True).content.decode()
        assert "Erased: 1 text of what was said, support, version 1." in page
    else:
        body = {"versions": [served.version.id], "text": PARCEL, "reason": "By letter."}
        assert call("post", "/erasure/tombstones", body).json()["texts"]["requests"] == [served.request.id]
    assert not answers.exists() and not served.version.folder.exists()
    assert not KeptTexts.objects.filter(request=served.request).exists()
    again = {"versions": [served.version.id], "reason": "By letter."}
    assert call("post", "/erasure/tombstones", again).status_code == 200  # cut short, it may be asked for again


def test_words_and_recipes_that_name_a_person_are_listed_and_taken_out(world, workspace, as_alice, at_alice, call):
    def written() -> CurationRecipe:
        set_words(as_alice, workspace_id=workspace.id, kind="allow", words=["Nina Novak", "Falcon"])
        body = default_recipe() | {"system_prompt": "You speak for Nina Novak."}
        return create_recipe(
            as_alice, workspace_id=workspace.id, name=f"Ours {CurationRecipe.objects.count()}", body=body
        )

    kept = written()
    page = at_alice.post("/erasure/", {"text": "nina novak"}).content.decode()
    assert "Never personal data" in page and kept.name in page and "Nothing holds it" not in page
    asked = {"text": "nina novak", "written": "1"}
    assert "has no reason" in at_alice.post("/erasure/delete", asked, follow=True).content.decode()
    page = at_alice.post("/erasure/delete", {**asked, "reason": "By letter."}, follow=True).content.decode()
    assert "what 2 lists of words or recipes said" in page
    assert words_of(workspace.id)["allow"] == ["Falcon"]
    assert AuditEvent.objects.get(action="words.erased").data == {"lists": 1, "recipes": 1, "reason": "By letter."}
    again = written()
    expected = {"lists": ["allow"], "recipes": [again.id]}
    assert call("post", "/erasure/trace", {"text": "Nina Novak"}).json()["words"] == expected
    gone = call("post", "/erasure/tombstones", {"text": "Nina Novak", "reason": "By letter."})
    assert gone.json()["words"] == expected
    assert "Nothing holds it" in at_alice.post("/erasure/", {"text": "nina novak"}).content.decode()


def test_an_operator_traces_from_the_command_line(world, workspace, capsys) -> None:
    call_command("trace_erasure", workspace=workspace.slug, text=PARCEL)
    assert json.loads(capsys.readouterr().out)["versions"][0]["id"] == world.version.id
    with pytest.raises(CommandError, match="no workspace"):
        call_command("trace_erasure", workspace="elsewhere-else", text=PARCEL)
