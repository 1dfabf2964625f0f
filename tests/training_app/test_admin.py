"""The console's page of models: one's own, and the base models that all share."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.django_db


def test_a_shared_base_model_opens_in_the_console(client, alice, workspace, starter) -> None:
    client.force_login(alice)
    assert starter.workspace_id is None
    assert client.get(f"/admin/training/languagemodel/{starter.id}/change/").status_code == 200
    assert starter.name in client.get("/admin/training/languagemodel/").content.decode()


def test_who_reviews_nowhere_sees_no_model(client, bob, starter) -> None:
    client.force_login(bob)
    assert client.get(f"/admin/training/languagemodel/{starter.id}/change/").status_code in (302, 403)
