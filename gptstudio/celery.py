"""The Celery application. Tasks carry ids alone; the database says what is to be done."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

from celery import Celery
from celery.signals import worker_ready, worker_shutting_down

from gptstudio.core import heartbeats, shutdown

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


make_broker_folders(app.conf.broker_transport_options or {})


@worker_ready.connect
def _beat_while_working(sender: Any, **_signal: Any) -> None:
    """A sign of life every few seconds, from a thread: the worker's main loop may be busy for an hour."""

    def loop() -> None:
        while not stopping.wait(3.0):
            heartbeats.beat("worker")

    heartbeats.beat("worker")
    threading.Thread(target=loop, name="heartbeat", daemon=True).start()


@worker_shutting_down.connect
def _end(**_signal: Any) -> None:
    stopping.set()
    shutdown.ask()
