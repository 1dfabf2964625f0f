"""Begin with a use case: one click makes a data set whose recipe, preset and questions wait where they are needed."""

from __future__ import annotations

import pytest
from django.test import Client

from datasets_app import selectors
from datasets_app import services as datasets
from datasets_app.models import Dataset, DatasetVersion
from gptstudio.accounts import services
from gptstudio.overview.use_cases.catalogue import KEYS, use_case
from gptstudio.review.selectors import item_about
from tests.worlds import make_version

pytestmark = pytest.mark.django_db


@pytest.fixture
def call(as_alice, workspace, studio_home):
    _key, secret = services.issue_key(
        as_alice, workspace_id=workspace.id, name="program", scopes=["files:read", "files:write"]
    )
    sent = {"Authorization": f"Bearer {secret}"}
    return lambda method, path, body=None: getattr(Client(), method)(
        f"/api/v1{path}", headers=sent, **({} if body is None else {"data": body, "content_type": "application/json"})
    )


def test_home_offers_the_use_cases_to_who_has_nothing_yet(at_bob) -> None:
    page = at_bob.get("/").content.decode()
    assert all(use_case(key).title in page and f'action="/start/{key}"' in page for key in KEYS)
    assert 'href="/datasets/new"' in page


def test_who_may_not_upload_is_told_who_can(workspace, charlie) -> None:
    from gptstudio.accounts.models import Membership

    Membership.objects.filter(user=charlie).update(role="viewer")
    client = Client()
    client.force_login(charlie)
    page = client.get("/").content.decode()
    assert "An editor or an admin can begin" in page and "/start/" not in page
    assert client.post("/start/support").status_code == 403


@pytest.mark.parametrize("key", KEYS)
def test_one_click_makes_a_data_set_of_the_sample_and_leads_to_its_recipe(key, at_bob, studio_home) -> None:
    answer = at_bob.post(f"/start/{key}")
    dataset = Dataset.objects.get()
    assert answer["Location"] == f"/datasets/{dataset.id}/version"
    assert dataset.name == use_case(key).name and dataset.files.get().name == use_case(key).file
    page = at_bob.get(answer["Location"]).content.decode()
    assert f"{use_case(key).title}: this data set" in page and "made up for this" in page
    assert use_case(key).system_prompt.split(",")[0] in page.replace("&amp;", "&").replace("&#x27;", "'")


def test_with_a_file_of_ones_own_the_data_set_is_empty_and_still_knows_its_recipe(at_bob, studio_home) -> None:
    answer = at_bob.post("/start/assistant", {"own": "1"})
    dataset = Dataset.objects.get()
    assert answer["Location"] == f"/datasets/{dataset.id}/" and not dataset.files.exists()
    assert dataset.aim["recipe"]["system_prompt"] == use_case("assistant").for_own_file().system_prompt


def test_what_is_no_use_case_is_not_found(at_bob) -> None:
    assert at_bob.post("/start/poetry").status_code == 404 and not Dataset.objects.exists()


def test_the_form_of_a_fine_tune_starts_with_the_preset_of_the_use_case(at_alice, as_alice, starter) -> None:
    at_alice.post("/start/character")
    version = make_version(as_alice, dataset=Dataset.objects.get())
    page = at_alice.get(f"/fine-tunes/new?version={version.id}").content.decode()
    assert 'value="thorough" checked' in page
    page = at_alice.get(f"/fine-tunes/new?version={version.id}&preset=quick").content.decode()
    assert 'value="quick" checked' in page


def test_a_version_of_the_sample_alone_waits_for_no_reviewer(as_alice, at_alice) -> None:
    at_alice.post("/start/character")
    dataset = Dataset.objects.get()
    version = make_version(as_alice, dataset=dataset)
    assert selectors.version_is_cleared(version) and item_about(version.id, kind="version") is None
    version.recipe["steps"].append({"kind": "edits", "options": {"rows": [{"file": "f", "row": 0, "messages": []}]}})
    assert not version.is_made_up, "what a person wrote into it may be anybody's"
    datasets.add_file(as_alice, dataset=dataset, name="own.csv", chunks=[b"prompt,completion\na,b\n"])
    mixed = make_version(as_alice, dataset=dataset)
    assert not selectors.version_is_cleared(mixed) and item_about(mixed.id, kind="version") is not None


def test_programs_list_them_and_begin(call) -> None:
    listed = call("get", "/use-cases").json()["data"]
    assert [each["id"] for each in listed] == list(KEYS)
    made = call("post", "/use-cases/writing/start", {"name": "Texts"})
    assert made.status_code == 201 and made.json()["name"] == "Texts" and len(made.json()["files"]) == 1
    assert made.json()["questions"] == listed[1]["questions"]


def test_a_version_without_a_recipe_takes_that_of_the_use_case(call) -> None:
    made = call("post", "/use-cases/writing/start", {}).json()
    answer = call("post", f"/datasets/{made['dataset_id']}/versions", {})
    assert answer.status_code in (201, 202)
    version = DatasetVersion.objects.get()
    assert version.recipe["system_prompt"] == made["system_prompt"]


@pytest.mark.parametrize(("body", "status"), [({"sample": "perhaps"}, 400), ([], 400)])
def test_a_wrong_body_makes_nothing(call, body, status) -> None:
    assert call("post", "/use-cases/writing/start", body).status_code == status
    assert call("post", "/use-cases/poetry/start", {}).status_code == 404
    assert not Dataset.objects.exists()


def test_with_sample_false_it_waits_for_a_file(call) -> None:
    made = call("post", "/use-cases/support/start", {"sample": False}).json()
    assert made["files"] == [] and made["name"] == "Customer support"
