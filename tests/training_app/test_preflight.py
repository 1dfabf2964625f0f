"""The list before a start, line by line, from what workers measured."""

from __future__ import annotations

import copy
from types import SimpleNamespace
from typing import Any

import pytest

from datasets_app import services as data
from gptstudio.core.errors import Conflict
from training_app import presets, services
from training_app.models import LanguageModel, Measurement
from training_app.preflight import Finding, Look, machine, preflight

SEEN: dict[str, Any] = {
    "version": 1,
    "problem": None,
    "template": {"is_own": True, "has_marks": True, "stop_tokens": ["<|end|>"]},
    "context": 256,
    "limit": 128,
    "parameters": 1000,
    "dtype": "float32",
    "memory": {"total": 8_000_000_000, "free": 4_000_000_000},
    "pairs": 0,
    "answers": {"count": 40, "different": 38, "commonest_share": 0.05},
    "train": {
        "rows": 40, "tokens": 1200, "learned": 300, "median": 30, "p95": 50, "longest": 60, "cut": 0,
        "without_answer": 0, "lost_answer": 0,
    },
    "validation": None,
}  # fmt: skip


@pytest.fixture
def looked(version, base):
    """The list for what a worker has seen, by title. Names like `train__cut` reach into it."""

    def look(
        *, tried: dict[str, Any] | None = None, method: str = "full", objective: str = "supervised", **changes: Any
    ) -> dict[str, Finding]:
        seen = copy.deepcopy(SEEN)
        for name, value in changes.items():
            *way, last = name.split("__")
            inner = seen
            for each in way:
                inner = inner[each]
            inner[last] = value
        settings = presets.resolve(
            preset_key="balanced", method=method, requested={"batch_size": 8, "objective": objective}, parameters=1, rows=40,
            context_length=256, seed=0,
        )  # fmt: skip
        measured = Look(
            Measurement(state="ready", result=seen), Measurement(state="ready", result=tried) if tried else None
        )
        found = preflight(version=version, base_model=base, hyperparameters=settings, method=method, look=measured)
        return {each.title: each for each in found}

    return look


def test_a_sound_run_of_few_rows_has_nothing_else_to_mend(looked) -> None:
    found = looked()
    few = {"The data is frozen", "Validation rows"}  # the fixture's version is small
    assert {title for title, each in found.items() if each.severity != "fine"} == few


def test_a_template_that_never_ends_stops_the_run(looked) -> None:
    problem = {"code": "stop_token_unlearned", "message": "In row 1 …", "fix": "Put the token before."}
    found = looked(problem=problem)["Where an answer ends"]
    assert (found.severity, found.message, found.fix) == ("stop", "In row 1 …", "Put the token before.")


def test_rows_that_are_cut_can_be_let_be_longer_in_one_click(looked) -> None:
    found = looked(train__cut=5, train__longest=190)["Length of the rows"]
    assert found.severity == "warning" and "5 of 40 rows (12.5%)" in found.message
    assert found.act is not None and (found.act.kind, found.act.values) == ("fill", {"max_length": 192})


def test_rows_longer_than_the_model_reads_need_a_version_that_fits(looked) -> None:
    found = looked(train__cut=5, train__longest=900)["Length of the rows"]
    assert found.act is not None and (found.act.kind, found.act.values) == ("derive", {"max_length": 128})


def test_rows_with_nothing_to_learn_are_counted_and_a_run_without_any_answer_is_stopped(looked) -> None:
    title = "Something to learn in each row"
    found = looked(train__lost_answer=3, train__longest=190)[title]
    assert found.severity == "warning" and "3 of 40 rows" in found.message and found.act is not None
    assert looked(train__without_answer=40)[title].severity == "stop"


@pytest.mark.parametrize(
    ("share", "different", "severity", "said"),
    [
        (1.0, 1, "warning", "All answers are the same"),
        (0.6, 9, "warning", "60% of the answers"),
        (0.4, 9, "fine", "9 different"),
    ],
)
def test_answers_that_hardly_differ_are_told(looked, share, different, severity, said) -> None:
    found = looked(answers__commonest_share=share, answers__different=different)["Answers differ"]
    assert found.severity == severity and said in found.message


