"""The Celery application. Tasks carry ids alone; the database says what is to be done."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from celery import Celery
from celery.signals import setup_logging, task_postrun, task_prerun, worker_init, worker_ready, worker_shutting_down
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from gptstudio.core import heartbeats, logging, shutdown, storage
from gptstudio.core.database import check_schema
from gptstudio.core.errors import StudioError

stopping = threading.Event()
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gptstudio.settings.local")

app = Celery("gptstudio")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["datasets_app", "training_app", "serving_app"])


def make_broker_folders(options: dict[str, object]) -> None:
    """The folder broker expects its folders to exist."""
    for key in ("data_folder_in", "control_folder", "processed_folder"):
        if key in options:
            Path(str(options[key])).mkdir(parents=True, exist_ok=True)


try:  # the first look at the settings, whatever is started
    make_broker_folders(app.conf.broker_transport_options or {})
except ImproperlyConfigured as error:
    sys.exit(f"GPT Studio cannot start: {error}")


@setup_logging.connect
def _log_as_settings_say(**_signal: Any) -> None:
    """Whoever listens here has Celery leave the log as Django has set it up."""


@task_prerun.connect
def _say_what_is_done(task: Any, args: Sequence[Any], **_signal: Any) -> None:
    logging.task.set(task.name)
    logging.subject_id.set(str(args[0]) if args else "")


@task_postrun.connect
def _say_that_it_is_over(**_signal: Any) -> None:
    logging.task.set("")
    logging.subject_id.set("")


@worker_init.connect
def _check(**_signal: Any) -> None:
    """A worker of another version than the database's ends before it takes anything."""
    try:
        check_schema(version=settings.VERSION)
        storage.check()
    except StudioError as error:
        sys.exit(f"The worker cannot start: {error}")


@worker_ready.connect
def _beat_while_working(sender: Any, **_signal: Any) -> None:
    """A sign of life every few seconds, from a thread: the worker's main loop may be busy for an hour. One of each queue, too:
    where the worker of one is away, that of another still beats.
    """
    names = ["worker", *(f"worker-{queue}" for queue in sender.app.amqp.queues.consume_from)]

    def beat() -> None:
        for name in names:
            heartbeats.beat(name)

    def loop() -> None:
        while not stopping.wait(3.0):
            beat()

    beat()
    threading.Thread(target=loop, name="heartbeat", daemon=True).start()
    storage.start_tending(stopping)


@worker_shutting_down.connect
def _end(**_signal: Any) -> None:
    stopping.set()
    shutdown.ask()
