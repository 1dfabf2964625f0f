"""Recipes under a name, a workspace's words, and previews: kept, changed, copied, counted, stopped."""

from __future__ import annotations

import pytest
from django.utils import timezone

from datasets_app import recipes, selectors, services
from datasets_app.models import RecipePreview
from datasets_app.services import stale
from gptstudio.core.errors import Conflict, Invalid, NotAllowed, NotFound

pytestmark = pytest.mark.django_db


@pytest.fixture
def kept(as_bob, workspace):
    return services.create_recipe(as_bob, workspace_id=workspace.id, name=" Support ", body=recipes.default_recipe())


def test_a_name_is_taken_once_and_free_again_when_its_recipe_is_put_away(as_bob, workspace, kept) -> None:
    assert kept.name == "Support"
    with pytest.raises(Conflict, match="called “Support” already"):
        services.create_recipe(as_bob, workspace_id=workspace.id, name="Support", body=recipes.default_recipe())
    services.archive_recipe(as_bob, recipe=kept)
    services.create_recipe(as_bob, workspace_id=workspace.id, name="Support", body=recipes.default_recipe())
    assert [each.name for each in selectors.recipes_of(workspace.id)] == ["Support"]


def test_copies_get_names_of_their_own(as_bob, kept) -> None:
    copies = [services.copy_recipe(as_bob, recipe=kept).name for _ in range(2)]
    assert copies == ["Support (2)", "Support (3)"]


def test_a_recipe_that_curation_would_refuse_is_not_kept(as_bob, workspace, kept) -> None:
    with pytest.raises(Invalid):
        services.update_recipe(as_bob, recipe=kept, name="Support", body={"steps": "none"})
    with pytest.raises(Invalid, match="no name"):
        services.create_recipe(as_bob, workspace_id=workspace.id, name="  ", body=recipes.default_recipe())


def test_a_new_recipe_hides_only_after_the_tidying(as_bob, workspace, dataset, upload, kept) -> None:
    upload("question,answer\nWhy?,Because.\n")
    body = recipes.default_recipe()
    body["steps"][:2] = reversed(body["steps"][:2])
    for act in (
        lambda: services.create_recipe(as_bob, workspace_id=workspace.id, name="Old", body=body),
        lambda: services.update_recipe(as_bob, recipe=kept, name="Support", body=body),
        lambda: services.create_version(as_bob, dataset=dataset, recipe=body),
        lambda: services.create_preview(as_bob, dataset=dataset, recipe=body),
    ):
        with pytest.raises(Invalid, match="Put normalize first"):
            act()


def test_charlie_finds_no_recipe_and_changes_none(as_charlie, kept) -> None:
    with pytest.raises(NotFound):
        selectors.recipe_of(as_charlie.workspace_id, kept.id)
    for act in (services.copy_recipe, services.archive_recipe):
        with pytest.raises(NotAllowed):
            act(as_charlie, recipe=kept)


def test_words_are_kept_once_each_and_blanks_are_left_out(as_bob, workspace) -> None:
    services.set_words(as_bob, workspace_id=workspace.id, kind="dictionary", words=["Flexo", " ", "Flexo", "Hub  One"])
    assert selectors.words_of(workspace.id) == {"dictionary": ["Flexo", "Hub One"], "allow": [], "deny": []}
    with pytest.raises(Invalid, match="longer than"):
        services.set_words(as_bob, workspace_id=workspace.id, kind="deny", words=["x" * 201])
    with pytest.raises(Invalid, match="no list"):
        services.set_words(as_bob, workspace_id=workspace.id, kind="maybe", words=[])


def test_charlie_sets_no_words(as_charlie, workspace) -> None:
    with pytest.raises(NotAllowed):
        services.set_words(as_charlie, workspace_id=workspace.id, kind="allow", words=["x"])


def test_a_preview_is_counted_once_and_replaces_the_one_before(as_bob, dataset, upload) -> None:
    upload("question,answer\na,b\n")
    first = services.create_preview(as_bob, dataset=dataset, recipe=recipes.default_recipe())
    claimed = services.claim_preview(first.id, holder="t")
    assert services.claim_preview(first.id, holder="u") is None
    assert services.note_preview(claimed, progress={"step": "read"})
    assert services.finish_preview(claimed, result={"rows": 1})
    services.create_preview(as_bob, dataset=dataset, recipe=recipes.default_recipe())
    assert not RecipePreview.objects.filter(id=first.id).exists()


def test_a_newer_preview_stops_the_one_under_way(as_bob, dataset, upload) -> None:
    upload("question,answer\na,b\n")
    claimed = services.claim_preview(
        services.create_preview(as_bob, dataset=dataset, recipe=recipes.default_recipe()).id, holder="t"
    )
    services.create_preview(as_bob, dataset=dataset, recipe=recipes.default_recipe())
    assert not services.note_preview(claimed, progress={})


def test_a_preview_can_be_stopped_and_is_sent_again_when_its_worker_is_gone(
    as_bob, dataset, upload, monkeypatch
) -> None:
    sent: list[str] = []
    monkeypatch.setattr(stale, "enqueue", lambda task, subject, **_: sent.append(task))
    upload("question,answer\na,b\n")
    preview = services.create_preview(as_bob, dataset=dataset, recipe=recipes.default_recipe())
    RecipePreview.objects.filter(id=preview.id).update(created_at=timezone.now() - 2 * stale.SETTLING)
    services.requeue_stale()
    assert sent == ["datasets.preview_recipe"]
    assert services.cancel_preview(as_bob, preview=preview).state == "cancelled"
    with pytest.raises(Conflict):
        services.cancel_preview(as_bob, preview=preview)


def test_charlie_asks_for_no_preview(as_charlie, dataset, upload) -> None:
    upload("question,answer\na,b\n")
    with pytest.raises(NotAllowed):
        services.create_preview(as_charlie, dataset=dataset, recipe=recipes.default_recipe())
