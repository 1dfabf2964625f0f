"""Texts of pages are taken from the catalogue of the reader's language, where there is one."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

pytestmark = pytest.mark.django_db
GERMAN = {"": "Content-Type: text/plain; charset=UTF-8\n", "API keys": "Schlüssel", "Part of a name": "Teil des Namens"}


def write_catalogue(folder: Path, said: dict[str, str]) -> None:
    """As msgfmt does: a head, where each text lies, the texts."""
    pairs = [(key.encode(), value.encode()) for key, value in sorted(said.items())]
    texts, places, count = b"", [], len(pairs)
    for side in (0, 1):
        for pair in pairs:
            places += [len(pair[side]), 28 + 16 * count + len(texts)]
            texts += pair[side] + b"\0"
    head = struct.pack("<7I", 0x950412DE, 0, count, 28, 28 + 8 * count, 0, 0)
    folder.mkdir(parents=True)
    (folder / "django.mo").write_bytes(head + struct.pack(f"<{len(places)}I", *places) + texts)


def test_a_catalogue_changes_a_page_for_who_reads_that_language(at_alice, settings, tmp_path) -> None:
    write_catalogue(tmp_path / "de" / "LC_MESSAGES", GERMAN)
    settings.LOCALE_PATHS, settings.LANGUAGES = [tmp_path], [("de", "de"), ("en", "en")]
    german = at_alice.get("/keys/", headers={"Accept-Language": "de-AT,en;q=0.5"}).content.decode()
    assert '<html lang="de">' in german and "<h1>Schlüssel</h1>" in german
    english = at_alice.get("/keys/", headers={"Accept-Language": "fr"}).content.decode()
    assert '<html lang="en">' in english and "<h1>API keys</h1>" in english