def test_memory_is_judged_by_the_peak_of_real_steps_where_there_is_one(looked) -> None:
    assert looked()["Memory"].severity == "fine"
    tried = {"memory": {"total": 8_000_000_000, "free": 4_000_000_000}, "memory_bytes": 5_000_000_000}
    tight = looked(tried=tried)["Memory"]
    assert tight.severity == "warning" and "The longest batch took 4.66 GB" in tight.message
    assert tight.act is not None
    assert tight.act.values == {"batch_size": 4, "gradient_accumulation_steps": 2}
    assert looked(tried={**tried, "memory_bytes": 9_000_000_000})["Memory"].severity == "stop"


def test_where_one_row_at_a_time_is_too_much_the_act_names_the_method_apart_from_settings() -> None:
    act = machine._smaller({"batch_size": 1, "gradient_accumulation_steps": 8}, "full")
    assert act is not None and (act.values, act.method, act.query) == ({}, "lora", "method=lora")
    assert machine._smaller({"batch_size": 1, "gradient_accumulation_steps": 8}, "lora") is None


def test_learning_from_pairs_needs_pairs(looked) -> None:
    title = "Pairs of answers"
    assert title not in looked()
    assert looked(objective="dpo")[title].severity == "stop"
    assert looked(objective="dpo", pairs=30)[title].severity == "warning"
    left = looked(pairs=40)[title]
    assert left.severity == "warning" and left.act is not None and left.act.values == {"objective": "dpo"}
    assert looked(objective="dpo", pairs=40)[title].severity == "fine"


def test_weights_in_half_precision_are_warned_of(looked) -> None:
    assert looked(dtype="float16")["Number format"].severity == "warning"
    assert "the model is written as bfloat16" in looked(dtype="bfloat16")["Number format"].message
    assert "the adapter is written" in looked(dtype="bfloat16", method="lora")["Number format"].message


@pytest.mark.parametrize(
    ("licence", "severity"),
    [("apache-2.0", "fine"), ("MIT", "fine"), ("", "warning"), ("cc-by-nc-4.0", "warning"), ("house rules", "warning")],
)
def test_the_base_models_licence_is_read(looked, base, licence, severity) -> None:
    base.licence = licence
    assert looked()["Licence of the base model"].severity == severity


def test_a_recipe_that_counted_with_another_tokenizer_is_fine_where_nothing_is_cut(looked, version) -> None:
    step = next(each for each in version.recipe["steps"] if each["kind"] == "tokens")
    step["options"]["model"] = "another"
    title = "Tokenizer of the recipe"
    assert looked()[title].severity == "fine"
    found = looked(train__cut=1, train__longest=190)[title]
    assert found.severity == "warning" and found.act is not None and found.act.kind == "derive"


def test_data_that_a_reviewer_must_allow_can_be_put_before_one(kept_version, base) -> None:
    settings = {"max_length": 128, "batch_size": 1000, "gradient_accumulation_steps": 1, "optimizer": "adamw"}
    found = {each.title: each for each in preflight(version=kept_version, base_model=base, hyperparameters=settings)}
    assert found["Personal data"].act is not None and found["Personal data"].act.kind == "ask_review"
    assert found["Batch size"].act is not None and found["Batch size"].act.values == {"batch_size": 32}


def test_what_could_not_be_looked_at_is_said(version, base) -> None:
    failed = Measurement(state="failed", error={"message": "There was not enough memory."})
    settings = {"max_length": 128, "batch_size": 8, "gradient_accumulation_steps": 1, "optimizer": "adamw"}
    found = preflight(version=version, base_model=base, hyperparameters=settings, look=Look(failed))
    (line,) = [each for each in found if each.title == "Rows as the model sees them"]
    assert line.severity == "warning" and "not enough memory" in line.message
    assert line.act is not None and line.act.kind == "look_again"


