"""The reconciler's one pass: engines as the database wants them, usage as the engines counted it, work sent again.

A pass that is cut short anywhere is made good by the next one. One bad engine does not keep the others waiting.
"""

from __future__ import annotations

import logging
import threading
import time
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils import timezone

from datasets_app.services import expire_uploads
from datasets_app.services import requeue_stale as requeue_data
from gptstudio.accounts.services import drop_expired_tokens
from gptstudio.api.services import drop_old_answers
from gptstudio.core import heartbeats, storage
from gptstudio.core.leftovers import sweep
from gptstudio.notify.services import drop_old_deliveries
from serving_app import engine_client, selectors
from serving_app.engine_client import EngineAway, EngineBroke, EngineRefused, JournalRow
from serving_app.models import EngineReplica
from serving_app.services.alerts import check_rules
from serving_app.services.asking import Asking, NotYet
from serving_app.services.budgets import alert_budgets
from serving_app.services.forgetting import drop_old_said
from serving_app.services.judging import end_lost
from serving_app.services.keeping import drop_old_texts
from serving_app.services.loading import Loader
from serving_app.services.reaping import drift_of, release_strays, settle_lost, settle_uncounted, take_rows
from serving_app.services.replicas import (
    forget_old_previews,
    record_away,
    record_journal,
    record_problems,
    record_seen,
    seed_replicas,
)
from serving_app.services.sampling import CpuShares, drop_old_samples, engine_load, record_sample
from serving_app.services.slack import drop_old_questions, requeue_questions
from training_app.models import LanguageModel
from training_app.selectors import jobs_waiting_for_release
from training_app.services import drop_weights_put_away, finish_released_job, move_waiting_on
from training_app.services import requeue_stale as requeue_jobs

logger = logging.getLogger(__name__)
LOOK_SECONDS = 5.0  # in which engines say in one pass how they are
ROWS_A_READ = 1_000
KEPT_SECONDS = 3_600
SAMPLE_SECONDS = 15.0
RESEND_SECONDS = 10.0
TIDY_SECONDS = 60.0
SWEEP_SECONDS = 3_600.0
DEAD_SECONDS = 86_400.0  # nothing that is alive leaves its files untouched for a day


