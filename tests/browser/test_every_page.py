"""Every page of the URL table in Chromium: in both themes and at phone width, without a fault in the console, and without a
serious finding of axe-core.
"""

from __future__ import annotations

import pytest

from gptstudio.review.selectors import item_about
from tests.axe import THEME, WIDTH, findings
from tests.pages import pages
from tests.worlds import make_job, make_world

pytestmark = [pytest.mark.browser]
ENTRANCE = ("/accounts/login/", "/accounts/signup/", "/accounts/password/reset/", "/api/v1/docs")
ACCOUNT = (
    "/accounts/email/",
    "/accounts/password/change/",
    "/accounts/2fa/",
    "/accounts/2fa/totp/activate/",
    "/accounts/sessions/",
    "/accounts/times/",
    "/accounts/logout/",
)
CONSOLE = ("/admin/", "/admin/review/reviewitem/", "/admin/audit/auditevent/", "/admin/audit/auditevent/incidents/")
PARTS = (
    "tokens",
    "bill",
    "contents",
    "imports",
    "progress",
    "live",
    "running",
    "preflight",
    "export",
    "exports",
    "evidence.html",
    "card.md",
    "preview",
    "taught",
)
LUMINANCE = """() => {
  const colour = getComputedStyle(document.body).backgroundColor.match(/[\\d.]+/g).map(Number);
  return (colour[0] + colour[1] + colour[2]) / 3;
}"""
SPILL = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


def whole_pages(ids: dict[str, str]) -> list[str]:
    """Addresses of pages that a person opens: not the parts that swap themselves, not the acts."""
    return [page.address(ids) for page in pages() if not page.is_act and page.route.rsplit("/", 1)[-1] not in PARTS]


def sign_in(watched, email: str, password: str) -> None:
    watched.visit("/accounts/login/")
    watched.page.fill("#id_login", email)
    watched.page.fill("#id_password", password)
    watched.page.get_by_role("button", name="Sign in").click()
    watched.page.wait_for_url(watched.address + "/")


def seen_at(watched, address: str) -> list[str]:
    """What is wrong with a page: wide and light, then dark, then on a phone."""
    page, seen = watched.page, []
    page.set_viewport_size({"width": 1280, "height": 900})
    page.emulate_media(color_scheme="light")
    if watched.visit(address) != 200:
        return ["did not open"]
    light = page.evaluate(LUMINANCE)
    seen += findings(page)
    page.emulate_media(color_scheme="dark")
    if address.startswith("/admin/"):
        watched.visit(address)  # unfold looks at the theme once
    dark = page.evaluate(LUMINANCE)
    seen += [f"in dark, {each}" for each in findings(page, *THEME)]
    page.set_viewport_size({"width": 400, "height": 800})
    seen += [f"on a phone, {each}" for each in findings(page, *WIDTH)]
    if page.evaluate(SPILL) > 0 and not address.startswith("/admin/"):
        seen.append("is wider than a phone")
    if not (light > 200 and dark < 60) and not address.startswith("/admin/"):
        seen.append(f"is {light:.0f} bright in light and {dark:.0f} in dark")
    return seen


def test_every_page_opens_in_both_themes_and_on_a_phone(watched, as_alice, starter, tmp_path) -> None:
    world = make_world(as_alice, base=starter, folder=tmp_path / "made")
    running = make_job(as_alice, version=world.version, base=starter, name="Second try")
    item = item_about(world.model.id, kind="model")
    seen = [f"{address}: {each}" for address in ENTRANCE for each in seen_at(watched, address)]
    sign_in(watched, "alice@care.example", "correct horse battery")
    addresses = [*whole_pages(world.ids), f"/fine-tunes/{running.id}/", *ACCOUNT, *CONSOLE]
    addresses.append(f"/admin/review/reviewitem/{item.id}/change/")
    assert len(addresses) > 40
    seen += [f"{address}: {each}" for address in addresses for each in seen_at(watched, address)]
    assert seen + watched.faults == []


def test_a_page_that_is_not_there_says_so_and_leads_home(watched, alice, workspace) -> None:
    sign_in(watched, "alice@care.example", "correct horse battery")
    assert watched.visit("/datasets/ds_nothing/") == 404
    assert "There is no data set ds_nothing in this workspace." in watched.text
    assert watched.visit("/no/such/address") == 404
    assert "There is nothing at this address" in watched.text
    watched.page.get_by_role("link", name="Go to home").click()
    watched.page.wait_for_url(watched.address + "/")
