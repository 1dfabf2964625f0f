"""Every endpoint of the native API, taken from the URL table: answers and their shape. Who gets one:
`tests/gptstudio/overview/test_routes.py`.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from django.test import Client

from gptstudio.accounts import policies
from gptstudio.api.schema import schema
from gptstudio.overview.routes import Kind, routes
from tests.pages import filled
from tests.worlds import undone

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parents[3]
EVERY_SCOPE = tuple(policies.SCOPES)


ENDPOINTS = [(each.method.lower(), each.path) for each in routes() if each.kind == Kind.REST]
WITH_IDS = [each for each in ENDPOINTS if "<" in each[1]]


def is_problem(answer, status: int) -> bool:
    body = answer.json()
    shape = {"type", "title", "status", "code", "detail"} <= set(body)
    return answer.status_code == status == body["status"] and shape and "problem+json" in answer["Content-Type"]


def test_an_id_that_is_none_is_not_found(program, world, subtests) -> None:
    ids = {
        name: "nothing_here" if name.endswith(("_id", "use_case_key")) else value for name, value in world.ids.items()
    }
    caller = program(*EVERY_SCOPE)
    for method, route in WITH_IDS:
        with subtests.test(method=method, route=route):
            assert is_problem(caller(method, filled(route, ids), {}), 404)


@pytest.mark.parametrize(
    "body", ["[]", '"text"', "null", "{", '{"name": {"a": 1}, "body": 3, "rows": [3], "recipe": 4}']
)
def test_a_wrong_body_is_never_a_breakdown(body, world, program, subtests) -> None:
    caller = program(*EVERY_SCOPE)
    for method, route in ENDPOINTS:
        if method in ("post", "put", "patch"):
            with subtests.test(method=method, route=route), undone():
                assert caller(method, filled(route, world.ids), body).status_code < 500


def test_a_member_reads_everything_in_the_browser_too(world, alice, subtests) -> None:
    browser = Client()
    browser.force_login(alice)
    for method, route in ENDPOINTS:
        if method == "get":
            with subtests.test(route=route):
                path = filled(route, world.ids)
                answer = browser.get(f"{path}?with={world.version.id}" if path.endswith("/diff") else path)
                assert answer.status_code in (200, 202)
                read = b"".join(answer)
                assert read or route.endswith("/audit/export")  # another thread's connection, which sees no test's rows


def test_a_browser_that_changes_something_needs_its_token(world, alice) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(alice)
    assert is_problem(browser.post("/api/v1/datasets", {"name": "x"}, content_type="application/json"), 403)


def test_a_cursor_that_is_none_is_refused(program) -> None:
    assert is_problem(program("files:read")("get", "/api/v1/datasets?after=%00"), 400)


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
    known = set(ENDPOINTS)
    assert described == known
    answer = Client().get("/api/v1/docs")
    assert "script-src 'self' 'nonce-" in answer["Content-Security-Policy"]
    page = answer.content.decode()
    assert all(f'<span class="mono">{path}</span>' in page for path in schema()["paths"])
    assert "http://" not in page.replace("http://testserver", "").replace("http://www.w3.org/2000/svg", "")