class Reconciler:
    """Holds what lives between passes: what is asked of engines, and which loads failed lately."""

    def __init__(self, stop: threading.Event) -> None:
        self._asking = Asking(stop)
        self._loader = Loader(self._asking)
        self._looks: dict[str, Future[tuple[bool, engine_client.Served]]] = {}
        self._asked: dict[str, float] = {}
        self._shares = CpuShares()
        self._watched_since = timezone.now()
        self._sent_at = self._swept_at = self._sampled_at = self._tidied_at = float("-inf")

    def close(self) -> None:
        self._asking.close()

    def run_pass(self) -> None:
        """Everything once."""
        heartbeats.beat("reconciler")
        forget_old_previews()
        desired = {model.engine_name: model for model in self._awake(selectors.desired_models())}
        replicas = seed_replicas()
        for replica in replicas:  # all at once: one that hangs keeps the others waiting for no longer than itself
            if replica.name not in self._looks:
                self._looks[replica.name] = self._asking.begin(engine_client.look(replica.url))
        patient_until = time.monotonic() + LOOK_SECONDS
        for replica in replicas:
            try:
                self._look_after(replica, desired, patient_until)
            except NotYet:
                continue
            except (EngineAway, EngineBroke, EngineRefused) as error:
                logger.info("engine %s: %s", replica.name, error)
                record_away(replica)
        self._sample()  # rules look at what was just seen, not at what was seen before a restart
        settle_uncounted()
        end_lost()
        alert_budgets()
        finish_waiting_jobs()
        move_waiting_on()
        self._send_again()
        prune_broker()
        self._sweep()
        self._tidy()

    def _awake(self, wanted: list[LanguageModel]) -> list[LanguageModel]:
        """Without those that nobody asked for ENGINE_IDLE_MINUTES, as far as journals tell; a request wakes them."""
        if not settings.ENGINE_IDLE_MINUTES:
            return wanted
        now, pinned = time.monotonic(), selectors.pinned_models()
        since = now - 60 * settings.ENGINE_IDLE_MINUTES
        awake = [m for m in wanted if m.id in pinned or self._asked.setdefault(m.engine_name, now) > since]
        under = {model.base_id for model in awake if model.is_adapter}
        return [model for model in wanted if model in awake or model.id in under]

    def _sweep(self) -> None:
        if time.monotonic() - self._swept_at >= SWEEP_SECONDS:
            self._swept_at = time.monotonic()
            sweep(older_than=DEAD_SECONDS)
            drop_old_answers()
            drop_expired_tokens()
            drop_old_samples()
            drop_old_deliveries()
            drop_old_questions()
            drop_old_texts()
            drop_old_said()
            drop_weights_put_away()

    def _tidy(self) -> None:
        """Copies of what was erased, here and in the bucket where there is one; the cache of it within its bounds."""
        if storage.is_set() and time.monotonic() - self._tidied_at >= TIDY_SECONDS:
            self._tidied_at = time.monotonic()
            storage.tidy()
            storage.tidy_bucket()
            storage.evict()

    def _sample(self) -> None:
        """How busy the machine and its engines are, every fifteen seconds."""
        if time.monotonic() - self._sampled_at < SAMPLE_SECONDS:
            return
        self._sampled_at = time.monotonic()
        engines = {}
        for replica in selectors.replicas().filter(is_up=True):
            try:
                engines[replica.name] = engine_load(self._asking.ask(engine_client.metrics(replica.url)))
            except (EngineAway, EngineBroke, EngineRefused, ValueError) as error:
                logger.info("engine %s tells no metrics: %s", replica.name, error)
        record_sample(engines, self._shares)
        check_rules(watched_since=self._watched_since)

    def _send_again(self) -> None:
        """Wake workers for work that nobody holds; not in every pass, since a message may merely wait its turn."""
        if time.monotonic() - self._sent_at >= RESEND_SECONDS:
            self._sent_at = time.monotonic()
            requeue_jobs()
            requeue_data()
            expire_uploads()
            requeue_questions()

    def _look_after(self, replica: EngineReplica, desired: dict[str, Any], patient_until: float) -> None:
        left = max(0.0, patient_until - time.monotonic())
        looking = self._looks[replica.name]
        try:
            ready, served = self._asking.wait(looking, seconds=left)
        finally:
            if looking.done():  # else the next pass goes on with it
                del self._looks[replica.name]
        record_seen(replica, is_up=ready, served=served)
        self._read_journal(replica)
        if not ready:
            return
        record_problems(replica, self._loader.bring(replica, desired))
        after = self._asking.ask(engine_client.models(replica.url))
        if sorted(after.names) != replica.loaded:
            record_seen(replica, is_up=True, served=after)

    def _read_journal(self, replica: EngineReplica) -> None:
        """Take in the journal from where it was left. When another row stands there, it is another journal."""
        told: set[str] | None = None  # by another journal
        began = timezone.now()
        while True:
            rows: list[JournalRow] | None = self._asking.ask(
                engine_client.usage(replica.url, after=max(0, replica.usage_seq - 1))
            )
            if rows is None:  # nobody tells whom it was asked for, so nothing of it counts as idle
                self._asked.update(dict.fromkeys(replica.loaded, time.monotonic()))
                record_journal(replica, has_journal=False)
                return
            if replica.usage_seq and (not rows or rows[0].mark[:240] != replica.usage_mark):
                record_journal(replica, has_journal=True)
                told = set()
                continue
            fresh = [row for row in rows if row.seq > replica.usage_seq]
            take_rows(fresh)
            if told is not None:
                told.update(row.attempt_id for row in fresh)
            self._asked.update((row.model, time.monotonic()) for row in fresh)
            if fresh:
                record_journal(replica, has_journal=True, seq=fresh[-1].seq, mark=fresh[-1].mark, drift=drift_of(fresh))
            if len(rows) < ROWS_A_READ:
                release_strays(replica)
                if told is not None:
                    settle_lost(replica, told=told, before=began)
                return


def finish_waiting_jobs() -> int:
    """End the jobs whose released model answers now."""
    waiting = [job for job in jobs_waiting_for_release() if selectors.answers(job.model)]
    return sum(finish_released_job(job.id) for job in waiting)


def prune_broker() -> None:
    """The folder broker keeps messages that were worked on; an hour of them is enough."""
    folder = Path(settings.BROKER_FOLDER) / "processed"
    if settings.REDIS_URL or not folder.is_dir():
        return
    before = time.time() - KEPT_SECONDS
    for path in folder.iterdir():
        try:
            if path.stat().st_mtime < before:
                path.unlink()
        except FileNotFoundError:
            continue
