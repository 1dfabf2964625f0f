"""The demo data set: reproducible, as messy as its manifest says, and a stranger to the starter's text."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from gptstudio.overview.demo_data import files, personal
from gptstudio.overview.demo_data.wording import answer, shop
from training_app.engine.starter import conversations, grammar, messages, tasks

CODE = (conversations, messages, tasks)
WORDS_IN_COMMON = 6


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    out = tmp_path_factory.mktemp("demo")
    return out, files.write_all(out, 0)


def _csv_records(path: Path, delimiter: str) -> list[list[str]]:
    """Records after the header; each line decoded by itself, UTF-8 first, then cp1252."""
    lines = []
    for line in path.read_bytes().splitlines():
        try:
            lines.append(line.decode())
        except UnicodeDecodeError:
            lines.append(line.decode("cp1252"))
    return list(csv.reader(lines, delimiter=delimiter))[1:]


def _texts(out: Path) -> dict[tuple[str, int], str]:
    """The raw text of every record by file and 0-based number."""
    found = {(files.TICKETS, at): " ".join(row) for at, row in enumerate(_csv_records(out / files.TICKETS, ","))}
    found |= {(files.BRANCH, at): " ".join(row) for at, row in enumerate(_csv_records(out / files.BRANCH, ";"))}
    lines = (out / files.CHATS).read_text(encoding="utf-8").splitlines()
    return found | {(files.CHATS, at): line for at, line in enumerate(lines)}


def test_about_three_thousand_rows_are_written_and_counted(made: tuple[Path, dict[str, Any]]) -> None:
    out, manifest = made
    assert len(_texts(out)) == manifest["rows"] == sum(manifest["files"].values()) == 3000


def test_the_same_seed_writes_the_same_bytes_and_another_seed_does_not(
    made: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    files.write_all(tmp_path / "again", 0)
    files.write_all(tmp_path / "other", 1)
    for name in (*files.SHAPES, "planted.json"):
        assert (tmp_path / "again" / name).read_bytes() == (made[0] / name).read_bytes()
        assert (tmp_path / "other" / name).read_bytes() != (made[0] / name).read_bytes()


def test_every_planted_value_stands_in_its_row(made: tuple[Path, dict[str, Any]]) -> None:
    out, manifest = made
    texts = _texts(out)
    assert len(manifest["planted"]) > 300
    for entry in manifest["planted"]:
        assert entry["value"] in texts[entry["file"], entry["row"]], entry


def test_every_canary_stands_in_exactly_one_row_and_holds_its_secret(made: tuple[Path, dict[str, Any]]) -> None:
    out, manifest = made
    texts = _texts(out).values()
    assert len(manifest["canaries"]) == 10
    for canary, secret in zip(manifest["canaries"], manifest["canary_secrets"], strict=True):
        assert secret in canary
        assert sum(canary in text for text in texts) == 1


def test_marked_defects_are_really_there(made: tuple[Path, dict[str, Any]]) -> None:
    out, manifest = made
    texts = _texts(out)
    where = {kind: [(name, at) for name, at in rows] for kind, rows in manifest["defect_rows"].items()}
    chats = (out / files.CHATS).read_text(encoding="utf-8").splitlines()
    for name, at in where["truncated_json"]:
        assert name == files.CHATS
        with pytest.raises(json.JSONDecodeError):
            json.loads(chats[at])
    tables = {
        files.TICKETS: _csv_records(out / files.TICKETS, ","),
        files.BRANCH: _csv_records(out / files.BRANCH, ";"),
    }
    ragged = [(name, at) for name, table in tables.items() for at, row in enumerate(table) if len(row) != 4]
    assert sorted(ragged) == sorted(where["ragged"])
    assert all("<" in texts[place] for place in where["html"])
    assert all(len(texts[place].split()) > 500 for place in where["over_long"])


def test_every_exact_duplicate_has_its_original(made: tuple[Path, dict[str, Any]]) -> None:
    out, manifest = made
    listed = _csv_records(out / files.TICKETS, ",")
    copies = [at for name, at in manifest["defect_rows"]["exact_duplicate"] if name == files.TICKETS]
    assert len(copies) == 75
    assert all(listed.count(listed[at]) > 1 for at in copies)


def test_the_branch_export_is_neither_utf8_nor_cp1252_as_a_whole(made: tuple[Path, dict[str, Any]]) -> None:
    out, manifest = made
    lines = (out / files.BRANCH).read_bytes().splitlines()[1:]
    with pytest.raises(UnicodeDecodeError):
        b"\n".join(lines).decode()
    old = {at for _, at in manifest["rows_in_cp1252"]}
    for at, line in enumerate(lines):
        if at not in old:
            line.decode()
    assert 0 < len(old) < len(lines)


def test_topics_are_skewed_and_conversations_have_several_rows(made: tuple[Path, dict[str, Any]]) -> None:
    counts = list(made[1]["topics"].values())
    assert counts[0] > 10 * counts[-1]
    assert made[1]["conversations"]["with_several_rows"] > 100


def test_each_topic_and_product_has_one_answer_of_its_own() -> None:
    products = [product | {"p": product["name"]} for product in shop()["products"].values()]
    answers = {answer(topic, product) for topic in shop()["topics"] for product in products}
    assert len(answers) == len(products) * len(shop()["topics"])


def test_check_digits_agree_with_published_examples() -> None:
    assert personal.luhn_digit("7992739871") == "3"
    assert personal.iban("GB", "WEST12345698765432") == "GB82WEST12345698765432"


def _strings(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    parts = list(value.values()) + list(value) if isinstance(value, dict) else value if isinstance(value, list) else []
    return [text for part in parts for text in _strings(part)]


def _runs(texts: list[str]) -> set[tuple[str, ...]]:
    """Every run of six words in the texts."""
    found = set()
    for text in texts:
        words = re.findall(r"[a-z0-9']+", text.lower())
        found |= {tuple(words[at : at + WORDS_IN_COMMON]) for at in range(len(words) - WORDS_IN_COMMON + 1)}
    return found


def _starter_texts() -> list[str]:
    banks = [tomllib.loads(path.read_text(encoding="utf-8")) for path in sorted(grammar.BANK.glob("*.toml"))]
    code = [Path(module.__file__ or "").read_text(encoding="utf-8") for module in CODE]
    quoted = [text for source in code for text in re.findall(r'"([^"\n]+)"', source)]
    return _strings(banks) + quoted


def test_no_six_words_in_a_row_are_shared_with_the_starters_text() -> None:
    ours, theirs = _runs(_strings(shop())), _runs(_starter_texts())
    assert len(ours) > 500
    assert len(theirs) > 1000
    assert not ours & theirs


def test_no_product_and_no_answer_occurs_in_the_starters_text() -> None:
    theirs = "\n".join(_starter_texts()).lower()
    for product in shop()["products"].values():
        assert product["name"].lower() not in theirs
        assert re.search(rf"\b{product['name'].split()[0].lower()}\b", theirs) is None
    assert shop()["name"].lower() not in theirs


def test_the_command_prints_its_counts_as_json(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "gptstudio.overview.demo_data", "--out", str(tmp_path)]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert json.loads(printed)["rows"] == 3000
