"""What the uploading script talks to."""

from __future__ import annotations

import pytest
from django.test import Client

from datasets_app import services
from datasets_app.models import Dataset, DatasetFile, FileUpload, UploadState

pytestmark = pytest.mark.django_db
CONTENT = b"question,answer\nWhere is it?,On its way.\n"
FILE = {"name": "tickets.csv", "bytes": len(CONTENT), "fingerprint": "f" * 16, "dataset_name": "Support"}


@pytest.fixture(autouse=True)
def home(studio_home):
    return studio_home


def begin(at, **changes):
    return at.post("/datasets/uploads", {**FILE, **changes})


def send(at, upload: str, offset: int, data: bytes):
    address = f"/datasets/uploads/{upload}/parts?offset={offset}"
    return at.post(address, data, content_type="application/octet-stream")


def test_a_file_goes_over_in_parts_and_makes_its_data_set(at_bob):
    upload = begin(at_bob).json()
    assert (upload["received"], upload["part_bytes"] > 1 << 20) == (0, True)
    assert send(at_bob, upload["id"], 0, CONTENT[:20]).json()["received"] == 20
    assert send(at_bob, upload["id"], 20, CONTENT[20:]).json()["received"] == len(CONTENT)
    answer = at_bob.post(f"/datasets/uploads/{upload['id']}/complete").json()
    dataset = Dataset.objects.get()
    assert answer == {"dataset": dataset.id, "location": f"/datasets/{dataset.id}/"}
    assert dataset.name == "Support"
    assert DatasetFile.objects.get().path.read_bytes() == CONTENT


def test_the_same_file_chosen_again_goes_on_where_it_stopped(at_bob, at_alice):
    upload = begin(at_bob).json()
    send(at_bob, upload["id"], 0, CONTENT[:20])
    again = begin(at_bob).json()
    assert (again["id"], again["received"]) == (upload["id"], 20)
    assert begin(at_bob, fingerprint="0" * 16).json()["received"] == 0
    assert begin(at_alice).json()["id"] != upload["id"]  # somebody else's is not taken up
    page = at_bob.get("/datasets/new").content.decode()
    assert "Uploads that broke off" in page and "tickets.csv" in page


def test_a_part_out_of_turn_is_told_where_to_go_on(at_bob):
    upload = begin(at_bob).json()
    answer = send(at_bob, upload["id"], 10, CONTENT)
    assert answer.status_code == 409
    assert "begins at byte 0" in answer.json()["message"]


def test_an_upload_for_a_data_set_that_stands_is_shown_there_and_can_be_given_up(at_bob, dataset):
    upload = begin(at_bob, dataset=dataset.id).json()
    assert "tickets.csv" in at_bob.get(f"/datasets/{dataset.id}/").content.decode()
    assert at_bob.post(f"/datasets/uploads/{upload['id']}/cancel")["Location"] == f"/datasets/{dataset.id}/"
    assert FileUpload.objects.get().state == UploadState.CANCELLED


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"bytes": 0}, "is empty"),
        ({"bytes": 10**15}, "larger than"),
        ({"bytes": "many"}, "cannot be announced"),
        ({"name": "/"}, "no name"),
        ({"dataset": "ds_none"}, "no data set"),
    ],
)
def test_what_cannot_be_sent_is_refused_in_a_sentence(at_bob, change, words):
    answer = begin(at_bob, **change)
    assert 400 <= answer.status_code < 500
    assert words in answer.json()["message"]


def test_a_part_that_says_no_place_and_an_end_before_its_time_are_refused(at_bob):
    upload = begin(at_bob).json()["id"]
    answer = at_bob.post(f"/datasets/uploads/{upload}/parts", b"x", content_type="application/octet-stream")
    assert answer.status_code == 400
    answer = at_bob.post(f"/datasets/uploads/{upload}/complete")
    assert answer.status_code == 400 and "0 bytes" in answer.json()["message"]


def test_a_stranger_and_a_viewer_are_refused(at_bob, charlie, bob, workspace):
    from gptstudio.accounts.models import Membership

    upload = begin(at_bob).json()["id"]
    at_charlie = Client()
    at_charlie.force_login(charlie)
    assert send(at_charlie, upload, 0, CONTENT).status_code == 404
    assert at_charlie.post(f"/datasets/uploads/{upload}/complete").status_code == 404
    Membership.objects.filter(user=bob, workspace=workspace).update(role="viewer")
    assert begin(at_bob).status_code == 403
    assert send(at_bob, upload, 0, CONTENT).status_code == 403
    assert services.expire_uploads() == 0
