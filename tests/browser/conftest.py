"""Chromium, and a studio that it can reach."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, sync_playwright

from tests.chromium import FLAGS, PATIENCE, chromium


class Watched:
    """A page, and what went wrong on it: console errors, exceptions, requests that leave the studio."""

    def __init__(self, page: Page, address: str) -> None:
        self.page, self.address, self.faults = page, address, []
        page.on("console", lambda message: self._note(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: self._note(str(error)))
        page.on("request", lambda request: self._outside(request.url))

    def _note(self, fault: str) -> None:
        self.faults.append(f"{self.page.url.removeprefix(self.address)}: {fault}")

    def _outside(self, url: str) -> None:
        if not url.startswith((self.address, "data:", "blob:")):
            self._note(f"asked {url}")

    def visit(self, path: str) -> int:
        answer = self.page.goto(self.address + path)
        assert answer is not None
        return answer.status

    @property
    def text(self) -> str:
        return self.page.inner_text("body")


@pytest.fixture
def watched(transactional_db, studio_home, live_server, monkeypatch) -> Iterator[Watched]:
    """A fresh browser on a fresh studio.

    Playwright runs an event loop in this thread, so Django must be told that its queries here are meant; both end
    with the test, before the database is emptied.
    """
    path = chromium()
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        context = browser.new_context(viewport={"width": 1280, "height": 900}, color_scheme="light")
        context.set_default_timeout(PATIENCE)
        yield Watched(context.new_page(), live_server.url)
        browser.close()
