"""/api/v1/base-models and the command: a folder registered, a hub's model asked for, and who may."""

from __future__ import annotations

import shutil
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from gptstudio.accounts.services import issue_key
from training_app.models import BaseModelImport, LanguageModel

ADDRESS = "/api/v1/base-models"


@pytest.fixture
def inbox(studio_home, tiny_base):
    """STUDIO_HOME/import with the tiny model in `tiny`."""
    shutil.copytree(tiny_base, studio_home / "import" / "tiny")


@pytest.fixture
def ask(client, as_alice, workspace):
    """A call with a key of Care that has these scopes."""

    def send(method: str, address: str, body=None, *, scopes=("models:read", "models:write"), actor=as_alice):
        _key, secret = issue_key(actor, workspace_id=actor.workspace_id, name="test", scopes=list(scopes))
        headers = {"Authorization": f"Bearer {secret}"}
        return client.generic(method, address, body or "", content_type="application/json", headers=headers)

    return send


def test_a_folder_is_registered_for_embeddings_and_read_back(ask, inbox) -> None:
    made = ask("POST", ADDRESS, '{"name": "tiny-1", "path": "tiny", "licence": "MIT", "embeddings": true}')
    assert made.status_code == 201 and made.json()["embeddings"] is True
    one = ask("GET", f"{ADDRESS}/{made.json()['id']}")
    assert one.json() == made.json() and one.json()["context_length"] == 256
    assert [each["name"] for each in ask("GET", ADDRESS).json()["data"]] == ["tiny-1"]


def test_embeddings_are_off_unless_asked_for(ask, inbox) -> None:
    assert ask("POST", ADDRESS, '{"name": "tiny-1", "path": "tiny"}').json()["embeddings"] is False


def test_a_hubs_model_is_fetched_by_a_worker(ask, settings, studio_home) -> None:
    settings.HUB_OFFLINE = False
    asked = ask("POST", ADDRESS, '{"name": "far-1", "hub_id": "owner/far", "embeddings": true}')
    assert asked.status_code == 202 and (asked.json()["state"], asked.json()["model"]) == ("queued", None)
    assert BaseModelImport.objects.get().embeds
    assert ask("GET", f"{ADDRESS}/imports/{asked.json()['id']}").json() == asked.json()


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("{}", 400),
        ('{"name": "x"}', 400),
        ('{"name": "x", "path": "a", "hub_id": "b"}', 400),
        ('{"name": "x", "path": "../secrets"}', 404),
        ('{"name": "ft:x", "path": "tiny"}', 400),
        ('{"name": "x", "path": "tiny", "embeddings": "perhaps"}', 400),
    ],
)
def test_what_cannot_be_registered_is_a_problem_with_a_fix(ask, inbox, body, status) -> None:
    answer = ask("POST", ADDRESS, body)
    assert answer.status_code == status and answer["Content-Type"] == "application/problem+json"
    assert not LanguageModel.objects.exists()


def test_strangers_see_nothing_and_a_reader_registers_nothing(ask, inbox, as_charlie) -> None:
    made = ask("POST", ADDRESS, '{"name": "tiny-1", "path": "tiny"}').json()
    assert ask("GET", f"{ADDRESS}/{made['id']}", actor=as_charlie).status_code == 404
    assert ask("GET", ADDRESS, actor=as_charlie).json()["data"] == []
    assert ask("POST", ADDRESS, '{"name": "y", "path": "tiny"}', scopes=["models:read"]).status_code == 403


def test_the_command_registers_too(inbox, workspace) -> None:
    out = StringIO()
    given = {"workspace": workspace.slug, "name": "tiny-2", "path": "tiny"}
    call_command("register_base_model", **given, embeddings=True, stdout=out)
    assert LanguageModel.objects.get(name="tiny-2").embeds and "Registered tiny-2" in out.getvalue()
    for wrong in ({**given, "workspace": "nobody"}, {**given, "path": "nowhere", "name": "z"}):
        with pytest.raises(CommandError, match="There is no"):
            call_command("register_base_model", **wrong)
