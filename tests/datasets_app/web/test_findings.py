"""Personal data that was found: looked through, narrowed, decided singly and in bulk, followed by the next version."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.test import Client

from datasets_app import recipes, selectors, services
from gptstudio.audit.models import AuditEvent
from tests.datasets_app.conftest import move_into_test
from tests.worlds import HITS, make_dataset, make_version

pytestmark = pytest.mark.django_db


@pytest.fixture
def version(as_alice, studio_home):
    return make_version(as_alice, dataset=make_dataset(as_alice)[0])


@pytest.fixture
def address(version) -> str:
    return f"/datasets/versions/{version.id}/findings"


def decisions(version) -> dict[str, str]:
    return {each.key: each.verdict for each in selectors.decisions_of(version.dataset)}


def test_the_page_shows_each_hit_veiled_with_what_became_of_it_the_least_sure_first(at_alice, address) -> None:
    page = at_alice.get(address).content.decode()
    assert "j•••••••••" in page and "[EMAIL]" in page and "2 of this value" in page
    assert page.index("key2") < page.index("key3") < page.index("key0")
    assert "<b>4</b> pieces" in page and "<b>2</b> the studio is less sure" in page


@pytest.mark.parametrize(
    ("query", "seen"),
    [
        ("type=PERSON", {"key2"}),
        ("action=keep", {"key3"}),
        ("sure=unsure", {"key2", "key3"}),
        ("value=v1", {"key0", "key1"}),
        ("decided=yes", {"key2"}),
        ("decided=no", {"key0", "key1", "key3"}),
    ],
)
def test_hits_are_narrowed(at_alice, as_alice, version, address, query, seen) -> None:
    services.decide_findings(as_alice, dataset=version.dataset, found=[("key2", "PERSON")], verdict="reject")
    page = at_alice.get(f"{address}?{query}").content.decode()
    assert {key for key in ("key0", "key1", "key2", "key3") if f'id="hit-{key}"' in page} == seen


def test_one_hit_is_decided_in_place_and_taken_back(at_alice, version, address) -> None:
    part = at_alice.post(f"{address}/decide", {"key": "key2", "verdict": "reject"}, HTTP_HX_REQUEST="true")
    assert "not personal</span>" in part.content.decode() and "<b>1</b> decision " in part.content.decode()
    assert decisions(version) == {"key2": "reject"}
    at_alice.post(f"{address}/decide", {"key": "key2", "verdict": "back"}, HTTP_HX_REQUEST="true")
    assert decisions(version) == {}


def test_a_value_is_decided_wherever_it_stands(at_alice, version, address) -> None:
    at_alice.post(f"{address}/decide", {"key": "key0", "verdict": "reject:value"})
    assert decisions(version) == {"value:v1": "reject"}
    assert at_alice.get(address).content.decode().count("not personal, wherever it stands") == 2


def test_those_that_are_ticked_and_all_of_a_list_are_decided_at_once(at_alice, version, address) -> None:
    at_alice.post(f"{address}/decide", {"hit": ["key0", "key2"], "verdict": "accept"})
    assert decisions(version) == {"key0": "accept", "key2": "accept"}
    at_alice.post(f"{address}/decide", {"type": "LOCATION", "verdict": "accept:all"})
    assert decisions(version)["value:v3"] == "accept"


def test_nothing_ticked_is_said_and_nothing_decided(at_alice, version, address) -> None:
    page = at_alice.post(f"{address}/decide", {"verdict": "accept"}, follow=True).content.decode()
    assert "Nothing was chosen." in page and decisions(version) == {}


def test_the_next_version_carries_the_decisions(as_alice, version) -> None:
    services.decide_findings(as_alice, dataset=version.dataset, found=[("key2", "PERSON")], verdict="reject")
    later = services.create_version(as_alice, dataset=version.dataset)
    assert recipes.step(later.recipe, "personal_data")["options"]["decisions"] == {"key2": "reject"}


def test_a_version_without_a_record_says_what_to_do(at_alice, version, address) -> None:
    (version.folder / "findings.parquet").unlink()
    assert "Nothing is recorded here" in at_alice.get(address).content.decode()
    answer = at_alice.post(f"{address}/decide", {"key": "key2", "verdict": "reject"}, follow=True)
    assert "There is no record of personal data" in answer.content.decode()


def test_a_viewer_sees_hits_and_decides_nothing(version, address, workspace) -> None:
    from gptstudio.accounts import services as accounts
    from gptstudio.accounts.policies import system

    dora = accounts.create_user(email="dora@care.example", name="Dora", password="correct horse battery")
    accounts.add_member(system(workspace.id), workspace_id=workspace.id, user=dora, role="viewer")
    client = Client()
    client.force_login(dora)
    assert "Not personal" not in client.get(address).content.decode()
    assert client.post(f"{address}/decide", {"key": "key2", "verdict": "reject"}).status_code == 403


def test_charlie_sees_and_decides_nothing(charlie, version, address) -> None:
    client = Client()
    client.force_login(charlie)
    assert client.get(address).status_code == 404
    assert client.post(f"{address}/decide", {"key": "key2", "verdict": "reject"}).status_code == 404
    assert decisions(version) == {}


def test_the_page_asks_few_queries(at_alice, address, django_assert_num_queries) -> None:
    with django_assert_num_queries(9):
        at_alice.get(address)


def clear_lines() -> list[dict[str, object]]:
    return [each.data for each in AuditEvent.objects.filter(action="version.clear_text_shown")]


def test_a_value_is_shown_in_clear_only_to_who_asks_and_the_log_says_so_without_the_value(at_alice, written) -> None:
    address = f"/datasets/versions/{written.id}/findings"
    assert "Roe" not in at_alice.get(address).content.decode() and clear_lines() == []
    assert at_alice.get(f"{address}/clear").status_code == 405
    part = at_alice.post(f"{address}/clear", {"key": "key0"}).content.decode()
    assert "<mark>Jane.Roe@x.org</mark>" in part and "The activity log says that you looked." in part
    assert clear_lines() == [{"file": "tickets.csv", "row": 1}]


def test_where_an_earlier_step_changed_the_words_the_record_stays_on_the_rows_own_page(at_alice, written) -> None:
    pq.write_table(
        pa.Table.from_pylist([{**HITS[0], "row": 1, "value_key": "f" * 16}]), written.folder / "findings.parquet"
    )
    part = at_alice.post(f"/datasets/versions/{written.id}/findings/clear", {"key": "key0"}).content.decode()
    assert "<mark>" not in part and "Jane.Roe@x.org" not in part and "own page shows its record" in part
    assert len(clear_lines()) == 1


def test_a_piece_that_is_none_and_a_stranger_see_nothing_in_clear(at_alice, charlie, written) -> None:
    address = f"/datasets/versions/{written.id}/findings/clear"
    assert at_alice.post(address, {"key": "key9"}).status_code == 404
    client = Client()
    client.force_login(charlie)
    assert client.post(address, {"key": "key0"}).status_code == 404
    assert clear_lines() == []


def test_a_hit_in_a_test_row_is_shut_until_the_test_rows_are_opened(at_alice, written) -> None:
    kept = pq.read_table(written.folder / "findings.parquet").to_pylist()
    move_into_test(written)
    address = f"/datasets/versions/{written.id}/findings"
    page = at_alice.get(address).content.decode()
    assert "It stands in a test row" in page and kept[0]["before"].strip() not in page and "Show in clear" not in page
    assert at_alice.post(f"{address}/clear", {"key": "key0"}).status_code == 403 and clear_lines() == []
    shut = at_alice.post(f"{address}/decide", {"key": "key0", "verdict": "accept"}, HTTP_HX_REQUEST="true")
    assert "It stands in a test row" in shut.content.decode()
    at_alice.post(f"/datasets/versions/{written.id}/rows/open-test")
    assert kept[0]["before"].strip() in at_alice.get(address).content.decode()
    assert "<mark>Jane.Roe@x.org</mark>" in at_alice.post(f"{address}/clear", {"key": "key0"}).content.decode()
    assert [each.action for each in AuditEvent.objects.filter(subject_id=written.id).order_by("id")][-2:] == [
        "version.test_rows_opened",
        "version.clear_text_shown",
    ]