def test_without_test_rows_no_run_starts_at_all(make_job, as_bob, dataset, file, finish, base) -> None:
    bare = finish(data.create_version(as_bob, dataset=dataset), test=0)
    settings = {"max_length": 128, "batch_size": 8, "gradient_accumulation_steps": 1, "optimizer": "adamw"}
    found = {each.title: each for each in preflight(version=bare, base_model=base, hyperparameters=settings)}
    assert found["Test rows"].severity == "stop" and "could not be compared" in found["Test rows"].message
    with pytest.raises(Conflict, match="Test rows: There are none"):
        make_job(version=bare)
    job = make_job(training_file=file)
    finish(job.version, test=0)
    services.requeue_stale()
    job.refresh_from_db()
    assert job.state == "failed" and job.error["message"].startswith("Test rows: There are none")


def test_an_adapter_asks_for_the_room_of_what_learns(base, settings, monkeypatch) -> None:
    base.parameters = 7_000_000_000
    monkeypatch.setattr(machine.shutil, "disk_usage", lambda _path: SimpleNamespace(free=20e9))
    asked = {"lora": {"rank": 16}}
    assert machine.disk(base, method="full", hyperparameters=asked).severity == "stop"
    assert machine.disk(base, method="lora", hyperparameters=asked).severity == "fine"
    large = machine.disk(base, method="lora", hyperparameters={"lora": {"rank": 256}})
    assert large.severity == "stop" and "61.4 GB" in large.message


def test_a_recipe_that_counts_no_tokens_is_not_said_to_have_counted_them(looked, version) -> None:
    next(each for each in version.recipe["steps"] if each["kind"] == "tokens")["enabled"] = False
    assert "Tokenizer of the recipe" not in looked()


TAUGHT = "Exam rows that the base model has learnt"


@pytest.fixture
def goes_on(make_job, base, workspace, written, as_bob, dataset, finish):
    """The list for a second fine-tune, from a model that learnt from `written`, on a version with these rows."""

    def look(**splits: int) -> dict[str, Finding]:
        tuned = LanguageModel.objects.create(
            workspace=workspace,
            name="ft:first",
            kind="fine_tune",
            base=base,
            job=make_job(version=written),
            digest="e" * 64,
        )
        version = finish(data.create_version(as_bob, dataset=dataset), write=True, **splits)
        settings = presets.resolve(
            preset_key="balanced", method="full", requested={"batch_size": 8}, parameters=1, rows=40, context_length=256, seed=0,
        )  # fmt: skip
        found = preflight(version=version, base_model=tuned, hyperparameters=settings, look=Look())
        return {each.title: each for each in found}

    return look


def test_exam_rows_that_the_base_model_has_learnt_are_counted(goes_on) -> None:
    found = goes_on(train=20, validation=6, test=10)[
        TAUGHT
    ]  # rows are numbered through: these the first one trained on
    assert found.severity == "warning" and "10 of 10 test rows" in found.message and found.fix


def test_exam_rows_that_it_never_saw_are_fine(goes_on) -> None:
    found = goes_on(train=60, validation=6, test=10)[TAUGHT]
    assert found.severity == "fine", found.message


def test_too_many_rows_to_compare_are_said_and_not_waited_for(goes_on, monkeypatch) -> None:
    monkeypatch.setattr("datasets_app.contents.overlap.WHILE_WAITING", 10)
    assert "too many rows" in goes_on()[TAUGHT].message


def test_from_what_has_learnt_rows_that_were_erased_nothing_goes_on(goes_on, written, monkeypatch) -> None:
    written.state = "erased"
    monkeypatch.setattr("training_app.preflight.ancestors.versions_above", lambda _model: [written])
    found = goes_on()["What the start has learnt"]
    assert found.severity == "stop" and "rows that were erased since" in found.message and found.fix


def test_a_base_that_was_taught_nothing_here_has_no_such_line(looked) -> None:
    assert TAUGHT not in looked()
