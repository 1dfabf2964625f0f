"""Cleaning steps in whole runs."""

from __future__ import annotations

import pytest

from datasets_app.curation.errors import Refusal
from datasets_app.curation.recipe import parse_recipe

NEAR_OFF = ("tokens", "near_duplicates")


def texts(curated):
    return sorted(message["content"] for row in curated.rows() for message in row["messages"])


def test_each_step_counts_what_it_changed_and_shows_it(pairs, curate):
    file = pairs(
        ("PLEASE HELP ME WITH MY LOST CARD NOW", "See https://a.example/help 👍"),
        ("i have the the wrong reciept", "We are sorry about this mistake"),
        ("where is my parcel", "It is on its way."),
    )
    found = curate(
        file,
        without=(*NEAR_OFF, "personal_data"),
        symbols={"urls": "placeholder", "emoji": "remove"},
        case={"policy": "repair"},
        spelling={},
        grammar={},
    )
    assert texts(found) == [
        "I have the wrong receipt.",
        "It is on its way.",
        "Please help me with my lost card now.",
        "See [URL]",
        "We are sorry about this mistake.",
        "Where is my parcel?",
    ]
    steps = {step["kind"]: step for step in found.report["steps"]}
    assert [steps[kind]["changed"] for kind in ("symbols", "case", "spelling", "grammar")] == [1, 1, 1, 3]
    assert steps["spelling"]["counts"] == {"words": 1}
    assert steps["grammar"]["counts"] == {"doubled_words": 1, "end_marks": 4, "sentence_capitals": 2}
    assert "reciept" in steps["spelling"]["examples"][0]["before"]
    assert "receipt" in steps["spelling"]["examples"][0]["after"]
    assert found.adds_up()


def test_a_step_that_is_switched_off_gives_the_version_before(pairs, curate):
    file = pairs("where is the the parcel", "i recieve nothing")
    before = curate(file, out="before", without=NEAR_OFF)
    on = curate(file, out="on", without=NEAR_OFF, grammar={})
    off = curate(file, out="off", without=(*NEAR_OFF, "grammar"), grammar={})
    assert off.digest == before.digest != on.digest
    recipe = {"version": 1, "steps": [{"kind": "grammar", "enabled": False}, {"kind": "split"}]}
    assert [step.kind for step in parse_recipe(recipe).steps] == ["split"]


def test_labels_and_system_prompts_are_never_cleaned(write, curate):
    file = write(
        "labels.csv", "text,label\n" + "".join(f"question {n} about the card,lost_crad {n % 2}\n" for n in range(12))
    )
    found = curate(file, without=NEAR_OFF, grammar={}, spelling={}, case={"policy": "sentence"})
    assert {row["messages"][-1]["content"] for row in found.rows()} == {"lost_crad 0", "lost_crad 1"}
    chat = write(
        "chat.jsonl",
        '{"messages": [{"role": "system", "content": "be the the best"}, {"role": "user", "content": "hi the the friend"}, '
        '{"role": "assistant", "content": "hello the the friend"}]}\n',
    )
    only_user = curate(chat, out="chat", without=NEAR_OFF, grammar={"turns": "user", "rules": ["doubled_words"]})
    assert [each["content"] for each in only_user.rows()[0]["messages"]] == [
        "be the the best",
        "hi the friend",
        "hello the the friend",
    ]


def test_words_of_the_data_and_of_the_workspace_are_right_as_they_are(pairs, curate):
    rows = [f"the zorbel number {n} is brokken" for n in range(6)]
    plain = curate(pairs(*rows), without=NEAR_OFF, spelling={})
    assert all("zorbel" in text for text in texts(plain) if "number" in text)
    own = curate(pairs("please see my acount today"), out="own", without=NEAR_OFF, spelling={"dictionary": ["Acount"]})
    assert "acount" in texts(own)[1]


def test_parts_of_normalising_can_be_left_out(pairs, curate):
    file = pairs("“what”  is <b>this</b>")
    whole = curate(file, out="a", without=NEAR_OFF)
    parts = curate(file, out="b", without=NEAR_OFF, normalize={"parts": ["whitespace"]})
    assert '"what" is this' in texts(whole)
    assert "“what” is <b>this</b>" in texts(parts)


def test_languagetool_without_an_address_is_refused_before_anything_is_read(pairs, curate):
    with pytest.raises(Refusal, match="Set LANGUAGETOOL_URL"):
        curate(pairs("a question"), grammar={"languagetool": ["GRAMMAR"]})


def test_a_languagetool_server_that_is_away_ends_the_run_in_words(pairs, curate, unused_tcp_port):
    with pytest.raises(Refusal, match="does not answer"):
        curate(
            pairs("a question"),
            grammar={"languagetool": ["GRAMMAR"]},
            languagetool_url=f"http://127.0.0.1:{unused_tcp_port}",
        )


def test_languagetool_is_asked_in_every_process_behind_the_built_in_rules(pairs, curate, languagetool, questions):
    file = pairs(*questions(600), ("he go to the the shop", "he go home"))
    options = {"rules": ["doubled_words"], "languagetool": ["GRAMMAR"]}
    found = curate(
        file,
        without=(*NEAR_OFF, "personal_data"),
        processes=2,
        grammar=options,
        languagetool_url=languagetool.url,
    )
    counts = next(step["counts"] for step in found.report["steps"] if step["kind"] == "grammar")
    assert counts == {"doubled_words": 1, "languagetool": 2}
    assert {"he goes to the shop", "he goes home"} <= set(texts(found))
    assert len(languagetool.asked) == 1202
