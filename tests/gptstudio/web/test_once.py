"""A form that is sent twice is done once; the same from another page, or after a refusal, is done again."""

from __future__ import annotations

import re

import pytest
from django.core.cache import cache
from django.test import Client, RequestFactory

from gptstudio.accounts.models import ApiKey, Workspace
from gptstudio.web import once

pytestmark = pytest.mark.django_db
NEW = "/workspaces/new"


def word(client: Client, address: str = NEW) -> str:
    return re.findall(rf'name="{once.FIELD}" value="([^"]+)"', client.get(address).content.decode())[-1]


def test_the_second_is_led_to_what_the_first_made(at_alice) -> None:
    sent = {"name": "Second", "release_policy": "self", once.FIELD: word(at_alice)}
    first, second = at_alice.post(NEW, sent), at_alice.post(NEW, sent)
    assert (first.status_code, first["Location"]) == (second.status_code, second["Location"]) == (302, "/")
    assert Workspace.objects.filter(name="Second").count() == 1
    at_alice.post(NEW, {**sent, "name": "Third"})  # gone back to, and changed
    at_alice.post(NEW, {**sent, once.FIELD: word(at_alice)})  # meant again
    assert Workspace.objects.filter(name="Third").count() == 1 and Workspace.objects.filter(name="Second").count() == 2


def test_what_was_refused_may_be_sent_again_as_it_is(at_alice) -> None:
    sent = {"name": "", "release_policy": "self", once.FIELD: word(at_alice)}
    assert [at_alice.post(NEW, sent).status_code for _ in range(2)] == [400, 400]


def test_a_secret_is_shown_once_and_its_key_made_once(at_alice) -> None:
    sent = {"name": "website", "scopes": ["chat"], once.FIELD: word(at_alice, "/keys/new")}
    first, second = at_alice.post("/keys/new", sent), at_alice.post("/keys/new", sent)
    assert (first.status_code, second.status_code) == (200, 409)
    assert "This form was sent already" in second.content.decode() and ApiKey.objects.count() == 1


def test_a_click_while_the_first_is_at_work_is_told_so_and_then_led_there(at_alice, alice, monkeypatch) -> None:
    sent = {"name": "Second", "release_policy": "self", once.FIELD: word(at_alice)}
    first = RequestFactory().post(NEW, sent)
    first.user = alice
    cache.add(once._key(first), once.UNDER_WAY)
    monkeypatch.setattr(once, "PATIENCE", -1.0)
    waiting = at_alice.post(NEW, sent)
    assert waiting.status_code == 409 and "is still being worked on" in waiting.content.decode()
    cache.set(once._key(first), "/there")
    assert at_alice.post(NEW, sent)["Location"] == "/there"
    assert not Workspace.objects.filter(name="Second").exists()
