"""Every address and method, asked as everybody: the answer is the one that was agreed in `access.toml`."""

from __future__ import annotations

import json
import re
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib import admin
from django.core.management import call_command
from django.test import Client

from gptstudio.accounts import services
from gptstudio.accounts.models import Role
from gptstudio.accounts.policies import SCOPES, system
from gptstudio.accounts.selectors import actor_of_member, membership
from gptstudio.core.console import WorkspaceAdmin
from gptstudio.overview.routes import PEOPLE, Kind, Route, routes
from tests.pages import filled
from tests.worlds import undone

AGREED = Path(__file__).with_name("access.toml")
SESSION = settings.SESSION_COOKIE_NAME
TOGETHER = {"/api/v1/models/<model_id>/evidence": [["models:read", "files:read", "jobs:read"]]}  # one alone is too few
KEYS_ALONE = (Kind.REST, Kind.OPENAI)


def rules() -> Iterator[tuple[str, str, dict[str, str]]]:
    """(method, path, rule) of every line."""
    agreed = tomllib.loads(AGREED.read_text(encoding="utf-8"))
    for rule in agreed["rule"]:
        tables = " ".join(agreed["tables"][each] for each in rule.get("tables", "").split()).split()
        for line in rule["routes"].strip().splitlines():
            *methods, path = line.split()
            for table in tables or [""]:
                yield from ((method, path.replace("TABLE", table), rule) for method in methods)


def known(route: Route) -> dict[str, str]:
    """What the code says of a route, in the words of `access.toml`."""
    who = [role for role in Role.values if route.answer_to(role) == 200]
    said = "anyone" if route.answer_to("anonymous") == 200 else " ".join(who) or "nobody"
    opening = [scope for scope, actions in SCOPES.items() if route.action in actions]
    found = {"kind": str(route.kind)}
    found |= {} if route.kind == Kind.OPENAI else {"who": said}
    return found | ({"scopes": " ".join(opening)} if route.kind in KEYS_ALONE else {})


def test_every_route_is_agreed_on_and_its_guard_says_what_was_agreed() -> None:
    agreed = list(rules())
    doubled = [line for line, times in Counter(each[:2] for each in agreed).items() if times > 1]
    found = {(route.method, route.path): known(route) for route in routes()}
    expected = {
        (method, path): {name: rule[name] for name in ("kind", "who", "scopes") if name in rule}
        for method, path, rule in agreed
    }
    not_agreed = [f"{' '.join(at)}: {said}" for at, said in found.items() if expected.get(at) != said]
    not_there = [" ".join(at) for at in expected if at not in found]
    assert (doubled, not_agreed, not_there) == ([], [], [])


def test_the_console_shows_tables_that_belong_to_workspaces_alone() -> None:
    assert [model for model, shown in admin.site._registry.items() if not isinstance(shown, WorkspaceAdmin)] == []


def test_the_command_prints_what_the_matrix_asks(capsys) -> None:
    call_command("routes", "--json")
    printed = json.loads(capsys.readouterr().out)
    assert len(printed) == len(routes())
    assert all(list(line["roles"]) == list(PEOPLE) for line in printed)


class Crowd:
    """Everybody who may ask: browsers of each role and of a stranger, and programs with keys."""

    def __init__(self, alice: Any, as_alice: Any, charlie: Any) -> None:
        self._care, self._elsewhere = as_alice, actor_of_member(membership(charlie, None))
        self._secrets: dict[tuple[str, str], str] = {}
        self._sessions = {"anonymous": "", "admin": _signed_in(alice), "stranger": _signed_in(charlie)}
        for role in set(Role.values) - {"admin"}:
            user = services.create_user(email=f"{role}@care.example", password="correct horse battery")
            services.add_member(system(as_alice.workspace_id), workspace_id=as_alice.workspace_id, user=user, role=role)
            self._sessions[role] = _signed_in(user)

    def _browser(self, person: str) -> Client:
        client = Client()  # a fresh one each time: what signs out forgets its cookie
        client.cookies[SESSION] = self._sessions[person]
        return client

    def _program(self, scopes: list[str], actor: Any) -> Client:
        named = (actor.workspace_id, " ".join(scopes))
        if named not in self._secrets:
            _key, secret = services.issue_key(actor, workspace_id=actor.workspace_id, name="program", scopes=scopes)
            self._secrets[named] = secret
        return Client(headers={"Authorization": f"Bearer {self._secrets[named]}"})

    def sends(self, route: Route, person: str) -> dict[str, Any]:
        """What goes with it: fields that name a thing which the address does not."""
        if route.method == "GET":
            return {}
        if route.kind in KEYS_ALONE:
            return {"data": "{}", "content_type": "application/json"}
        own = self._elsewhere if person == "stranger" else self._care
        return {"data": {"workspace": own.workspace_id, "key": "key0"}}

    def asking(self, route: Route) -> Iterator[tuple[str, Client, int]]:
        """(who, with what, the answer that is due), for everybody."""
        opening = [scope for scope, actions in SCOPES.items() if route.action in actions]
        for person in PEOPLE:
            if person == "key_without_scope":
                client = self._program([scope for scope in SCOPES if scope not in opening], self._care)
            elif person == "stranger" and route.kind in KEYS_ALONE:
                client = self._program(list(SCOPES), self._elsewhere)
            else:
                client = self._browser(person)
            yield person, client, route.answer_to(person)
        if route.kind in KEYS_ALONE:
            for scopes in TOGETHER.get(route.path, [[scope] for scope in opening]):
                yield f"key with {', '.join(scopes)}", self._program(scopes, self._care), 200


