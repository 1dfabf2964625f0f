"""The rules of the house that no import contract holds."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOP = {
    "manage.py",
    "gptstudio",
    "datasets_app",
    "training_app",
    "serving_app",
    "templates",
    "tests",
    "requirements.txt",
    "docker-compose.yml",
}
BESIDE = {
    ".ci",
    ".dockerignore",
    ".env.example",
    ".gitignore",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "Dockerfile",
    "LICENSE",
    "Makefile",
    "README.md",
    "bench",
    "deploy",
    "docs",
    "pyproject.toml",
    "requirements-dev.txt",
}
DRAWERS = {"utils.py", "util.py", "helpers.py", "helper.py", "common.py", "misc.py"}


def tracked() -> list[Path]:
    listing = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [Path(line) for line in listing.stdout.splitlines() if (ROOT / line).exists()]


def test_the_top_level_holds_what_the_design_names() -> None:
    top = {path.parts[0] for path in tracked()}
    assert top <= TOP | BESIDE, f"unexpected at the top: {sorted(top - TOP - BESIDE)}"
    assert top >= TOP


def test_there_is_no_drawer_of_odds_and_ends() -> None:
    assert [str(path) for path in tracked() if path.name in DRAWERS] == []


def test_no_python_file_passes_300_lines() -> None:
    product = [path for path in tracked() if path.suffix == ".py" and path.parts[0] not in ("tests", "bench")]
    long = {str(path): lines for path in product if (lines := (ROOT / path).read_text().count("\n")) > 300}
    assert {path: lines for path, lines in long.items() if "migrations" not in path} == {}


@pytest.mark.parametrize("name", ["gptstudio/settings/env.py", "training_app/engine/__main__.py"])
def test_the_readers_of_the_environment_exist(name: str) -> None:
    assert "os.environ" in (ROOT / name).read_text()


def test_only_settings_and_engine_mains_read_the_environment() -> None:
    allowed = ("gptstudio/settings/", "gptstudio/asgi.py", "gptstudio/celery.py", "manage.py", "tests/", "bench/")
    # These pass it on, and read nothing from it.
    children = ("gptstudio/core/child.py", "gptstudio/core/supervisor.py", "gptstudio/overview/backup/database.py")
    found = [
        str(path)
        for path in tracked()
        if path.suffix == ".py"
        and path.name != "__main__.py"
        and not str(path).startswith((*allowed, *children))
        and "os.environ" in (ROOT / path).read_text()
    ]
    assert found == []


def test_imports_point_the_way_the_house_allows() -> None:
    outcome = subprocess.run(
        [Path(sys.executable).with_name("lint-imports")], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert outcome.returncode == 0, outcome.stdout[-3000:]
