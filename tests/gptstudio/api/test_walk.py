"""The walk of docs/api.md as it is printed there: by curl against a server, with the real curation behind it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import threading
from pathlib import Path

import pytest
from django.db import connection

from datasets_app import tasks
from datasets_app.models import DatasetFile, DatasetVersion, FindingDecision, RecipePreview
from gptstudio.accounts.services import issue_key
from gptstudio.audit.models import AuditEvent

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def worker(transactional_db, studio_home):
    """What a worker would do, until the test ends."""
    ended = threading.Event()

    def work() -> None:
        while not ended.wait(0.1):
            for file in DatasetFile.objects.filter(state="uploaded"):
                tasks.detect_file(file.id)
            for preview in RecipePreview.objects.filter(state="queued"):
                tasks.preview_recipe(preview.id)
            for version in DatasetVersion.objects.filter(state="queued"):
                tasks.build_version(version.id)
        connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    yield
    ended.set()
    thread.join(timeout=120)


@pytest.mark.once
def test_the_printed_walk_goes_from_a_file_to_an_edited_version(
    worker, live_server, as_alice, workspace, tmp_path
) -> None:
    if not (shutil.which("curl") and shutil.which("jq")):
        if os.environ.get("CI") == "true":
            pytest.fail("curl or jq is not installed, and CI=true")
        pytest.skip("curl or jq is not installed")
    lines = ["question,answer"]
    for number in range(40):
        words = " ".join(
            f"{letter}{number * factor % 997}" for letter, factor in zip("abcd", (3, 5, 7, 11), strict=True)
        )
        mail = f" Write to customer{number}@mail.example." if number % 4 == 0 else ""
        lines.append(f"How do I find {words}?{mail},Look under {number * number} {words}.")
    tickets = tmp_path / "tickets.csv"
    tickets.write_text("\n".join(lines) + "\n", encoding="utf-8")
    _key, secret = issue_key(as_alice, workspace_id=workspace.id, name="walk", scopes=["files:read", "files:write"])
    (script,) = re.findall(r"```bash\n(.*?)```", (ROOT / "docs" / "api.md").read_text(encoding="utf-8"), flags=re.S)
    ended = subprocess.run(
        ["bash", "-c", script],
        env={"PATH": os.environ["PATH"], "STUDIO": live_server.url, "KEY": secret, "FILE": str(tickets)},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout[-1500:] + ended.stderr[-1500:]
    said = ended.stdout
    assert '"rows": 40' in said and '"state": "ready"' in said and '"replace"' in said
    assert re.search(r'"changed": 1\b', said) and "# support, version 2" in said
    assert '["Project Bluebird"]' in said and '"sampled":40' in said and FindingDecision.objects.count() == 1
    assert AuditEvent.objects.filter(action="version.clear_text_shown").count() == 1
    assert DatasetVersion.objects.latest("number").origin == "made" and said.count("\n1\n1\n") == 1
