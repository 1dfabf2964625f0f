"""What a recipe would do, by REST: asked for, read with counts and examples, stopped."""

from __future__ import annotations

import pytest

from datasets_app import recipes, tasks
from datasets_app.models import RecipePreview
from datasets_app.recipes import with_edits
from tests.worlds import make_dataset, make_version

pytestmark = pytest.mark.django_db


@pytest.fixture
def made(as_alice, studio_home):
    return make_dataset(as_alice)


@pytest.fixture
def path(made) -> str:
    return f"/datasets/{made[0].id}/previews"


def test_a_preview_is_asked_for_counted_and_read(call, made, path) -> None:
    asked = call("post", path, {"files": [made[1].id], "recipe": recipes.PRESETS[0]["recipe"]})
    assert asked.status_code == 202 and asked.json()["state"] == "queued" and asked.json()["result"] is None
    one = f"{path}/{asked.json()['id']}"
    tasks.preview_recipe(asked.json()["id"])
    read = call("get", one).json()
    assert (read["state"], read["error"], read["files"]) == ("ready", {}, [made[1].id])
    assert read["result"]["rows"]["sampled"] == 1
    assert {"kind", "changed", "dropped", "examples"} <= set(read["result"]["steps"][0])
    assert call("post", f"{one}/cancel").status_code == 409


def test_only_the_newest_is_kept(call, path) -> None:
    first = call("post", path, {}).json()["id"]
    second = call("post", path, {}).json()["id"]
    assert call("get", f"{path}/{first}").json()["state"] == "cancelled"
    assert call("post", f"{path}/{second}/cancel").json()["state"] == "cancelled"
    call("post", path, {})
    assert call("get", f"{path}/{first}").status_code == 404


def test_it_starts_from_a_version_with_its_recipe_and_edits(call, as_alice, made, path) -> None:
    rows = [{"file": made[1].id, "row": 0, "exclude": True}]
    parent = make_version(as_alice, dataset=made[0], recipe=with_edits(recipes.PRESETS[1]["recipe"], rows))
    asked = call("post", path, {"parent": parent.id}).json()
    assert recipes.edited_rows(asked["recipe"]) == rows
    assert recipes.step(asked["recipe"], "split")["options"]["train"] == 0.7


@pytest.mark.parametrize(
    ("body", "param"),
    [({"files": ["file-none"]}, "files"), ({"parent": "dsv_none"}, "parent"), ({"recipe": {"steps": []}}, "recipe")],
)
def test_what_cannot_be_counted_is_refused_by_name(call, path, body, param) -> None:
    answer = call("post", path, body)
    assert answer.status_code in (400, 404) and answer.json()["param"] == param
    assert not RecipePreview.objects.exists()


def test_it_is_found_in_its_own_data_set_only(call, as_alice, path) -> None:
    other, _ = make_dataset(as_alice, name="other")
    asked = call("post", path, {}).json()["id"]
    assert call("get", f"/datasets/{other.id}/previews/{asked}").status_code == 404
    assert call("post", f"/datasets/{other.id}/previews/{asked}/cancel").status_code == 404
