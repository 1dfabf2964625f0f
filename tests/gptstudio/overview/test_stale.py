"""Forms that are sent twice, and tabs that were left open while the thing in them ended: a clear sentence, nothing broken."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import pytest
from django.apps import apps

from gptstudio.overview.routes import Kind, routes
from tests.forms import Form, Site
from tests.naughty import form_body
from tests.pages import filled, pages
from tests.worlds import undone

pytestmark = pytest.mark.django_db
# What ends a thing that pages and forms may still stand open for.
ENDINGS = (
    "/datasets/<dataset_id>/archive",
    "/datasets/<dataset_id>/files/<file_id>/archive",
    "/datasets/recipes/<recipe_id>/archive",
    "/datasets/previews/<preview_id>/cancel",
    "/datasets/uploads/<upload_id>/cancel",
    "/fine-tunes/<job_id>/archive",
    "/blind/<comparison_id>/end",
    "/models/<model_id>/exports/<export_id>/delete",
    "/deployments/<deployment_id>/retire",
    "/keys/<key_id>/revoke",
    "/notices/<destination_id>/delete",
    "/alerts/rules/<rule_id>/delete",
    "/usage/prices/<price_id>/withdraw",
    "/usage/requests/<request_id>/texts/delete",
)
TWO_ARE_MEANT = ("/notices/<destination_id>/test",)
SENTENCE = re.compile(rb'class="note bad"|role="alert"|class="errors?"|class="card empty">\s*<h1>')


@pytest.fixture
def site(world, at_alice) -> Site:
    at_alice.raise_request_exception = False  # a breakdown is an answer, too: 500
    return Site(at_alice, [page.address(world.ids) for page in pages() if not page.is_act])


def is_clear(answer: Any) -> bool:
    """Whether a page came, or a sentence that says why not."""
    if answer.status_code >= 500:
        return False
    if answer.status_code == 405:
        return True  # a form that the page's script sends elsewhere
    is_page = "html" in answer.get("Content-Type", "") and not answer.streaming
    return answer.status_code < 400 or not is_page or bool(SENTENCE.search(answer.content))


def forms_at(site: Site, address: str) -> list[Form]:
    """What was on the page before; an act that no page shows is sent without fields."""
    return [form for (to, _names), form in site.forms.items() if to == address] or [Form(address)]


def test_what_stands_open_when_a_thing_has_ended_still_gets_an_answer(world, site, at_alice) -> None:
    unclear = []
    for ending in ENDINGS:
        about = ending.rsplit("/", 2)[-2]
        with undone():
            assert at_alice.post(filled(ending, world.ids)).status_code < 400, ending
            for route in routes():
                if route.kind != Kind.PAGE or about not in route.path.split("/"):
                    continue
                address = filled(route.path, world.ids)
                for form in forms_at(site, address) if route.method == "POST" else [None]:
                    with undone():
                        asked = form_body(form.as_meant) if form else {}
                        answer = (at_alice.post if form else at_alice.get)(address, **asked)
                    if not is_clear(answer):
                        unclear.append(f"{ending}, then {route.method} {route.path}: {answer.status_code}")
    assert unclear == []


def things() -> Counter[str]:
    """How many there are of what people make."""
    labels = ("accounts", "datasets", "training", "serving", "notify", "review")
    made = [model for label in labels for model in apps.get_app_config(label).get_models()]
    return Counter({model.__name__: model.objects.count() for model in made})


def test_a_form_that_is_sent_twice_makes_one_thing(world, site, at_alice) -> None:
    unclear, doubled = [], set()
    for form in site.forms.values():
        with undone():
            before = things()
            first = at_alice.post(form.address, **form_body(form.as_meant))
            between = things()
            second = at_alice.post(form.address, **form_body(form.as_meant))
            if (between - before) & (things() - between):
                doubled.add(form.address)
        if not is_clear(first) or not is_clear(second):
            unclear.append(f"{form.address}: {first.status_code}, then {second.status_code}")
    assert unclear == []
    assert doubled == {filled(path, world.ids) for path in TWO_ARE_MEANT}
