"""Programs with keys, and one of everything to ask for."""

from __future__ import annotations

import pytest
from django.test import Client

from gptstudio.accounts import services
from tests.worlds import make_world


class Caller:
    """A program with a key: `caller("get", "/api/v1/datasets")`."""

    def __init__(self, secret: str) -> None:
        self.client, self.headers = Client(), {"Authorization": f"Bearer {secret}"}

    def __call__(self, method: str, path: str, body=None, **options):
        headers = {**self.headers, **options.pop("headers", {})}
        if body is not None:
            options |= {"data": body, "content_type": "application/json"}
        return getattr(self.client, method)(path, headers=headers, **options)


@pytest.fixture
def program(as_alice, workspace):
    """Makes callers whose keys have these scopes."""

    def make(*scopes: str, actor=None) -> Caller:
        who = actor or as_alice
        return Caller(services.issue_key(who, workspace_id=who.workspace_id, name="program", scopes=scopes)[1])

    return make


@pytest.fixture
def editor(program) -> Caller:
    return program("files:read", "files:write")


@pytest.fixture
def world(as_alice, starter, tmp_path):
    return make_world(as_alice, base=starter, folder=tmp_path / "made")
