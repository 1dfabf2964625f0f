"""A file of pairs, as OpenAI's clients upload it, through curation into a run that learns to prefer."""

from __future__ import annotations

import json
import random
import string

import pytest

from datasets_app import services as data
from datasets_app import tasks as curating
from datasets_app.models import DatasetVersion
from gptstudio.core.errors import Invalid
from training_app import runner, services
from training_app.models import FineTuningJob, JobEvent

pytestmark = pytest.mark.once


def pairs(count: int) -> bytes:
    draw = random.Random(3)

    def asked() -> str:
        return " ".join("".join(draw.choices(string.ascii_lowercase, k=5)) for _ in range(8))

    rows = [
        {
            "input": {"messages": [{"role": "user", "content": asked()}]},
            "preferred_output": [{"role": "assistant", "content": "ok"}],
            "non_preferred_output": [{"role": "assistant", "content": f"no, ask anna{number}@home.example"}],
        }
        for number in range(count)
    ]
    return "\n".join(json.dumps(row) for row in rows).encode()


@pytest.fixture
def paired(as_bob, dataset, base) -> DatasetVersion:
    """A version of sixty pairs, made by the curation itself."""
    file = data.add_file(as_bob, dataset=dataset, name="pairs.jsonl", chunks=[pairs(60)])
    made = data.create_version(as_bob, dataset=dataset, files=[file])
    curating.build_version(made.id)
    return DatasetVersion.objects.select_related("dataset").get(id=made.id)


def test_a_file_of_pairs_becomes_a_run_that_learns_to_prefer(paired, make_job, monkeypatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert paired.error == {} and paired.report["pairs"]["train"] == paired.report["splits"]["train"] > 30
    wished = {"objective": "dpo", "max_steps": 30, "learning_rate": 0.02, "eval_steps": 30, "precision": "float32"}
    job = make_job(version=paired, hyperparameters=wished)
    held = services.claim_job(job.id, holder="test")
    outcome = runner.run_phase(
        held, phase="train", spec=runner.train_spec(held),
        on_events=lambda events, offset: services.record_events(held, phase="train", events=events, offset=offset),
        on_tick=lambda: services.beat(held),
    )  # fmt: skip
    assert outcome.name == "finished"
    judged = JobEvent.objects.filter(job=job, kind="evaluation").last()
    assert judged.data["accuracy"] == 1.0 and judged.data["loss"] < 0.6


def test_a_file_without_pairs_fails_its_run_with_a_sentence(make_job, version) -> None:
    with pytest.raises(Invalid, match="has no pairs of answers to learn a preference from") as refused:
        make_job(version=version, hyperparameters={"objective": "dpo"})
    assert refused.value.param == "objective" and "preferred and another answer" in refused.value.fix
    assert not FineTuningJob.objects.exists()
