"""Keys that stand in web pages: which doors they open, for pages of which origins, and what browsers are told."""

from __future__ import annotations

import threading

import httpx
import pytest

from gptstudio.accounts import services as accounts
from gptstudio.accounts.models import ApiKey
from gptstudio.accounts.selectors import is_public_origin
from gptstudio.core.errors import Invalid
from serving_app import services
from serving_app.models import Completion
from serving_app.services.trips import LEDGER, REPORTS

SHOP, OTHER = "https://shop.example", "https://other.example"
HELLO = {"model": "support", "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 4}


@pytest.fixture
def issue(as_alice, workspace):
    def make(**options) -> str:
        options = {"scopes": ["chat"], "allowed_models": ["support"], "origins": [SHOP], **options}
        return accounts.issue_key(as_alice, workspace_id=workspace.id, name="shop", **options)[1]

    return make


@pytest.fixture
def deployment(base_model, as_alice):
    targets = [{"model": base_model.id, "weight": 1}]
    return services.create_deployment(as_alice, workspace_id=as_alice.workspace_id, name="support", targets=targets)


@pytest.fixture
def ask(studio):
    """`ask(key, origin=…)`: a request as a page of that origin sends it."""

    def ask(
        key: str, *, origin: str | None = SHOP, path="/v1/chat/completions", method="POST", **changes
    ) -> httpx.Response:
        headers = {"Authorization": f"Bearer {key}"} | ({"Origin": origin} if origin else {})
        body = {**HELLO, **changes} if method == "POST" else None
        return httpx.request(method, studio + path, headers=headers, json=body, timeout=120)

    return ask


def before(studio: str, origin: str) -> httpx.Response:
    """What a browser asks first."""
    headers = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    return httpx.options(f"{studio}/v1/chat/completions", headers=headers, timeout=60)


def test_a_page_of_its_site_is_answered_and_may_read_the_answer(ask, issue, deployment) -> None:
    for streamed in (False, True):
        answer = ask(issue(), stream=streamed)
        assert answer.status_code == 200, answer.text
        assert answer.headers["Access-Control-Allow-Origin"] == SHOP and answer.headers["Vary"] == "Origin"
    assert Completion.objects.filter(deployment__name="support", state="completed").count() == 2


@pytest.mark.parametrize("origin", [OTHER, "http://shop.example", "https://shop.example:444", "null", None])
def test_a_page_of_another_site_or_none_is_refused_with_a_sentence(ask, issue, deployment, origin) -> None:
    answer = ask(issue(), origin=origin)
    assert answer.status_code == 403 and answer.json()["error"]["code"] == "origin_not_allowed"
    assert "may not be used" in answer.json()["error"]["message"]
    assert "Access-Control-Allow-Origin" not in answer.headers and not Completion.objects.exists()


def test_a_browser_is_told_beforehand_for_sites_of_live_keys_alone(studio, issue) -> None:
    assert before(studio, SHOP).status_code == 403
    secret = issue()
    told = before(studio, SHOP)
    assert told.status_code == 204 and told.headers["Access-Control-Allow-Origin"] == SHOP
    assert told.headers["Access-Control-Allow-Headers"] == "authorization, content-type"
    refused = before(studio, OTHER)
    assert refused.status_code == 403 and "Access-Control-Allow-Origin" not in refused.headers
    ApiKey.objects.update(revoked_at="2026-01-01T00:00:00Z")
    assert before(studio, SHOP).status_code == 403 and secret.startswith("pk-studio-")


def test_a_browser_that_asks_beforehand_waits_for_no_attempt_and_no_report(studio, issue) -> None:
    issue()
    is_over = threading.Event()
    attempts = [threads.submit(is_over.wait, 240) for threads in (LEDGER, REPORTS) for _ in range(8)]
    try:
        assert before(studio, SHOP).status_code == 204
    finally:
        is_over.set()
    assert all(each.result() for each in attempts)


@pytest.mark.django_db
def test_an_origin_is_known_whole_and_one_by_one(issue, django_assert_num_queries) -> None:
    for origins in ([SHOP, OTHER], ["https://third.example"]):
        issue(origins=origins)
    is_public_origin(SHOP)
    with django_assert_num_queries(1):
        assert is_public_origin(SHOP)
    assert is_public_origin(OTHER) and is_public_origin("https://third.example")
    for part in ("https://shop.exampl", "shop.example", f'{SHOP}", "{OTHER}', "", "%", '"'):
        assert not is_public_origin(part), part


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/v1/models"), ("POST", "/v1/completions"), ("POST", "/v1/embeddings"), ("POST", "/v1/moderations"),
     ("GET", "/v1/files"), ("POST", "/v1/files"), ("GET", "/api/v1/usage"), ("GET", "/api/v1/api-keys")],
)  # fmt: skip
def test_it_opens_no_other_door(ask, issue, base_model, method, path) -> None:
    answer = ask(issue(), method=method, path=path)
    assert answer.status_code in (401, 403), answer.text
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_it_asks_its_deployment_alone(ask, issue, deployment, base_model) -> None:
    assert ask(issue(), model=base_model.name).status_code == 404
    assert ask(issue(allowed_models=[base_model.name]), model=base_model.name).status_code == 404, (
        "no model by its name"
    )


def test_its_limits_hold_and_the_page_may_read_that(ask, issue, deployment) -> None:
    key = issue(requests_per_minute=1)
    assert ask(key).status_code == 200
    refused = ask(key)
    assert refused.status_code == 429 and refused.headers["Access-Control-Allow-Origin"] == SHOP


def test_a_secret_key_is_not_opened_to_pages(ask, make_key, deployment) -> None:
    answer = ask(make_key("chat"))
    assert answer.status_code == 200 and "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("given", "kept"),
    [("https://Shop.Example/", SHOP), ("https://shop.example:443", SHOP), ("http://localhost:8080", "http://localhost:8080"),
     ("http://[::1]:3000", "http://[::1]:3000")],
)  # fmt: skip
def test_origins_are_kept_as_browsers_send_them(issue, given, kept) -> None:
    issue(origins=[given])
    assert ApiKey.objects.get().origins == [kept]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "options",
    [{"origins": ["*"]}, {"origins": ["shop.example"]}, {"origins": ["https://shop.example/path"]}, {"origins": ["null"]},
     {"origins": ["ftp://shop.example"]}, {"origins": ["https://me@shop.example"]}, {"origins": ["https://*.example"]},
     {"origins": ["https://a.example:x"]}, {"origins": [f"https://a{n}.example" for n in range(21)]},
     {"allowed_models": []}, {"allowed_models": ["a", "b"]}, {"scopes": ["chat", "models:read"]}],
)  # fmt: skip
def test_what_is_no_origin_or_asks_for_more_is_refused(issue, options) -> None:
    with pytest.raises(Invalid) as refused:
        issue(**options)
    assert refused.value.fix and not ApiKey.objects.exists()


@pytest.mark.django_db
def test_a_key_keeps_its_kind(issue, as_alice, make_key) -> None:
    issue()
    make_key("chat", allowed_models=["support"])
    public, secret = ApiKey.objects.get(prefix__startswith="pk-"), ApiKey.objects.get(prefix__startswith="sk-")
    assert accounts.update_key(as_alice, key=public, origins=[OTHER]).origins == [OTHER]
    for key, origins in ((public, []), (secret, [SHOP])):
        with pytest.raises(Invalid):
            accounts.update_key(as_alice, key=key, origins=origins)
    assert accounts.rotate_key(as_alice, key=public)[1].startswith("pk-studio-")
