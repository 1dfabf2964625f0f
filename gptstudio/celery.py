"""The Celery application. Tasks carry ids alone; the database says what is to be done."""

from __future__ import annotations

import os
from pathlib import Path

from celery import Celery

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
