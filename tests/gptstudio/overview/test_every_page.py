"""Every page, taken from the URL table: who may open it, and that it never breaks."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from tests.pages import pages

pytestmark = pytest.mark.django_db
ALL = pages()
OPEN_TEST = "datasets/versions/<slug:version_id>/rows/open-test"
TAKE = "datasets/versions/<slug:version_id>/take"
OBJECTS = [page for page in ALL if page.names]


@pytest.mark.parametrize("page", ALL, ids=lambda page: page.route)
def test_nobody_opens_a_page_without_signing_in(page, world) -> None:
    for method in ("get", "post"):
        answer = getattr(Client(), method)(page.address(world.ids))
        is_sent_away = answer.status_code == 302 and answer["Location"].startswith("/accounts/login/")
        assert is_sent_away or answer.status_code in (403, 405), f"{method} {page.route}: {answer.status_code}"


@pytest.mark.parametrize("page", OBJECTS, ids=lambda page: page.route)
def test_a_stranger_sees_nothing_of_another_workspace(page, world, at_charlie) -> None:
    for method in ("get", "post"):
        answer = getattr(at_charlie, method)(page.address(world.ids))
        assert answer.status_code in (404, 405), f"{method} {page.route}: {answer.status_code}"
        if answer.status_code == 404:
            assert re.search(r"There is no |You are not a member", answer.content.decode())


@pytest.mark.parametrize("page", ALL, ids=lambda page: page.route)
def test_an_admin_opens_every_page(page, world, at_alice) -> None:
    answer = at_alice.get(page.address(world.ids))
    assert answer.status_code in (200, 204, 302, 301, 405)
    if answer.status_code == 200 and "text/html" in answer["Content-Type"]:
        text = answer.content.decode()
        assert "</html>" not in text or re.search(r"<title>[^<]+ · GPT Studio</title>", text)
        assert "None" not in re.sub(r"<[^>]+>|<pre.*?</pre>", " ", text, flags=re.S)


@pytest.mark.parametrize("page", ALL, ids=lambda page: page.route)
def test_an_empty_form_is_an_answer_and_never_a_breakdown(page, world, at_alice) -> None:
    assert at_alice.post(page.address(world.ids)).status_code < 500


@pytest.mark.parametrize("page", OBJECTS, ids=lambda page: page.route)
def test_an_id_that_is_none_gets_a_sentence(page, at_alice) -> None:
    nothing = dict.fromkeys(page.names, "nothing_here")
    answer = at_alice.get(page.address(nothing))
    assert answer.status_code in (404, 405)


def test_a_viewer_changes_nothing(world, bob, workspace, at_bob) -> None:
    from gptstudio.accounts import services
    from gptstudio.accounts.policies import system

    services.add_member(system(workspace.id), workspace_id=workspace.id, user=bob, role="viewer")
    open_to_all = ("workspaces/switch", "playground/stream", "playground/rate", OPEN_TEST, TAKE)
    changing = [page for page in ALL if page.is_act and page.route not in open_to_all]
    assert len(changing) > 12
    for page in changing:
        assert at_bob.post(page.address(world.ids)).status_code == 403, page.route
