"""A run replaces what an earlier one left, and nothing else."""

from __future__ import annotations

import pytest

from datasets_app.curation.browsing.index import write_index
from datasets_app.curation.browsing.vocabulary import write_vocabulary
from datasets_app.curation.browsing.words import write_words
from datasets_app.curation.errors import Refusal
from datasets_app.curation.output import check_output


@pytest.fixture
def file(pairs):
    return pairs("Who?", "Where is it?")


def test_an_earlier_run_is_replaced_with_its_index(curate, file) -> None:
    done = curate(file)
    for write in (write_index, write_vocabulary, write_words):
        write(done.out)
    (done.out / "report.json").write_text("{}")
    assert curate(file).report["rows"]["in"] == 2
    assert not (done.out / "index.parquet").exists()


def test_a_folder_with_something_else_in_it_is_left_alone(curate, file, tmp_path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    with pytest.raises(Refusal, match=r"thesis\.txt") as refused:
        curate(file, out="mine")
    assert refused.value.code == "output_taken"
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "years of work"


def test_a_folder_that_the_input_lies_in_is_left_alone(curate, file, tmp_path) -> None:
    with pytest.raises(Refusal, match="lies in the output folder"):
        curate(file, out=".")
    done = curate(file)
    with pytest.raises(Refusal, match=r"train\.parquet"):
        curate(done.out / "train.parquet")
    assert file.exists() and done.rows()


def test_a_file_in_the_place_of_the_folder_is_left_alone(tmp_path) -> None:
    (tmp_path / "out").write_text("mine")
    with pytest.raises(Refusal, match="no folder"):
        check_output(tmp_path / "out", [])
