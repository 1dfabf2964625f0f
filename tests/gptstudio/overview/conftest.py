"""A workspace with one of everything, and browsers that are signed in."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.worlds import World, make_world


@pytest.fixture
def world(as_alice, starter, tmp_path) -> World:
    return make_world(as_alice, base=starter, folder=tmp_path / "made")


def _signed_in(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def at_alice(alice, workspace) -> Client:
    return _signed_in(alice)


@pytest.fixture
def at_bob(bob) -> Client:
    return _signed_in(bob)


@pytest.fixture
def at_charlie(charlie) -> Client:
    return _signed_in(charlie)
