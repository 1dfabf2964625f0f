"""A workspace with one of everything, made through the real services, without an engine and without child processes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from django.db import transaction
from django.utils import timezone


@contextmanager
def undone() -> Iterator[None]:
    """What happens in it to the database is undone, so that one world serves many questions."""
    with transaction.atomic():
        try:
            yield
        finally:
            transaction.set_rollback(True)


ROWS = [
    {
        "row_id": number,
        "file": "tickets.csv",
        "row": number,
        "messages": [
            {"role": "user", "content": f"Where is parcel {number}?"},
            {"role": "assistant", "content": "On its way."},
        ],
        "label": "delivery",
        "group": f"g{number}",
        "cluster": number,
        "tokens": 20 + number,
    }
    for number in range(60)
]
LEFT_OUT = [
    {
        "file": "tickets.csv",
        "row": 61,
        "line": 63,
        "step": "exact_duplicates",
        "reason": "exact_duplicate",
        "detail": "An earlier row says the same.",
        "text": "Where is parcel 1?",
    }
]
HITS = [
    {
        "file": "tickets.csv",
        "row": number,
        "row_id": number,
        "turn": 0,
        "role": "user",
        "start": 10,
        "end": 20,
        "entity_type": kind,
        "score": score,
        "source": "pattern",
        "action": action,
        "verdict": "",
        "first": "j",
        "replacement": replacement,
        "before": "write to ",
        "after": " please",
        "key": f"key{number}",
        "value_key": value,
    }
    for number, kind, score, action, replacement, value in (
        (0, "EMAIL_ADDRESS", 1.0, "mask", "[EMAIL]", "v1"),
        (1, "EMAIL_ADDRESS", 1.0, "mask", "[EMAIL]", "v1"),
        (2, "PERSON", 0.6, "mask", "[PERSON]", "v2"),
        (3, "LOCATION", 0.7, "keep", None, "v3"),
    )
]
REPORT: dict[str, Any] = {
    "version": 1,
    "rows": {"in": 101, "kept": 100, "dropped": {"exact_duplicate": 1}},
    "splits": {"train": 80, "validation": 10, "test": 10, "leaks": 0},
    "personal_data": {"EMAIL_ADDRESS": 3},
    "duplicates": {
        "exact": 1,
        "near_clusters": 1,
        "near_rows": 4,
        "largest": [{"cluster": 3, "rows": 4, "examples": [{"file": "tickets.csv", "row": 3, "text": "Where is it?"}]}],
    },
    "leaks": [
        {
            "split": "validation",
            "rows": 10,
            "leaks": 0,
            "sentence": "0 of 10 validation rows have a near-duplicate in train.",
        },
        {"split": "test", "rows": 10, "leaks": 0, "sentence": "0 of 10 test rows have a near-duplicate in train."},
    ],
    "tokens": {
        "limit": 512,
        "over": 2,
        "histogram": [[64, 40], [128, 60], [512, 1], [1024, 2]],
        "would": {
            "drop": {"shortened": 0, "dropped": 2},
            "truncate": {"shortened": 1, "dropped": 1},
            "split": {"split": 1, "parts": 3, "dropped": 1},
            "refuse": {"refused": 2},
        },
    },
    "balance": {"method": "cap", "before": {"delivery": 90, "refund": 30}, "after": {"delivery": 50, "refund": 30}},
    "quality": {
        "rows": 80,
        "languages": {"en": 100},
        "words": {
            "questions": {"total": 800, "p5": 4, "p25": 6, "p50": 10, "p75": 14, "p95": 30, "most": 60},
            "answers": {"total": 1600, "p5": 8, "p25": 12, "p50": 20, "p75": 28, "p95": 60, "most": 90},
        },
        "distinct": {
            "questions": {"one": 0.4, "two": 0.8, "sample": 5000},
            "answers": {"one": 0.5, "two": 0.9, "sample": 5000},
        },
        "commonest_answer": {},
        "clusters": {"clusters": 77, "largest": 4, "coverage": 0.9625},
        "files": {"count": 1, "rows": {"tickets.csv": 80}},
        "classes": {
            "count": 2,
            "imbalance": {"before": 3.0, "after": 1.667},
            "effective": {"before": 1.75, "after": 1.94},
            "smallest": {"label": "refund", "rows": 30},
            "largest": {"label": "delivery", "rows": 50},
        },
        "people": {
            "rows": 40,
            "kinds": {"gender": {"men": {"rows": 36, "labels": {}}, "women": {"rows": 4, "labels": {}}}},
        },
        "warnings": [
            {
                "kind": "gender",
                "message": "36 training rows speak of men and 4 of women.",
                "fix": "Bring rows that speak of women.",
            }
        ],
    },
    "classes": {"train": {"delivery": 50, "refund": 30}},
    "steps": [{"kind": "normalize", "changed": 3, "dropped": 0, "seconds": 0.1}],
    "examples": [{"file": "tickets.csv", "row": 2, "before": "hi  its jane@x.org", "after": "Hi its [EMAIL]"}],
    "files": [{"file": "tickets.csv", "format": "csv", "encoding": "utf-8", "rows": 101, "findings": []}],
    "notes": [],
}
DETECTION: dict[str, Any] = {
    "format": "csv",
    "encoding": "utf-8",
    "columns": ["question", "answer", "topic"],
    "rows": 101,
    "layout": "prompt_completion",
    "mapping": {"prompt": "question", "completion": "answer"},
    "findings": [{"severity": "warning", "message": "A row is ragged.", "row": 3, "line": 5, "count": 1}],
    "preview": [{"question": "Where is my parcel?", "answer": "On its way.", "topic": "delivery"}],
}
BASE = {"perplexity": 38.2, "bleu": 1.9, "rougeL": 0.13}
TUNED = {"perplexity": 4.1, "bleu": 14.6, "rougeL": 0.34}
SPAN = {"base": 0.13, "tuned": 0.34, "difference": 0.21, "low": 0.17, "high": 0.25, "rows": 10, "differing": 9}
RESULT: dict[str, Any] = {
    "version": 2,
    "rows": 10,
    "decoding": {"strategy": "greedy", "max_new_tokens": 64},
    "signatures": {"rouge": "f1|mean over rows|stemmer:porter"},
    "base": {**BASE, "empty": 0, "cut": 10},
    "tuned": {**TUNED, "empty": 1, "cut": 0},
    "headline": "rougeL",
    "intervals": {
        "rougeL": {**SPAN, "said": "better"},
        "bleu": {**SPAN, "base": 1.9, "tuned": 14.6, "difference": 12.7, "low": -1.0, "high": 20.0, "said": "no_difference"},
        "perplexity": {
            **SPAN, "base": 38.2, "tuned": 4.1, "difference": -34.1, "low": -40.0, "high": -30.0, "said": "better",
        },
    },
    "interval": {"method": "paired bootstrap", "confidence": 0.95, "resamples": 4000, "seed": 42},
    "labels": {
        "names": ["delivery", "refund"],
        "rows": 10,
        "note": "",
        "classes": [
            {
                "label": label, "rows": rows, "base": {"precision": 0.5, "recall": 1.0, "f1": 0.667},
                "tuned": {"precision": 0.9, "recall": 1.0, "f1": 0.947},
            }
            for label, rows in (("delivery", 8), ("refund", 2))
        ],
        "confusion": {"base": [[0, 0, 8], [1, 0, 2]], "tuned": [[0, 0, 8], [1, 0, 1], [1, 1, 1]]},
    },
    "classes": [{"label": "delivery", **SPAN, "said": "better"}],
    "lengths": [{"from": 3, "to": 4, **SPAN, "said": "no_difference"}],
    "reading": {"best": [0], "worst": [1], "random": [2, 0]},
}  # fmt: skip
SAFETY = {
    "version": 1,
    "passed": True,
    "checks": [
        {
            "key": "canaries",
            "title": "Repeats planted secrets",
            "tried": 20,
            "failed": 0,
            "limit": 0,
            "passed": True,
            "detail": "0 of 20 came back.",
            "examples": [],
        }
    ],
}


@dataclass(slots=True)
class World:
    """One of everything; `ids` fills the parameters of addresses."""

    dataset: Any
    file: Any
    version: Any
    job: Any
    model: Any
    deployment: Any
    key: Any
    recipe: Any
    preview: Any
    upload: Any
    request: Any
    price: Any
    fetched: Any
    rule: Any
    destination: Any
    delivery: Any
    comparison: Any
    study: Any
    export: Any
    invitation: Any
    review: Any

    @property
    def ids(self) -> dict[str, str]:
        return {
            "dataset_id": self.dataset.id,
            "file_id": self.file.id,
            "version_id": self.version.id,
            "job_id": self.job.id,
            "model_id": self.model.id,
            "deployment_id": self.deployment.id,
            "key_id": self.key.id,
            "upload_id": self.upload.id,
            "subject_id": self.version.id,
            "split": "train",
            "place": "3",
            "recipe_id": self.recipe.id,
            "preview_id": self.preview.id,
            "request_id": self.request.id,
            "price_id": self.price.id,
            "rule_id": self.rule.id,
            "destination_id": self.destination.id,
            "delivery_id": self.delivery.id,
            "user_id": self.request.user_id,
            "import_id": self.fetched.id,
            "evaluation_id": self.model.evaluation.id,
            "comparison_id": self.comparison.id,
            "study_id": self.study.id,
            "export_id": self.export.id,
            "invitation_id": self.invitation.id,
            "base_model_id": self.fetched.model_id,
            "finding_id": HITS[0]["key"],
            "review_id": self.review.id,
            "use_case_key": "support",
        }


def make_dataset(actor: Any, *, name: str = "support") -> tuple[Any, Any]:
    """A data set with one file that was read."""
    from datasets_app import services

    dataset = services.create_dataset(actor, workspace_id=actor.workspace_id, name=name)
    file = services.add_file(actor, dataset=dataset, name="tickets.csv", chunks=[b"question,answer,topic\na,b,c\n"])
    claimed = services.claim_file(file.id, holder="test")
    assert claimed is not None
    services.finish_file(claimed, detection=DETECTION)
    file.refresh_from_db()
    return dataset, file


def make_version(actor: Any, *, dataset: Any, recipe: dict[str, Any] | None = None) -> Any:
    """A version that is ready, with rows on disk."""
    from datasets_app import services

    version = services.create_version(actor, dataset=dataset, recipe=recipe)
    claimed = services.claim_version(version.id, holder="test")
    assert claimed is not None
    version.folder.mkdir(parents=True)
    for further, split in enumerate(("train", "validation", "test")):
        rows = [{**row, "row": row["row"] + 100 * further, "cluster": row["cluster"] + 100 * further} for row in ROWS]
        pq.write_table(pa.Table.from_pylist(rows), version.split_path(split))
    pq.write_table(pa.Table.from_pylist(LEFT_OUT), version.folder / "ledger.parquet")
    pq.write_table(pa.Table.from_pylist(HITS), version.folder / "findings.parquet")
    assert services.finish_version(claimed, report=REPORT, digest="d" * 64)
    version.refresh_from_db()
    return version


def _events(job: Any) -> list[dict[str, Any]]:
    def event(seq: int, kind: str, **data: Any) -> dict[str, Any]:
        at = f"2026-01-01T00:00:{seq:02d}+00:00"
        return {"v": 1, "seq": seq, "attempt": job.attempt, "at": at, "kind": kind, "data": data}

    metric = {"learning_rate": 1e-3, "grad_norm": 1.0, "tokens_per_second": 900.0}
    return [
        event(1, "started", pid=1, device="cpu", threads=1, resumed_from=None),
        event(2, "plan", steps=30, train_rows=80, trainable_parameters=5, total_parameters=5),
        event(3, "metric", step=10, epoch=1.0, loss=3.0, **metric),
        event(4, "evaluation", step=10, epoch=1.0, loss=3.1),
        event(5, "metric", step=20, epoch=2.0, loss=2.0, **metric),
        event(6, "progress", step=20, steps=30, eta_seconds=120),
    ]


def make_job(actor: Any, *, version: Any, base: Any, name: str = "Refunds", is_started: bool = True) -> Any:
    """A fine-tune; started, with a short curve, unless told otherwise."""
    from training_app import services

    job = services.create_job(actor, workspace_id=actor.workspace_id, base_model=base, version=version, name=name)
    if not is_started:
        return job
    claimed = services.claim_job(job.id, holder="test")
    assert claimed is not None
    services.record_events(claimed, phase="train", events=_events(claimed), offset=1)
    claimed.refresh_from_db()
    return claimed


def finish_job(job: Any, *, folder: Path) -> Any:
    """Its model, evaluated and checked for safety."""
    from training_app import services

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(f'{{"name": "{job.id}"}}', encoding="utf-8")
    services.advance_job(job)
    model = services.register_fine_tune(job, folder=folder)
    services.record_evaluation(job, model=model, result=RESULT)
    write_answers(model.evaluation)
    services.advance_job(job)
    services.record_safety(job, model=model, report=SAFETY)
    services.settle_release(job, model=model)
    return model


def write_answers(evaluation: Any, *, tuned: str = "There.", groups: int = 10, scored: float = 1.0) -> None:
    """The ten test rows with both answers that an evaluation leaves."""
    from training_app.engine.rowfile import write_rows

    evaluation.answers.parent.mkdir(parents=True, exist_ok=True)
    rows = [
        {
            "row_id": number, "file": "tickets.csv", "row": number, "label": "delivery", "group": f"g{number % groups}",
            "before": [{"role": "user", "content": f"Where is parcel {number}?"}], "reference": "On its way.",
            "base_label": None, "tuned_label": None, "base": f"No {number}.", "tuned": tuned,
            "base_cut": True, "tuned_cut": False,
        }
        for number in range(10)
    ]  # fmt: skip
    base, found = ({"rougeL": [[score, 1.0]] * 10} for score in (1.0, scored))
    write_rows(evaluation.answers, rows, {"base": base, "tuned": found})


def make_request(actor: Any, *, model: Any) -> Any:
    """A request of the playground that was answered and billed."""
    from gptstudio.core.ids import mint
    from serving_app.models import Completion
    from serving_app.prices import Tokens
    from serving_app.selectors import member_account
    from serving_app.services import reserve, settle
    from serving_app.services.accounts import Account
    from serving_app.services.usage import Ending

    request = Completion(
        id=mint("req_"), workspace_id=actor.workspace_id, user_id=actor.user_id, model=model, replica="embedded",
        endpoint="chat/completions",
    )  # fmt: skip
    names = (actor.workspace_id, member_account(actor.workspace_id, actor.user_id))
    accounts = [Account(name, None, "account") for name in names]
    reserve(request, model_name=model.name, bound=Tokens(50, 50), accounts=accounts)
    settle(request.id, tokens=Tokens(20, 10), ending=Ending("stop", first_token_ms=30, total_ms=200))
    request.refresh_from_db()
    return request


def make_study(actor: Any, *, job: Any) -> Any:
    """A learning curve of a fine-tune that is over."""
    from training_app.models import FineTuningJob, JobState, Study, StudyState

    what = {"workspace_id": actor.workspace_id, "version": job.version, "base_model": job.base_model}
    gain = {"before": 0.5, "after": 1.0, "change": -0.08, "low": -0.11, "high": -0.05, "rows": 10, "too_few": False}
    losses = [{"job": job.id, "share": share, "rows": 80 * share, "loss": 2 - share} for share in (0.25, 0.5, 1.0)]
    result = {"version": 1, "runs": losses, "gains": [{**gain, "said": "better"}], "verdict": "helps"}
    study = Study.objects.create(
        **what, kind="learning_curve", name="Refunds", origin=job, length=2, state=StudyState.SUCCEEDED, result=result
    )
    for place, share in enumerate((0.25, 0.5), start=1):
        plan = {"train_rows": round(80 * share), "finished": {"best_loss": 2 - share}, "usage": {"seconds": 40}}
        FineTuningJob.objects.create(
            **what, name=f"Refunds, {100 * share:.0f} % of the rows", state=JobState.SUCCEEDED, study=study, place=place,
            rows_share=share, plan=plan, hyperparameters=job.hyperparameters,
        )  # fmt: skip
    return study


def make_export(model: Any) -> Any:
    """A model as a GGUF file that was made."""
    from training_app.models import ModelExport

    made = ModelExport.objects.create(
        model=model, form="gguf-f16", state="ready", digest="e" * 64, finished_at=timezone.now()
    )
    made.folder.mkdir(parents=True, exist_ok=True)
    (made.folder / "model-f16.gguf").write_bytes(b"GGUF")
    return made


def make_world(actor: Any, *, base: Any, folder: Path) -> World:
    """One of everything; the model waits for a reviewer, the deployment answers with the base model."""
    from datasets_app.recipes import default_recipe
    from datasets_app.services import create_preview, create_recipe, start_upload
    from gptstudio.accounts.services import add_destination, invite, issue_key
    from gptstudio.notify.services import tell
    from gptstudio.review.selectors import item_about
    from serving_app.models import KeptTexts
    from serving_app.services import create_deployment, create_rule, set_price
    from training_app.models import BaseModelImport, ImportState, LanguageModel, ModelKind
    from training_app.services import request_release, start_comparison

    dataset, file = make_dataset(actor)
    version = make_version(actor, dataset=dataset)
    job = make_job(actor, version=version, base=base)
    model = finish_job(job, folder=folder / "model")
    job.refresh_from_db()
    request_release(actor, model=model)
    deployment = create_deployment(
        actor, workspace_id=actor.workspace_id, name="support", targets=[{"model": base.id, "weight": 1}]
    )
    key, _secret = issue_key(actor, workspace_id=actor.workspace_id, name="website", scopes=["chat"])
    body = default_recipe()
    recipe = create_recipe(actor, workspace_id=actor.workspace_id, name="Support", body=body)
    preview = create_preview(actor, dataset=dataset, recipe=body)
    upload = start_upload(actor, workspace_id=actor.workspace_id, name="more.csv", size=1 << 20, dataset=dataset)
    request = make_request(actor, model=base)
    turns = [{"role": "user", "content": "Where is it?"}]
    answers = [{"content": "On its way.", "finish_reason": "stop", "calls": []}]
    KeptTexts.objects.create(
        workspace_id=actor.workspace_id, request=request, question={"messages": turns}, answers=answers
    )
    price = set_price(
        actor, workspace_id=actor.workspace_id, model_name=base.name, prompt_micro=1, completion_micro=2,
        valid_from=timezone.now() + timedelta(days=1),
    )  # fmt: skip
    vectors = LanguageModel.objects.create(
        workspace_id=actor.workspace_id, name="tiny-1", kind=ModelKind.BASE, digest="b" * 64, embeds=True
    )
    fetched = BaseModelImport.objects.create(
        workspace_id=actor.workspace_id, hub_id="owner/tiny", name="tiny-1", state=ImportState.REGISTERED, model=vectors
    )
    rule = create_rule(actor, workspace_id=actor.workspace_id, kind="errors", threshold=5)
    to = add_destination(actor, workspace_id=actor.workspace_id, kind="webhook", address="https://hooks.example/in")
    tell(workspace_id=actor.workspace_id, event="alert.began", title="Requests fail", data={})
    delivery = to.deliveries.get()
    return World(
        dataset, file, version, job, model, deployment, key, recipe, preview, upload, request, price, fetched, rule, to,
        delivery, start_comparison(actor, workspace_id=actor.workspace_id, evaluation=model.evaluation),
        make_study(actor, job=job),
        make_export(model),
        invite(actor, workspace_id=actor.workspace_id, email="dora@care.example", role="reviewer"),
        item_about(model.id, kind="model"),
    )  # fmt: skip
