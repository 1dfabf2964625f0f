"""The recipe's page: presets, kept recipes, a version made from it, a step taken back, and who may."""

from __future__ import annotations

import pytest
from django.test import Client

from datasets_app import recipes, services
from datasets_app.models import CurationRecipe, DatasetVersion
from datasets_app.web import recipe_form
from tests.recipe_posts import post_of
from tests.worlds import make_dataset, make_version

pytestmark = pytest.mark.django_db


@pytest.fixture
def made(as_alice, studio_home):
    return make_dataset(as_alice)


@pytest.fixture
def address(made) -> str:
    return f"/datasets/{made[0].id}/version"


def usual(made, **more):
    cards = recipe_form.of_body(recipes.PRESETS[0]["recipe"])
    return post_of(cards, files=[made[1].id], **more)


def send(client, address, post):
    return client.post(address, post.urlencode(), content_type="application/x-www-form-urlencoded")


def test_the_page_shows_a_card_a_step_with_why_and_the_presets(at_alice, address) -> None:
    page = at_alice.get(address).content.decode()
    for preset in recipes.PRESETS:
        assert preset["title"] in page
    assert recipes.STEP_HINTS["personal_data"][1] in page and 'name="near_duplicates-threshold"' in page


def test_the_form_makes_the_version_it_shows(at_alice, made, address) -> None:
    post = usual(made, act="make", system_prompt="Be kind.", canaries="My code is 7KQ.")
    post["split-train"], post["split-validation"], post["split-test"] = "0.7", "0.15", "0.15"
    post["personal_data-turns"] = "user"
    answer = send(at_alice, address, post)
    version = DatasetVersion.objects.get()
    assert answer["Location"] == f"/datasets/versions/{version.id}/"
    assert recipes.step(version.recipe, "split")["options"]["train"] == 0.7
    assert recipes.step(version.recipe, "personal_data")["options"]["turns"] == "user"
    assert version.recipe["system_prompt"] == "Be kind." and list(version.files.all()) == [made[1]]
    assert version.recipe["canaries"] == ["My code is 7KQ."], "what the safety report tries"


def test_a_step_that_is_switched_off_does_not_run(at_alice, made, address) -> None:
    post = usual(made, act="make")
    post.setlist("on", [name for name in post.getlist("on") if name != "personal_data"])
    send(at_alice, address, post)
    assert not recipes.hides_personal_data(DatasetVersion.objects.get().recipe)


def test_shares_that_do_not_add_up_are_said_at_the_split_and_nothing_is_made(at_alice, made, address) -> None:
    post = usual(made, act="make")
    post["split-train"] = "0.5"
    answer = send(at_alice, address, post)
    assert answer.status_code == 400 and "add up to 1" in answer.content.decode()
    assert not DatasetVersion.objects.exists()


def test_no_file_chosen_is_said_beside_the_files(at_alice, made, address) -> None:
    post = usual(made, act="make")
    post.setlist("files", [])
    assert send(at_alice, address, post).status_code == 400
    assert not DatasetVersion.objects.exists()


def test_a_step_is_moved_without_a_script(at_alice, made, address) -> None:
    post = usual(made)
    first, second = post.getlist("order")[1:3]
    post["act"] = f"down:{first}"
    page = send(at_alice, address, post).content.decode()
    assert page.index(f'data-step="{second}"') < page.index(f'data-step="{first}"')


def test_a_recipe_is_kept_by_name_and_offered_to_every_data_set(at_alice, made, address) -> None:
    answer = send(at_alice, address, usual(made, act="keep", name="Our support"))
    kept = CurationRecipe.objects.get()
    assert answer["Location"].endswith(f"?recipe={kept.id}") and kept.name == "Our support"
    assert "Our support" in at_alice.get(address).content.decode()
    again = send(at_alice, address, usual(made, act="keep", name="Our support"))
    assert again.status_code == 400 and "called “Our support” already" in again.content.decode()


def test_the_page_starts_from_an_earlier_version_with_a_step_taken_back(at_alice, as_alice, made, address) -> None:
    version = make_version(as_alice, dataset=made[0])
    page = at_alice.get(f"{address}?version={version.id}&off=normalize").content.decode()
    assert 'value="normalize">' in page and 'value="exact_duplicates" checked' in page


def test_a_version_that_begins_from_another_keeps_its_edits(at_alice, as_alice, made, address) -> None:
    rows = [{"file": made[1].id, "row": 3, "exclude": True}]
    edited = make_version(as_alice, dataset=made[0], recipe=recipes.with_edits(recipes.default_recipe(), rows))
    for query, kept in ((f"?version={edited.id}", rows), ("?preset=support", [])):
        send(at_alice, f"{address}{query}", usual(made, act="make"))
        assert recipes.edited_rows(DatasetVersion.objects.latest("number").recipe) == kept


@pytest.mark.parametrize("query", ["?recipe={recipe}", "?version={version}"])
def test_charlie_starts_from_nothing_of_another_workspace(as_alice, charlie, as_charlie, made, query) -> None:
    recipe = services.create_recipe(
        as_alice, workspace_id=as_alice.workspace_id, name="Ours", body=recipes.default_recipe()
    )
    version = make_version(as_alice, dataset=made[0])
    own, _file = make_dataset(as_charlie)
    client = Client()
    client.force_login(charlie)
    asked = f"/datasets/{own.id}/version" + query.format(recipe=recipe.id, version=version.id)
    assert client.get(asked).status_code == 404


def test_the_page_asks_few_queries_however_many_recipes_are_kept(
    at_alice, as_alice, address, django_assert_num_queries
) -> None:
    with django_assert_num_queries(8):
        at_alice.get(address)
    for number in range(5):
        services.create_recipe(
            as_alice, workspace_id=as_alice.workspace_id, name=f"r{number}", body=recipes.default_recipe()
        )
    with django_assert_num_queries(8):
        at_alice.get(address)
