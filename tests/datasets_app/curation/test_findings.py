"""The file of all hits."""

from __future__ import annotations

import pyarrow.parquet as pq

from datasets_app.curation.findings import FINDINGS
from datasets_app.curation.pii.keys import secret_of

ROWS = [("Mail ann@example.com please", "Done"), ("ann@example.com is mine", "Yes"), ("And bob@example.com", "No")]
MORE = [(f"Question {n} about parcel {n * 7} in hall {n * 3}", f"Answer {n} for it") for n in range(30)]


def hits(done):
    return pq.read_table(done.out / FINDINGS).to_pylist()


def test_every_hit_is_written_with_the_row_it_is_in(curate, pairs):
    done = curate(pairs(*ROWS, *MORE))
    rows = {row["row_id"]: row for row in done.rows()}
    assert done.report["findings"] == len(hits(done)) == 3
    for hit in hits(done):
        content = rows[hit["row_id"]]["messages"][hit["turn"]]["content"]
        assert content[hit["start"] :].startswith(hit["replacement"])
        assert content[: hit["start"]].endswith(hit["before"])


def test_equal_values_have_equal_keys_and_no_value_stands_anywhere(curate, pairs):
    done = curate(pairs(*ROWS, *MORE))
    first, second, third = (hit["value_key"] for hit in hits(done))
    assert first == second != third
    everything = b"".join(path.read_bytes() for path in done.out.iterdir())
    assert b"ann@example.com" not in everything


def test_a_row_that_went_keeps_its_hits_without_an_id(curate, pairs):
    done = curate(pairs(*ROWS, ROWS[0], *MORE))
    assert [hit["row_id"] is None for hit in hits(done)] == [False, False, False, True]


def test_a_decision_in_the_recipe_is_honoured_by_the_next_run(curate, pairs):
    file = pairs(*ROWS, *MORE)
    key = hits(curate(file))[0]["value_key"]
    again = curate(file, personal_data={"decisions": {f"value:{key}": "reject"}})
    assert [hit["action"] for hit in hits(again)] == ["keep", "keep", "mask"]
    assert "ann@example.com" in str(again.rows()) and again.report["personal_data"] == {"EMAIL_ADDRESS": 1}


def test_stand_ins_are_the_same_in_every_run_and_number_of_processes(curate, pairs):
    file = pairs(*ROWS, *MORE)
    runs = [curate(file, personal_data={"default": "pseudonym"}, processes=number) for number in (1, 2)]
    assert runs[0].digest == runs[1].digest
    assert "example.com" not in {hit["replacement"] for hit in hits(runs[0])} and "ann@" not in str(runs[0].rows())


def test_canaries_are_counted_and_stay_out_of_the_version(curate, pairs):
    done = curate(pairs(*ROWS, *MORE))
    assert done.report["canaries"]["planted"] > 100 and len(done.rows()) == 33
    assert done.report["canaries"]["hidden"] > 50


def test_canaries_go_through_the_step_of_the_version(curate, pairs):
    kept = curate(pairs(*ROWS, *MORE), personal_data={"default": "keep", "policy": {}})
    assert kept.report["canaries"]["planted"] > 100 and kept.report["canaries"]["hidden"] == 0


def test_without_a_secret_one_is_drawn_from_the_files(write):
    first, second = write("a.csv", "x"), write("b.csv", "y")
    assert secret_of([first, second]) == secret_of([second, first]) != secret_of([first])


def test_where_names_are_looked_for_none_stands_in_what_is_kept_of_the_run(curate, pairs):
    named = ("Please  call Ewa Kowalska, 12 Mill Lane, Leeds LS1 4AB", "It is on its way.")  # two spaces: an example
    gone = ("Ewa Kowalska asked for her parcel", "")
    done = curate(pairs(named, gone, *MORE), personal_data={"names": True}, normalize={})
    ledger = pq.read_table(done.out / "ledger.parquet").to_pylist()
    assert [row["reason"] for row in ledger] == ["no_answer"] and done.report["examples"]
    everything = str([ledger, done.rows(), done.report]) + str(hits(done))
    assert "Kowalska" not in everything and "Mill Lane" not in everything
