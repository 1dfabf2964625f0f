"""The content security policy allows no inline script, so templates must hold none."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
TEMPLATES = sorted(path for path in (ROOT / "templates").rglob("*.html") if "admin" not in path.parts)
HANDLER = re.compile(r"\son[a-z]+\s*=|javascript:|hx-on", re.IGNORECASE)
SCRIPT = re.compile(r"<script\b[^>]*>", re.IGNORECASE)
OUTSIDE = re.compile(r"(?:src|href)=\"(?:https?:)?//", re.IGNORECASE)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_template_holds_no_inline_handler_and_nothing_from_outside(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not HANDLER.search(text)
    assert not OUTSIDE.search(text)
    for script in SCRIPT.findall(text):
        assert "nonce=" in script and "src=" in script


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nobody_is_asked_whether_they_are_sure(path: Path) -> None:
    assert "are you sure" not in path.read_text(encoding="utf-8").lower()
