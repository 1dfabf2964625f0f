"""Naughty strings in every form and every address of every page: no breakdown, and nothing of them is executed."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
from django.apps import apps
from django.contrib import admin

from gptstudio.overview.routes import Kind, routes
from tests import worlds
from tests.forms import Site
from tests.naughty import NASTIEST, SCRIPTS, STRINGS, TEMPLATES, form_body, harm
from tests.pages import filled, pages
from tests.worlds import undone

pytestmark = pytest.mark.django_db
LABELS = ("accounts", "audit", "datasets", "training", "serving", "notify", "review")
FREE = (
    "name",
    "title",
    "subject_label",
    "actor_label",
    "created_by_label",
    "given_by_label",
    "note",
    "reason",
    "message",
)
FOR_PROGRAMS = ("LanguageModel", "Tokenizer", "EngineReplica", "Deployment")  # whose names are no free text


@pytest.fixture
def site(world, at_alice) -> Site:
    at_alice.raise_request_exception = False  # a breakdown is an answer, too: 500
    return Site(at_alice, [page.address(world.ids) for page in pages() if not page.is_act])


def test_every_form_takes_naughty_strings(site, at_alice) -> None:
    assert len(site.forms) > 50
    harmed = []
    for form in site.forms.values():
        for said, text in STRINGS.items() if form.typed else ():
            with undone():
                if found := harm(at_alice.post(form.address, **form_body(form.with_text(text)), follow=True)):
                    harmed.append(f"{said} in {form.address}: {found}")
    assert harmed == []


def test_every_act_takes_naughty_strings_in_every_field_that_any_form_has(world, site, at_alice) -> None:
    harmed = []
    for route in routes():
        for said, text in NASTIEST.items() if (route.kind, route.method) == (Kind.PAGE, "POST") else ():
            with undone():
                body = form_body((name, text) for name in site.names)
                if found := harm(at_alice.post(filled(route.path, world.ids), **body)):
                    harmed.append(f"{said} at {route.path}: {found}")
    assert harmed == []


def test_every_page_takes_naughty_strings_in_its_address(world, site, at_alice) -> None:
    harmed = []
    for page in pages():
        address = page.address(world.ids)
        for said, text in NASTIEST.items() if not page.is_act else ():
            asked = urlencode([(name, text) for name in sorted(site.asked[address])], errors="surrogatepass")
            with undone():
                if found := harm(at_alice.get(f"{address}?{asked}")):
                    harmed.append(f"{said} in the address of {page.route}: {found}")
    assert harmed == []


def test_a_correction_takes_naughty_strings(world, at_alice) -> None:
    at_alice.raise_request_exception = False
    harmed = []
    for said, text in NASTIEST.items():
        turns = [{"role": "user", "content": text}]
        body = {"request": world.request.id, "rating": "down", "correction": text, "messages": turns}
        with undone():
            if found := harm(at_alice.post("/playground/rate", body, content_type="application/json")):
                harmed.append(f"{said}: {found}")
    assert harmed == []


def test_what_was_stored_is_shown_as_text_on_every_page(as_alice, starter, tmp_path, at_alice, monkeypatch) -> None:
    """Names, titles, reasons and rows that are full of tags; the console's tables among the pages."""
    said = [{"role": role, "content": f"{SCRIPTS} {TEMPLATES}"} for role in ("user", "assistant")]
    monkeypatch.setattr(worlds, "ROWS", [{**row, "messages": said, "label": SCRIPTS} for row in worlds.ROWS])
    monkeypatch.setattr(
        worlds, "DETECTION", {**worlds.DETECTION, "preview": [{"question": SCRIPTS, "answer": TEMPLATES}]}
    )
    world = worlds.make_world(as_alice, base=starter, folder=tmp_path / "made")
    for model in (model for label in LABELS for model in apps.get_app_config(label).get_models()):
        texts = [each for each in model._meta.fields if each.attname in FREE]
        free = [each for each in texts if each.attname != "name" or model.__name__ not in FOR_PROGRAMS]
        model.objects.update(**{each.name: f"{SCRIPTS} {TEMPLATES}"[: each.max_length] for each in free})
    tables = [f"/admin/{model._meta.app_label}/{model._meta.model_name}/" for model in admin.site._registry]
    shown, harmed = 0, []
    for address in [*(page.address(world.ids) for page in pages() if not page.is_act), *tables]:
        answer = at_alice.get(address)
        assert answer.status_code < 500, address
        if found := harm(answer):
            harmed.append(f"{address}: {found}")
        shown += not answer.streaming and b"&lt;script data-naughty" in answer.content
    assert harmed == []
    assert shown > 60
