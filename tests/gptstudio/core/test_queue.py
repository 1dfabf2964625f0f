"""The queue: woken after commit, and a broker that is away costs no write."""

from __future__ import annotations

import json
import logging

import pytest
from celery import Celery
from django.db import transaction

from gptstudio.accounts.models import Workspace
from gptstudio.core import heartbeats, queue


@pytest.fixture
def broker(tmp_path, monkeypatch) -> Celery:
    """A broker in a folder of the test's own."""
    folders = {"data_folder_in": str(tmp_path / "queue"), "data_folder_out": str(tmp_path / "queue")}
    (tmp_path / "queue").mkdir()
    app = Celery("test", broker="filesystem://", set_as_current=False)
    app.conf.broker_transport_options = {**folders, "control_folder": str(tmp_path / "control")}
    monkeypatch.setattr(queue, "current_app", app)
    return app


@pytest.mark.django_db(transaction=True)
def test_a_worker_is_woken_after_the_commit_and_not_before(broker, tmp_path) -> None:
    with transaction.atomic():
        queue.enqueue("datasets.detect_file", "file-1")
        assert list((tmp_path / "queue").iterdir()) == []
    (message,) = (tmp_path / "queue").iterdir()
    assert json.loads(message.read_text())["headers"]["task"] == "datasets.detect_file"


@pytest.mark.django_db(transaction=True)
def test_nobody_is_woken_for_what_was_rolled_back(broker, tmp_path) -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        queue.enqueue("datasets.detect_file", "file-1")
        raise ZeroDivisionError
    assert list((tmp_path / "queue").iterdir()) == []


@pytest.mark.django_db(transaction=True)
def test_a_folder_broker_that_is_away_does_not_lose_the_write(broker, tmp_path, caplog) -> None:
    (tmp_path / "queue").rmdir()
    with caplog.at_level(logging.WARNING), transaction.atomic():
        Workspace.objects.create(name="Kept", slug="kept")
        queue.enqueue("datasets.detect_file", "file-1")
    assert Workspace.objects.filter(slug="kept").exists()
    assert "the broker did not take datasets.detect_file for file-1" in caplog.text


@pytest.mark.django_db(transaction=True)
def test_a_redis_that_is_away_does_not_lose_the_write(monkeypatch, caplog) -> None:
    app = Celery("test", broker="redis://127.0.0.1:1/0", set_as_current=False)
    app.conf.task_publish_retry_policy = {"max_retries": 1, "interval_start": 0, "interval_step": 0}
    monkeypatch.setattr(queue, "current_app", app)
    with caplog.at_level(logging.WARNING), transaction.atomic():
        Workspace.objects.create(name="Kept", slug="kept")
        queue.enqueue("datasets.detect_file", "file-1")
    assert Workspace.objects.filter(slug="kept").exists()
    assert "the broker did not take" in caplog.text


def test_a_process_is_alive_while_it_says_so(studio_home) -> None:
    assert not heartbeats.is_alive("worker")
    heartbeats.beat("worker")
    assert heartbeats.is_alive("worker")
    assert not heartbeats.is_alive("worker", within=-1)
