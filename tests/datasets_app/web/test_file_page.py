"""One file in the browser: its columns, the first rows through them, and who may change that."""

from __future__ import annotations

import pytest
from django.test import Client

from datasets_app.models import DatasetVersion
from gptstudio.audit.models import AuditEvent
from tests.worlds import make_dataset

pytestmark = pytest.mark.django_db


@pytest.fixture
def made(as_alice, studio_home):
    return make_dataset(as_alice)


@pytest.fixture
def address(made) -> str:
    return f"/datasets/{made[0].id}/files/{made[1].id}"


def test_the_page_offers_each_column_with_its_guess_and_shows_the_conversations(at_alice, address) -> None:
    page = at_alice.get(f"{address}/").content.decode()
    assert '<option value="prompt" selected>Question or text</option>' in page
    assert "found by itself" in page and "All 1</b> become conversations" in page
    assert "Where is my parcel?" in page and "On its way." in page


def looked() -> list[str]:
    """Whom the log names for having looked at first rows."""
    return [each.actor_label for each in AuditEvent.objects.filter(action="file.rows_shown")]


def test_who_uploaded_a_file_sees_its_first_rows_and_the_log_says_so_once_an_hour(at_alice, as_alice, address) -> None:
    assert looked() == []
    for _ in range(2):
        assert "Where is my parcel?" in at_alice.get(f"{address}/").content.decode()
    assert looked() == [as_alice.label]


def test_everybody_else_opens_them_first_which_is_written_down(at_bob, as_bob, address) -> None:
    page = at_bob.get(f"{address}/").content.decode()
    assert "Where is my parcel?" not in page and "On its way." not in page and "Show the first rows" in page
    assert "What each column is" in page and "hx-get" not in page.partition('id="columns"')[2].partition(">")[0]
    assert at_bob.get(f"{address}/preview", {"column-0": "prompt"}).status_code == 403
    wrong = at_bob.post(f"{address}/columns", {"column-0": "prompt"})
    assert wrong.status_code == 400 and "Where is my parcel?" not in wrong.content.decode() and looked() == []
    page = at_bob.post(f"{address}/open-rows", follow=True).content.decode()
    assert "Where is my parcel?" in page and "All 1</b> become conversations" in page
    assert at_bob.get(f"{address}/preview", {"column-0": "prompt"}).status_code == 200
    assert looked() == [as_bob.label]


def test_the_preview_follows_the_form_and_saves_nothing(at_alice, made, address) -> None:
    page = at_alice.get(f"{address}/preview", {"column-1": "prompt", "column-2": "label"}).content.decode()
    assert "label <b>delivery</b>" in page and "Where is my parcel?" not in page
    made[0].refresh_from_db()
    assert made[0].mapping is None


def test_a_column_named_twice_is_said_in_words(at_alice, address) -> None:
    page = at_alice.get(f"{address}/preview", {"column-0": "prompt", "column-1": "prompt"}).content.decode()
    assert "Two columns are named as question or text: “question” and “answer”" in page


def test_columns_that_are_saved_stand_in_the_next_version_and_can_be_taken_back(at_alice, made, address) -> None:
    at_alice.post(f"{address}/columns", {"column-0": "prompt", "column-1": "completion", "column-2": "group"})
    made[0].refresh_from_db()
    assert made[0].mapping["group"] == ["topic"]
    assert "set by a person" in at_alice.get(f"{address}/").content.decode()
    at_alice.post(f"{address}/guess")
    made[0].refresh_from_db()
    assert made[0].mapping is None


def test_a_question_without_an_answer_is_not_saved_and_says_what_is_missing(at_alice, made, address) -> None:
    page = at_alice.post(f"{address}/columns", {"column-0": "prompt"}, follow=True).content.decode()
    assert "The columns were not saved." in page and "no question with its answer" in page
    assert '<option value="prompt" selected>' in page, "what was chosen is still there to be mended"
    made[0].refresh_from_db()
    assert made[0].mapping is None


