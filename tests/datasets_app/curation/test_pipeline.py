"""The whole recipe, from files to splits, report and ledger."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from datasets_app.curation.errors import Refusal
from datasets_app.curation.identity import digest_of
from tests.datasets_app.curation.conftest import recipe

pytestmark = pytest.mark.long

REPORT_KEYS = {
    *("version", "rows", "splits", "leaks", "personal_data", "duplicates", "tokens"),
    *("classes", "steps", "examples", "files", "notes", "findings", "canaries", "balance", "quality"),
}
ROW_KEYS = ["row_id", "file", "row", "messages", "label", "group", "cluster", "tokens", "repeat", "part", "record"]
CARD = "I want to know why the card payment I made in the supermarket yesterday evening is still pending"


def test_every_row_is_in_a_split_or_in_the_ledger(curate, pairs, questions):
    made = [*questions(60), ("", "no question"), ("no answer", ""), *questions(3)]
    done = curate(pairs(*made))
    assert done.adds_up()
    assert done.report["rows"]["dropped"] == {"empty": 1, "exact_duplicate": 3, "no_answer": 1}
    assert set(done.report) == REPORT_KEYS
    assert list(done.rows()[0]) == ROW_KEYS
    assert {step["kind"]: step["dropped"] for step in done.report["steps"]}["exact_duplicates"] == 3


def test_row_ids_count_over_all_files_in_their_order(curate, pairs, questions):
    made = questions(40)
    done = curate(pairs(*made[:20], name="a.csv"), pairs(*made[20:], name="b.csv"))
    rows = sorted(done.rows(), key=lambda row: row["row_id"])
    assert [row["row_id"] for row in rows] == list(range(40))
    assert [(row["file"], row["row"]) for row in rows[19:21]] == [("a.csv", 19), ("b.csv", 0)]


def test_near_copies_share_a_cluster_and_a_split(curate, pairs, questions):
    done = curate(pairs(*questions(60), *[(f"{CARD} {word}", f"Wait {word}") for word in ("please", "thanks", "now")]))
    near = [
        (name, row) for name in ("train", "validation", "test") for row in done.rows(name) if "supermarket" in str(row)
    ]
    assert len(near) == 3
    assert len({(name, row["cluster"], row["group"]) for name, row in near}) == 1
    told = done.report["duplicates"]
    assert (told["exact"], told["near_clusters"], told["near_rows"]) == (0, 1, 3)
    assert told["largest"][0]["rows"] == 3 and "supermarket" in told["largest"][0]["examples"][0]["text"]
    assert "nearly the same" in done.report["notes"][0]


@pytest.mark.parametrize("without", [("personal_data",), ()])
def test_rows_of_one_template_are_never_divided_though_they_are_no_near_copies(curate, pairs, questions, without):
    names = ("Anna Ray", "Bo", "Cem Kaya", "Dora", "Eli", "Finn Oz", "Gus", "Hana", "Ivo Ek", "Jo")
    macros = [
        (f"We sent {7 * place} chairs to {name} on {place + 1} May and {name} 0{place} will call you", f"Noted {place}")
        for place, name in enumerate(names)
    ]
    done = curate(pairs(*questions(200), *macros), without=without)
    found = [
        (split, row["group"], row["cluster"])
        for split in ("train", "validation", "test")
        for row in done.rows(split)
        if "will call you" in str(row["messages"])
    ]
    assert len(found) == 10 and len({(split, group) for split, group, _cluster in found}) == 1
    assert len({cluster for _split, _group, cluster in found}) > 5


def test_a_conversation_is_never_divided(curate, write, questions):
    lines = ["prompt,completion,ticket_id", *(f"{q},{a},{place // 4}" for place, (q, a) in enumerate(questions(80)))]
    done = curate(write("a.csv", "\n".join(lines)))
    split_of: dict[str, set[str]] = {}
    for name in ("train", "validation", "test"):
        for row in done.rows(name):
            split_of.setdefault(row["group"], set()).add(name)
    assert len(split_of) == 20
    assert all(len(names) == 1 for names in split_of.values())


def test_personal_data_is_hidden_in_rows_ledger_and_report(curate, pairs, questions):
    secret = ("My mail is ann.lee@example.com and my card 4111 1111 1111 1111", "Thank you ann.lee@example.com")
    done = curate(pairs(*questions(30), secret, secret))
    hidden = done.report["personal_data"]
    assert (hidden["CREDIT_CARD"], hidden["EMAIL_ADDRESS"]) == (2, 4)
    assert [row["reason"] for row in done.ledger()] == ["exact_duplicate"]
    everything = str(done.rows()) + str(done.ledger()) + json.dumps(done.report)
    assert "[EMAIL]" in everything
    assert "ann.lee" not in everything and "4111" not in everything


def test_the_user_s_turns_can_be_hidden_alone(curate, pairs, questions):
    done = curate(
        pairs(*questions(20), ("I am ann@example.com", "Write to help@example.com")), personal_data={"turns": "user"}
    )
    assert "[EMAIL]" in str(done.rows()) and "help@example.com" in str(done.rows())


def test_a_row_can_be_dropped_for_what_it_holds(curate, pairs, questions):
    done = curate(
        pairs(*questions(20), ("I am ann@example.com", "Hello")),
        personal_data={"policy": {"EMAIL_ADDRESS": "drop_row"}},
    )
    assert done.report["rows"]["dropped"] == {"personal_data": 1}
    assert done.ledger()[0]["text"] == "user: I am [EMAIL]\nassistant: Hello"


def test_the_same_files_and_recipe_give_the_same_digest_and_rows(curate, pairs, questions):
    file = pairs(*questions(60))
    first, again = curate(file), curate(file, out="again")
    other = curate(file, out="other", split={"seed": 1})
    assert first.digest == again.digest != other.digest
    assert first.rows() == again.rows()


def test_labels_are_counted_in_each_split(curate, write, questions):
    lines = ["text,label", *(f"{q},{('a', 'b')[place % 2]}" for place, (q, _) in enumerate(questions(100)))]
    done = curate(write("a.csv", "\n".join(lines)))
    assert done.report["classes"]["train"] == {"a": 40, "b": 40}
    assert done.report["classes"]["test"] == {"a": 5, "b": 5}


def test_a_validation_file_stays_whole_and_its_copies_leave_the_others(curate, pairs, questions):
    made = questions(40)
    copies = [(f"{CARD} {word}", f"Wait {word}") for word in ("please", "thanks", "now")]
    done = curate(
        pairs(*made[:30], *copies[:2], made[30], name="train.csv"),
        pairs(*made[30:], copies[2], name="held.csv"),
        split={"train": 1.0, "validation": 0.0, "test": 0.0, "validation_files": ["held.csv"]},
    )
    assert {row["file"] for row in done.rows("validation")} == {"held.csv"}
    assert done.report["splits"] == {"train": 30, "validation": 11, "test": 0, "leaks": 0}
    assert done.report["rows"]["dropped"] == {"exact_duplicate": 1, "in_validation_file": 2}
    assert done.adds_up()


def test_a_validation_file_that_was_not_given_is_refused(curate, pairs):
    with pytest.raises(Refusal, match=r"held\.csv"):
        curate(pairs("a"), split={"validation_files": ["held.csv"]})


def test_a_file_that_is_refused_is_noted_and_the_others_are_used(curate, pairs, write, questions):
    done = curate(write("empty.csv", ""), pairs(*questions(20)))
    assert done.report["rows"]["kept"] == 20
    told = {file["file"]: file for file in done.report["files"]}
    assert told["empty.csv"]["rows"] == 0
    assert (told["empty.csv"]["findings"][0]["severity"], told["pairs.csv"]["rows"]) == ("error", 20)
    assert "empty.csv is empty" in done.report["notes"][0]


@pytest.mark.parametrize("content", ["", "PK\x03\x04"])
def test_a_single_file_that_is_refused_refuses_the_run_and_leaves_nothing(curate, write, tmp_path, content):
    with pytest.raises(Refusal, match=r"a\.csv"):
        curate(write("a.csv", content))
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]


def test_a_validation_file_that_is_refused_refuses_the_run(curate, pairs, write):
    with pytest.raises(Refusal, match=r"held\.csv is empty"):
        curate(pairs("a"), write("held.csv", ""), split={"validation_files": ["held.csv"]})


def test_a_file_that_breaks_off_keeps_what_was_read(curate, pairs, questions, tmp_path):
    broken = tmp_path / "broken.parquet"
    table = pa.table({"prompt": [f"{'x' * 50} {place}" for place in range(3000)], "completion": ["y"] * 3000})
    pq.write_table(table, broken, row_group_size=1000, compression=None, use_dictionary=False)
    content = bytearray(broken.read_bytes())
    content[len(content) // 2 : len(content) * 3 // 4] = b"\xff" * (len(content) * 3 // 4 - len(content) // 2)
    broken.write_bytes(content)
    done = curate(pairs(*questions(20)), broken, without=("tokens", "near_duplicates"))
    assert done.adds_up()
    assert "not a whole Parquet file" in done.report["notes"][0]
    assert {file["file"]: file["rows"] for file in done.report["files"]}["broken.parquet"] < 3000


def test_when_no_row_is_left_the_reasons_are_told(curate, write):
    with pytest.raises(Refusal) as refused:
        curate(write("a.csv", "x,y\n1,2\n3,4\n"))
    assert refused.value.code == "nothing_left"
    assert "2 × no answer column" in refused.value.message


def test_a_recipe_without_a_split_is_refused(curate, pairs):
    with pytest.raises(Refusal, match="does not split"):
        curate(pairs("a"), without=("split", "tokens"))


def test_a_failed_run_leaves_the_version_before_it(curate, pairs, write, questions):
    done = curate(pairs(*questions(20)))
    with pytest.raises(Refusal):
        curate(write("empty.csv", ""))
    assert len(done.rows()) == 20


def test_no_example_in_the_report_is_a_test_row(curate, pairs, questions):
    done = curate(pairs(*((f"{question}  twice", f"{answer}  spaced") for question, answer in questions(60))))
    shut = {row["row"] for row in done.rows("test")}
    told = [*done.report["examples"], *(each for step in done.report["steps"] for each in step["examples"])]
    assert told and shut & set(range(12)), "the first rows are the examples, and some of them are test rows"
    assert not shut & {each["row"] for each in told}


def test_a_column_that_is_chosen_counts_though_most_rows_lack_it(curate, write):
    lines = [json.dumps({"prompt": f"question {n}", "completion": "old"}) for n in range(150)]
    lines += [json.dumps({"prompt": f"question {n}", "completion": "old", "corrected": "new"}) for n in range(150, 160)]
    chosen = {"prompt": "prompt", "completion": "corrected", "group": []}
    done = curate(write("a.jsonl", "\n".join(lines)), mapping=chosen)
    assert {row["messages"][1]["content"] for row in done.rows()} == {"new"}


def test_columns_that_were_chosen_and_are_not_there_are_told(curate, write):
    lines = [json.dumps({"prompt": f"question {n}", "completion": "old"}) for n in range(9)]
    done = curate(write("a.jsonl", "\n".join(lines)), mapping={"prompt": "prompt", "completion": "new", "group": []})
    (told,) = done.report["files"][0]["findings"]
    assert told["severity"] == "warning" and "(prompt, new)" in told["message"]
    assert told["message"].endswith("it was read by: prompt, completion.")


def test_a_mapping_of_people_is_used(curate, write, questions):
    lines = ["x;y;z", *(f"{q};{a};{place % 3}" for place, (q, a) in enumerate(questions(30)))]
    done = curate(
        write("a.csv", "\n".join(lines)), mapping={"prompt": "x", "completion": "y", "label": "z", "group": []}
    )
    assert done.report["rows"]["kept"] == 30
    assert {row["label"] for row in done.rows()} == {"0", "1", "2"}


def test_progress_names_the_steps_in_their_order_and_reaches_its_ends(curate, pairs, questions):
    done = curate(pairs(*questions(20)))
    steps = list(dict.fromkeys(step for step, _done, _total in done.progress))
    assert steps == ["read", "near_duplicates", "split", "write", "check", "quality"]
    assert {step for step, place, total in done.progress if place == total} == set(steps)


LONG = ("one two three four five six seven eight nine", "ten eleven")


def test_rows_over_the_limit_go_to_the_ledger(curate, pairs, tokenizer):
    done = curate(
        pairs(*("short question" + str(place) for place in range(20)), LONG),
        without=(),
        tokens={"limit": 8},
        tokenizer=tokenizer,
    )
    assert done.report["rows"]["dropped"] == {"too_long": 1}
    assert done.ledger()[0]["detail"] == "The row has 11 tokens; the limit is 8."
    told = done.report["tokens"]
    assert (told["limit"], told["over"], told["histogram"]) == (8, 1, [[16, 21]])
    assert told["would"]["truncate"] == {"shortened": 1, "dropped": 0}
    assert {row["tokens"] for row in done.rows()} == {5}


def test_long_conversations_can_lose_their_oldest_turns(curate, write, tokenizer):
    talk = [("user", "one two three four five six"), ("assistant", "seven"), ("user", "eight"), ("assistant", "nine")]
    line = json.dumps({"messages": [{"role": role, "content": content} for role, content in talk]})
    tokens = {"limit": 8, "policy": "truncate"}
    done = curate(write("a.jsonl", line + "\n"), without=("personal_data",), tokens=tokens, tokenizer=tokenizer)
    assert [turn["content"] for turn in done.rows()[0]["messages"]] == ["eight", "nine"]
    assert done.rows()[0]["tokens"] == 2
    assert done.report["tokens"]["would"]["truncate"] == {"shortened": 1, "dropped": 0}


def test_long_rows_become_parts_that_stay_together_and_count_once(curate, write, tokenizer):
    talk = [
        ("user", "one two three four"),
        ("assistant", "five six"),
        ("user", "seven eight"),
        ("assistant", "nine ten"),
    ]
    long = [("user", " ".join(f"w{n}" for n in range(30))), ("assistant", "yes it is")]
    stuck = [("user", "why"), ("assistant", " ".join(f"a{n}" for n in range(30)))]
    lines = [
        json.dumps({"messages": [{"role": role, "content": content} for role, content in each]})
        for each in (talk, long, stuck)
    ]
    tokens = {"limit": 12, "policy": "split"}
    made = {"without": ("personal_data",), "tokenizer": tokenizer}
    done = curate(write("a.jsonl", "\n".join(lines)), tokens={**tokens, "limit": 8}, **made)
    assert done.report["rows"]["kept"] == 1 and done.report["rows"]["dropped"] == {"too_long": 2}
    done = curate(write("a.jsonl", "\n".join(lines)), tokens=tokens, **made)
    assert (done.report["rows"]["kept"], done.report["rows"]["dropped"]) == (2, {"too_long": 1})
    assert sum(done.report["splits"][name] for name in ("train", "validation", "test")) == 2
    rows = [row for row in done.rows() if row["row"] == 1]
    assert [row["part"] for row in rows] == list(range(1, len(rows) + 1)) and len(rows) > 1
    assert {row["messages"][-1]["content"] for row in rows} == {"yes it is"} and max(
        row["tokens"] for row in rows
    ) <= 12
    assert len({row["group"] for row in rows}) == len({row["cluster"] for row in rows}) == 1
    assert done.report["tokens"]["would"]["split"] == {"split": 1, "parts": len(rows), "dropped": 1}


@pytest.mark.parametrize("policy", ["truncate", "split"])
def test_held_out_rows_that_become_copies_when_shortened_leave_with_a_reason(curate, write, tokenizer, policy):
    def talk(number: int) -> list[tuple[str, str]]:
        own = " ".join(f"w{number}x{word}" for word in range(9))
        if number % 2:
            return [("user", own), ("assistant", f"an{number} sw{number} er{number}")]
        ending = [("user", "may I ask one more thing about returns"), ("assistant", "of course gladly do")]
        return [("user", own), ("assistant", f"{own[:20]} yes"), *ending]

    def lines(labels: dict[int, str]) -> str:
        return "\n".join(
            json.dumps(
                {"messages": [{"role": role, "content": content} for role, content in talk(number)]}
                | ({"label": labels[number]} if number in labels else {})
            )
            for number in range(60)
        )

    settings = {"without": ("personal_data",), "tokens": {"limit": 14, "policy": policy}, "tokenizer": tokenizer}
    partly = curate(write("b.jsonl", lines(dict.fromkeys(range(1, 60, 2), "own"))), **settings)
    assert partly.report["rows"]["dropped"]["copy_when_short"] > 0
    assert sum(found["own"] for found in partly.report["classes"].values()) == 30
    done = curate(write("a.jsonl", lines({})), **settings)
    splits, dropped = done.report["splits"], done.report["rows"]["dropped"]
    assert splits["leaks"] == 0 and dropped["copy_when_short"] > 0
    assert splits["validation"] > 0 and splits["test"] > 0
    assert done.report["rows"]["in"] == done.report["rows"]["kept"] + sum(dropped.values()) == 60
    assert done.report["classes"] == {}
    left = {row["row"] for row in done.ledger() if row["reason"] == "copy_when_short"}
    assert digest_of(done.out, recipe(**{name: settings[name] for name in ("without", "tokens")})) is None
    assert len(left) == dropped["copy_when_short"] and not left & {row["row"] for row in done.rows()}


@pytest.mark.parametrize("policy", ["split", "drop"])
def test_the_digest_can_be_taken_again_from_what_was_written(curate, write, tokenizer, policy):
    talks = [
        [turn for n in range(1 + place % 4) for turn in (f"why {place} {n} q", f"so {place} {n} is {n}")]
        for place in range(40)
    ]
    roles = ("user", "assistant")
    lines = [
        {
            "messages": [{"role": roles[n % 2], "content": said} for n, said in enumerate(talk)],
            "label": "ab"[place % 9 == 0],
        }
        for place, talk in enumerate(talks)
    ]
    file = write("a.jsonl", "\n".join(json.dumps(line) for line in lines))
    options = {"tokens": {"limit": 18, "policy": policy}, "balance": {"method": "up_sample"}}
    done = curate(file, without=("personal_data",), tokenizer=tokenizer, **options)
    assert any(row["part"] for row in done.rows()) is (policy == "split") and any(row["repeat"] for row in done.rows())
    assert digest_of(done.out, recipe(without=("personal_data",), **options)) == done.digest
    (done.out / "validation.parquet").write_bytes((done.out / "test.parquet").read_bytes())
    assert digest_of(done.out, recipe(without=("personal_data",), **options)) != done.digest


def test_a_row_over_the_limit_can_refuse_the_run(curate, pairs, tokenizer):
    with pytest.raises(Refusal, match=re.escape("pairs.csv, row 1: The row has 11 tokens")):
        curate(pairs(LONG), without=(), tokens={"limit": 8, "policy": "refuse"}, tokenizer=tokenizer)


@pytest.mark.parametrize("count", [1, 2, 3, 10])
def test_a_handful_of_rows_trains_at_least_one(curate, pairs, questions, count):
    done = curate(pairs(*questions(count)))
    assert done.adds_up() and done.report["splits"]["train"] >= 1


def test_templates_with_changing_words_never_leak(curate, pairs):
    from random import Random

    chance = Random(3)
    words = [f"w{place}" for place in range(12)]
    done = curate(
        pairs(*((" ".join(chance.choices(words, k=9)), " ".join(chance.choices(words, k=4))) for _ in range(400)))
    )
    assert done.report["splits"]["leaks"] == 0 and done.adds_up()


def test_the_file_s_name_stands_without_its_folder(curate, pairs, questions):
    assert Path(curate(pairs(*questions(10))).report["files"][0]["file"]).name == "pairs.csv"


def test_rows_that_people_edited_or_left_out_are_so_in_the_version(curate, pairs, questions):
    shall_be = [{"role": "user", "content": "Where is it?"}, {"role": "assistant", "content": "On its way."}]
    rows = [
        {"file": "pairs.csv", "row": 3, "exclude": True},
        {"file": "pairs.csv", "row": 5, "messages": shall_be},
        {"file": "other.csv", "row": 1, "exclude": True},
    ]
    done = curate(pairs(*questions(20)), edits={"rows": rows})
    assert done.adds_up() and done.report["rows"]["dropped"] == {"excluded": 1}
    assert [row["messages"] for row in done.rows() if row["row"] == 5] == [shall_be]
    assert done.report["steps"][0]["counts"] == {"replaced": 1}


def test_of_near_copies_the_best_or_the_first_can_be_kept(curate, pairs, questions):
    near = [(f"{CARD} {word}", "Wait" + " a little" * times) for times, word in enumerate(("please", "thanks", "now"))]
    best = curate(pairs(*questions(30), *near), near_duplicates={"keep": "best"})
    assert best.adds_up() and best.report["rows"]["dropped"] == {"near_duplicate": 2}
    assert {row["row"] for row in best.rows()} >= {32} and {row["row"] for row in best.ledger()} == {30, 31}
    assert best.ledger()[0]["detail"] == "Nearly the same as pairs.csv, row 33, which was kept."
    first = curate(pairs(*questions(30), *near), near_duplicates={"keep": "first"})
    assert {row["row"] for row in first.ledger()} == {31, 32}


def with_splits(made: list[tuple[str, str]], names: list[str]) -> str:
    rows = [f"{q},{a},{names[place % len(names)]}" for place, (q, a) in enumerate(made)]
    return "\n".join(["prompt,completion,split", *rows]) + "\n"


def test_a_split_column_is_kept_and_its_held_out_rows_lose_no_copy_to_train(curate, write, questions):
    near = [(f"{CARD} {word}", "Wait") for word in ("please", "now")]
    made = [*questions(40), *near]
    file = write("a.csv", with_splits(made, ["train", "test"]))
    done = curate(file)
    assert {row["row"] for row in done.rows("test")} == set(range(1, 42, 2))
    assert done.report["rows"]["dropped"] == {"in_validation_file": 1} and done.ledger()[0]["row"] == 40
    assert done.report["splits"]["leaks"] == 0 and done.adds_up()
    ignored = curate(file, split={"given": "ignore"})
    assert ignored.report["splits"]["train"] > 30


def test_of_exact_copies_the_row_that_was_given_to_the_exam_stays(curate, write, questions):
    same = ("how do I pay for this order", "by card")
    made = [*questions(20), same, ("where is the key to that door", "on the table"), same, same]
    file = write("a.csv", with_splits(made, [*["train"] * 21, "test", "test", "train"]))
    for without in (("tokens",), ("near_duplicates", "tokens")):
        done = curate(file, without=without)
        assert {row["row"] for row in done.rows("test")} == {21, 22}
        dropped = {(row["row"], row["reason"]) for row in done.ledger()}
        assert dropped == {(20, "in_validation_file"), (23, "exact_duplicate")}
        assert done.adds_up() and done.report["splits"]["leaks"] == 0


def test_a_label_is_the_answer_as_it_stands_after_edits_and_tidying(curate, write):
    rows = "text,label\nI love it so much,Q &amp; A\nThis is bad,complaint\nhow are you,Q & A\nand again it is,other\n"
    turns = [{"role": "user", "content": "This is bad"}, {"role": "assistant", "content": "praise"}]
    done = curate(
        write("a.csv", rows),
        edits={"rows": [{"file": "a.csv", "row": 1, "messages": turns}]},
        split={"train": 1.0, "validation": 0, "test": 0},
    )
    assert all(row["label"] == row["messages"][-1]["content"] for row in done.rows())
    assert done.report["classes"]["train"] == {"Q & A": 2, "other": 1, "praise": 1}


def test_the_leak_is_told_as_a_sentence(curate, pairs, questions):
    assert [each["sentence"] for each in curate(pairs(*questions(40))).report["leaks"]] == [
        f"0 of 4 {split} rows have a near-duplicate in train (alike by 0.7 or more), or the same question (0)."
        for split in ("validation", "test")
    ]


def test_a_recipe_that_looks_for_closer_copies_alone_leaks_no_others(curate, pairs, questions):
    words = [
        "parcel",
        "invoice",
        "window",
        "garden",
        "bicycle",
        "holiday",
        "refund",
        "printer",
        "mountain",
        "kettle",
        "library",
        "passport",
    ]
    made = []
    for number in range(40):
        asked = [f"{word}{number}" for word in words]
        made += [(" ".join(asked), "Fine."), (" ".join([*asked, "please"]), "Fine.")]
    done = curate(pairs(*made), near_duplicates={"threshold": 1.0}, split={"train": 0.5, "validation": 0, "test": 0.5})
    place = {row["messages"][0]["content"].removesuffix(" please"): set() for row in done.rows()}
    for split in ("train", "test"):
        for row in done.rows(split):
            place[row["messages"][0]["content"].removesuffix(" please")].add(split)
    assert all(len(splits) == 1 for splits in place.values())
    assert "alike by 0.7 or more" in done.report["leaks"][1]["sentence"]


def test_a_question_of_train_is_a_leak_whatever_the_answer(curate, pairs, questions):
    made = [(asked, f"{answer} and so {word}") for asked, answer in questions(40) for word in ("it goes", "we end")]
    split = {"train": 0.5, "validation": 0, "test": 0.5, "openings": False}
    done = curate(pairs(*made), without=("near_duplicates", "tokens"), split=split)
    trained = {row["messages"][0]["content"] for row in done.rows("train")}
    again = sum(row["messages"][0]["content"] in trained for row in done.rows("test"))
    test = done.report["leaks"][1]
    assert again > 0 and test["asked"] == again and done.report["splits"]["leaks"] == test["leaks"] >= again


def test_conversations_that_open_alike_stay_in_one_split(curate, write, questions):
    made = questions(60)
    lines = [
        json.dumps(
            {
                "messages": [
                    {"role": "user", "content": f"My {made[place // 6][0].split()[0]} is broken number {place // 6}"},
                    {"role": "assistant", "content": made[place][1]},
                ]
            }
        )
        for place in range(60)
    ]
    done = curate(write("a.jsonl", "\n".join(lines)))
    split_of: dict[str, set[str]] = {}
    for name in ("train", "validation", "test"):
        for row in done.rows(name):
            split_of.setdefault(row["messages"][0]["content"], set()).add(name)
    assert len(split_of) == 10 and all(len(names) == 1 for names in split_of.values())


def talks(made, beginnings: list[str]) -> str:
    turns = [(greeting, "Hi, how can I help?", *made[place]) for place, greeting in enumerate(beginnings)]
    roles = ("user", "assistant", "user", "assistant")
    return "\n".join(
        json.dumps({"messages": [{"role": role, "content": text} for role, text in zip(roles, each, strict=True)]})
        for each in turns
    )


def splits_by_beginning(done) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for name in ("train", "validation", "test"):
        for row in done.rows(name):
            found.setdefault(row["messages"][0]["content"], set()).add(name)
    return found


def test_a_short_beginning_that_few_rows_share_keeps_them_in_one_split(curate, write, questions):
    beginnings = [f"Hello {place // 6}!" for place in range(120)]
    found = splits_by_beginning(curate(write("a.jsonl", talks(questions(120), beginnings))))
    assert len(found) == 20 and all(len(names) == 1 for names in found.values())


def test_a_short_beginning_that_many_rows_share_does_not_keep_them_together(curate, write, questions):
    found = splits_by_beginning(curate(write("a.jsonl", talks(questions(120), ["Hello!"] * 120))))
    assert found == {"Hello!": {"train", "validation", "test"}}


def labelled(questions, counts: dict[str, int]) -> str:
    labels = [label for label, count in counts.items() for _ in range(count)]
    return "\n".join(
        ["text,label", *(f"{q},{label}" for (q, _a), label in zip(questions(len(labels)), labels, strict=True))]
    )


def test_large_classes_are_cut_in_train_alone_and_the_sums_hold(curate, write, questions):
    file = write("a.csv", labelled(questions, {"a": 60, "b": 20}))
    done = curate(file, balance={"method": "down_sample"})
    assert done.report["classes"]["train"] == {"a": 16, "b": 16} and done.report["classes"]["test"] == {"a": 6, "b": 2}
    assert done.report["rows"]["dropped"] == {"balanced_out": 32} and done.adds_up()
    assert done.report["balance"]["imbalance"] == {"before": 3.0, "after": 1.0}


def test_rows_of_small_classes_come_again_and_are_marked(curate, write, questions):
    done = curate(write("a.csv", labelled(questions, {"a": 60, "b": 20})), balance={"method": "up_sample"})
    assert done.report["balance"]["after"] == {"a": 48, "b": 48} and done.report["balance"]["repeated"] == 32
    assert done.report["splits"]["train"] == 64 and done.report["rows"]["kept"] == 80
    assert sum(row["repeat"] > 0 for row in done.rows("train")) == 32
    assert not any(row["repeat"] for row in done.rows("test"))


def test_class_weights_change_no_row(curate, write, questions):
    done = curate(write("a.csv", labelled(questions, {"a": 60, "b": 20})), balance={"method": "class_weights"})
    assert done.report["balance"]["weights"] == {"a": 0.666667, "b": 2.0} and done.adds_up()


def test_pairs_of_answers_come_through_cleaned_and_counted_by_split(curate, write, questions):
    lines = [
        json.dumps(
            {
                "input": {"messages": [{"role": "user", "content": question}]},
                "preferred_output": [{"role": "assistant", "content": answer}],
                "non_preferred_output": [
                    {"role": "assistant", "content": f"No. Mail me{place}@home.example &amp; wait"}
                ],
            }
        )
        for place, (question, answer) in enumerate(questions(60))
    ]
    done = curate(write("pairs.jsonl", "\n".join(lines)))
    assert done.adds_up()
    assert done.report["pairs"] == {name: done.report["splits"][name] for name in ("train", "validation", "test")}
    for row in done.rows():
        assert [turn["role"] for turn in row["messages"]] == ["user", "assistant", "rejected"]
        assert row["messages"][-1]["content"] == "No. Mail [EMAIL] & wait"
