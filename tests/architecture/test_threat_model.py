"""Every test and command that the threat model leans on is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "threat-model.md").read_text(encoding="utf-8")
NAMED = re.findall(r"`([\w/]+/test_\w+\.py)(?:::(test_\w+))?`", TEXT)


def test_it_leans_on_many() -> None:
    assert len(NAMED) > 30 and TEXT.count("test_") == sum(1 + bool(name) for _, name in NAMED)


@pytest.mark.parametrize(("file", "name"), NAMED, ids=[" ".join(each) for each in NAMED])
def test_what_it_leans_on_is_there(file: str, name: str) -> None:
    found = [path for path in (ROOT / "tests").rglob("test_*.py") if path.as_posix().endswith(f"/{file}")]
    assert len(found) == 1
    assert not name or f"def {name}(" in found[0].read_text(encoding="utf-8")


def test_its_commands_are_there() -> None:
    commands = re.findall(r"`manage\.py (\w+)`", TEXT)
    assert len(commands) > 2
    for command in commands:
        assert len(list(ROOT.glob(f"**/management/commands/{command}.py"))) == 1
    for script in re.findall(r"`python (bench/\w+\.py)`", TEXT):
        assert (ROOT / script).exists()
