"""A workspace that many people used for three months: a version of a million rows, ten thousand versions and runs, a
million lines in the ledger. One of everything is made through the real services (`tests/worlds.py`), and much more is
poured into the tables beside it, so that every list is long, and so is what the pages of single things show.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from big_work import Work
from django.db import connection
from pouring import pour

from datasets_app.curation.browsing.index import write_index
from datasets_app.models import DatasetVersion
from gptstudio.accounts.models import ApiKey
from gptstudio.accounts.services import create_user, create_workspace
from gptstudio.audit.models import AuditEvent
from gptstudio.core.ids import mint
from gptstudio.notify.models import Delivery, DeliveryState
from gptstudio.review.models import ReviewItem
from serving_app.models import (
    Completion,
    CompletionState,
    Deployment,
    DeploymentRevision,
    Feedback,
    ResourceSample,
    UsageEvent,
    UsageKind,
)
from serving_app.services import rebuild_usage
from tests.worlds import HITS, LEFT_OUT, World
from training_app.models import (
    FineTuningJob,
    LanguageModel,
    MetricPoint,
)

LEFT_OUT_SHARE, HITS_SHARE = 10, 5  # one row of so many


class BigStudio(Work):
    """`fill()` does all of it."""

    def fill(self) -> dict[str, int]:
        """Rows by table, once all are there and the database has looked at them."""
        self.pour_data()
        self.pour_runs()
        self.pour_reviews()
        self._serving()
        rebuild_usage()
        pour(self._acts())
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "ANALYZE")
        tables = (
            DatasetVersion,
            FineTuningJob,
            LanguageModel,
            Completion,
            UsageEvent,
            AuditEvent,
            ReviewItem,
            MetricPoint,
        )
        return {str(model._meta.verbose_name_plural): model._default_manager.count() for model in tables}

    def _serving(self) -> None:
        w, many = self.world, self.size.of(200)
        deployments = [
            Deployment(workspace_id=self.workspace_id, name=f"care-{n}", created_at=self.ago(n, many))
            for n in range(many)
        ]
        pour(deployments)
        pour(
            DeploymentRevision(
                deployment=each, number=number, targets=[{"model": self.models[number].id, "weight": 1}],
                created_by_label="Alice", created_at=self.now,
            )
            for each, revisions in ((w.deployment, 200), *((each, 5) for each in deployments))
            for number in range(2, 2 + min(revisions, len(self.models) - 2))
        )  # fmt: skip
        self.names = [model.name for model in self.models[:8]]
        pour(self._requests())
        pour(self._ledger())
        asked = list(Completion.objects.order_by("-created_at")[: self.size.of(5000)])
        pour(
            Feedback(
                workspace_id=self.workspace_id, request=each, rating="down", correction="It is on its way.",
                question=[{"role": "user", "content": "Where is it?"}], given_by_id="x", given_by_label="Alice",
                created_at=each.created_at,
            )
            for each in asked
        )  # fmt: skip
        pour(
            ResourceSample(
                at=self.now - timedelta(seconds=15 * n), cpu_percent=40.0, memory_percent=50.0, memory_bytes=8 << 30,
                engines_up=1, running=2, waiting=0, cache_percent=20.0,
            )
            for n in range(self.size.of(7 * 24 * 60 * 4))
        )  # fmt: skip
        pour(
            Delivery(
                destination=w.destination, event="alert.began", title="Requests fail", body={}, state=DeliveryState.SENT,
                attempts=1, next_at=self.now, created_at=self.ago(n, 10_000), sent_at=self.now,
            )
            for n in range(self.size.of(10_000))
        )  # fmt: skip

    def _requests(self) -> Iterator[Completion]:
        """Half as many as lines in the ledger, each of which has two."""
        self.asked: list[tuple[str, Any, ApiKey, str]] = []
        many, used = self.size.events // 2, self.models[:8]
        for n in range(many):
            key, at, model, ident = self.keys[n % len(self.keys)], self.ago(n, many), used[n % 3], mint("req_")
            self.asked.append((ident, at, key, model.name))
            yield Completion(
                id=ident, workspace_id=self.workspace_id, api_key=key, model=model, deployment=self.world.deployment,
                replica="embedded", endpoint="chat/completions", streamed=True, finish_reason="stop",
                state=CompletionState.FAILED if n % 100 == 3 else CompletionState.COMPLETED, reached_engine=True,
                counted_tokens=150, gateway_us=2000 + n % 999, first_token_ms=30 + n % 97, total_ms=200 + n % 811,
                created_at=at,
            )  # fmt: skip

    def _ledger(self) -> Iterator[UsageEvent]:
        for ident, at, key, name in self.asked:
            whole = {
                "workspace_id": self.workspace_id,
                "api_key": key,
                "user_id": key.created_by_id,
                "model_name": name,
            }
            month = at.year * 100 + at.month
            yield UsageEvent(attempt_id=ident, kind=UsageKind.RESERVE, cost_micro=200, at=at, month=month, **whole)
            yield UsageEvent(
                attempt_id=ident, kind=UsageKind.SETTLE, prompt_tokens=100, completion_tokens=50, cost_micro=150, at=at,
                month=month, **whole,
            )  # fmt: skip

    def _acts(self) -> Iterator[AuditEvent]:
        """Lines that are read alone: their hashes are no chain."""
        many = self.size.of(200_000)
        for n in range(many):
            job = self.jobs[n % len(self.jobs)]
            yield AuditEvent(
                workspace_id=self.workspace_id, actor_kind="user", actor_id="x", actor_label=f"member{n % 200}@care.example",
                action=("job.created", "review.approved", "key.used", "member.signed_in", "version.ready")[n % 5],
                subject_kind="job", subject_id=job.id, subject_label=job.name, at=self.ago(n, many),
                previous_hash="", hash=f"{n:064d}",
            )  # fmt: skip


def lengthen(world: World, *, rows: int) -> None:
    """Give the version that is opened so many rows, with an index, and what was left out and found in proportion."""
    import row_browser

    folder = world.version.folder
    row_browser.ROWS = rows
    row_browser.make(folder)
    write_index(folder)
    for name, one, share in (("ledger", LEFT_OUT[0], LEFT_OUT_SHARE), ("findings", HITS[0], HITS_SHARE)):
        many = [{**one, "row": n * share, "row_id": n * share, "key": f"key{n}"} for n in range(rows // share)]
        kept = [{key: value for key, value in each.items() if key in one} for each in many]
        pq.write_table(pa.Table.from_pylist(kept), folder / f"{name}.parquet")
    held = rows // 10
    report = world.version.report | {
        "rows": {
            "in": rows + rows // LEFT_OUT_SHARE,
            "kept": rows,
            "dropped": {"exact_duplicate": rows // LEFT_OUT_SHARE},
        },
        "splits": {"train": rows - held, "validation": 0, "test": held, "leaks": 0},
    }
    DatasetVersion.objects.filter(id=world.version.id).update(report=report)
    world.version.refresh_from_db()


def people() -> Any:
    """Alice, who is admin of Care and opens the pages."""
    alice = create_user(email="alice@care.example", name="Alice", password="correct horse battery")
    create_workspace(owner=alice, name="Care")
    return alice
