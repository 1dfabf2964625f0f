"""The rules of the body gate, asked through the whole web process: who may send how much where, and how it says no."""

from __future__ import annotations

import asyncio
import inspect
import json
from pathlib import Path

import pytest
from django.test import Client
from django.urls import get_resolver, reverse

MB = 1024**2


class Answer:
    def __init__(self, sent: list[dict], read: int) -> None:
        self.status = sent[0]["status"]
        self.headers = {name.decode().lower(): value.decode() for name, value in sent[0]["headers"]}
        self.text = b"".join(message.get("body", b"") for message in sent[1:]).decode()
        self.read = read


@pytest.fixture
def send(transactional_db, studio_home, settings):
    """One POST to the web process: `announced` bytes by its header (None: in chunks), `chunks` of 64 KB really sent."""
    from gptstudio.asgi import application

    temporary = studio_home / "uploading"
    temporary.mkdir()
    settings.FILE_UPLOAD_TEMP_DIR = str(temporary)

    def post(path: str, *, announced: int | None, chunks: int = 1, **headers: str) -> Answer:
        given = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
        length = (b"transfer-encoding", b"chunked") if announced is None else (b"content-length", b"%d" % announced)
        scope = {"type": "http", "method": "POST", "path": path, "query_string": b"", "headers": [length, *given]}
        scope |= {"http_version": "1.1", "scheme": "http", "server": ("127.0.0.1", 80), "client": ("127.0.0.1", 1)}
        sent: list[dict] = []
        state = {"read": 0, "gate": asyncio.Event()}

        async def receive() -> dict:
            if state["read"] < chunks:
                state["read"] += 1
                return {"type": "http.request", "body": b"x" * 65_536, "more_body": state["read"] < chunks}
            await asyncio.Event().wait()  # a caller that stays on the line
            raise AssertionError

        async def keep(message: dict) -> None:
            sent.append(message)

        asyncio.run(application(scope, receive, keep))
        return Answer(sent, state["read"])

    return post


@pytest.fixture
def signed_in(alice, workspace) -> str:
    client = Client()
    client.force_login(alice)
    return "; ".join(f"{name}={cookie.value}" for name, cookie in client.cookies.items())


@pytest.fixture
def key(as_alice, workspace) -> str:
    from gptstudio.accounts import services

    _key, secret = services.issue_key(as_alice, workspace_id=workspace.id, name="test", scopes=["files:write"])
    return f"Bearer {secret}"


@pytest.mark.parametrize("path", ["/v1/nowhere", "/v1/files", "/v1/chat/completions", "/api/v1/nowhere"])
@pytest.mark.parametrize("announced", [10 * 1024**4, 65_536, None])
def test_programs_without_a_key_send_nothing(send, path, announced) -> None:
    answer = send(path, announced=announced)
    assert answer.status == 401
    said = json.loads(answer.text)
    assert said["error"]["code"] == "invalid_api_key" if path.startswith("/v1") else said["status"] == 401


@pytest.mark.parametrize("path", ["/v1/nowhere", "/v1/chat/completions"])
def test_a_key_in_hand_still_sends_no_more_than_an_address_takes(send, path) -> None:
    answer = send(path, announced=10 * 1024**4, authorization="Bearer sk-studio-x")
    assert answer.status == 413 and json.loads(answer.text)["error"]["code"] == "request_too_large"
    assert answer.headers["x-request-id"].startswith("req_") and answer.headers["connection"] == "close"


def test_chunks_are_counted(send, settings) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = MB
    answer = send("/v1/chat/completions", announced=None, chunks=100, authorization="Bearer sk-studio-x")
    assert answer.status == 413 and json.loads(answer.text)["error"]["code"] == "request_too_large"


def test_files_are_taken_from_a_live_key_alone(send, key) -> None:
    refused = send("/v1/files", announced=65_536, authorization="Bearer sk-studio-made-up")
    assert refused.status == 401 and "Incorrect API key" in json.loads(refused.text)["error"]["message"]
    taken = send("/v1/files", announced=13 * MB, chunks=13 * 16, authorization=key)
    assert taken.status == 415, "the view itself looked at it"
    assert taken.read == 13 * 16


def test_files_have_the_studios_limit(send, key, settings) -> None:
    settings.UPLOAD_MAX_BYTES = 2 * MB
    answer = send("/v1/files", announced=4 * MB, authorization=key)
    assert answer.status == 413


def test_the_native_api_speaks_problem_details(send) -> None:
    answer = send("/api/v1/nowhere", announced=10 * 1024**4, authorization="Bearer sk-studio-x")
    assert answer.status == 413 and answer.headers["content-type"] == "application/problem+json"
    assert json.loads(answer.text)["code"] == "request_too_large"


def test_a_page_says_it_in_a_sentence(send, signed_in) -> None:
    answer = send(reverse("account_login"), announced=10 * 1024**4)
    assert answer.status == 413 and "larger than the 12 MB" in answer.text
    assert answer.text.startswith("<!doctype html>") and "script-src" in answer.headers["content-security-policy"]


def test_pages_take_files_from_people_who_are_signed_in(send, signed_in) -> None:
    page = reverse("datasets:new")
    for cookie in ("", "sessionid=made-up"):
        answer = send(page, announced=100 * MB, cookie=cookie, x_requested_with="XMLHttpRequest")
        assert answer.status == 403
        assert answer.text == "You are not signed in, so nothing was kept. Sign in, then send the file again."
    taken = send(page, announced=13 * MB, chunks=13 * 16, cookie=signed_in)
    assert taken.read == 13 * 16 and "Cookies must be allowed" in taken.text, "the form's token was looked at"


def test_nothing_is_left_on_the_disk(send, studio_home: Path) -> None:
    send("/v1/nowhere", announced=None, chunks=300)
    send("/v1/nowhere", announced=None, chunks=300, authorization="Bearer sk-studio-x")
    assert list((studio_home / "uploading").iterdir()) == []


def views(patterns) -> list:
    found = []
    for each in patterns:
        found += views(each.url_patterns) if hasattr(each, "url_patterns") else [each.callback]
    return found


def test_every_view_that_reads_files_says_so() -> None:
    found = set()
    for view in views(get_resolver().url_patterns):
        ours = getattr(view, "cls", inspect.unwrap(view))
        if ours.__module__.split(".")[0] in ("gptstudio", "datasets_app", "training_app", "serving_app"):
            marked = getattr(getattr(view, "cls", view), "takes_uploads", False)
            if ".FILES" in inspect.getsource(ours):
                found.add(ours.__name__)
                assert marked, f"{ours.__module__}.{ours.__name__} reads files: mark it with takes_uploads"
    assert {"Files", "new", "upload"} <= found
