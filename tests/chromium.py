"""Where Chromium is, and how tests start it."""

from __future__ import annotations

import os
import shutil

import pytest
from playwright.sync_api import expect

PATIENCE = 120_000  # milliseconds: a page is waited for, however busy the machine
expect.set_options(timeout=PATIENCE)
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
NAMES = ("chromium", "chromium-browser", "google-chrome")


def chromium() -> str:
    """The program; without it the test is skipped, or fails under CI=true."""
    found = os.environ.get("CHROMIUM") or next((path for name in NAMES if (path := shutil.which(name))), "")
    if not found:
        if os.environ.get("CI") == "true":
            pytest.fail("Chromium is not installed, and CI=true")
        pytest.skip("Chromium is not installed")
    return found
