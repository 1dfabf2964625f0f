"""The row browser's pages: search, one row, edits, and test rows that stay shut."""

from __future__ import annotations

import pytest
from django.test.utils import CaptureQueriesContext

from datasets_app import services
from datasets_app.models import DatasetVersion, RowEdit
from gptstudio.audit.models import AuditEvent
from tests.worlds import make_dataset, make_version

pytestmark = pytest.mark.django_db


@pytest.fixture
def version(as_alice, studio_home):
    return make_version(as_alice, dataset=make_dataset(as_alice)[0])


@pytest.fixture
def address(version) -> str:
    return f"/datasets/versions/{version.id}/rows"


def text_of(answer) -> str:
    return answer.content.decode()


def test_rows_come_in_pages_and_the_cursor_goes_on(at_alice, address) -> None:
    first = text_of(at_alice.get(f"{address}?split=train"))
    assert "Where is parcel 0?" in first and "Where is parcel 20?" not in first and "60 rows" in first
    second = text_of(at_alice.get(f"{address}?split=train&after=19:19"))
    assert "Where is parcel 20?" in second and "From the beginning" in second
    assert at_alice.get(f"{address}?after=nonsense").status_code == 400
    assert "Where is parcel 0?" in text_of(at_alice.get(f"{address}?split=secret&sort=odd&least=x&cluster=²"))


def test_a_search_that_finds_nothing_says_what_to_do(at_alice, address) -> None:
    page = text_of(at_alice.get(f"{address}?q=nothing+like+this&label=delivery"))
    assert "No row matches all of this." in page and "Test rows are not searched while they are shut." in page


def test_test_rows_are_shut_until_somebody_opens_them_and_the_log_says_who(at_alice, at_bob, address, version) -> None:
    shut = text_of(at_alice.get(f"{address}?split=test"))
    assert "Test rows are kept shut" in shut and "Where is parcel" not in shut
    assert at_alice.get(f"{address}/test/0/").status_code == 403
    assert at_alice.get(f"{address}/test/0/edit").status_code == 403
    assert at_alice.post(f"{address}/test/0/as-it-came").status_code == 403
    opened = at_alice.post(f"{address}/open-test", follow=True)
    assert "Where is parcel 0?" in text_of(opened) and "Test rows are open in this session." in text_of(opened)
    assert at_alice.get(f"{address}/test/0/").status_code == 200
    assert AuditEvent.objects.get(action="version.test_rows_opened").actor_label == "alice@care.example"
    assert at_bob.get(f"{address}/test/0/").status_code == 403


def test_a_row_shows_its_turns_its_place_and_its_neighbours(at_alice, address) -> None:
    page = text_of(at_alice.get(f"{address}/train/3/"))
    assert "Where is parcel 3?" in page and "Training, 4 of 60" in page and "<dt>Row of the file</dt>" in page
    assert f"{address}/train/2/" in page and f"{address}/train/4/" in page
    beyond = at_alice.get(f"{address}/train/60/")
    assert beyond.status_code == 404 and "There is no row 61 in train" in text_of(beyond)


def test_the_record_as_it_came_is_shown_beside_what_became_of_it(at_alice, as_alice, studio_home) -> None:
    dataset = services.create_dataset(as_alice, workspace_id=as_alice.workspace_id, name="raw")
    lines = b"question,answer\n" + b"".join(b"WHERE is  parcel %d?,On its way.\n" % number for number in range(9))
    services.add_file(as_alice, dataset=dataset, name="tickets.csv", chunks=[lines])
    version = make_version(as_alice, dataset=dataset)
    address = f"/datasets/versions/{version.id}/rows/train"
    assert at_alice.get(f"{address}/3/as-it-came").status_code == 405
    part = text_of(at_alice.post(f"{address}/3/as-it-came"))
    assert "WHERE is  parcel 3?" in part and "line 5" in part and "became" in part
    assert "has no row 41" in text_of(at_alice.post(f"{address}/40/as-it-came"))


def test_who_looks_at_a_record_as_it_came_is_in_the_log_each_time(at_alice, version, address) -> None:
    assert not AuditEvent.objects.filter(action="version.clear_text_shown").exists()
    at_alice.get(f"{address}/train/3/")
    for _ in range(2):
        at_alice.post(f"{address}/train/3/as-it-came")
    lines = AuditEvent.objects.filter(action="version.clear_text_shown")
    assert [(each.subject_id, each.data["row"]) for each in lines] == [(version.id, 3)] * 2


