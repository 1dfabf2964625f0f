"""The chat on somebody's web page, in Chromium: pages of two other origins, one of which the key allows."""

from __future__ import annotations

import html
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import pytest
from django.test import Client
from playwright.sync_api import Page, expect, sync_playwright

from gptstudio.accounts.models import ApiKey
from serving_app import services
from serving_app.models import Completion, Deployment
from tests.chromium import FLAGS, PATIENCE, chromium
from training_app.models import LanguageModel

pytestmark = [pytest.mark.browser]


@dataclass
class Site:
    """A website on a port of its own; `line` stands in its only page, under a strict policy of its own."""

    server: ThreadingHTTPServer
    line: str = ""
    asked: list[str] = field(default_factory=list)

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def make_site(studio) -> Iterator:
    """Starts websites."""
    sites: list[Site] = []

    def make() -> Site:
        class Pages(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site.asked.append(self.path)
                body = f"<!doctype html><html lang=en><title>Shop</title><h1>Shop</h1><a href=#x>Goods</a>{site.line}"
                self.send_response(200)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header(
                    "Content-Security-Policy", f"default-src 'none'; script-src {studio}; connect-src {studio}"
                )
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, *_arguments) -> None:
                pass

        site = Site(ThreadingHTTPServer(("127.0.0.1", 0), Pages))
        sites.append(site)
        threading.Thread(target=site.server.serve_forever, args=(0.01,)).start()
        return site

    yield make
    for site in sites:
        site.server.shutdown()
        site.server.server_close()


@pytest.fixture
def shop(make_site, studio, base_model, as_alice, alice, workspace) -> Site:
    """A site with the line that the studio's page printed for it; its key asks a deployment of the tiny model."""
    targets = [{"model": base_model.id, "weight": 1}]
    made = services.create_deployment(as_alice, workspace_id=workspace.id, name="support", targets=targets)
    site, member = make_site(), Client(HTTP_HOST=urlsplit(studio).netloc)
    member.force_login(alice)
    site.line = printed_line(member, made.id, name="Ask the shop", origin=site.origin).replace(
        " defer", ' data-greeting="Good day." data-longest="60" defer'
    )
    return site


def printed_line(member: Client, deployment_id: str, *, name: str, origin: str) -> str:
    """What a person copies from the studio's page."""
    form = {"name": name, "origins": origin, "requests_per_minute": "30", "budget_micro": ""}
    printed = member.post(f"/deployments/{deployment_id}/widget", form).content.decode()
    [line] = re.findall(r'<pre id="line">(.*?)</pre>', printed, re.S)
    return html.unescape(line)


@pytest.fixture
def page(shop, monkeypatch) -> Iterator[Page]:
    """A fresh browser, begun after the studio and ended before it: both have an event loop."""
    path = chromium()
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # Playwright runs an event loop in this thread
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        made = browser.new_context(color_scheme="light").new_page()
        made.set_default_timeout(PATIENCE)
        made.faults = []
        made.on("console", lambda message: made.faults.append(message.text) if message.type == "error" else None)
        made.on("pageerror", lambda error: made.faults.append(str(error)))
        yield made
        browser.close()


def test_a_visitor_asks_by_keyboard_and_the_answer_comes_as_it_is_made(page, shop) -> None:
    page.goto(shop.origin)
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    opener = page.get_by_role("button", name="Chat with us")
    expect(opener).to_be_focused()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Ask the shop")
    expect(dialog).to_be_visible()
    log, field = dialog.get_by_role("log", name="Conversation"), dialog.get_by_label("Your question")
    expect(field).to_be_focused()
    expect(log).to_contain_text("Good day.")
    log.evaluate("""(log) => {
      window.grown = 0;
      new MutationObserver((seen) => { window.grown += seen.length; }).observe(log, { subtree: true, characterData: true });
    }""")
    page.keyboard.type("Where is my parcel?")
    page.keyboard.press("Enter")
    expect(log).to_contain_text("You: Where is my parcel?")
    expect(log).to_have_attribute("aria-busy", "false")
    expect(dialog.locator(".turn")).to_have_count(3)
    assert len(dialog.locator(".turn").last.inner_text()) > 20 and page.evaluate("window.grown") > 3, "it was streamed"
    request = Completion.objects.get()
    assert (request.deployment.name, request.state, request.streamed) == ("support", "completed", True)
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(opener).to_be_focused()
    assert page.faults == [] and shop.asked[0] == "/"


def ask(page: Page, question: str) -> None:
    opener = page.get_by_role("button", name="Chat with us")
    if opener.is_visible():
        opener.click()
    page.get_by_label("Your question").fill(question)
    page.get_by_role("button", name="Send").click()


