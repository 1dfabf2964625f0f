"""Browsers that are signed in."""

from __future__ import annotations

import pytest
from django.test import Client


@pytest.fixture
def at_alice(alice, workspace) -> Client:
    client = Client()
    client.force_login(alice)
    return client


@pytest.fixture
def at_bob(bob) -> Client:
    client = Client()
    client.force_login(bob)
    return client