def test_a_turn_is_changed_for_the_next_version(at_alice, address, version) -> None:
    form = text_of(at_alice.get(f"{address}/train/3/edit"))
    etag = form.split('name="etag" value="')[1].split('"')[0]
    sent = {"content": ["Where is my parcel?", "At the depot."], "etag": etag, "note": "clearer"}
    page = text_of(at_alice.post(f"{address}/train/3/edit", sent, follow=True))
    assert "Changed for the next version" in page and "<ins>my</ins>" in page
    again = at_alice.post(f"{address}/train/3/edit", sent)
    assert again.status_code == 412 and "edited by somebody else" in text_of(again)
    assert "1 row changed" in text_of(at_alice.get(f"{address}?state=edited"))


def test_an_answer_that_would_be_empty_is_refused_and_what_was_typed_is_kept(at_alice, address) -> None:
    answer = at_alice.post(f"{address}/train/3/edit", {"content": ["A long question?", ""]})
    assert answer.status_code == 400
    assert "The answer would be empty." in text_of(answer) and "A long question?" in text_of(answer)
    assert not RowEdit.objects.exists()


def test_rows_are_left_out_flagged_and_taken_back_in_bulk(at_alice, address) -> None:
    ticked = {"row": ["train:1", "train:2", "test:9", "odd"], "note": "wrong"}
    refused = at_alice.post(f"{address}/mark", {**ticked, "act": "exclude"}, follow=True)
    assert "Test rows are kept shut" in text_of(refused) and not RowEdit.objects.exists()
    ticked["row"] = ["train:1", "train:2", "odd"]
    page = text_of(at_alice.post(f"{address}/mark", {**ticked, "act": "exclude"}, follow=True))
    assert "2 rows will be left out." in page and "2 to be left out" in page
    at_alice.post(f"{address}/mark", {**ticked, "act": "flag"})
    assert "flagged" in text_of(at_alice.get(f"{address}?state=flagged"))
    page = text_of(at_alice.post(f"{address}/mark", {**ticked, "act": "undo"}, follow=True))
    assert "2 rows left as before." in page and not RowEdit.objects.exists()


def test_all_rows_that_match_are_marked_without_ticking_them(at_alice, address) -> None:
    at_alice.post(f"{address}/mark?q=parcel+1&split=train", {"act": "exclude", "all": "1"})
    assert sorted(RowEdit.objects.values_list("place", flat=True)) == [1, *range(10, 20)]
    assert set(RowEdit.objects.values_list("split", flat=True)) == {"train"}


def test_nothing_ticked_is_said(at_alice, address) -> None:
    assert "No row was chosen." in text_of(at_alice.post(f"{address}/mark", {"act": "flag"}, follow=True))


def test_the_next_version_is_asked_for_with_one_button(at_alice, address, version) -> None:
    at_alice.post(f"{address}/mark", {"row": "train:1", "act": "exclude"})
    answer = at_alice.post(f"{address}/apply")
    made = DatasetVersion.objects.get(number=2)
    assert answer["Location"] == f"/datasets/versions/{made.id}/"
    assert made.parent == version


def test_a_viewer_sees_rows_and_no_button_that_would_not_work(at_bob, bob, workspace, address) -> None:
    from gptstudio.accounts import services as accounts
    from gptstudio.accounts.policies import system

    accounts.add_member(system(workspace.id), workspace_id=workspace.id, user=bob, role="viewer")
    page = text_of(at_bob.get(address))
    assert "Where is parcel 0?" in page and "Leave out" not in page
    assert at_bob.get(f"{address}/train/3/edit").status_code == 403


def test_the_number_of_queries_does_not_grow_with_the_rows(at_alice, address, django_assert_num_queries) -> None:
    from django.db import connection

    with CaptureQueriesContext(
        connection,
    ) as few:
        at_alice.get(f"{address}?q=parcel+33")
    with CaptureQueriesContext(connection) as many:
        at_alice.get(address)
    assert len(few) == len(many) <= 20


def test_a_row_shows_what_a_model_learns_of_it(at_alice, address, starter) -> None:
    assert f"{address}/train/3/tokens" in text_of(at_alice.get(f"{address}/train/3/"))
    part = text_of(at_alice.get(f"{address}/train/3/tokens"))
    assert '<span class="token learned">' in part and '<span class="token read">' in part and "underlined" in part
    assert f"chat template of {starter.name}" in part
    assert "There is no model other" in text_of(at_alice.get(f"{address}/train/3/tokens?model=other"))


def test_tokens_of_shut_rows_and_of_strangers_rows_are_not_shown(at_alice, address, client, charlie, starter) -> None:
    assert at_alice.get(f"{address}/test/0/tokens").status_code == 403
    client.force_login(charlie)
    assert client.get(f"{address}/train/3/tokens").status_code == 404
