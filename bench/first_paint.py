"""Dashboard pages in Chromium with an empty cache: when something is first seen, and how much script comes, as it travels."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Page, sync_playwright
from studio import ROOT, free_port

from tests.chromium import FLAGS, chromium

TIMES = 3
SEEN = """() => ({
  paint: performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null,
  script: performance.getEntriesByType('resource').filter((each) => each.initiatorType === 'script')
    .reduce((sum, each) => sum + each.encodedBodySize, 0),
})"""


@contextmanager
def web() -> Iterator[str]:
    """The studio's web process on the settings of this one; its address."""
    port = free_port()
    running = subprocess.Popen([sys.executable, "-m", "gptstudio.server", "--port", str(port)], cwd=ROOT)
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(300):
            try:
                urllib.request.urlopen(f"{url}/health/web", timeout=5)
                break
            except (urllib.error.URLError, OSError):
                time.sleep(0.2)
        yield url
    finally:
        running.terminate()
        running.wait(timeout=60)


def _seen(page: Page) -> dict[str, Any]:
    """What SEEN tells once something is painted. Asked from outside: pages' own policy lets nothing in them wait for it."""
    for _ in range(500):
        found: dict[str, Any] = page.evaluate(SEEN)
        if found["paint"] is not None:
            return found
        page.wait_for_timeout(20)
    raise RuntimeError(f"{page.url} painted nothing in ten seconds.")


def measure(addresses: dict[str, str], *, email: str, password: str) -> dict[str, dict[str, Any]]:
    """By name of a page: KiB of script, and the middle of TIMES first paints in milliseconds, each with nothing in the cache."""
    found = {}
    with web() as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        first = browser.new_context()
        page = first.new_page()
        page.goto(f"{url}/accounts/login/")
        page.fill("#id_login", email)
        page.fill("#id_password", password)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(f"{url}/")
        signed_in = first.storage_state()
        for name, address in addresses.items():
            seen = []
            for _ in range(TIMES):
                context = browser.new_context(storage_state=signed_in, viewport={"width": 1280, "height": 900})
                page = context.new_page()
                page.goto(url + address, wait_until="load")
                seen.append(_seen(page))
                context.close()
            found[name] = {
                "script_kb": round(max(each["script"] for each in seen) / 1024, 1),
                "first_paint_ms": round(statistics.median(each["paint"] for each in seen)),
            }
        browser.close()
    return found
