"""Data sets in the browser: upload, what was found, the recipe, a version's tabs."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from datasets_app import recipes, services
from datasets_app.models import Dataset, DatasetFile
from datasets_app.web.wording import changed, class_chart, length_chart
from tests.worlds import REPORT, make_dataset, make_version

pytestmark = pytest.mark.django_db
XHR = {"HTTP_X_REQUESTED_WITH": "XMLHttpRequest"}


def csv(name: str = "tickets.csv", content: bytes = b"question,answer\na,b\n") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


@pytest.fixture
def made(as_alice, studio_home):
    return make_dataset(as_alice)


@pytest.fixture
def version(as_alice, made):
    return make_version(as_alice, dataset=made[0])


def test_a_form_with_files_makes_a_data_set_and_keeps_them(at_alice, studio_home) -> None:
    answer = at_alice.post("/datasets/new", {"name": "support", "files": [csv(), csv("more.csv")]})
    dataset = Dataset.objects.get()
    assert answer["Location"] == f"/datasets/{dataset.id}/"
    assert sorted(DatasetFile.objects.values_list("name", flat=True)) == ["more.csv", "tickets.csv"]


def test_the_uploading_script_is_told_where_to_go(at_alice, made) -> None:
    answer = at_alice.post(f"/datasets/{made[0].id}/files", {"files": csv("b.csv")}, **XHR)
    assert answer.status_code == 204 and answer.headers["X-Location"] == f"/datasets/{made[0].id}/"


def test_an_empty_file_is_refused_by_name_and_the_others_are_kept(at_alice, studio_home) -> None:
    files = [csv("nothing.csv", b""), csv()]
    page = at_alice.post("/datasets/new", {"name": "support", "files": files}, follow=True).content.decode()
    assert "nothing.csv was not kept" in page
    assert DatasetFile.objects.get().name == "tickets.csv"


def test_a_data_set_without_a_name_keeps_nothing_and_says_so(at_alice, studio_home) -> None:
    answer = at_alice.post("/datasets/new", {"name": "", "files": csv()}, **XHR)
    assert answer.status_code == 400 and answer.content
    assert not Dataset.objects.exists()


def test_a_file_page_shows_columns_findings_with_their_line_and_the_first_rows(at_alice, made) -> None:
    dataset, file = made
    page = at_alice.get(f"/datasets/{dataset.id}/files/{file.id}/").content.decode()
    assert "A row is ragged." in page and "First in line 5" in page and "Where is my parcel?" in page


def test_a_file_that_cannot_be_read_says_why(at_alice, as_alice, studio_home) -> None:
    dataset = services.create_dataset(as_alice, workspace_id=as_alice.workspace_id, name="pictures")
    file = services.add_file(as_alice, dataset=dataset, name="a.csv", chunks=[b"\x89PNG"])
    services.fail_file(services.claim_file(file.id, holder="t"), error="a.csv is a PNG picture.")
    assert "a.csv is a PNG picture." in at_alice.get(f"/datasets/{dataset.id}/").content.decode()


def test_a_report_that_keeps_personal_data_waits_for_a_reviewer(at_alice, as_alice, made) -> None:
    recipe = recipes.default_recipe()
    recipes.step(recipe, "personal_data")["enabled"] = False
    version = make_version(as_alice, dataset=made[0], recipe=recipe)
    page = at_alice.get(f"/datasets/versions/{version.id}/").content.decode()
    assert "Nobody can train on it until somebody decides" in page


def test_the_report_adds_up_and_shows_what_was_hidden(at_alice, version) -> None:
    page = at_alice.get(f"/datasets/versions/{version.id}/").content.decode()
    assert "100 of 101 rows from 1 file; 1 left out" in page
    assert "0 of 10" in page and "<mark>[EMAIL]</mark>" in page and "Exact copy of another row" in page


def test_what_was_left_out_names_line_and_reason(at_alice, version) -> None:
    page = at_alice.get(f"/datasets/versions/{version.id}/left-out?reason=exact_duplicate").content.decode()
    assert "line 63" in page and "An earlier row says the same." in page


def test_progress_is_quiet_until_something_changes_and_loads_the_page_when_it_is_over(at_alice, as_alice, made) -> None:
    version = services.create_version(as_alice, dataset=made[0])
    claimed = services.claim_version(version.id, holder="t")
    address = f"/datasets/versions/{version.id}/progress"
    services.note_progress(claimed, progress={"step": "near_duplicates", "done": 5, "total": 10})
    shown = at_alice.get(f"{address}?mark=older").content.decode()
    assert "Looking for near-copies" in shown and "width:50%" in shown
    mark = shown.split("mark=")[1].split('"')[0]
    assert at_alice.get(f"{address}?mark={mark}").status_code == 204
    services.finish_version(claimed, report=REPORT, digest="d" * 64)
    assert at_alice.get(f"{address}?mark={mark}").headers["HX-Refresh"] == "true"


def test_a_failed_version_says_what_to_do_and_can_be_tried_again(at_alice, as_alice, made) -> None:
    version = services.create_version(as_alice, dataset=made[0])
    claimed = services.claim_version(version.id, holder="t")
    services.fail_version(claimed, code="empty", message="No row is left.", fix="Look at the mapping.")
    page = at_alice.get(f"/datasets/versions/{version.id}/").content.decode()
    assert "No row is left." in page and "Look at the mapping." in page
    at_alice.post(f"/datasets/versions/{version.id}/retry")
    version.refresh_from_db()
    assert version.state == "queued"


def test_a_version_that_kept_nothing_leads_to_the_columns_and_not_to_another_try(at_alice, as_alice, made) -> None:
    version = services.create_version(as_alice, dataset=made[0])
    claimed = services.claim_version(version.id, holder="t")
    services.fail_version(claimed, code="nothing_left", message="No row is left to learn from.", fix="Check it.")
    page = at_alice.get(f"/datasets/versions/{version.id}/").content.decode()
    assert "Look at the columns of its files" in page and "Try again" not in page
    assert "Failed <time" in page and "Made <time" not in page


def test_the_list_asks_the_same_few_queries_for_one_data_set_and_for_many(
    at_alice, as_alice, version, django_assert_num_queries
) -> None:
    with django_assert_num_queries(7):
        at_alice.get("/datasets/")
    for number in range(8):
        dataset, _file = make_dataset(as_alice, name=f"set {number}")
        services.create_version(as_alice, dataset=dataset)
    with django_assert_num_queries(7):
        at_alice.get("/datasets/")


def test_changes_are_marked_and_what_stayed_is_plain() -> None:
    pieces = changed("hi  its jane@x.org", "Hi its [EMAIL]")
    assert [(piece.text.strip(), piece.kind) for piece in pieces if piece.text.strip()] == [
        ("Hi", "ins"),
        ("its", "plain"),
        ("[EMAIL]", "mark"),
    ]


def test_the_charts_of_a_report_show_limit_and_shares() -> None:
    lengths, classes = length_chart(REPORT["tokens"]), class_chart(REPORT["classes"])
    assert lengths is not None and [bar.is_over for bar in lengths.bars] == [False, False, False, True]
    assert classes is not None and classes.bars[0].text == "62.5 %"
