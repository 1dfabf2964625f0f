"""A program with a key, a data set and a version to ask for."""

from __future__ import annotations

import pytest
from django.test import Client

from gptstudio.accounts import services
from tests.worlds import make_dataset, make_version


@pytest.fixture
def call(as_alice, workspace, studio_home):
    """`call("get", "/datasets")` asks below /api/v1 with a key that may read and write files."""
    _key, secret = services.issue_key(
        as_alice, workspace_id=workspace.id, name="program", scopes=["files:read", "files:write"]
    )
    client = Client()

    def ask(method: str, path: str, body=None, headers=None, **options):
        sent = {"Authorization": f"Bearer {secret}", **(headers or {})}
        if body is not None:
            options |= {"data": body, "content_type": "application/json"}
        return getattr(client, method)(f"/api/v1{path}", headers=sent, **options)

    return ask


@pytest.fixture
def version(as_alice, studio_home):
    return make_version(as_alice, dataset=make_dataset(as_alice)[0])


@pytest.fixture
def below(version) -> str:
    """The version's address below /api/v1."""
    return f"/datasets/{version.dataset_id}/versions/{version.id}"
