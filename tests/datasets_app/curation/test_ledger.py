"""The row ledger."""

from __future__ import annotations

import pyarrow.parquet as pq

from datasets_app.curation.ledger import TEXT_CHARACTERS, Ledger


def dropped(tmp_path, text, detail="Odd."):
    with Ledger(tmp_path / "ledger.parquet") as ledger:
        ledger.drop(file="a.csv", row=0, line=None, step="read", reason="bad_csv", detail=detail, text=text)
    assert (ledger.reasons, ledger.steps) == ({"bad_csv": 1}, {"read": 1})
    return pq.read_table(tmp_path / "ledger.parquet").to_pylist()[0]


def test_personal_data_never_reaches_the_ledger(tmp_path):
    assert dropped(tmp_path, "mail ann@example.com")["text"] == "mail [EMAIL]"


def test_nor_by_way_of_a_detail_that_quotes_it(tmp_path):
    row = dropped(tmp_path, "", "“call ann@example.com” matches the pattern “call”.")
    assert row["detail"] == "“call [EMAIL]” matches the pattern “call”."


def test_a_detail_in_the_words_of_the_studio_stays(tmp_path):
    detail = "Line 20210, row 4,111 of 212 555 0147."
    assert dropped(tmp_path, "", detail)["detail"] == detail


def test_a_value_at_the_edge_is_hidden_before_the_text_is_cut(tmp_path):
    text = dropped(tmp_path, "x " * (TEXT_CHARACTERS // 2 - 5) + "4111 1111 1111 1111")["text"]
    assert "4111" not in text and len(text) <= TEXT_CHARACTERS


def test_half_characters_are_written_visibly(tmp_path):
    assert dropped(tmp_path, "a\ud800b")["text"] == "a\\ud800b"
