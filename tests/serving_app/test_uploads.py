"""Uploads in parts through the official client."""

from __future__ import annotations

import hashlib

import httpx
import openai
import pytest

from datasets_app.models import Dataset

LINES = b'{"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":"Hello"}]}\n' * 40
ANNOUNCED = {"bytes": 10, "filename": "a.jsonl", "mime_type": "text/jsonl", "purpose": "fine-tune"}


@pytest.fixture(autouse=True)
def home(studio_home):
    return studio_home


def test_the_client_sends_a_file_in_parts_unmodified(client, workspace, tmp_path):
    path = tmp_path / "train.jsonl"
    path.write_bytes(LINES)
    done = client.uploads.upload_file_chunked(
        file=path, mime_type="text/jsonl", purpose="fine-tune", part_size=1000, md5=hashlib.md5(LINES).hexdigest()
    )
    assert (done.object, done.status, done.bytes, done.filename) == ("upload", "completed", len(LINES), "train.jsonl")
    assert client.files.content(done.file.id).read() == LINES
    assert done.file == client.files.retrieve(done.file.id)
    assert Dataset.objects.get(workspace=workspace).name == "train.jsonl"


def test_an_upload_a_part_and_a_cancelled_upload_have_their_shapes(client):
    upload = client.uploads.create(**ANNOUNCED)
    assert (upload.status, upload.purpose, upload.file) == ("pending", "fine-tune", None)
    assert upload.expires_at > upload.created_at
    part = client.uploads.parts.create(upload.id, data=b"0123456789")
    assert (part.object, part.upload_id) == ("upload.part", upload.id)
    assert client.uploads.cancel(upload.id).status == "cancelled"
    with pytest.raises(openai.BadRequestError, match="not open any more"):
        client.uploads.parts.create(upload.id, data=b"0123456789")


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"purpose": "assistants"}, "purpose"),
        ({"bytes": 0}, "bytes"),
        ({"bytes": "ten"}, "bytes"),
        ({"filename": " "}, "file"),
        ({"mime_type": None}, "mime_type"),
        ({"expires_after": {"anchor": "created_at", "seconds": 3600}}, "expires_after"),
    ],
)
def test_what_cannot_be_announced_is_refused_by_its_name(client, change, param):
    with pytest.raises(openai.BadRequestError) as refused:
        client.post("/uploads", body={**ANNOUNCED, **change}, cast_to=object)
    assert refused.value.param == param


def test_wrong_ends_are_refused(client):
    upload = client.uploads.create(**ANNOUNCED)
    part = client.uploads.parts.create(upload.id, data=b"01234")
    for part_ids, md5 in (([part.id], ""), (["part_none"], ""), ([1], "")):
        with pytest.raises(openai.BadRequestError) as refused:
            client.uploads.complete(upload.id, part_ids=part_ids, md5=md5)
        assert refused.value.param == "part_ids"
    rest = client.uploads.parts.create(upload.id, data=b"56789")
    with pytest.raises(openai.BadRequestError) as refused:
        client.uploads.complete(upload.id, part_ids=[part.id, rest.id], md5="0" * 32)
    assert refused.value.code == "checksum_mismatch"


def test_a_part_without_data_is_refused(client, studio, make_key):
    upload = client.uploads.create(**ANNOUNCED)
    headers = {"Authorization": f"Bearer {make_key()}"}
    answer = httpx.post(f"{studio}/v1/uploads/{upload.id}/parts", files={"x": b"1"}, headers=headers, timeout=60)
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "data")


def test_a_stranger_finds_none_of_it(client, stranger):
    upload = client.uploads.create(**ANNOUNCED)
    part = client.uploads.parts.create(upload.id, data=b"0123456789")
    for ask in (
        lambda: stranger.uploads.parts.create(upload.id, data=b"x"),
        lambda: stranger.uploads.complete(upload.id, part_ids=[part.id]),
        lambda: stranger.uploads.cancel(upload.id),
    ):
        with pytest.raises(openai.NotFoundError):
            ask()
    assert client.uploads.complete(upload.id, part_ids=[part.id]).status == "completed"
