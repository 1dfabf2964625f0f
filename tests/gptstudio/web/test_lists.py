"""Lists of all pages: narrowed by words and choices, sorted by their heads, and gone through page by page."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from gptstudio.accounts import services
from gptstudio.accounts.models import ApiKey
from serving_app.services import give_feedback
from tests.worlds import make_world

pytestmark = pytest.mark.django_db
LISTS = (
    "/datasets/",
    "/datasets/recipes/",
    "/fine-tunes/",
    "/fine-tunes/studies/",
    "/models/",
    "/blind/",
    "/deployments/",
    "/keys/",
    "/usage/",
    "/usage/requests",
    "/usage/prices",
    "/feedback/",
    "/notices/",
    "/activity/",
    "/settings/members/",
)


@pytest.fixture
def keys(as_alice) -> None:
    for number in range(30):
        services.issue_key(as_alice, workspace_id=as_alice.workspace_id, name=f"Key {number:02}", scopes=["chat"])


def names(page: str) -> list[str]:
    return re.findall(r"Key \d\d", page)


@pytest.mark.usefixtures("keys")
def test_a_head_sorts_and_the_next_page_keeps_order_and_words(at_alice) -> None:
    def said(query: str) -> str:
        return at_alice.get(f"/keys/{query}").content.decode()

    newest = said("")
    assert names(newest)[0] == "Key 29" and len(names(newest)) == 25
    assert '<th aria-sort="none"><a href="?sort=name">Name' in newest
    assert '<th class="num" aria-sort="descending"><a href="?sort=made">Issued' in newest
    by_name = said("?sort=name&q=key")
    assert names(by_name)[:2] == ["Key 00", "Key 01"]
    assert 'aria-sort="ascending"><a href="?q=key&amp;sort=-name">Name' in by_name
    assert 'name="sort" value="name"' in by_name  # looking for other words keeps the order
    [following] = re.findall(r'href="([^"]*)" rel="next"', by_name)
    assert names(said(following.replace("&amp;", "&"))) == [f"Key {number}" for number in range(25, 30)]


@pytest.mark.usefixtures("keys")
def test_choices_narrow_and_what_is_none_is_passed_over(at_alice) -> None:
    ApiKey.objects.filter(name="Key 07").update(revoked_at=timezone.now())
    ApiKey.objects.filter(name="Key 08").update(expires_at=timezone.now() - timedelta(days=1))
    assert names(at_alice.get("/keys/?state=revoked").content.decode()) == ["Key 07"]
    assert names(at_alice.get("/keys/?state=expired").content.decode()) == ["Key 08"]
    assert "28" in at_alice.get("/keys/?state=live").content.decode()
    odd = at_alice.get("/keys/?state=lost&sort=secret&page=minus").content.decode()
    assert names(odd)[0] == "Key 29"
    nothing = at_alice.get("/keys/?q=zebra").content.decode()
    assert "No key matches “zebra”" in nothing and 'href="/keys/">Show all' in nothing


def test_every_list_sorts_by_each_of_its_heads_both_ways(at_alice, as_alice, starter, tmp_path) -> None:
    world = make_world(as_alice, base=starter, folder=tmp_path / "made")
    give_feedback(as_alice, workspace_id=as_alice.workspace_id, request_id=world.request.id, rating="up")
    unsorted = []
    for address in LISTS:
        page = at_alice.get(address).content.decode()
        heads = re.findall(r'aria-sort="\w+"><a href="\?([^"]*)"', page)
        if not heads:
            unsorted.append(address)
        for query in heads:
            other = at_alice.get(f"{address}?{query}")
            assert other.status_code == 200, (address, query)
            assert re.search(r'aria-sort="(ascending|descending)"', other.content.decode()), (address, query)
    assert unsorted == []
