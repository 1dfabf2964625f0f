"""What a recipe would do, before it does it: asked for, followed, stopped, shown at the steps' cards."""

from __future__ import annotations

import pytest
from django.test import Client

from datasets_app import recipes, services, tasks
from datasets_app.models import RecipePreview
from datasets_app.web import effects, recipe_form
from tests.recipe_posts import post_of
from tests.worlds import make_dataset

pytestmark = pytest.mark.django_db
HTMX = {"HTTP_HX_REQUEST": "true"}
STEP = {"changed": 0, "dropped": {}, "flagged": {}, "counts": {}, "examples": [], "dropped_examples": []}
CHANGED = {"file": "tickets.csv", "row": 0, "before": "user: hi  there", "after": "user: hi there"}
GONE = {"file": "tickets.csv", "row": 4, "reason": "empty", "detail": "There is no question.", "text": "x"}
RESULT = {
    "version": 1,
    "rows": {"sampled": 10, "seen": 40, "whole": True, "kept": 8},
    "steps": [
        {**STEP, "kind": "map", "dropped": {"empty": 2}, "dropped_examples": [GONE]},
        {**STEP, "kind": "normalize", "changed": 3, "examples": [CHANGED]},
        {**STEP, "kind": "personal_data"},
    ],
    "notes": [],
}


@pytest.fixture
def made(as_alice, studio_home):
    return make_dataset(as_alice)


def ask(client, made, **changes):
    post = post_of(recipe_form.of_body(recipes.PRESETS[0]["recipe"]), files=[made[1].id])
    for name, value in changes.items():
        post.setlist(name, value)
    address = f"/datasets/{made[0].id}/version/count"
    return client.post(address, post.urlencode(), content_type="application/x-www-form-urlencoded", **HTMX)


def test_asking_follows_the_counting_and_then_shows_each_step(at_alice, made) -> None:
    part = ask(at_alice, made).content.decode()
    preview = RecipePreview.objects.get()
    assert f"/datasets/previews/{preview.id}/live?mark=" in part and "Waiting for a worker" in part
    mark = part.split("mark=")[1].split('"')[0]
    assert at_alice.get(f"/datasets/previews/{preview.id}/live?mark={mark}").status_code == 204
    services.finish_preview(services.claim_preview(preview.id, holder="t"), result=RESULT)
    done = at_alice.get(f"/datasets/previews/{preview.id}/live?mark={mark}").content.decode()
    assert "8 of 10 rows</b> would be kept" in done and "drawn by chance from all 40 rows" in done
    assert 'id="effect-normalize"' in done and "3 rows changed" in done and "There is no question." in done
    assert "changes nothing in the sample" in done and "hx-trigger" not in done


def test_the_worker_counts_the_real_files(at_alice, made) -> None:
    ask(at_alice, made)
    preview = RecipePreview.objects.get()
    tasks.preview_recipe(preview.id)
    preview.refresh_from_db()
    assert (preview.state, preview.error) == ("ready", {})
    assert effects.of_result(preview.result, preview.recipe).seen.is_all


def test_a_recipe_that_cannot_be_is_said_and_not_counted(at_alice, made) -> None:
    part = ask(at_alice, made, **{"near_duplicates-threshold": ["9"]}).content.decode()
    assert "How alike is a near-copy" in part and not RecipePreview.objects.exists()
    part = ask(at_alice, made, **{"split-train": ["0.1"]}).content.decode()
    assert "add up to 1" in part and not RecipePreview.objects.exists()


def test_counting_is_stopped(at_alice, made) -> None:
    ask(at_alice, made)
    preview = RecipePreview.objects.get()
    assert "Stopped" in at_alice.post(f"/datasets/previews/{preview.id}/cancel", **HTMX).content.decode()


def test_charlie_follows_and_stops_nothing(at_alice, made, charlie) -> None:
    ask(at_alice, made)
    preview = RecipePreview.objects.get()
    client = Client()
    client.force_login(charlie)
    assert client.get(f"/datasets/previews/{preview.id}/live").status_code == 404
    assert client.post(f"/datasets/previews/{preview.id}/cancel").status_code == 404
    assert ask(client, made).status_code == 404
