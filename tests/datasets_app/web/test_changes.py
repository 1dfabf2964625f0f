"""Differences, going back, the card and downloads in the browser."""

from __future__ import annotations

import io
import zipfile

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from datasets_app import services
from datasets_app.contents.card import card_of, markdown
from datasets_app.models import DatasetVersion
from gptstudio.audit.models import AuditEvent
from tests.worlds import REPORT, ROWS, make_dataset, make_version

pytestmark = pytest.mark.django_db


@pytest.fixture
def version(as_alice, studio_home):
    return make_version(as_alice, dataset=make_dataset(as_alice)[0])


@pytest.fixture
def second(as_alice, version):
    """The next version: row 3 of training says something else, row 5 is gone."""
    later = make_version(as_alice, dataset=version.dataset)
    changed = {
        "messages": [{"role": "user", "content": "Where is my box 3?"}, {"role": "assistant", "content": "On its way."}]
    }
    rows = [{**row, **changed} if row["row"] == 3 else row for row in ROWS if row["row"] != 5]
    pq.write_table(pa.Table.from_pylist(rows), later.split_path("train"))
    return later


def text_of(answer) -> str:
    return answer.content.decode()


def test_a_version_is_compared_with_the_one_it_descends_from(at_alice, second) -> None:
    page = text_of(at_alice.get(f"/datasets/versions/{second.id}/changes"))
    assert "<ins>my box</ins>" in page and "rows removed" in page
    assert "Drift" in page and "Said more:" in page and "Length index" in page
    only = text_of(at_alice.get(f"/datasets/versions/{second.id}/changes?kind=removed"))
    assert "<ins>" not in only and "<del>" in only


def test_the_first_version_has_nothing_to_be_compared_with(at_alice, version) -> None:
    assert "Nothing to compare with" in text_of(at_alice.get(f"/datasets/versions/{version.id}/changes"))


def test_a_version_of_strangers_is_not_compared_with(at_alice, as_charlie, version) -> None:
    theirs = make_version(as_charlie, dataset=make_dataset(as_charlie)[0])
    assert at_alice.get(f"/datasets/versions/{version.id}/changes?with={theirs.id}").status_code == 404
    assert at_alice.get(f"/datasets/versions/{version.id}/changes?with={version.id}&kind=odd").status_code == 400


def test_going_back_makes_a_new_version(at_alice, version, second) -> None:
    answer = at_alice.post(f"/datasets/versions/{version.id}/restore")
    made = DatasetVersion.objects.get(number=3)
    assert answer["Location"] == f"/datasets/versions/{made.id}/" and made.recipe == version.recipe


def test_the_card_says_what_was_done_and_what_it_cannot_promise(at_alice, version) -> None:
    page = text_of(at_alice.get(f"/datasets/versions/{version.id}/card"))
    for said in (
        "Exact copy of another row",
        "0 of 20 validation and test rows",
        "No finder of personal data",
        "d" * 64,
    ):
        assert said in page


def test_the_card_says_whom_the_rows_speak_of_and_warns(version) -> None:
    people = {"rows": 40, "kinds": {"gender": {"men": {"rows": 40, "labels": {}}}}}
    warning = {"kind": "gender", "message": "40 training rows speak of men.", "fix": "Bring others."}
    version.report = {**REPORT, "quality": {"rows": 60, "people": people, "warnings": [warning]}}
    said = markdown(card_of(version))
    assert "40 of 60 training rows speak of a group" in said and "| Gender | men | 40 |" in said
    assert "40 training rows speak of men. Bring others." in said


def test_the_card_as_markdown_is_a_file_whose_tables_hold(at_alice, version) -> None:
    version.report = {**REPORT, "classes": {"train": {"a|b\n<script>": 3}}}
    assert "a\\|b &lt;script>" in markdown(card_of(version))
    answer = at_alice.get(f"/datasets/versions/{version.id}/card?form=markdown")
    assert answer["Content-Type"].startswith("text/markdown") and f"{version.id}.md" in answer["Content-Disposition"]
    assert text_of(answer).startswith("# support, version 1")


@pytest.mark.parametrize("form", ["jsonl", "csv", "parquet"])
def test_rows_are_downloaded_and_the_log_says_by_whom(at_alice, version, form) -> None:
    answer = at_alice.post(f"/datasets/versions/{version.id}/take", {"split": "train", "form": form})
    body = b"".join(answer)
    assert answer["Content-Disposition"] == f'attachment; filename="support-v1-train.{form}"'
    assert (b"Where is parcel 59?" in body) or form == "parquet"
    assert AuditEvent.objects.get(action="version.downloaded").data == {"splits": ["train"], "format": form}


def test_test_rows_are_downloaded_only_by_who_says_so(at_alice, version) -> None:
    address = f"/datasets/versions/{version.id}/take"
    assert at_alice.post(address, {"split": "all"}).status_code == 409
    assert not AuditEvent.objects.filter(action="version.downloaded").exists()
    answer = at_alice.post(address, {"split": "all", "with_test": "1"})
    assert answer["Content-Disposition"].endswith('-all.zip"') and answer["Content-Type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(b"".join(answer))) as archive:
        assert sum(len(archive.read(name).splitlines()) for name in archive.namelist()) == 180
    assert AuditEvent.objects.filter(action="version.test_rows_opened").exists()


@pytest.mark.parametrize("asked", [{"split": "secret"}, {"form": "exe"}])
def test_a_download_that_is_none_is_refused_with_a_sentence(at_alice, version, asked) -> None:
    answer = at_alice.post(f"/datasets/versions/{version.id}/take", asked)
    assert answer.status_code == 400 and "Use one of" in text_of(answer)


def test_a_version_whose_rows_are_gone_says_so(at_alice, version) -> None:
    import shutil

    shutil.rmtree(version.folder)
    for tab in ("rows", "rows/train/0/"):
        answer = at_alice.get(f"/datasets/versions/{version.id}/{tab}")
        assert answer.status_code == 404 and "were erased" in text_of(answer)


def test_a_version_that_is_not_made_has_no_card_yet(at_alice, as_alice, version) -> None:
    queued = services.create_version(as_alice, dataset=version.dataset)
    assert "Waiting for a worker" in text_of(at_alice.get(f"/datasets/versions/{queued.id}/card"))
    assert "must be ready" in text_of(at_alice.get(f"/datasets/versions/{queued.id}/changes"))
