"""What every native endpoint shares: who calls, what they may, pages of a list, and errors in one shape."""

from __future__ import annotations

import pytest
from django.http import Http404
from django.test import RequestFactory
from rest_framework.exceptions import Throttled, ValidationError
from rest_framework.response import Response
from rest_framework.views import APIView

from datasets_app.models import Dataset
from gptstudio.accounts import services
from gptstudio.api.authentication import actor_of, bearer
from gptstudio.api.pagination import page
from gptstudio.core.errors import Conflict


class Listing(APIView):
    actions = {"GET": "datasets.view", "POST": "datasets.edit"}

    def get(self, request):
        rows, more = page(request, Dataset.objects.filter(workspace_id=actor_of(request).workspace_id))
        return Response({"ids": [row.id for row in rows], "more": more})

    def post(self, request):
        return Response({"by": actor_of(request).label})


def ask(method: str = "get", path: str = "/", secret: str | None = None, user=None, view=Listing, **extra):
    headers = {"Authorization": f"Bearer {secret}"} if secret is not None else {}
    request = getattr(RequestFactory(), method)(path, headers=headers, **extra)
    request.session = {}
    if user is not None:
        request.user = user
        request._dont_enforce_csrf_checks = True
    response = view.as_view()(request)
    response.render()
    return response


@pytest.fixture
def secret(as_alice, workspace):
    return services.issue_key(as_alice, workspace_id=workspace.id, name="reader", scopes=["files:read"])[1]


@pytest.fixture
def datasets(workspace):
    return [Dataset.objects.create(workspace=workspace, name=f"Set {number}").id for number in range(5)]


def failing(error: Exception):
    class Failing(Listing):
        def get(self, request):
            raise error

    return Failing


def test_without_key_or_session_the_answer_is_401(db) -> None:
    response = ask()
    assert response.status_code == 401
    assert response["WWW-Authenticate"].startswith("Bearer")


def test_a_key_may_do_what_its_scopes_say_and_no_more(secret) -> None:
    assert ask(secret=secret).status_code == 200
    refused = ask("post", secret=secret)
    assert (refused.status_code, refused.data["code"]) == (403, "not_allowed")
    assert "datasets.edit" in refused.data["title"]


@pytest.mark.parametrize("wrong", ["sk-studio-unknown", "x" * 500])
def test_a_wrong_key_is_401_with_its_own_code(db, wrong) -> None:
    response = ask(secret=wrong)
    assert (response.status_code, response.data["code"]) == (401, "invalid_api_key")
    assert wrong not in response.data["detail"]


def test_a_member_acts_in_the_browser_by_role(alice, bob, charlie, workspace, datasets) -> None:
    assert ask("post", user=bob).data == {"by": "bob@care.example"}
    assert len(ask(user=alice).data["ids"]) == 5
    assert ask(user=charlie).data["ids"] == []


def test_a_method_that_names_no_action_is_refused(secret, alice, workspace) -> None:
    class Deleting(Listing):
        def delete(self, request):
            return Response({})

    assert ask("delete", user=alice, view=Deleting).status_code == 403


def test_a_list_comes_in_pages_newest_first_without_gap_or_double(secret, datasets) -> None:
    seen, after, more = [], "", True
    while more:
        answer = ask(path=f"/?limit=2&after={after}", secret=secret).data
        seen += answer["ids"]
        after, more = seen[-1], answer["more"]
    assert seen == sorted(datasets, reverse=True)


@pytest.mark.parametrize("limit", ["0", "101", "-1", "ten", "²"])
def test_a_limit_out_of_range_is_named(secret, limit) -> None:
    response = ask(path=f"/?limit={limit}", secret=secret)
    assert (response.status_code, response.data["param"]) == (400, "limit")


def test_our_errors_become_problem_details() -> None:
    error = Conflict("It runs.", fix="Wait.", code="busy", param="job")
    found = failing(error)
    found.permission_classes = found.authentication_classes = []
    response = ask(view=found)
    assert response["Content-Type"] == "application/problem+json"
    assert response.data == {
        "type": "about:blank",
        "title": "It runs.",
        "status": 409,
        "code": "busy",
        "detail": "It runs. Wait.",
        "fix": "Wait.",
        "param": "job",
    }


def open_view(error: Exception):
    found = failing(error)
    found.permission_classes = found.authentication_classes = []
    return found


def test_wrong_fields_are_listed_by_name() -> None:
    response = ask(view=open_view(ValidationError({"steps": {"kind": ["Choose one."]}, "name": ["Too long."]})))
    assert response.status_code == 400
    assert response.data["title"] == "steps.kind: Choose one."
    assert [line["param"] for line in response.data["errors"]] == ["steps.kind", "name"]


def test_who_asks_too_often_is_told_to_wait_long_enough() -> None:
    response = ask(view=open_view(Throttled(wait=0.4)))
    assert (response.status_code, response["Retry-After"]) == (429, "1")


def test_a_missing_page_is_a_problem_too() -> None:
    assert ask(view=open_view(Http404())).data["code"] == "not_found"


@pytest.mark.parametrize(
    ("header", "found"), [("Bearer abc", "abc"), ("bearer  abc ", "abc"), ("Basic abc", None), ("Bearer ", None)]
)
def test_only_a_bearer_header_carries_a_key(header, found) -> None:
    assert bearer(header) == found
