"""What was put away comes back, on pages and by REST, and nobody else's does."""

from __future__ import annotations

import pytest
from django.test import Client
from django.utils import timezone

from datasets_app import recipes, selectors, services
from gptstudio.audit.models import AuditEvent
from gptstudio.core.errors import Conflict
from tests.worlds import make_dataset

pytestmark = pytest.mark.django_db


@pytest.fixture
def at_alice(alice, workspace) -> Client:
    client = Client()
    client.force_login(alice)
    return client


def text(answer) -> str:
    return answer.content.decode()


def test_a_data_set_comes_back_with_all_that_is_in_it(at_alice, as_alice, studio_home) -> None:
    dataset, file = make_dataset(as_alice, name="Refunds")
    at_alice.post(f"/datasets/{dataset.id}/archive")
    assert "Show what was put away" in text(at_alice.get("/datasets/"))
    away = text(at_alice.get("/datasets/?shown=away"))
    assert f'action="/datasets/{dataset.id}/restore"' in away and f'href="/datasets/{dataset.id}/"' not in away
    at_alice.post(f"/datasets/{dataset.id}/restore")
    assert file.name in text(at_alice.get(f"/datasets/{dataset.id}/"))
    at_alice.post(f"/datasets/{dataset.id}/restore")  # again changes nothing
    assert AuditEvent.objects.filter(action="dataset.restored").count() == 1


def test_a_file_is_taken_in_again_unless_its_bytes_are_gone(at_alice, as_alice, studio_home) -> None:
    dataset, file = make_dataset(as_alice)
    at_alice.post(f"/datasets/{dataset.id}/files/{file.id}/archive")
    assert "1 left out" in text(at_alice.get(f"/datasets/{dataset.id}/"))
    at_alice.post(f"/datasets/{dataset.id}/files/{file.id}/restore")
    assert list(selectors.live_files(dataset)) == [file]
    services.archive_file(as_alice, file=file)
    type(file).objects.filter(id=file.id).update(erased_at=timezone.now())
    assert "left out</summary>" not in text(at_alice.get(f"/datasets/{dataset.id}/"))
    with pytest.raises(Conflict, match="was deleted"):
        services.restore_file(as_alice, file=selectors.file_of(as_alice.workspace_id, file.id, also_archived=True))


def test_a_recipe_comes_back_unless_another_has_its_name(at_alice, as_alice) -> None:
    def keep(name: str):
        return services.create_recipe(
            as_alice, workspace_id=as_alice.workspace_id, name=name, body=recipes.preset("")["recipe"]
        )

    recipe = keep("Support")
    at_alice.post(f"/datasets/recipes/{recipe.id}/archive")
    other = keep("Support")
    refused = at_alice.post(f"/datasets/recipes/{recipe.id}/restore")
    assert refused.status_code == 409 and "Give that one another name first." in text(refused)
    services.update_recipe(as_alice, recipe=other, name="Support, old", body=other.body)
    assert f'id="restore-{recipe.id}"' in text(at_alice.get("/datasets/recipes/?shown=away"))
    at_alice.post(f"/datasets/recipes/{recipe.id}/restore")
    assert {each.name for each in selectors.recipes_of(as_alice.workspace_id)} == {"Support", "Support, old"}


def test_nobody_brings_back_what_is_anothers(as_alice, charlie, studio_home) -> None:
    dataset, file = make_dataset(as_alice)
    services.archive_dataset(as_alice, dataset=dataset)
    at_charlie = Client()
    at_charlie.force_login(charlie)
    assert at_charlie.post(f"/datasets/{dataset.id}/restore").status_code == 404
    assert at_charlie.post(f"/datasets/{dataset.id}/files/{file.id}/restore").status_code == 404
    assert dataset.name not in text(at_charlie.get("/datasets/?shown=away"))


def test_programs_list_what_is_put_away_and_bring_it_back(at_alice, as_alice, studio_home) -> None:
    dataset, file = make_dataset(as_alice)
    below = f"/api/v1/datasets/{dataset.id}"

    def post(address: str) -> int:
        return at_alice.post(address, content_type="application/json").status_code

    services.archive_file(as_alice, file=file)
    assert post(f"{below}/files/{file.id}/restore") == 200
    services.archive_dataset(as_alice, dataset=dataset)
    assert at_alice.get("/api/v1/datasets").json()["data"] == []
    assert [each["id"] for each in at_alice.get("/api/v1/datasets?archived=true").json()["data"]] == [dataset.id]
    assert post(f"{below}/restore") == 200 and at_alice.get(below).status_code == 200
