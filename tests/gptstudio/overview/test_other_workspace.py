"""A tab that was left open in one workspace, while its owner went on to another: what it sends does nothing there."""

from __future__ import annotations

import json
import re

import pytest
from django.apps import apps

from gptstudio.accounts import services
from gptstudio.accounts.models import ApiKey, Invitation
from tests.forms import Form, Site
from tests.naughty import form_body
from tests.pages import pages
from tests.worlds import undone

pytestmark = pytest.mark.django_db
# Of no workspace: a person's own, and the way from one workspace to another.
PERSONAL = re.compile(r"^/(workspaces|invitations|accounts)/|^/admin/")
MEANT_FOR_CARE = re.compile(r"That page was of Care, and you work in Second now\.")


@pytest.fixture
def second(alice, workspace):
    return services.create_workspace(owner=alice, name="Second")


@pytest.fixture
def site(world, second, at_alice, workspace) -> Site:
    """All forms, as Alice sees them in Care; then she goes on to Second."""
    _work_in(at_alice, workspace)
    found = Site(at_alice, [page.address(world.ids) for page in pages() if not page.is_act])
    _work_in(at_alice, second)
    return found


def _work_in(client, workspace) -> None:
    client.post("/workspaces/switch", {"workspace": workspace.id})


def rows() -> dict[str, int]:
    return {
        model._meta.label: model.objects.count() for model in apps.get_models() if model._meta.app_label != "sessions"
    }


def send(client, form: Form, more: dict[str, str] | None = None):
    return client.post(form.address, **form_body([*form.as_meant, *(more or {}).items()]))


def test_every_form_says_of_which_workspace_its_page_was(site, workspace) -> None:
    forms = [form for (path, _), form in site.forms.items() if not PERSONAL.match(path)]
    assert len(forms) > 40
    assert [form.address for form in forms if ("of_workspace", workspace.id) not in form.as_meant] == []


def test_none_of_them_does_anything_in_another(site, at_alice) -> None:
    before, wrong = rows(), []
    for (path, _), form in site.forms.items():
        if PERSONAL.match(path):
            continue
        with undone():
            answer = send(at_alice, form)
            if answer.status_code != 409 or not MEANT_FOR_CARE.search(answer.content.decode()) or rows() != before:
                wrong.append(f"{path}: {answer.status_code}")
    assert wrong == []


def test_what_was_typed_goes_where_it_was_meant(at_alice, workspace, second) -> None:
    _work_in(at_alice, second)
    typed = {
        "name": 'For <Care> & "none" else {{ 7*7 }} 😀',
        "scopes": ["chat", "files:read"],
        "lifetime": "30",
        "of_workspace": workspace.id,
    }
    page = at_alice.post("/keys/new", typed).content.decode()
    assert not ApiKey.objects.exists()
    assert "Switch to Care and send it" in page and "Stay in Second" in page
    assert page.count('<textarea name="scopes" hidden>') == 2 and "For &lt;Care&gt; &amp; &quot;none&quot;" in page
    at_alice.post("/keys/new", typed | {"go_on_in": workspace.id})
    made = ApiKey.objects.get()
    assert (made.workspace_id, made.name) == (workspace.id, typed["name"])
    assert at_alice.get("/settings/").context["membership"].workspace_id == workspace.id


def test_a_role_in_one_workspace_is_none_in_another(at_bob, bob, workspace) -> None:
    own = services.create_workspace(owner=bob, name="Bob's")
    _work_in(at_bob, own)
    invite = {"email": "dora@care.example", "role": "editor", "of_workspace": workspace.id, "go_on_in": workspace.id}
    assert at_bob.post("/settings/members/", invite).status_code == 403
    assert not Invitation.objects.exists()


def test_nobody_gets_into_a_strangers_workspace_by_it(at_charlie, workspace) -> None:
    answer = at_charlie.post("/keys/new", {"name": "x", "of_workspace": workspace.id, "go_on_in": workspace.id})
    page = answer.content.decode()
    assert answer.status_code == 409 and "a workspace that you left" in page
    assert "Care" not in page and "Switch to" not in page
    assert not ApiKey.objects.exists()


@pytest.mark.parametrize("said", ["nonsense", "ws_nothing", "0" * 5000, "\N{RIGHT-TO-LEFT OVERRIDE}", "' or 1=1"])
def test_nonsense_is_no_workspace(at_alice, workspace, said) -> None:
    assert at_alice.post("/keys/new", {"name": "x", "of_workspace": said, "go_on_in": said}).status_code == 409
    assert not ApiKey.objects.exists()


def test_a_file_is_to_be_chosen_again(at_alice, workspace, second, world) -> None:
    from django.core.files.uploadedfile import SimpleUploadedFile

    _work_in(at_alice, second)
    file = SimpleUploadedFile("a.csv", b"question,answer\na,b\n")
    page = at_alice.post("/datasets/new", {"name": "x", "files": file, "of_workspace": workspace.id}).content.decode()
    assert "the file was not kept. Switch back, then choose it again." in page


@pytest.mark.parametrize(
    "address", ["/playground/rate", "/datasets/uploads", "/datasets/versions/<version_id>/findings/decide"]
)
def test_scripts_are_told_in_a_sentence(at_alice, workspace, second, world, address) -> None:
    _work_in(at_alice, second)
    path = address.replace("<version_id>", world.version.id)
    answer = at_alice.post(path, "{}", content_type="application/json", headers={"X-Workspace": workspace.id})
    assert answer.status_code == 409
    assert answer.json()["code"] == "other_workspace" and MEANT_FOR_CARE.search(answer.json()["error"])


def test_no_answer_is_streamed_or_billed_there(at_alice, workspace, second, world) -> None:
    _work_in(at_alice, second)
    body = json.dumps({"model": "x", "messages": [{"role": "user", "content": "hi"}]})
    answer = at_alice.post(
        "/playground/stream", body, content_type="application/json", headers={"X-Workspace": workspace.id}
    )
    assert answer.status_code == 409 and answer.json()["error"]["code"] == "other_workspace"


def test_the_console_is_of_no_workspace(at_alice, workspace, second, world) -> None:
    from gptstudio.review.selectors import item_about

    _work_in(at_alice, second)
    item = item_about(world.model.id, kind="model")
    answer = at_alice.post(
        f"/admin/review/reviewitem/{item.id}/decide/", {"verdict": "nonsense", "of_workspace": workspace.id}
    )
    assert answer.status_code != 409 or "That page was of" not in answer.content.decode()
