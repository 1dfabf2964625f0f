"""An upload that breaks off, in Chromium: paused, cut, reloaded, and whole in the end."""

from __future__ import annotations

import re

import pytest
from django.contrib.sessions.models import Session
from playwright.sync_api import expect

from datasets_app.models import DatasetFile, FileUpload
from tests.browser.test_every_page import sign_in

pytestmark = [pytest.mark.browser]


@pytest.fixture
def table(tmp_path):
    """A table of some parts' size."""
    path = tmp_path / "tickets.csv"
    row = b"Where is my parcel?,It is on its way to you.\n"
    path.write_bytes(b"question,answer\n" + row * (9_000_000 // len(row)))
    return path


def test_an_upload_goes_on_after_a_lost_connection_and_a_reload(watched, alice, workspace, table) -> None:
    page = watched.page
    page.on("dialog", lambda dialog: dialog.accept())
    sign_in(watched, "alice@care.example", "correct horse battery")
    cut = re.compile(r"/parts\?offset=[1-9]")
    page.route(cut, lambda route: route.abort())
    watched.visit("/datasets/new")
    page.set_input_files("#id_files", str(table))
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_text("The connection is lost")).to_be_visible()
    assert FileUpload.objects.get().parts.count() == 1

    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_text("Paused. Nothing is lost.")).to_be_visible()
    page.unroute(cut)
    watched.visit("/datasets/new")
    expect(page.get_by_role("heading", name="Uploads that broke off")).to_be_visible()

    page.set_input_files("#id_files", str(table))
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_role("heading", name="tickets")).to_be_visible()
    file = DatasetFile.objects.get()
    assert file.path.read_bytes() == table.read_bytes()
    assert FileUpload.objects.get().file_id == file.id
    assert [fault for fault in watched.faults if "ERR_FAILED" not in fault] == []


def test_an_upload_whose_session_ends_on_the_way_says_so_and_goes_on_after_signing_in(
    watched, alice, workspace, table
) -> None:
    page = watched.page
    page.on("dialog", lambda dialog: dialog.accept())
    sign_in(watched, "alice@care.example", "correct horse battery")

    def end_session(route) -> None:
        Session.objects.all().delete()
        route.continue_()

    second = re.compile(r"/parts\?offset=[1-9]")
    page.route(second, end_session)
    watched.visit("/datasets/new")
    page.set_input_files("#id_files", str(table))
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_text("You were signed out. Sign in, and choose the file again")).to_be_visible()
    assert FileUpload.objects.get().parts.count() == 1

    page.unroute(second)
    watched.visit("/datasets/new")
    page.fill("#id_login", "alice@care.example")
    page.fill("#id_password", "correct horse battery")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Uploads that broke off")).to_be_visible()
    page.set_input_files("#id_files", str(table))
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_role("heading", name="tickets")).to_be_visible()
    assert DatasetFile.objects.get().path.read_bytes() == table.read_bytes()
    assert FileUpload.objects.get().file_id == DatasetFile.objects.get().id
    assert watched.faults == []


def test_a_file_dropped_anywhere_on_the_page_is_taken_and_a_refused_one_says_why(watched, alice, workspace) -> None:
    page = watched.page
    sign_in(watched, "alice@care.example", "correct horse battery")
    watched.visit("/datasets/new")
    page.evaluate(
        """() => {
          const carried = new DataTransfer();
          carried.items.add(new File(["question,answer\\na,b\\n"], "dropped.csv"));
          carried.items.add(new File([], "empty.csv"));
          document.querySelector("h1").dispatchEvent(new DragEvent("drop", { bubbles: true, dataTransfer: carried }));
        }"""
    )
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_text("empty.csv is empty.")).to_be_visible()
    page.get_by_role("link", name="The other files were kept. Go to the data set").click()
    expect(page.get_by_role("heading", name="dropped")).to_be_visible()
    assert DatasetFile.objects.get().name == "dropped.csv"
