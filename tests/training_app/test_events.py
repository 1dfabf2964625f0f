"""Events taken in: each once, in batches, and from the present attempt's worker alone."""

from __future__ import annotations

import json

import pytest

from training_app import selectors, services
from training_app.models import Checkpoint, FineTuningJob, JobEvent
from training_app.tail import Tail
from training_app.wording import level, sentence


def event(seq: int, kind: str, attempt: int = 1, **data) -> dict:
    at = f"2026-01-31T12:00:{seq:02d}.000+00:00"
    return {"v": 1, "seq": seq, "attempt": attempt, "at": at, "kind": kind, "data": data}


BATCH = [
    event(1, "started", pid=1, device="cpu", threads=1, resumed_from=None),
    event(2, "plan", steps=10, epochs=1, train_rows=1200, validation_rows=5),
    event(3, "metric", step=5, epoch=0.5, loss=2.0, learning_rate=1e-3, grad_norm=1.5, tokens_per_second=900.0),
    event(4, "evaluation", step=5, epoch=0.5, loss=1.75),
    event(5, "checkpoint", step=5, path="checkpoints/checkpoint-5"),
    event(6, "progress", step=5, steps=10, eta_seconds=3),
]


@pytest.fixture
def job(make_job) -> FineTuningJob:
    return services.claim_job(make_job().id, holder="w")


def take(job, events, *, phase="train", offset=100) -> bool:
    return services.record_events(job, phase=phase, events=events, offset=offset)


def fresh(job) -> FineTuningJob:
    return FineTuningJob.objects.get(id=job.id)


def test_a_batch_becomes_log_curve_checkpoint_and_progress(job) -> None:
    assert take(job, BATCH)
    (point,) = selectors.metrics_of(job)
    assert (point.loss, point.validation_loss, point.learning_rate) == (2.0, 1.75, 1e-3)
    checkpoint = Checkpoint.objects.get(job=job)
    assert (checkpoint.step, checkpoint.path, checkpoint.validation_loss) == (5, "checkpoints/checkpoint-5", 1.75)
    found = fresh(job)
    assert (found.progress["step"], found.plan["steps"], found.offsets) == (5, 10, {"train": 100})
    assert [line.message for line in selectors.events_of(job)] == [
        "Training started",
        "1,200 rows, 10 steps",
        "Step 5: training loss=2",
        "Step 5: validation loss=1.75",
        "Checkpoint at step 5 is safe on disk",
    ]


def test_the_same_batch_twice_changes_nothing(job) -> None:
    take(job, BATCH)
    before = (JobEvent.objects.count(), selectors.metrics_of(job).count(), fresh(job).offsets)
    assert take(job, BATCH)
    assert (JobEvent.objects.count(), selectors.metrics_of(job).count(), fresh(job).offsets) == before


def test_a_worker_that_lost_its_lease_writes_nothing(job) -> None:
    FineTuningJob.objects.filter(id=job.id).update(attempt=2)
    assert not take(job, BATCH)
    assert not JobEvent.objects.exists()
    assert fresh(job).offsets == {}


def test_a_step_measured_again_after_a_resume_shows_the_later_value(job) -> None:
    take(job, BATCH)
    take(job, [event(7, "metric", attempt=2, step=5, epoch=0.5, loss=1.5)])
    (point,) = selectors.metrics_of(job)
    assert (point.loss, point.validation_loss) == (1.5, 1.75)


def test_phases_have_logs_and_offsets_of_their_own(job) -> None:
    take(job, BATCH)
    take(job, [event(1, "started", pid=2), event(2, "evaluation", base={}, tuned={})], phase="evaluate", offset=7)
    assert fresh(job).offsets == {"train": 100, "evaluate": 7}
    assert JobEvent.objects.filter(job=job, phase="evaluate").count() == 2
    assert selectors.metrics_of(job).count() == 1


def test_the_end_of_training_keeps_the_tokens_that_are_billed(job) -> None:
    take(job, [*BATCH, event(7, "finished", reason="early_stopping", best_step=5, trained_tokens=4321)])
    found = fresh(job)
    assert found.trained_tokens == 4321
    assert (found.plan["steps"], found.plan["finished"]["reason"]) == (10, "early_stopping")


def test_a_loss_that_is_no_number_is_kept_as_a_gap(job) -> None:
    take(job, [event(1, "metric", step=1, epoch=0.1, loss=None, learning_rate=1e-3)])
    assert selectors.metrics_of(job).get().loss is None
    assert "loss=–" in selectors.events_of(job).get().message


def test_phases_follow_one_another(job) -> None:
    seen = [job.phase]
    for _ in range(3):
        assert services.advance_job(job)
        seen.append(fresh(job).phase)
    assert seen == ["train", "evaluate", "safety", "release"]


def test_a_half_written_line_waits_for_its_end(tmp_path) -> None:
    path = tmp_path / "events.jsonl"
    tail = Tail(path, 0)
    assert tail.read() == []
    whole = json.dumps(BATCH[0]) + "\n"
    path.write_text(whole + whole[:20])
    assert tail.read() == [BATCH[0]]
    assert (tail.read(), tail.offset) == ([], len(whole))
    with path.open("a") as file:
        file.write(whole[20:])
    assert tail.read() == [BATCH[0]]
    assert Tail(path, len(whole)).read() == [BATCH[0]]


@pytest.mark.parametrize(
    ("kind", "data", "said", "how"),
    [
        ("started", {"resumed_from": 40}, "Resumed from step 40", "info"),
        ("notice", {"level": "warning", "message": "Cut."}, "Cut.", "warn"),
        ("failed", {"message": "No."}, "No.", "error"),
        ("out_of_memory", {}, "There was not enough memory", "error"),
        (
            "finished",
            {"reason": "early_stopping", "best_step": 9},
            "Stopped early: best at step 9, no gain since",
            "info",
        ),
        ("progress", {"step": 1}, "", "info"),
    ],
)
def test_every_event_has_a_line_for_people(kind, data, said, how) -> None:
    assert (sentence(kind, data), level(kind, data)) == (said, how)
