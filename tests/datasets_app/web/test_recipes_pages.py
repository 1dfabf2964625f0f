"""Kept recipes, two side by side, and the words of a workspace."""

from __future__ import annotations

import pytest
from django.test import Client

from datasets_app import recipes, selectors, services
from datasets_app.web import recipe_form
from tests.recipe_posts import post_of
from tests.worlds import make_dataset, make_version

pytestmark = pytest.mark.django_db
PLANTED = "My code is 7KQ.\r\n\r\n I live at Nowhere 9. \r\nMy code is 7KQ.\r\n"


@pytest.fixture
def kept(as_alice):
    return services.create_recipe(
        as_alice, workspace_id=as_alice.workspace_id, name="Support", body=recipes.default_recipe()
    )


@pytest.fixture
def at_charlie(charlie) -> Client:
    client = Client()
    client.force_login(charlie)
    return client


def test_the_list_teaches_when_it_is_empty(at_alice) -> None:
    assert "No recipe is kept yet" in at_alice.get("/datasets/recipes/").content.decode()


def test_a_recipe_is_changed_copied_and_put_away(at_alice, kept) -> None:
    post = post_of(
        recipe_form.of_body(kept.body), act="keep", name="Support, careful", system_prompt="Be kind.", canaries=PLANTED
    )
    post["near_duplicates-threshold"] = "0.8"
    at_alice.post(f"/datasets/recipes/{kept.id}/", post.urlencode(), content_type="application/x-www-form-urlencoded")
    kept.refresh_from_db()
    assert kept.name == "Support, careful" and kept.body["system_prompt"] == "Be kind."
    assert kept.body["canaries"] == ["My code is 7KQ.", "I live at Nowhere 9."]
    assert "I live at Nowhere 9." in at_alice.get(f"/datasets/recipes/{kept.id}/").content.decode()
    assert recipes.step(kept.body, "near_duplicates")["options"]["threshold"] == 0.8
    at_alice.post(f"/datasets/recipes/{kept.id}/copy")
    at_alice.post(f"/datasets/recipes/{kept.id}/archive")
    assert [each.name for each in selectors.recipes_of(kept.workspace_id)] == ["Support, careful (2)"]


def test_two_recipes_are_compared_in_words(at_alice, as_alice, kept, studio_home) -> None:
    body = recipes.default_recipe()
    recipes.step(body, "normalize")["enabled"] = False
    recipes.step(body, "tokens")["options"]["policy"] = "truncate"
    version = make_version(as_alice, dataset=make_dataset(as_alice)[0], recipe=body)
    page = at_alice.get(f"/datasets/recipes/compare?a={kept.id}&b={version.id}").content.decode()
    assert "<td>step 1</td>" in page.replace(" <span", "<span") and "never the answer" in page
    assert "support, version 1" in page


def test_comparing_nothing_says_what_to_do_and_comparing_what_is_not_there_says_so(at_alice) -> None:
    assert "Choose two recipes" in at_alice.get("/datasets/recipes/compare").content.decode()
    assert at_alice.get("/datasets/recipes/compare?a=x&b=y").status_code == 404


def test_charlie_sees_no_recipe_of_another_workspace(at_charlie, kept) -> None:
    assert "Support" not in at_charlie.get("/datasets/recipes/").content.decode()
    assert at_charlie.get(f"/datasets/recipes/compare?a={kept.id}&b={kept.id}").status_code == 404
    assert at_charlie.post(f"/datasets/recipes/{kept.id}/copy").status_code == 404


def test_words_are_saved_list_by_list_and_a_bad_one_keeps_what_was_typed(at_alice, workspace) -> None:
    at_alice.post("/datasets/words", {"kind": "dictionary", "words": "Flexo\nHub One\n"})
    assert selectors.words_of(workspace.id)["dictionary"] == ["Flexo", "Hub One"]
    answer = at_alice.post("/datasets/words", {"kind": "allow", "words": "x" * 300})
    assert answer.status_code == 400 and "x" * 300 in answer.content.decode()


def test_charlie_sees_his_own_words(at_charlie, as_alice) -> None:
    services.set_words(as_alice, workspace_id=as_alice.workspace_id, kind="deny", words=["Project Heron"])
    assert "Project Heron" not in at_charlie.get("/datasets/words").content.decode()


def test_the_list_asks_few_queries(at_alice, as_alice, kept, django_assert_num_queries) -> None:
    with django_assert_num_queries(7):
        at_alice.get("/datasets/recipes/")
    for _ in range(4):
        services.copy_recipe(as_alice, recipe=kept)
    with django_assert_num_queries(7):
        at_alice.get("/datasets/recipes/")
