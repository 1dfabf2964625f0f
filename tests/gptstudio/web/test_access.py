"""Whose session has ended comes back to the page they were on, never to a part of it or to a form's address."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db
HERE = "http://testserver"


def next_of(address: str) -> str:
    found = urlsplit(address)
    assert found.path == "/accounts/login/"
    return parse_qs(found.query)["next"][0]


def test_who_asked_for_a_page_comes_back_to_it() -> None:
    assert next_of(Client().get("/datasets/?q=tickets")["Location"]) == "/datasets/?q=tickets"


@pytest.mark.parametrize(
    ("headers", "page"),
    [
        ({"HX-Current-URL": f"{HERE}/datasets/?page=2"}, "/datasets/?page=2"),
        ({"HX-Current-URL": "http://elsewhere.example/x"}, "/"),
        ({"HX-Current-URL": "http://[broken"}, "/"),
        ({}, "/"),
    ],
)
def test_a_part_that_refreshes_itself_leads_back_to_the_whole_page(headers, page) -> None:
    answer = Client().get("/home/running?mark=1", headers={"HX-Request": "true", **headers})
    assert answer.status_code == 204 and next_of(answer["HX-Redirect"]) == page


@pytest.mark.parametrize(
    ("referer", "page"), [(f"{HERE}/settings/", "/settings/"), ("http://elsewhere.example/settings/", "/"), ("", "/")]
)
def test_a_form_leads_back_to_the_page_it_stands_on(referer, page) -> None:
    answer = Client().post("/settings/", {}, headers={"Referer": referer} if referer else {})
    assert next_of(answer["Location"]) == page
