"""Every page, taken from the URL table, is whole and never breaks. Who may open it: `test_routes.py`."""

from __future__ import annotations

import re

import pytest

from tests.pages import pages
from tests.worlds import undone

pytestmark = pytest.mark.django_db
ALL = pages()
OBJECTS = [page for page in ALL if page.names]


def test_an_admin_opens_every_page(world, at_alice, subtests) -> None:
    for page in ALL:
        with subtests.test(page=page.route), undone():
            answer = at_alice.get(page.address(world.ids))
            assert answer.status_code in (200, 204, 302, 301, 405)
            if answer.status_code == 200 and "text/html" in answer["Content-Type"]:
                text = answer.content.decode()
                assert "</html>" not in text or re.search(r"<title>[^<]+ · GPT Studio</title>", text)
                assert "None" not in re.sub(r"<[^>]+>|<pre.*?</pre>", " ", text, flags=re.S)


def test_an_empty_form_is_an_answer_and_never_a_breakdown(world, at_alice, subtests) -> None:
    for page in ALL:
        with subtests.test(page=page.route), undone():
            assert at_alice.post(page.address(world.ids)).status_code < 500


def test_an_id_that_is_none_gets_a_sentence(at_alice, subtests) -> None:
    for page in OBJECTS:
        with subtests.test(page=page.route):
            answer = at_alice.get(page.address(dict.fromkeys(page.names, "nothing_here")))
            assert answer.status_code in (404, 405)
