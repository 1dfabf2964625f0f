"""Base models fetched from a hub: asked for by a person, from a server on a local port, registered like a folder."""

from __future__ import annotations

import json
import shutil
from datetime import timedelta

import pytest
from django.utils import timezone

from gptstudio.audit.models import AuditEvent
from gptstudio.core import leases
from gptstudio.core.errors import Conflict, Invalid, NotAllowed
from tests.training_app.hub_server import COMMIT, Hub
from training_app import selectors, services
from training_app.models import BaseModelImport, LanguageModel
from training_app.selectors.imports import import_of_model, imports_of
from training_app.tasks import import_model


@pytest.fixture
def hub(settings, tmp_path, tiny_base):
    """A hub with the tiny model as `owner/tiny`, beside files that a base model does not need."""
    found = Hub()
    folder = tmp_path / "hub" / "tiny"
    shutil.copytree(tiny_base, folder)
    for name in ("pytorch_model.bin", "modeling_tiny.py", "README.md", "onnx/model.onnx"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("x")
    found.repos["owner/tiny"] = folder
    settings.HUB_OFFLINE, settings.HUB_ENDPOINT = False, found.url
    yield found
    found.close()


@pytest.fixture
def ask(as_alice, workspace, studio_home):
    def call(hub_id: str = "owner/tiny", name: str = "tiny-1", actor=as_alice, **options) -> BaseModelImport:
        return services.request_import(actor, workspace_id=workspace.id, hub_id=hub_id, name=name, **options)

    return call


def fetched(asked: BaseModelImport) -> BaseModelImport:
    import_model(asked.id)
    asked.refresh_from_db()
    return asked


def test_a_hubs_model_is_fetched_and_registered_at_the_commit_it_stood_for(ask, hub, workspace, alice) -> None:
    done = fetched(ask())
    assert (done.state, done.commit, done.error) == ("registered", COMMIT, {})
    model = selectors.start_named(workspace.id, "tiny-1")
    assert (model.id, model.licence, model.created_by) == (done.model_id, "apache-2.0", alice)
    kept = {path.name for path in model.path.iterdir()}
    assert {"config.json", "tokenizer.json", "model.safetensors"} <= kept
    assert not kept & {"pytorch_model.bin", "modeling_tiny.py", "README.md", "onnx", ".cache"}
    assert not [path for path in hub.asked if path.endswith((".bin", ".py", ".md", ".onnx"))]
    assert not done.folder.exists(), "the store has its own copy"
    line = AuditEvent.objects.get(action="base_model.registered")
    assert (line.data["hub_id"], line.data["commit"]) == ("owner/tiny", COMMIT)
    assert import_of_model(model) == done and done not in imports_of(workspace.id)


def test_nothing_is_asked_of_the_hub_before_a_worker_takes_it_nor_twice(ask, hub) -> None:
    asked = ask()
    assert hub.asked == []
    fetched(asked)
    seen = len(hub.asked)
    fetched(asked)
    assert len(hub.asked) == seen and LanguageModel.objects.count() == 1


def failing(asked: BaseModelImport) -> str:
    ended = fetched(asked)
    assert ended.state == "failed" and not ended.folder.exists() and not LanguageModel.objects.exists()
    return f"{ended.error['message']} {ended.error['fix']}"


def test_pickled_weights_alone_are_refused_and_not_fetched(ask, hub) -> None:
    (hub.repos["owner/tiny"] / "model.safetensors").unlink()
    assert "holds pickled weights only" in failing(ask())
    assert not any("/resolve/" in path for path in hub.asked)


@pytest.mark.parametrize("name", ["config.json", "tokenizer_config.json"])
def test_a_model_that_needs_its_own_code_is_refused_before_its_weights(ask, hub, name) -> None:
    path = hub.repos["owner/tiny"] / name
    path.write_text(json.dumps(json.loads(path.read_text()) | {"auto_map": {"AutoModel": "modeling_tiny.Tiny"}}))
    assert f"needs code of its own to be run ({name} names it)" in failing(ask())
    assert not any(path.endswith(".safetensors") for path in hub.asked)


def test_what_the_hub_does_not_know_or_give_is_said_in_words(ask, hub) -> None:
    assert "The hub knows no model 'owner/none'" in failing(ask("owner/none", "a"))
    assert "has no revision 'v9'" in failing(ask(name="b", revision="v9"))
    hub.gated.add("owner/tiny")
    assert "accepted its terms" in failing(ask(name="c"))


def test_a_hub_that_cannot_be_reached_is_a_sentence(ask, settings) -> None:
    settings.HUB_OFFLINE, settings.HUB_ENDPOINT = False, "http://127.0.0.1:1"
    said = failing(ask())
    assert "The hub cannot be reached from here" in said and "STUDIO_HOME/import" in said


def test_an_offline_studio_refuses_at_once_and_so_does_an_offline_worker(ask, hub, settings) -> None:
    asked = ask()
    settings.HUB_OFFLINE = True
    with pytest.raises(Conflict, match="HF_HUB_OFFLINE is set"):
        ask(name="tiny-2")
    assert "HF_HUB_OFFLINE is set" in failing(asked)
    assert hub.asked == []


def test_a_damaged_model_is_refused_like_a_damaged_folder(ask, hub) -> None:
    (hub.repos["owner/tiny"] / "model.safetensors").write_bytes(b"\xff" * 100)
    assert "model.safetensors" in failing(ask())


@pytest.mark.parametrize("hub_id", ["", "../x", "a/b/c", "owner/", "-x/y", "owner/na me", "https://x/y"])
def test_what_is_no_id_is_refused(ask, settings, hub_id) -> None:
    settings.HUB_OFFLINE = False
    with pytest.raises(Invalid, match="is no model's id"):
        ask(hub_id)


def test_only_an_admin_asks_and_one_name_is_fetched_once(ask, settings, as_bob, as_charlie) -> None:
    settings.HUB_OFFLINE = False
    for actor in (as_bob, as_charlie):
        with pytest.raises(NotAllowed):
            ask(actor=actor)
    ask()
    with pytest.raises(Conflict, match="being fetched as tiny-1 already"):
        ask("owner/other")


def test_a_worker_that_lost_its_lease_registers_nothing(ask, settings, tiny_base) -> None:
    settings.HUB_OFFLINE = False
    held = services.claim_import(ask().id, holder="w")
    shutil.copytree(tiny_base, held.folder)
    BaseModelImport.objects.filter(id=held.id).update(attempt=held.attempt + 1)
    assert not services.hold_import(held, done=1, total=2)
    assert services.finish_import(held, commit=COMMIT, licence="") is None
    assert not services.fail_import(held, code="x", message="y")
    assert not LanguageModel.objects.exists() and held.folder.exists()


def test_a_worker_keeps_its_lease_while_it_copies_what_it_fetched(ask, settings, tiny_base, monkeypatch) -> None:
    settings.HUB_OFFLINE = False
    monkeypatch.setattr(leases, "PACE", timedelta(0))
    held = services.claim_import(ask().id, holder="w")
    shutil.copytree(tiny_base, held.folder)
    renewals, renew = [], leases.renew
    monkeypatch.setattr(leases, "renew", lambda *rows, **by: renewals.append(by) or renew(*rows, **by))
    assert services.finish_import(held, commit=COMMIT, licence="")
    assert {"attempt": held.attempt} in renewals


def test_a_dead_workers_import_is_sent_again_and_given_up_in_the_end(ask, settings) -> None:
    settings.HUB_OFFLINE = False
    asked = ask()
    before = timezone.now() - timedelta(minutes=5)
    BaseModelImport.objects.filter(id=asked.id).update(created_at=before, state="downloading", lease_until=before)
    assert services.requeue_stale() == 1
    BaseModelImport.objects.filter(id=asked.id).update(attempt=5)
    services.requeue_stale()
    asked.refresh_from_db()
    assert asked.state == "failed" and "begun 5 times" in asked.error["message"]
