"""Real public data, curated and read."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from datasets_app.curation.detect import detect
from datasets_app.curation.errors import Refusal
from datasets_app.curation.readers.upload import open_source
from datasets_app.curation.rows import Problem, Record
from tests.datasets_app.curation.conftest import Curated, curator

pytestmark = pytest.mark.long

FILES = {
    "banking77/train.csv": 10_003,
    "dialogues/sgd_test_messages.jsonl": 2_611,
    "chat/oasst_en_messages.jsonl": 547,
    "chat/fastchat_dummy_sharegpt.json": 500,
    "instructions/selfinstruct_human_alpaca.json": 427,
    "instructions/gsm8k_test.jsonl": 1_319,
}


BY_SHAPE = {"names": False}  # what the model of names finds in real texts is benchmarked


@pytest.fixture(scope="module")
def curated(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], Curated]:
    """A real file curated by the usual recipe, once for all tests that look at it."""
    curate, found = curator(tmp_path_factory.mktemp("real")), dict[Path, Curated]()

    def once(path: Path) -> Curated:
        if path not in found:
            found[path] = curate(path, out=str(len(found)), personal_data=BY_SHAPE)
        return found[path]

    return once


@pytest.mark.parametrize("name", FILES)
def test_real_files_are_curated_without_leaks_and_every_row_is_accounted_for(real_data, curated, name):
    done = curated(real_data / name)
    assert done.report["rows"]["in"] == FILES[name]
    assert done.report["splits"]["leaks"] == 0
    assert done.adds_up()
    assert done.report["splits"]["train"] > 0.5 * done.report["rows"]["kept"]


@pytest.mark.parametrize("name", ["chat/oasst_en_messages.jsonl", "chat/fastchat_dummy_sharegpt.json"])
def test_over_sampled_rows_with_shared_openings_do_not_leak(real_data, curate, write, name):
    text = (real_data / name).read_text(encoding="utf-8")
    given = json.loads(text) if name.endswith(".json") else [json.loads(line) for line in text.splitlines()]
    bare = [{key: row[key] for key in ("messages", "conversations") if key in row} for row in given]
    done = curate(write("a.json", json.dumps(bare * 3)), without=("tokens", "personal_data", "exact_duplicates"))
    openings = {name: {row["messages"][0]["content"] for row in done.rows(name)} for name in ("train", "test")}
    assert done.report["splits"]["leaks"] == 0 and done.adds_up()
    assert openings["test"] or "fastchat" in name  # there everything belongs together
    assert not {text for text in openings["train"] & openings["test"] if len(text.split()) >= 3}


def test_the_trees_of_oasst_stay_together(real_data, curated):
    done = curated(real_data / "chat" / "oasst_en_messages.jsonl")
    seen: dict[str, str] = {}
    for name in ("train", "validation", "test"):
        for row in done.rows(name):
            assert seen.setdefault(row["group"], name) == name
    assert len(seen) <= 100


def test_the_77_classes_of_banking77_stand_in_every_split(real_data, curated):
    done = curated(real_data / "banking77" / "train.csv")
    assert {name: len(found) for name, found in done.report["classes"].items()} == {
        "train": 77,
        "validation": 77,
        "test": 77,
    }
    shares = [done.report["splits"][name] / done.report["rows"]["kept"] for name in ("train", "validation", "test")]
    assert shares == pytest.approx([0.8, 0.1, 0.1], abs=0.01)


SPECTRUM = ("comma_in_quotes", "empty", "escaped_quotes", "newlines_crlf", "quotes_and_newlines", "utf8")


@pytest.mark.parametrize("name", SPECTRUM)
def test_csv_spectrum_is_read_as_expected(real_data, name):
    folder = real_data / "messy_csv" / "csv-spectrum"
    expected = json.loads((folder / "expected" / f"{name}.json").read_text(encoding="utf-8"))
    for row in expected:
        for column, value in row.items():
            row[column] = value.replace(
                "\r\n", "\n"
            )  # the stored CSV has plain line ends, its expected reading has not
    assert [record.values for record in open_source(folder / f"{name}.csv").records()] == expected


def test_every_messy_file_is_read_or_refused_with_a_sentence(real_data):
    paths = [*(real_data / "messy_csv").rglob("*.?sv"), *(real_data / "messy_json").rglob("*.json")]
    assert len(paths) > 70
    for path in paths:
        try:
            found = detect(path)
        except Refusal as refusal:
            assert refusal.message and refusal.fix
        else:
            assert found["rows"] > 0 or found["findings"], path
            json.dumps(found, allow_nan=False)


def test_json_that_is_broken_is_told_and_json_that_is_not_is_read(real_data):
    for path in sorted((real_data / "messy_json").rglob("*.json")):
        if "EXCLUDE" in path.name:
            continue
        found = list(open_source(path).records())
        broken = [each for each in found if isinstance(each, Problem) and each.reason == "bad_json"]
        # fail01…33 are broken but for what is no record anyway; a pass file has no broken record
        assert not (path.name.startswith("pass") and broken), path
        assert not (path.name.startswith("fail") and [each for each in found if isinstance(each, Record)]), path


@pytest.mark.parametrize(
    ("name", "encoding", "text"),
    [
        ("frictionless-py/table-infer-iso-8859-7.csv", "iso8859_7", "Αλεξανδρος"),
        ("frictionless-py/table-with-accents.csv", "cp1252", "Année"),
        ("messytables/characters.csv", "big5", "景點"),
        ("csvkit/test_utf16_big.csv", "utf-16", "ʤ"),
    ],
)
def test_old_encodings_come_out_readable(real_data, name, encoding, text):
    found = detect(real_data / "messy_csv" / name)
    assert found["encoding"] == encoding
    assert text in json.dumps([found["columns"], found["preview"]], ensure_ascii=False)


def test_comments_are_no_header(real_data):
    found = detect(real_data / "messy_csv" / "commons-csv" / "sample1.csv")
    assert found["columns"] == ["author", "title", "publishDate"]


def test_no_text_message_is_lost_through_its_quotes(real_data):
    found = list(open_source(real_data / "sms_spam" / "sms.tsv").records())
    assert len(found) == 5_574
    assert not [each for each in found if isinstance(each, Problem)]
    lines = (real_data / "sms_spam" / "sms.tsv").read_text(encoding="utf-8").splitlines()
    assert [f"{each.values['column_1']}\t{each.values['column_2']}" for each in found] == lines


TITLED = {"messytables/weird_head_padding.csv": (11, 12), "messytables/excel_pasting.csv": (9, 4)}


@pytest.mark.parametrize("name", TITLED)
def test_title_rows_end_where_the_table_begins(real_data, name):
    found = detect(real_data / "messy_csv" / name)
    assert (len(found["columns"]), found["header"]) == TITLED[name]


def test_no_row_of_a_messy_table_is_lost(real_data):
    for path in sorted((real_data / "messy_csv").rglob("*.?sv")):
        for found in open_source(path).records():
            assert found.line is not None and (isinstance(found, Record) or found.detail.endswith(".")), path
    numbers = {"csvkit/bad.csv": 3, "frictionless-py/invalid.csv": 3, "messytables/long.csv": 4000}
    for name, rows in numbers.items():
        assert detect(real_data / "messy_csv" / name)["rows"] == rows


def test_every_real_file_says_how_it_is_read(real_data):
    wanted = {
        "dialogues/abcd_sample.json": "messages",
        "dialogues/taubench_retail_transcripts.jsonl": "transcript",
        "multilingual/xquad.zh.json": "squad",
        "sms_spam/sms.tsv": "text_label",
        "tinyshakespeare/input.txt": "text",
        "faq/covid_faq_cdc.csv": "question_answer",
    }
    assert {name: detect(real_data / name)["layout"] for name in wanted} == wanted
