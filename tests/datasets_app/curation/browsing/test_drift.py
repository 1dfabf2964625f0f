"""How the whole moved from one version to another."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest

from datasets_app.curation import __main__ as command
from datasets_app.curation.browsing.drift import drift_between
from datasets_app.curation.browsing.vocabulary import vocabulary_of

spec = importlib.util.spec_from_file_location("browsing_conftest", Path(__file__).with_name("conftest.py"))
shared = importlib.util.module_from_spec(spec)
spec.loader.exec_module(shared)
row = shared.row


@pytest.fixture
def sides(folder) -> tuple[Path, Path]:
    old = [row(n, "Where is my parcel? " + "please " * (n % 5), label="late" if n % 2 else "lost") for n in range(40)]
    new = [row(n, "Wo ist mein Päckchen? " + "bitte " * (n % 5 + 9), label="late") for n in range(40)]
    return folder("old", train=old), folder("new", train=new, test=[row(50, "Geheimnis")])


def test_labels_lengths_and_words_move(sides):
    found = drift_between(*sides)
    assert found.labels == 0.5 and found.label_index > 1 and found.length > 0.5 and found.length_index > 1
    assert found.words > 0.5 and found.is_notable
    assert {"bitte", "päckchen"} <= set(found.more) and {"please", "parcel"} <= set(found.fewer)
    assert found.shares == [("late", 0.5, 1.0), ("lost", 0.5, 0.0)]


def test_a_version_does_not_drift_from_itself(sides):
    found = drift_between(sides[0], sides[0])
    assert (found.labels, found.length, found.label_index, found.length_index, found.words) == (0, 0, 0, 0, 0)
    assert (found.more, found.fewer, found.shares, found.is_notable) == ([], [], [], False)


def test_versions_without_rows_drift_nowhere(folder, sides):
    found = drift_between(folder("none"), sides[0])
    assert found.words == 0 and found.more == []


def test_words_of_test_rows_do_not_show(sides):
    assert "geheimnis" not in vocabulary_of(sides[1])
    assert vocabulary_of(sides[1])["bitte"] == sum(n % 5 + 9 for n in range(40))


def test_the_command_line_prints_the_drift(sides, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["curation", "drift", "--old", str(sides[0]), "--new", str(sides[1])])
    assert command.main() == 0 and json.loads(capsys.readouterr().out)["words"] > 0.5
    monkeypatch.setattr("sys.argv", ["curation", "drift", "--old", str(sides[0]), "--new", str(tmp_path)])
    assert command.main() == 2 and "no rows" in capsys.readouterr().err
