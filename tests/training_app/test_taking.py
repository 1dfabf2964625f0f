"""A model's folder as a zip: whole, streamed in bounded pieces, for who may, with a line in the log."""

from __future__ import annotations

import io
import zipfile

import pytest
from django.test import Client

from gptstudio.accounts import services as accounts
from gptstudio.accounts.models import User
from gptstudio.accounts.policies import SCOPES
from gptstudio.audit.models import AuditEvent
from gptstudio.core.errors import Conflict, NotAllowed
from gptstudio.core.zipping import PIECE, zipped
from training_app import services
from training_app.models import LanguageModel

pytestmark = pytest.mark.django_db


def test_a_folder_becomes_a_zip_piece_by_piece(tmp_path) -> None:
    (tmp_path / "deep").mkdir()
    held = {"a.txt": b"a" * 10, "deep/weights.bin": bytes(range(256)) * (5 * PIECE // 512), "empty": b""}
    for name, content in held.items():
        (tmp_path / name).write_bytes(content)
    pieces = list(zipped(tmp_path, name="it"))
    assert max(map(len, pieces)) < PIECE + 1000 and pieces == list(zipped(tmp_path, name="it"))
    with zipfile.ZipFile(io.BytesIO(b"".join(pieces))) as archive:
        assert archive.testzip() is None
        assert {each.filename: archive.read(each) for each in archive.infolist()} == {
            f"it/{name}": content for name, content in held.items()
        }
        assert {each.compress_type for each in archive.infolist()} == {zipfile.ZIP_STORED}


def test_a_trainer_takes_a_model_and_the_log_says_so(base, as_tom, workspace, client) -> None:
    client.force_login(User.objects.get(id=as_tom.user_id))
    answer = client.post(f"/models/{base.id}/take")
    assert answer["Content-Disposition"] == f'attachment; filename="{base.id}.zip"'
    with zipfile.ZipFile(io.BytesIO(b"".join(answer))) as archive:
        weights = archive.read(f"{base.id}/model.safetensors")
    assert weights == (base.path / "model.safetensors").read_bytes()
    line = AuditEvent.objects.get(action="model.downloaded")
    assert (line.subject_id, line.actor_id, line.workspace_id) == (base.id, as_tom.user_id, workspace.id)


def test_only_who_may_takes_one(base, as_bob, as_charlie, as_alice, workspace) -> None:
    made = LanguageModel.objects.create(workspace_id=workspace.id, name="own", kind="base", digest="c" * 64)
    for actor, model in ((as_bob, base), (as_charlie, made)):
        with pytest.raises(NotAllowed):
            services.take_model(actor, model=model)
    with pytest.raises(Conflict, match="no longer kept"):
        services.take_model(as_alice, model=made)
    assert not AuditEvent.objects.filter(action="model.downloaded").exists()


def test_a_key_needs_the_scope_for_it(base, as_alice, workspace) -> None:
    def status(*scopes: str) -> int:
        _key, secret = accounts.issue_key(as_alice, workspace_id=workspace.id, name="x", scopes=list(scopes))
        headers = {"Authorization": f"Bearer {secret}"}
        return Client().get(f"/api/v1/models/{base.id}/download", headers=headers).status_code

    assert status("models:download") == 200
    assert status(*(scope for scope in SCOPES if scope != "models:download")) == 403
