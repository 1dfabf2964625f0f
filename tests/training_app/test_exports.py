"""Models in forms for elsewhere: made by the real engine, kept under a digest, taken by who may, gone with their model."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone
from gguf import GGUFReader

from gptstudio.accounts import services as accounts
from gptstudio.accounts.models import User
from gptstudio.accounts.policies import SCOPES
from gptstudio.audit.models import AuditEvent
from gptstudio.core import artifacts, disk
from gptstudio.core.digests import file_digest
from gptstudio.core.errors import Conflict, Invalid, NotAllowed
from training_app import launching, runner, services, tasks
from training_app.models import LanguageModel, ModelExport
from training_app.services.exports import forget_exports, requeue_stale_exports

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def adapter_folder(tiny_base, tmp_path_factory) -> Path:
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder = tmp_path_factory.mktemp("adapter")
    model = AutoModelForCausalLM.from_pretrained(tiny_base)
    adapted = get_peft_model(model, LoraConfig(r=2, target_modules="all-linear", task_type="CAUSAL_LM"))
    with torch.no_grad():
        for name, weights in adapted.named_parameters():
            if "lora_B" in name:
                weights.fill_(0.1)
    adapted.save_pretrained(folder)
    AutoTokenizer.from_pretrained(tiny_base).save_pretrained(folder)
    return folder


@pytest.fixture
def adapter(adapter_folder, base, workspace) -> LanguageModel:
    digest, _path = artifacts.store_folder(adapter_folder)
    return LanguageModel.objects.create(
        workspace_id=workspace.id,
        name="ft:tiny",
        kind="fine_tune",
        base=base,
        is_adapter=True,
        digest=digest,
        parameters=9000,
    )


@pytest.fixture
def at_tom(as_tom) -> Client:
    client = Client()
    client.force_login(User.objects.get(id=as_tom.user_id))
    return client


def made(export: ModelExport) -> ModelExport:
    tasks.export_model(export.id)
    return ModelExport.objects.select_related("model").get(id=export.id)


@pytest.fixture
def ready(studio_home):
    """What a worker leaves, without an engine: a file of a few bytes under its digest."""

    def finish(export: ModelExport) -> ModelExport:
        held = services.claim_export(export.id, holder="test")
        assert held is not None
        folder = studio_home / "work" / held.id
        folder.mkdir(parents=True)
        (folder / "model-f16.gguf").write_bytes(f"GGUF of {held.model_id}".encode())
        files = [{"name": "model-f16.gguf", "size": 20, "sha256": file_digest(folder / "model-f16.gguf")}]
        assert services.finish_export(held, folder=folder, files=files)
        return ModelExport.objects.select_related("model").get(id=export.id)

    return finish


def whole(package: services.taking.Package) -> bytes:
    return b"".join(package.pieces)


@pytest.mark.once
def test_an_adapter_is_merged_by_a_worker_and_taken_as_a_whole_folder(as_tom, adapter, studio_home) -> None:
    asked = services.request_export(as_tom, model=adapter, form="merged")
    assert (asked.state, asked.digest) == ("queued", "")
    done = made(asked)
    assert (done.state, done.error, done.lease_holder) == ("ready", {}, "")
    assert done.digest == artifacts.folder_digest(done.folder) and done.folder.parent == studio_home / "exports"
    assert done.bytes == sum(path.stat().st_size for path in done.folder.iterdir())
    assert list((studio_home / "work").iterdir()) == []
    package = services.take_export(as_tom, export=done)
    with zipfile.ZipFile(io.BytesIO(whole(package))) as archive:
        held = {name.split("/")[1] for name in archive.namelist()}
        weights = archive.read(f"{adapter.id}-merged/model.safetensors")
    assert {"config.json", "tokenizer.json", "README.md"} <= held and not {"adapter_config.json"} & held
    assert len(weights) > 4 * 5000 and package.name == f"{adapter.id}-merged.zip"
    actions = list(AuditEvent.objects.filter(subject_id=adapter.id).order_by("id").values_list("action", "actor_id"))
    assert actions == [("model.export_requested", as_tom.user_id), ("model.downloaded", as_tom.user_id)]


def test_a_base_model_and_an_adapter_become_gguf_files_by_page(at_tom, base, adapter) -> None:
    names = {}
    for model in (base, adapter):
        assert at_tom.post(f"/models/{model.id}/exports/make", {"form": "gguf-f16"}).status_code == 302
        done = made(ModelExport.objects.get(model=model))
        answer = at_tom.post(f"/models/{model.id}/exports/{done.id}/take")
        assert answer["Content-Disposition"] == f'attachment; filename="{model.id}-f16.gguf"'
        content = b"".join(answer)
        assert int(answer["Content-Length"]) == len(content) == done.bytes
        path = done.folder.with_suffix(".read")
        path.write_bytes(content)
        names[model.id] = GGUFReader(path).fields["general.name"].contents()
        shown = at_tom.get(f"/models/{model.id}/").content.decode()
        assert f"/exports/{done.id}/take" in shown and "GGUF, 16 bits" in shown
        assert ("Merged safetensors" in shown) == model.is_adapter
    assert names == {base.id: base.name, adapter.id: "ft:tiny"}


def test_what_is_there_or_on_its_way_is_not_made_twice(as_tom, base, ready) -> None:
    first = services.request_export(as_tom, model=base, form="gguf-f32")
    assert services.request_export(as_tom, model=base, form="gguf-f32").id == first.id
    done = ready(first)
    tasks.export_model(first.id)  # a doubled message
    assert services.request_export(as_tom, model=base, form="gguf-f32").state == "ready"
    assert ModelExport.objects.get().attempt == 1
    assert AuditEvent.objects.filter(action="model.export_requested").count() == 1
    for path in done.folder.iterdir():
        path.unlink()
    done.folder.rmdir()
    with pytest.raises(Conflict, match="not there"):
        services.take_export(as_tom, export=done)
    assert services.request_export(as_tom, model=base, form="gguf-f32").state == "queued", "lost files are made again"


@pytest.mark.once
def test_a_failure_keeps_its_sentence_and_leaves_nothing(as_tom, base, studio_home, monkeypatch, at_tom) -> None:
    monkeypatch.setattr(runner.settings, "CHILD_MEMORY_BYTES", 0)
    plain = runner.child.Limits
    monkeypatch.setattr(runner.child, "Limits", lambda **kept: plain(**kept, file_bytes=20_000))  # a full disk
    failed = made(services.request_export(as_tom, model=base, form="gguf-f32"))
    assert (failed.state, failed.error["code"]) == ("failed", "disk_full")
    assert "no room" in failed.error["message"] and "Free" in failed.error["fix"]
    assert list((studio_home / "work").iterdir()) == [] and not (studio_home / "exports").exists()
    assert "Nothing of it was kept. Free some disk space" in at_tom.get(f"/models/{base.id}/").content.decode()
    with pytest.raises(Conflict):
        services.take_export(as_tom, export=failed)
    monkeypatch.setattr(runner.child, "Limits", plain)
    again = services.request_export(as_tom, model=base, form="gguf-f32")
    assert (again.id, again.state, again.error) == (failed.id, "queued", {})


def test_a_disk_without_room_is_said_before_anything_is_begun(as_tom, base, monkeypatch, at_tom) -> None:
    monkeypatch.setattr(disk, "KEPT_FREE", 1 << 60)
    with pytest.raises(disk.DiskFull, match="no room on the studio's disk"):
        services.request_export(as_tom, model=base, form="gguf-f16")
    shown = at_tom.post(f"/models/{base.id}/exports/make", {"form": "gguf-f16"}, follow=True).content.decode()
    assert "There is no room on the studio" in shown and not ModelExport.objects.exists()


def test_what_cannot_be_made_is_refused_with_what_can(as_tom, base, adapter, workspace, at_tom, studio_home) -> None:
    with pytest.raises(Invalid, match="no adapter"):
        services.request_export(as_tom, model=base, form="merged")
    with pytest.raises(Invalid, match="is no form"):
        services.request_export(as_tom, model=base, form="onnx")
    folder = studio_home / "artifacts" / ("e" * 64)
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps({"model_type": "gpt2"}))
    other = LanguageModel.objects.create(workspace_id=workspace.id, name="other", kind="base", digest="e" * 64)
    with pytest.raises(Invalid, match="architecture gpt2") as refused:
        services.request_export(as_tom, model=other, form="gguf-f16")
    assert "llama" in refused.value.fix
    assert "this one is of the architecture gpt2" in at_tom.get(f"/models/{other.id}/").content.decode()
    gone = LanguageModel.objects.create(workspace_id=workspace.id, name="gone", kind="base", digest="f" * 64)
    with pytest.raises(Conflict, match="no longer kept"):
        services.request_export(as_tom, model=gone, form="gguf-f16")


def test_files_go_with_the_export_and_the_export_with_its_model(as_tom, base, adapter, ready) -> None:
    one = ready(services.request_export(as_tom, model=adapter, form="merged"))
    services.delete_export(as_tom, export=one)
    assert not one.folder.exists() and not ModelExport.objects.exists()
    assert AuditEvent.objects.filter(action="model.export_deleted", subject_id=adapter.id).exists()
    two = ready(services.request_export(as_tom, model=adapter, form="merged"))
    kept = ready(services.request_export(as_tom, model=base, form="gguf-f16"))
    adapter.delete()
    forget_exports()
    assert two.folder.exists(), "a row for it may be about to be committed"
    old = timezone.now().timestamp() + 3600
    with pytest.MonkeyPatch.context() as later:
        later.setattr("training_app.services.exports.time.time", lambda: old)
        forget_exports()
    assert not two.folder.exists() and kept.folder.exists()
    LanguageModel.objects.filter(id=base.id).update(archived_at=timezone.now())
    forget_exports()
    assert not ModelExport.objects.exists()


def test_whoever_deletes_it_stops_the_worker_that_makes_it(as_tom, base, studio_home, tmp_path) -> None:
    asked = services.request_export(as_tom, model=base, form="gguf-f16")
    held = services.claim_export(asked.id, holder="test")
    assert held is not None and services.hold_export(held)
    services.delete_export(as_tom, export=asked)
    assert not services.hold_export(held)
    assert not services.finish_export(held, folder=tmp_path, files=[]) and tmp_path.exists()
    assert not services.fail_export(held, code="x", message="y")


def test_an_engine_that_is_killed_says_so_and_stale_ones_are_sent_again(as_tom, base, monkeypatch) -> None:
    monkeypatch.setitem(runner.child.run.__kwdefaults__, "tick_seconds", 0.05)
    monkeypatch.setattr(launching, "ENGINE", ("-c", "import os; os.kill(os.getpid(), 9)"))
    ended = made(services.request_export(as_tom, model=base, form="gguf-f16"))
    assert ended.error["code"] == "engine_died" and "killed by something outside" in ended.error["message"]
    services.request_export(as_tom, model=base, form="gguf-f16")
    ModelExport.objects.update(created_at=timezone.now() - timedelta(minutes=1))
    assert requeue_stale_exports() == 1
    ModelExport.objects.update(attempt=3)
    requeue_stale_exports()
    assert ModelExport.objects.get().error["code"] == "gave_up"


def test_only_who_may_has_one_made_or_takes_it(as_bob, as_charlie, as_tom, base, adapter, ready) -> None:
    done = ready(services.request_export(as_tom, model=adapter, form="gguf-f16"))
    for actor in (as_bob, as_charlie):
        with pytest.raises(NotAllowed):
            services.request_export(actor, model=adapter, form="gguf-f16")
        with pytest.raises(NotAllowed):
            services.take_export(actor, export=done)
        with pytest.raises(NotAllowed):
            services.delete_export(actor, export=done)
    client = Client()
    client.force_login(User.objects.get(id=as_bob.user_id))
    assert "Take it along" not in client.get(f"/models/{adapter.id}/").content.decode()


def test_programs_ask_watch_take_and_delete(as_alice, workspace, base, ready) -> None:
    def client(*scopes: str) -> Client:
        _key, secret = accounts.issue_key(as_alice, workspace_id=workspace.id, name="x", scopes=list(scopes))
        return Client(headers={"Authorization": f"Bearer {secret}"})

    may, address = client("models:download"), f"/api/v1/models/{base.id}/exports"
    asked = may.post(address, {"form": "gguf-f16"}, content_type="application/json")
    assert asked.status_code == 202 and asked.json()["state"] == "queued"
    one = f"{address}/{asked.json()['id']}"
    assert may.get(f"{one}/download").status_code == 409
    made = ready(ModelExport.objects.get(id=asked.json()["id"]))
    shown = may.get(one).json()
    assert (shown["state"], shown["digest"]) == ("ready", made.digest)
    assert [each["id"] for each in may.get(address).json()["data"]] == [made.id]
    assert may.post(address, {"form": "gguf-f16"}, content_type="application/json").status_code == 200
    assert len(b"".join(may.get(f"{one}/download"))) == len(f"GGUF of {base.id}")
    wrong = may.post(address, {"form": "onnx"}, content_type="application/json")
    assert wrong.status_code == 400 and "form" in json.dumps(wrong.json())
    other = client(*(scope for scope in SCOPES if scope != "models:download"))
    assert {other.get(each).status_code for each in (address, one, f"{one}/download")} == {403}
    assert other.delete(one).status_code == 403
    assert may.delete(one).status_code == 204 and may.get(one).status_code == 404


def test_files_are_read_only_and_equal_ones_are_kept_once(studio_home, tmp_path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text("x")
    first, second = (artifacts.keep_folder(tmp_path / name, under="exports", digest="d" * 64) for name in ("a", "b"))
    assert first == second and not (tmp_path / "a").exists()
    assert oct((first / "file").stat().st_mode)[-3:] == "444"