def test_a_viewer_sees_the_columns_and_cannot_change_them(address, workspace, alice) -> None:
    from gptstudio.accounts import services as accounts
    from gptstudio.accounts.policies import system

    dora = accounts.create_user(email="dora@care.example", name="Dora", password="correct horse battery")
    accounts.add_member(system(workspace.id), workspace_id=workspace.id, user=dora, role="viewer")
    client = Client()
    client.force_login(dora)
    page = client.get(f"{address}/").content.decode()
    assert "What each column is" in page and "Save the columns" not in page
    assert client.post(f"{address}/columns", {"column-0": "prompt"}).status_code == 403


@pytest.mark.parametrize("part", ["", "preview"])
def test_charlie_finds_no_file(charlie, address, part) -> None:
    client = Client()
    client.force_login(charlie)
    assert client.get(f"{address}/{part}").status_code == 404


@pytest.mark.parametrize("act", ["columns", "guess", "read", "open-rows"])
def test_charlie_changes_nothing(charlie, made, address, act) -> None:
    client = Client()
    client.force_login(charlie)
    assert client.post(f"{address}/{act}", {"column-0": "prompt", "column-1": "completion"}).status_code == 404
    made[0].refresh_from_db()
    assert made[0].mapping is None


def test_the_page_asks_few_queries(at_alice, address, django_assert_num_queries) -> None:
    at_alice.get(f"{address}/")
    with django_assert_num_queries(11):
        at_alice.get(f"{address}/")
    assert not DatasetVersion.objects.exists()


def test_the_page_shows_other_encodings_with_what_they_make_of_the_text_and_reads_again(at_alice, as_alice) -> None:
    from datasets_app import services

    dataset = services.create_dataset(as_alice, workspace_id=as_alice.workspace_id, name="sites")
    file = services.add_file(as_alice, dataset=dataset, name="sites.csv", chunks=[b"a,b\n\xa5x,1\n"])
    found = {
        "columns": ["a", "b"],
        "encoding": "latin-1",
        "header": 1,
        "encodings": [{"encoding": "latin-1", "sample": "¥x"}, {"encoding": "big5", "sample": "台"}],
    }
    services.finish_file(services.claim_file(file.id, holder="t"), detection=found)
    address = f"/datasets/{dataset.id}/files/{file.id}"
    page = at_alice.get(f"{address}/").content.decode()
    assert "台" in page and '<option value="big5">' in page and "in line 1" in page
    assert '<option value="utf-16-le">' in page, "what a refusal says to choose can be chosen"
    at_alice.post(f"{address}/read", {"encoding": "big5", "header": "0", "delimiter": "\t"})
    file.refresh_from_db()
    assert file.reading == {"encoding": "big5", "header": 0, "delimiter": "\t"} and file.state == "uploaded"


def test_a_wish_that_is_none_is_a_sentence_and_reads_nothing_again(at_alice, made, address) -> None:
    page = at_alice.post(f"{address}/read", {"encoding": "klingon", "header": "many"}, follow=True).content.decode()
    assert "The file was not read again." in page
    made[1].refresh_from_db()
    assert made[1].state == "processed"


def test_a_file_that_was_refused_for_its_letters_is_read_once_somebody_names_them(at_alice, as_alice) -> None:
    from datasets_app import services, tasks

    dataset = services.create_dataset(as_alice, workspace_id=as_alice.workspace_id, name="hindi")
    text = "प्रश्न,उत्तर\nमेरा ऑर्डर कब आएगा,कल सुबह\n"
    file = services.add_file(as_alice, dataset=dataset, name="hindi.csv", chunks=[text.encode("utf-16-le")])
    tasks.detect_file(file.id)
    address = f"/datasets/{dataset.id}/files/{file.id}"
    page = at_alice.get(f"{address}/").content.decode()
    assert "say that its encoding is utf-16-le" in page and '<option value="utf-16-le">' in page
    at_alice.post(f"{address}/read", {"encoding": "utf-16-le"})
    tasks.detect_file(file.id)
    file.refresh_from_db()
    assert file.state == "processed" and file.detection["columns"] == ["प्रश्न", "उत्तर"]
