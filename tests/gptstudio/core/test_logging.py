"""A line of the log says what it is about, to people and to programs, in every process of the studio."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.test import Client

from gptstudio.core.logging import JsonFormatter, LineFormatter, request_id, subject_id

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def record():
    """A warning, in a thread that was asked nothing before."""
    begun = request_id.set("")
    yield logging.LogRecord("studio", logging.WARNING, __file__, 1, "the %s is away\nsince noon", ("broker",), None)
    request_id.reset(begun)


def test_a_line_for_people_names_the_request_or_the_job(record) -> None:
    assert LineFormatter().format(record).split(" ", 1)[1] == "WARNING studio the broker is away\nsince noon"
    token = subject_id.set("ftjob-1")
    assert "studio ftjob-1 the broker" in LineFormatter().format(record)
    subject_id.reset(token)
    token = request_id.set("req_1")
    assert "studio req_1 the broker" in LineFormatter().format(record)
    request_id.reset(token)


def test_a_line_for_programs_is_one_object_whatever_the_message_holds(record) -> None:
    token = request_id.set("req_1")
    try:
        raise ValueError("über")
    except ValueError:
        record.exc_info = sys.exc_info()
    line = JsonFormatter().format(record)
    request_id.reset(token)
    assert "\n" not in line
    told = json.loads(line)
    assert (told["level"], told["logger"], told["request_id"]) == ("WARNING", "studio", "req_1")
    assert told["message"] == "the broker is away\nsince noon" and "ValueError: über" in told["exception"]
    assert told["time"].endswith("+00:00") and "job_id" not in told and "task" not in told


def test_every_answer_names_its_request_and_no_two_share_one(client: Client, db) -> None:
    page, rest = client.get("/accounts/login/"), client.get("/api/v1/datasets")
    assert page.headers["x-request-id"].startswith("req_") and rest.headers["x-request-id"].startswith("req_")
    assert page.headers["x-request-id"] != rest.headers["x-request-id"]


WORK = """
from gptstudio.celery import app
import logging

@app.task(name="studio.probe")
def probe(subject):
    logging.getLogger("studio").warning("at work")

probe.apply(args=["ftjob-7"])
logging.getLogger("studio").warning("over")
"""


def test_a_task_writes_its_name_and_its_job_into_every_line(tmp_path: Path) -> None:
    env = {**os.environ, "LOG_FORMAT": "json", "STUDIO_HOME": str(tmp_path)}
    env["DJANGO_SETTINGS_MODULE"] = "gptstudio.settings.local"
    code = f"import django; django.setup()\n{WORK}"
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=env, capture_output=True, text=True, check=True)
    lines = [told for line in ended.stderr.splitlines() if (told := json.loads(line))["logger"] == "studio"]
    assert [(told["message"], told.get("task"), told.get("job_id")) for told in lines] == [
        ("at work", "studio.probe", "ftjob-7"),
        ("over", None, None),
    ]
