"""Every endpoint of the native API, taken from the URL table: who gets an answer, and in which shape."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from gptstudio.accounts import policies
from gptstudio.api.schema import schema

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parents[3]
PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")
OPEN = ("api/v1/schema", "api/v1/docs")
EVERY_SCOPE = tuple(policies.SCOPES)
METHODS = ("get", "post", "put", "patch", "delete")


def walk(patterns, before: str = ""):
    for pattern in patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from walk(pattern.url_patterns, route)
        elif isinstance(pattern, URLPattern):
            yield route, pattern


def endpoints() -> list[tuple[str, str]]:
    """(method, route) of everything below /api/v1 that a program may call."""
    found = []
    for route, pattern in walk(get_resolver().url_patterns):
        view = getattr(pattern.callback, "cls", None)
        if route.startswith("api/v1/") and view is not None and route not in OPEN:
            found += [(method, route) for method in METHODS if hasattr(view, method)]
    return found


ENDPOINTS = endpoints()
WITH_IDS = [each for each in ENDPOINTS if "<" in each[1]]


def address(route: str, ids: dict[str, str]) -> str:
    return "/" + PARAMETER.sub(lambda found: ids[found[1]], route)


def is_problem(answer, status: int) -> bool:
    body = answer.json()
    shape = {"type", "title", "status", "code", "detail"} <= set(body)
    return answer.status_code == status == body["status"] and shape and "problem+json" in answer["Content-Type"]


@pytest.mark.parametrize(("method", "route"), ENDPOINTS)
def test_without_a_key_or_a_session_the_answer_is_401(method, route, world) -> None:
    assert is_problem(getattr(Client(), method)(address(route, world.ids)), 401)


@pytest.mark.parametrize(("method", "route"), ENDPOINTS)
def test_a_key_without_the_scope_is_refused_by_name(method, route, world, program) -> None:
    answer = program("models:preview")(method, address(route, world.ids), {})
    assert is_problem(answer, 403) and "scope" in answer.json()["fix"]


@pytest.mark.parametrize(("method", "route"), WITH_IDS)
def test_charlie_finds_nothing_of_another_workspace(method, route, world, program, as_charlie) -> None:
    charlie = program(*EVERY_SCOPE, actor=as_charlie)
    assert is_problem(charlie(method, address(route, world.ids), {}), 404)


@pytest.mark.parametrize(("method", "route"), WITH_IDS)
def test_an_id_that_is_none_is_not_found(method, route, program, world) -> None:
    ids = {name: "nothing_here" if name.endswith("_id") else value for name, value in world.ids.items()}
    assert is_problem(program(*EVERY_SCOPE)(method, address(route, ids), {}), 404)


@pytest.mark.parametrize(("method", "route"), [each for each in ENDPOINTS if each[0] in ("post", "put", "patch")])
@pytest.mark.parametrize(
    "body", ["[]", '"text"', "null", "{", '{"name": {"a": 1}, "body": 3, "rows": [3], "recipe": 4}']
)
def test_a_wrong_body_is_never_a_breakdown(method, route, body, world, program) -> None:
    answer = program(*EVERY_SCOPE)(method, address(route, world.ids), body)
    assert answer.status_code < 500


@pytest.mark.parametrize(("method", "route"), [each for each in ENDPOINTS if each[0] == "get"])
def test_a_member_reads_everything_in_the_browser_too(method, route, world, alice) -> None:
    browser = Client()
    browser.force_login(alice)
    path = address(route, world.ids)
    answer = browser.get(f"{path}?with={world.version.id}" if path.endswith("/diff") else path)
    assert answer.status_code in (200, 202)
    answer.close()


def test_a_browser_that_changes_something_needs_its_token(world, alice) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(alice)
    assert is_problem(browser.post("/api/v1/datasets", {"name": "x"}, content_type="application/json"), 403)


def test_what_is_no_address_says_where_the_addresses_are(db) -> None:
    assert is_problem(Client().get("/api/v1/no/such/thing"), 404)
    assert is_problem(Client().get("/api/v1/datasets/%0A"), 404)


def test_the_schema_is_the_one_that_was_agreed(db) -> None:
    """Where this fails: `python manage.py spectacular --file docs/openapi.yaml`, and look at what changed."""
    agreed = yaml.safe_load((ROOT / "docs" / "openapi.yaml").read_text(encoding="utf-8"))
    made = yaml.safe_load(Client().get("/api/v1/schema").content)
    assert made == agreed


def test_every_endpoint_is_in_the_schema_and_on_its_page(db) -> None:
    described = {
        (method, re.sub(r"\{(\w+)\}", r"<\1>", path)) for path, each in schema()["paths"].items() for method in each
    }
    known = {(method, "/" + PARAMETER.sub(r"<\1>", route)) for method, route in ENDPOINTS}
    assert described == known
    page = Client().get("/api/v1/docs").content.decode()
    assert all(f'<span class="mono">{path}</span>' in page for path in schema()["paths"])
    assert "http://" not in page.replace("http://testserver", "").replace("http://www.w3.org/2000/svg", "")
