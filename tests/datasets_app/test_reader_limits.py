"""What a child that reads an upload is told and may take, seen from inside it, through the door."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from datasets_app import builder
from datasets_app.reader_limits import LOOK, MIB

LOOKS_AT_ITSELF = """
import json, os, resource
most = {name: resource.getrlimit(getattr(resource, f"RLIMIT_{name}"))[0] for name in ("AS", "CPU", "FSIZE")}
print(json.dumps({"told": dict(os.environ), "most": most}))
"""
SECRET = ("SECRET_KEY", "DATABASE_URL", "REDIS_URL", "ENGINE_TOKEN", "HF_TOKEN", "EMAIL_URL", "AWS_SECRET_ACCESS_KEY")


def as_reader(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    monkeypatch.setattr(builder, "CURATION", (sys.executable, "-c", code))


def test_a_reader_is_limited_and_told_no_secret_of_the_studio(upload, monkeypatch) -> None:
    for name in SECRET:
        monkeypatch.setenv(name, "do-not-tell")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("https_proxy", "http://proxy:3128")
    as_reader(monkeypatch, LOOKS_AT_ITSELF)
    file = upload("question,answer\nWhere?,There.\n")
    found = builder.detect(file, on_tick=lambda: True).report
    assert "do-not-tell" not in found["told"].values()
    assert {"PATH", "TMPDIR", "HF_HUB_OFFLINE", "https_proxy"} <= set(found["told"])
    assert found["most"]["CPU"] == LOOK[0]
    assert 2**32 < found["most"]["AS"] < 2**48 and 0 < found["most"]["FSIZE"] < 2**48
    type(file).objects.filter(id=file.id).update(bytes=2048 * MIB)
    file.refresh_from_db()
    found = builder.detect(file, on_tick=lambda: True).report
    assert found["most"]["CPU"] == LOOK[0] + 2048 * LOOK[1], "a large upload has longer"


def test_a_reader_that_never_ends_is_stopped_with_a_sentence(upload, monkeypatch) -> None:
    monkeypatch.setattr(builder, "LOOK", (1, 0))
    as_reader(monkeypatch, "while True: pass")
    ended = builder.detect(upload("question,answer\nWhere?,There.\n"), on_tick=lambda: True)
    assert (ended.code, ended.message) == ("out_of_time", builder.TOO_LONG)


def test_a_reader_cannot_write_more_than_there_is_room_for(upload, monkeypatch, studio_home: Path) -> None:
    class Disk:
        free = 0

    monkeypatch.setattr("datasets_app.reader_limits.shutil.disk_usage", lambda _path: Disk)
    monkeypatch.setattr("datasets_app.reader_limits.KEPT_FREE", 4096)
    as_reader(monkeypatch, "import os; open(os.environ['TMPDIR'] + '/big', 'wb').write(bytes(9000))")
    assert builder.detect(upload("question,answer\nWhere?,There.\n"), on_tick=lambda: True).code == "failed"