def _signed_in(user: Any) -> str:
    client = Client()
    client.force_login(user)
    return client.cookies[SESSION].value


@pytest.fixture
def crowd(alice, as_alice, charlie) -> Crowd:
    return Crowd(alice, as_alice, charlie)


@pytest.fixture
def places(world, as_alice) -> Callable[[Route], dict[str, str]]:
    """What stands in an address: things of Care."""
    from gptstudio.review.selectors import item_about
    from training_app.services import set_safety_limits

    set_safety_limits(as_alice, workspace_id=as_alice.workspace_id, limits={})
    ids = world.ids | {
        "token": "x", "key": "x", "uidb36": "1", "content_type_id": "1", "url": "nothing", "rest": "nothing",
        "provider_id": "oidc", "session_id": "1",
        "app_label": "review", "name": world.deployment.name, "item_id": item_about(world.model.id, kind="model").id,
    }  # fmt: skip

    def of(route: Route) -> dict[str, str]:
        for model, shown in admin.site._registry.items():
            if f"/{model._meta.app_label}/{model._meta.model_name}/" in route.path:
                found = model.objects.filter(**{shown.workspace_lookup: as_alice.workspace_id}).first()
                return ids | {"object_id": str(found.pk)}
        return ids | {"object_id": "1"}

    return of


def outcome(answer: Any, route: Route) -> int:
    """200 for who was let in, whatever then came of it; 302 for who was sent to sign in; else the refusal."""
    status = answer.status_code
    if route.name in ("admin:login", "admin:logout", "health"):  # here no worker runs, so `health` says 503
        return 200
    if status in (301, 302):
        to = answer["Location"]
        if to.startswith(("/accounts/login/", "/admin/login/")):
            return 302
        return (
            404 if to == "/admin/" and "_id>" in route.path else 200
        )  # how the console says that there is no such row
    if route.kind == Kind.ACCOUNT and status == 404:
        return 200  # nobody here has a second factor
    if status == 403 and route.kind in (Kind.PAGE, Kind.REST) and "does not allow" not in answer.content.decode():
        return 200  # the role would do, the state of the thing does not
    return status if status in (401, 403, 404) or status >= 500 else 200


def is_worded(answer: Any, route: Route) -> bool:
    """Whether a refusal says what is wrong, in the shape that its face promises."""
    if route.kind == Kind.REST:
        body = answer.json()
        return {"type", "title", "status", "code", "detail"} <= set(body) and "problem+json" in answer["Content-Type"]
    if route.kind == Kind.OPENAI:
        return set(answer.json()["error"]) == {"message", "type", "param", "code"}
    if route.kind == Kind.PAGE and answer.status_code == 404:
        return bool(re.search(r"There is no |You are not a member", answer.content.decode()))
    return True


@pytest.mark.once
def test_everybody_is_answered_as_the_routes_say(transactional_db, crowd, places) -> None:
    wrong = []
    for route in routes():
        address = filled(route.path, places(route))
        for person, client, due in crowd.asking(route):
            client.raise_request_exception = False  # a breakdown is an answer, too: 500
            with undone():
                answer = getattr(client, route.method.lower())(address, **crowd.sends(route, person))
            found = outcome(answer, route)
            if found != due or (answer.status_code >= 400 and not is_worded(answer, route)):
                wrong.append(f"{person}: {route.method} {route.path}: {answer.status_code}, due is {due}")
    assert wrong == []