def test_a_second_question_brings_the_first_along(page, shop) -> None:
    page.goto(shop.origin)
    ask(page, "One?")
    expect(page.get_by_role("log")).to_have_attribute("aria-busy", "false")
    with page.expect_request("**/v1/chat/completions") as sent:
        ask(page, "Two?")
    assert [each["role"] for each in sent.value.post_data_json["messages"]] == ["user", "assistant", "user"]
    expect(page.get_by_role("log")).to_have_attribute("aria-busy", "false")


def test_after_many_questions_what_is_sent_still_begins_with_one(page, shop) -> None:
    page.goto(shop.origin)
    for number in range(11):
        with page.expect_request("**/v1/chat/completions") as sent:
            ask(page, f"{number}?")
        expect(page.locator(".turn")).to_have_count(3 + 2 * number)  # with the greeting
        expect(page.get_by_role("log")).to_have_attribute("aria-busy", "false")
    roles = [each["role"] for each in sent.value.post_data_json["messages"]]
    assert roles == ["user", "assistant"] * 10 + ["user"]


def test_a_name_with_quotes_stays_a_title(shop, page, studio, alice) -> None:
    member, name = Client(HTTP_HOST=urlsplit(studio).netloc), 'Bob "the" shop" onload="document.title=1'
    member.force_login(alice)
    shop.line = printed_line(member, Deployment.objects.get().id, name=name, origin=shop.origin)
    page.goto(shop.origin)
    page.get_by_role("button", name="Chat with us").click()
    expect(page.get_by_role("dialog").get_by_role("heading")).to_have_text(name)
    assert page.locator("script").get_attribute("onload") is None


def test_a_model_that_is_not_released_any_more_is_said_to_be_away_for_good(page, shop) -> None:
    LanguageModel.objects.update(kind="fine_tune")
    page.goto(shop.origin)
    ask(page, "Hello?")
    expect(page.get_by_role("alert")).to_have_text("This chat is not available.")


def test_the_same_line_on_another_site_is_refused_and_says_so(page, shop, make_site) -> None:
    thief = make_site()
    thief.line = shop.line
    page.goto(thief.origin)
    ask(page, "Hello?")
    expect(page.get_by_role("alert")).to_have_text("This chat is not available.")
    assert not Completion.objects.exists()


def test_a_revoked_key_is_told_from_a_studio_that_is_away(page, shop, studio) -> None:
    page.goto(shop.origin)
    ask(page, "Hello?")
    expect(page.get_by_role("log")).to_have_attribute("aria-busy", "false")
    ApiKey.objects.update(revoked_at="2026-01-01T00:00:00Z")
    ask(page, "Are you there?")
    expect(page.get_by_role("alert")).to_have_text("This chat is not available.")
    page.route(f"{studio}/**", lambda route: route.abort())
    ask(page, "And now?")
    expect(page.get_by_role("alert")).to_have_text("The chat cannot be reached. Try again in a moment.")


def test_a_limit_and_a_spent_budget_are_said_in_words_for_visitors(page, shop) -> None:
    ApiKey.objects.update(requests_per_minute=1)
    page.goto(shop.origin)
    ask(page, "One?")
    expect(page.get_by_role("log")).to_have_attribute("aria-busy", "false")
    ask(page, "Two?")
    expect(page.get_by_role("alert")).to_have_text("Too many questions at the moment. Try again in a minute.")
    ApiKey.objects.update(requests_per_minute=None, budget_micro=0)
    ask(page, "Three?")
    expect(page.get_by_role("alert")).to_have_text("This chat is closed for now.")


def test_an_answer_is_stopped_and_what_came_stays(page, shop, engine) -> None:
    shop.line = shop.line.replace('data-longest="60"', "")
    page.goto(shop.origin)
    ask(page, "Tell me everything.")
    expect(page.locator(".turn").last).to_have_text(re.compile(r"Answer: .*\S", re.S))
    with engine.held():
        page.get_by_role("button", name="Stop").click()
        expect(page.get_by_role("button", name="Send")).to_be_visible()
    expect(page.get_by_role("alert")).to_be_hidden()
    assert page.locator(".turn").last.inner_text() != "Answer: "


SHADE = "(panel) => getComputedStyle(panel).backgroundColor.match(/\\d+/g).slice(0, 3).reduce((sum, each) => sum + +each, 0) / 3"


def test_it_follows_the_visitors_theme_or_the_sites_and_fills_a_phone(page, shop) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto(shop.origin)
    page.get_by_role("button", name="Chat with us").click()
    panel = page.get_by_role("dialog")
    assert panel.bounding_box() == {"x": 0, "y": 0, "width": 390, "height": 800}
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert panel.evaluate(SHADE) > 200
    page.emulate_media(color_scheme="dark")
    assert panel.evaluate(SHADE) < 60
    shop.line = shop.line.replace("data-title", 'data-theme="light" data-title')
    page.reload()
    page.get_by_role("button", name="Chat with us").click()
    assert page.get_by_role("dialog").evaluate(SHADE) > 200
