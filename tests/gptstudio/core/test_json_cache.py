"""The cache in the database, with JSON in it."""

from __future__ import annotations

import pytest
from django.core.cache import cache, caches
from django.db import connection

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nothing_kept(db) -> None:
    """The table is no model's, so what other tests left in it is still there."""
    cache.clear()


def kept() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("select value from cache")
        return [row[0] for row in cursor.fetchall()]


def test_what_is_kept_is_json_and_comes_back() -> None:
    cache.set("history", [1.5, 2.5])
    assert kept() == ["[1.5, 2.5]"] and cache.get("history") == [1.5, 2.5]
    cache.set("history", {"a": None})
    assert cache.get("history") == {"a": None} and cache.get_many(["history", "other"]) == {"history": {"a": None}}
    cache.delete("history")
    assert cache.get("history", "gone") == "gone" and kept() == []
    with pytest.raises(TypeError):
        cache.set("history", object())


def test_add_takes_a_place_once_until_it_is_free_again() -> None:
    assert cache.add("lock", True, timeout=60) is True
    assert cache.add("lock", False, timeout=60) is False and cache.get("lock") is True
    cache.set("lock", True, timeout=-10)
    assert cache.get("lock") is None and cache.add("lock", 2) is True and cache.get("lock") == 2


def test_what_never_expires_stays_and_a_touch_moves_the_end() -> None:
    cache.set("long", "a", timeout=None)
    assert cache.get("long") == "a" and cache.touch("long", timeout=-10) is True
    assert cache.get("long") is None and cache.touch("absent") is False


def test_it_grows_no_further_than_it_may(monkeypatch) -> None:
    monkeypatch.setattr(caches["default"], "_max_entries", 5)  # not the proxy: it cannot be put back
    for number in range(20):
        cache.set(f"key{number}", number)
    assert len(kept()) <= 6 and cache.get("key19") == 19
