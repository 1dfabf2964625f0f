"""Every answer beneath /v1 that is no success is OpenAI's envelope, with a request id."""

from __future__ import annotations

import json

import httpx
import pytest


@pytest.fixture
def ask(studio, make_key, studio_home):
    key = make_key()

    def send(method: str, path: str, *, secret: str | None = key, **options) -> httpx.Response:
        headers = {**options.pop("headers", {}), **({"Authorization": f"Bearer {secret}"} if secret else {})}
        return httpx.request(method, f"{studio}{path}", headers=headers, timeout=120, **options)

    return send


def error_of(response: httpx.Response) -> dict:
    assert response.headers["content-type"].startswith("application/json"), response.text
    assert response.headers["x-request-id"].startswith("req_")
    error = response.json()["error"]
    assert set(error) == {"message", "type", "param", "code"} and error["message"] and error["type"]
    assert "Traceback" not in response.text
    return error


@pytest.mark.parametrize("path", ["/v1", "/v1/", "/v1/nothing", "/v1/files/%00", "/v1/files/%0A", "/v1/models/"])
def test_an_address_that_is_none(ask, path):
    response = ask("GET", path)
    assert response.status_code == 404
    error_of(response)


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/v1/chat/completions"), ("PUT", "/v1/files"), ("PUT", "/v1/models/x"), ("PATCH", "/v1/completions")],
)
def test_a_method_that_is_not_taken(ask, method, path):
    response = ask(method, path)
    assert response.status_code == 405
    assert error_of(response)["code"] == "method_not_allowed"
    assert method not in response.headers["allow"]


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/completions", "/v1/fine_tuning/jobs"])
@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b"\xff\xfe", b"[" * 100_000, b'{"model": 1}', b"{}"])
def test_a_body_that_is_no_request(ask, path, body):
    response = ask("POST", path, content=body, headers={"content-type": "application/json"})
    assert response.status_code == 400
    error_of(response)


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/fine_tuning/jobs", "/v1/files"])
def test_a_content_type_that_is_not_taken(ask, path):
    response = ask("POST", path, content=b"a=1", headers={"content-type": "text/csv"})
    assert response.status_code == 415
    error_of(response)


def test_a_body_that_is_too_large(ask, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
    response = ask("POST", "/v1/chat/completions", json={"model": "x" * 200})
    assert response.status_code == 413
    error_of(response)


def test_a_revoked_key_opens_nothing(ask, as_alice, make_key):
    from gptstudio.accounts import selectors, services

    secret = make_key("chat")
    assert ask("GET", "/v1/models", secret=secret).status_code == 200
    services.revoke_key(as_alice, key=selectors.live_key(secret))
    assert error_of(ask("GET", "/v1/models", secret=secret))["code"] == "invalid_api_key"


@pytest.mark.parametrize("query", ["api_key=anything", "x=sk-studio-abc"])
def test_a_key_in_the_address_is_refused_even_beside_a_good_one(ask, query):
    response = ask("GET", f"/v1/models?{query}")
    assert response.status_code == 401
    assert "address" in error_of(response)["message"]


@pytest.mark.parametrize("query", ["limit=0", "limit=x", "limit=-1", "after=%00", "order=up", "limit=٣"])
def test_list_options_that_cannot_be(ask, query):
    response = ask("GET", f"/v1/files?{query}")
    assert response.status_code == 400
    error_of(response)


def test_a_model_name_that_no_database_would_take(ask):
    for name in ("\x00", "\ufffe", "x" * 5000):
        body = json.dumps({"model": name, "messages": []})
        response = ask("POST", "/v1/chat/completions", content=body, headers={"content-type": "application/json"})
        assert response.status_code == 404
        assert error_of(response)["code"] == "model_not_found"


def test_a_defect_of_ours_is_a_plain_500_and_is_logged(ask, monkeypatch, caplog):
    from serving_app.openai.models import Models

    def broken(self, request):
        raise RuntimeError("secret detail")

    monkeypatch.setattr(Models, "get", broken)
    response = ask("GET", "/v1/models")
    assert response.status_code == 500
    assert "secret detail" not in response.text
    error_of(response)
    assert "secret detail" in caplog.text


def test_a_database_that_is_away_is_a_503_and_never_a_401(ask, monkeypatch):
    from django.db import OperationalError

    from serving_app import services

    def away(*_arguments, **_named):
        raise OperationalError("gone")

    monkeypatch.setattr(services, "admit", away)
    response = ask("POST", "/v1/chat/completions", json={"model": "x", "messages": []})
    assert response.status_code == 503
    assert response.headers["x-should-retry"] == "true"
    error_of(response)


def test_other_pages_are_not_the_gates_business(ask):
    assert ask("GET", "/accounts/login/", secret=None).headers["content-type"].startswith("text/html")
