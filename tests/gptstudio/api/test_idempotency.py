"""A POST sent twice under one key happens once: on both faces, for each caller, for a day."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from datasets_app.models import Dataset, DatasetFile
from gptstudio.api import services
from gptstudio.api.models import KeptAnswer

pytestmark = pytest.mark.django_db
KEY = {"Idempotency-Key": "3f1a"}


def make(caller, name: str = "support", headers=KEY):
    return caller("post", "/api/v1/datasets", {"name": name}, headers=headers)


def test_the_same_request_gets_the_first_answer_again(editor) -> None:
    first, second = make(editor), make(editor)
    assert first.status_code == second.status_code == 201 and first.json() == second.json()
    assert second["Idempotent-Replayed"] == "true" and "Idempotent-Replayed" not in first
    assert second["Content-Type"] == first["Content-Type"] and Dataset.objects.count() == 1
    make(editor, headers={})
    assert Dataset.objects.count() == 2, "without a key each request is one of its own"


def test_a_key_that_came_with_another_request_is_refused(editor) -> None:
    made = make(editor).json()
    for answer in (
        make(editor, name="other"),
        editor("post", f"/api/v1/datasets/{made['id']}/versions", {}, headers=KEY),
    ):
        assert answer.status_code == 422 and answer.json()["code"] == "idempotency_key_reused"
    assert Dataset.objects.count() == 1


def test_a_key_belongs_to_whoever_sent_it(editor, program, as_charlie) -> None:
    other, stranger = program("files:write"), program("files:write", actor=as_charlie)
    assert len({make(caller).json()["id"] for caller in (editor, other, stranger)}) == 3


def test_what_was_refused_may_be_mended_under_the_same_key(editor) -> None:
    assert make(editor, name="").status_code == 400
    assert make(editor).status_code == 201
    assert KeptAnswer.objects.get().status == 201


def test_while_the_first_is_worked_on_the_second_waits_until_it_must_be_dead(editor, monkeypatch) -> None:
    monkeypatch.setattr(services, "keep_answer", lambda *_args, **_answer: None)  # its process was killed
    make(editor)
    waiting = make(editor)
    assert waiting.status_code == 409 and waiting.json()["code"] == "request_in_flight"
    KeptAnswer.objects.update(begun_at=timezone.now() - services.IN_FLIGHT - timedelta(seconds=1))
    assert make(editor).status_code == 201


def test_a_request_that_broke_leaves_the_key_free(editor, monkeypatch) -> None:
    from datasets_app import services as data

    def broken(*_args, **_asked):
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr(data, "create_dataset", broken)
        editor.client.raise_request_exception = False
        assert make(editor).status_code == 500
    assert make(editor).status_code == 201


def test_answers_are_forgotten_after_a_day(editor) -> None:
    first = make(editor).json()
    assert services.drop_old_answers() == 0
    KeptAnswer.objects.update(begun_at=timezone.now() - services.KEPT - timedelta(seconds=1))
    assert make(editor).json()["id"] != first["id"]
    KeptAnswer.objects.update(begun_at=timezone.now() - services.KEPT - timedelta(seconds=1))
    assert services.drop_old_answers() == 1 and not KeptAnswer.objects.exists()


@pytest.mark.parametrize("key", ["", "x" * 256, "für mich"])
def test_a_key_that_is_none_is_refused(editor, key) -> None:
    answer = make(editor, headers={"Idempotency-Key": key})
    assert answer.status_code == 400 and "1 to 255 plain characters" in answer.json()["title"]


def test_a_file_of_a_form_is_told_by_its_bytes_also_at_v1(editor, studio_home) -> None:
    client, headers = Client(), {**editor.headers, **KEY}

    def send(content: bytes):
        file = SimpleUploadedFile("rows.jsonl", content)
        return client.post("/v1/files", {"purpose": "fine-tune", "file": file}, headers=headers)

    row = b'{"messages": [{"role": "user", "content": "%s"}, {"role": "assistant", "content": "Hello."}]}\n'
    first, again, other = send(row % b"Hi"), send(row % b"Hi"), send(row % b"Ho")
    assert first.status_code == 200 and first.json() == again.json() and DatasetFile.objects.count() == 1
    assert other.status_code == 422 and other.json()["error"]["code"] == "idempotency_key_reused"


def test_a_file_that_is_streamed_is_kept_once(editor, studio_home) -> None:
    path = f"/api/v1/datasets/{make(editor, headers={}).json()['id']}/files?name=a.csv"

    def send(body: bytes):
        return editor.client.post(
            path, body, content_type="application/octet-stream", headers={**editor.headers, **KEY}
        )

    assert send(b"q,a\n1,2\n").json() == send(b"q,a\n1,2\n").json()
    assert send(b"q,a\n1,2\n3,4\n").status_code == 422 and DatasetFile.objects.count() == 1


def test_an_answer_outlives_the_studios_secret_where_the_one_before_is_named(editor, settings) -> None:
    first, settings.SECRET_KEY_FALLBACKS = make(editor), [settings.SECRET_KEY]
    settings.SECRET_KEY = "another secret, as long as the one before it was"
    assert make(editor).json() == first.json() and Dataset.objects.count() == 1


def test_after_the_studios_secret_changed_the_answer_cannot_be_opened_and_nothing_happens_twice(
    editor, settings
) -> None:
    make(editor)
    settings.SECRET_KEY = "another secret, as long as the one before it was"
    assert make(editor).status_code == 409 and Dataset.objects.count() == 1
