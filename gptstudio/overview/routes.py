"""Every route of the URL table: its kind, and what it answers to whom, as the views' own guards say.

It reads guards and asks nobody. That the answers are so, and are those that were agreed, is the matrix test's concern
(tests/gptstudio/overview/test_routes.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.contrib import admin
from django.contrib.admindocs.views import simplify_regex
from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.resolvers import RegexPattern

from gptstudio.accounts.models import Role
from gptstudio.accounts.policies import ROLES
from gptstudio.core.console import CONSOLE_ROLES, WorkspaceAdmin

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
PEOPLE = ("anonymous", *Role.values, "stranger", "key_without_scope")
LET_IN, TO_SIGN_IN = 200, 302
# Of the console, for who may open it: tables here have no pages of their own and no fields that complete themselves.
REFUSED_IN_CONSOLE = {"admin:view_on_site": 404, "admin:": 404, "admin:autocomplete": 403}
STEPS_OF_SIGNING_IN = ("account_confirm_login_code", "mfa_authenticate")  # lead to its beginning who did not begin
EVERYBODYS = "<use_case_key>"  # a parameter that names what every workspace has
UNASKED = ("socialaccount_signup",)  # leads everybody there who does not come from a provider


class Kind(StrEnum):
    PAGE = "page"
    STREAM = "stream"
    REST = "rest"
    OPENAI = "openai"
    CONSOLE = "console"
    ACCOUNT = "account"
    PUBLIC = "public"


# Views that are nobody's page: what they take, and what they answer whoever asks.
PUBLIC: Mapping[str, tuple[tuple[str, ...], int]] = {
    "health": (("GET",), LET_IN),
    "health_of_web": (("GET",), LET_IN),
    "sign-in": (("GET", "POST"), 403),  # without a link that is good
    "oauth-metadata": (("GET",), LET_IN),
    "openid-metadata": (("GET",), LET_IN),
    "oauth-token": (("POST",), 401),
    "oauth-revoke": (("POST",), 401),
    "api:schema": (("GET",), LET_IN),
    "api:docs": (("GET",), LET_IN),
    "api:unknown": (METHODS, 404),
    "openai:openapi": (("GET",), LET_IN),
    "openai:unknown": (METHODS, 404),
    "web:favicon": (("GET",), LET_IN),
    "web:invitation": (("GET", "POST"), 404),  # without a link that is good
    "serving:metrics": (("GET",), 401),  # without METRICS_TOKEN
    "serving:slack": (("POST",), 404),  # unless Slack is set up
}


@dataclass(frozen=True, slots=True)
class Route:
    """One method at one address. `action` is what a role or a key must be allowed to do; empty where nothing is asked."""

    path: str
    method: str
    name: str
    kind: Kind
    action: str
    view: Any

    @property
    def is_of_a_thing(self) -> bool:
        """Whether the address names something that belongs to a workspace."""
        return "<" in self.path.replace(EVERYBODYS, "")

    def body(self) -> dict[str, Any]:
        """The line of `manage.py routes --json`."""
        answers = {person: self.answer_to(person) for person in PEOPLE}
        told = {"path": self.path, "method": self.method, "name": self.name, "kind": self.kind, "action": self.action}
        return {**told, "roles": answers}

    def answer_to(self, person: str) -> int:
        """200 for who is let in, whatever then comes of it; 302 for who is sent to sign in; else the refusal."""
        if self.kind == Kind.PUBLIC:
            return PUBLIC[self.name][1]
        if self.kind == Kind.CONSOLE:
            return self._in_console(person)
        if self.name in UNASKED:
            return TO_SIGN_IN
        if self.kind == Kind.ACCOUNT:
            is_open = not getattr(self.view, "login_required", True) and self.name not in STEPS_OF_SIGNING_IN
            return TO_SIGN_IN if person in ("anonymous", "key_without_scope") and not is_open else LET_IN
        return self._to_program(person) if self.kind in (Kind.REST, Kind.OPENAI) else self._to_member(person)

    def _to_member(self, person: str) -> int:
        if person in ("anonymous", "key_without_scope"):
            return 403 if self.kind == Kind.STREAM else TO_SIGN_IN
        if person == "stranger":  # an admin elsewhere
            return 404 if self.is_of_a_thing else LET_IN
        return LET_IN if not self.action or self.action in ROLES[person] else 403

    def _to_program(self, person: str) -> int:
        if person == "key_without_scope":
            return 403
        if person == "anonymous" or (self.kind == Kind.OPENAI and person != "stranger"):
            return 401  # keys alone open /v1
        if person == "stranger":
            return 404 if self.is_of_a_thing else LET_IN
        return LET_IN if self.action in ROLES[person] else 403

    def _in_console(self, person: str) -> int:
        if self.name in ("admin:login", "admin:logout"):
            return LET_IN
        if person not in (*CONSOLE_ROLES, "stranger"):
            return TO_SIGN_IN
        shown, page = _table_of(self.path), self.path.rsplit("/", 2)[-2]
        if shown is None:
            return REFUSED_IN_CONSOLE.get(self.name, LET_IN)
        if page in ("add", "delete") or (page, self.method) == ("change", "POST"):
            return 403
        if person not in (*shown.console_roles, "stranger"):
            return 404 if page == "history" else LET_IN if page == "<object_id>" else 403
        is_elsewhere = person == "stranger" and "_id>/" in self.path and page != "<object_id>"
        return 404 if is_elsewhere else LET_IN


def _table_of(path: str) -> WorkspaceAdmin | None:
    """Whose pages these are: the console's for one table."""
    for model, shown in admin.site._registry.items():
        if path.startswith(f"/admin/{model._meta.app_label}/{model._meta.model_name}/"):
            return shown  # type: ignore[return-value]
    return None


