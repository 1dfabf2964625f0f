"""Files through the official client."""

from __future__ import annotations

import httpx
import openai
import pytest
from openai.types import FileObject

from datasets_app.models import Dataset
from gptstudio.audit.models import AuditEvent

LINE = b'{"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":"Hello"}]}\n'


@pytest.fixture(autouse=True)
def home(studio_home):
    return studio_home


def upload(client: openai.OpenAI, name: str = "train.jsonl", content: bytes = LINE) -> FileObject:
    return client.files.create(file=(name, content), purpose="fine-tune")


def test_an_upload_makes_a_data_set_of_its_name_and_comes_back_byte_for_byte(client, workspace):
    file = upload(client)
    assert (file.object, file.filename, file.bytes, file.purpose) == ("file", "train.jsonl", len(LINE), "fine-tune")
    assert file.status == "uploaded" and file.id.startswith("file-")
    assert Dataset.objects.get(workspace=workspace).name == "train.jsonl"
    assert client.files.content(file.id).read() == LINE
    assert client.files.retrieve(file.id) == file
    taken = AuditEvent.objects.get(action="file.downloaded")
    assert (taken.subject_id, taken.actor_kind) == (file.id, "key")


def test_lists_are_paged_by_cursor_in_both_orders(client):
    ids = [upload(client, f"{number}.jsonl", LINE * (number + 1)).id for number in range(5)]
    assert [file.id for file in client.files.list(limit=2)] == ids[::-1]
    assert [file.id for file in client.files.list(limit=2, order="asc")] == ids
    first = client.files.list(limit=2)
    assert first.has_more and first.data[-1].id == ids[3]
    assert client.files.list(after=ids[0]).data == []


def test_a_deleted_file_is_gone(client):
    file = upload(client)
    gone = client.files.delete(file.id)
    assert gone.deleted and gone.id == file.id
    with pytest.raises(openai.NotFoundError):
        client.files.retrieve(file.id)
    assert client.files.list().data == []


def test_other_purposes_and_missing_files_are_refused_with_a_sentence(client, studio, make_key):
    with pytest.raises(openai.BadRequestError) as refused:
        client.files.create(file=("a.jsonl", LINE), purpose="assistants")
    assert refused.value.param == "purpose"
    with pytest.raises(openai.BadRequestError) as refused:
        client.files.create(
            file=("a.jsonl", LINE), purpose="fine-tune", expires_after={"anchor": "created_at", "seconds": 3600}
        )
    assert (refused.value.param, refused.value.code) == ("expires_after", "unknown_parameter")
    headers = {"Authorization": f"Bearer {make_key()}"}
    missing = httpx.post(
        f"{studio}/v1/files", data={"purpose": "fine-tune"}, files={"x": b""}, headers=headers, timeout=60
    )
    assert missing.status_code == 400 and missing.json()["error"]["param"] == "file"


def test_an_empty_upload_is_refused_and_leaves_no_data_set(client):
    with pytest.raises(openai.BadRequestError) as refused:
        upload(client, content=b"")
    assert "empty" in str(refused.value)
    assert not Dataset.objects.filter(archived_at__isnull=True).exists()


def test_too_large_an_upload_is_a_413(client, settings):
    settings.UPLOAD_MAX_BYTES = 10
    with pytest.raises(openai.APIStatusError) as refused:
        upload(client)
    assert refused.value.status_code == 413


def test_a_stranger_sees_none_of_it(client, stranger):
    file = upload(client)
    assert stranger.files.list().data == []
    for ask in (stranger.files.retrieve, stranger.files.content, stranger.files.delete):
        with pytest.raises(openai.NotFoundError):
            ask(file.id)
    assert client.files.retrieve(file.id) == file