def _patterns(patterns: list[Any], before: str = "", space: str = "") -> Iterator[tuple[str, str, Any]]:
    for each in patterns:
        written = str(each.pattern)
        path = before + (simplify_regex(written).lstrip("/") if isinstance(each.pattern, RegexPattern) else written)
        if isinstance(each, URLResolver):
            yield from _patterns(each.url_patterns, path, f"{each.namespace or ''}:" if each.namespace else space)
        elif isinstance(each, URLPattern):
            yield re.sub(r"<\w+:", "<", path), f"{space}{each.name or ''}", each.callback


def _guarded(path: str, name: str, view: Any) -> tuple[Kind, Mapping[str, str]]:
    """A route's kind, and for each method what one must be allowed to do."""
    if name in PUBLIC:
        return Kind.PUBLIC, dict.fromkeys(PUBLIC[name][0], "")
    if path.startswith("admin/"):
        return Kind.CONSOLE, dict.fromkeys(("GET",) if name == "admin:autocomplete" else ("GET", "POST"), "")
    if path.startswith("accounts/"):
        return Kind.ACCOUNT, dict.fromkeys(("GET", "POST"), "")
    if actions := getattr(getattr(view, "cls", None), "actions", None):
        taken = {each: action for each, action in actions.items() if hasattr(view.cls, each.lower())}
        return Kind.OPENAI if path.startswith("v1/") else Kind.REST, taken
    if not hasattr(view, "actions"):
        raise LookupError(f"/{path} ({name}) says nobody who may open it: give it a guard, or a place in PUBLIC.")
    kind = Kind.STREAM if path.endswith("/stream") else Kind.PAGE
    return kind, {method: action for method, action in view.actions.items() if method != "HEAD"}


def routes() -> list[Route]:
    """All of them, in the order of the table. Raises LookupError for a view without a guard."""
    found = []
    for path, name, view in _patterns(get_resolver().url_patterns):
        kind, actions = _guarded(path, name, view)
        found += [Route(f"/{path}", method, name, kind, action, view) for method, action in actions.items()]
    return found
