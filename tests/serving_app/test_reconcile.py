"""The reconciler: engines hold what the database says, whatever else is broken."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import openai
import pytest
from django.core.management import call_command
from django.db.migrations.loader import MigrationLoader
from django.utils import timezone

from gptstudio.core import heartbeats
from serving_app import selectors, services
from serving_app.management.commands import reconcile
from serving_app.models import AlertRule, EngineReplica, Preview

HELLO = [{"role": "user", "content": "Hello"}]


def test_the_starter_is_loaded_and_the_engine_counts_as_ready(engine, transactional_db, reconciler):
    from training_app.services import ensure_starter

    assert not selectors.engine_is_ready()
    model = ensure_starter()
    reconciler.run_pass()
    replica = EngineReplica.objects.get()
    assert replica.is_up and replica.loaded == [model.engine_name] and replica.problems == {}
    assert selectors.engine_is_ready()
    assert heartbeats.is_alive("reconciler")


def test_a_model_that_cannot_be_loaded_is_a_problem_and_not_the_end(base_model, make_tuned, reconciler):
    broken = make_tuned("ft:broken")
    broken.digest = "0" * 64
    broken.save()
    good = make_tuned("ft:good")
    reconciler.run_pass()
    assert selectors.answers(good) and not selectors.answers(broken)
    assert "model root" in selectors.problem_of(broken)
    reconciler.run_pass()
    assert selectors.problem_of(broken)


def test_files_that_a_killed_process_left_half_made_go_after_a_day(studio_home, transactional_db, reconciler):
    (studio_home / "uploads").mkdir()
    old, fresh = studio_home / "uploads" / ".incoming-a", studio_home / "uploads" / ".incoming-b"
    for path in (old, fresh):
        path.touch()
    os.utime(old, (1_700_000_000, 1_700_000_000))
    reconciler.run_pass()
    assert not old.exists() and fresh.exists()


def test_one_engine_that_is_away_does_not_keep_the_other_waiting(settings, engine, base_model, reconciler):
    settings.ENGINE_URLS = {"absent": "http://127.0.0.1:1", "embedded": engine.url}
    reconciler.run_pass()
    assert {replica.name: replica.is_up for replica in selectors.replicas()} == {"absent": False, "embedded": True}
    assert selectors.answers(base_model)


def test_rules_on_engines_look_after_the_engines_were_looked_at(settings, engine, as_alice, reconciler, monkeypatch):
    long_ago = timezone.now() - timedelta(days=1)
    for name, url in {"absent": "http://127.0.0.1:1", "embedded": engine.url}.items():
        EngineReplica.objects.create(name=name, url=url, is_up=False, last_seen_at=long_ago)
    settings.ENGINE_URLS = {"absent": "http://127.0.0.1:1", "embedded": engine.url}
    services.create_rule(as_alice, workspace_id=as_alice.workspace_id, kind="engine_down", minutes=5)
    reconciler.run_pass()
    assert AlertRule.objects.get().firing_since is None, "the watch has only begun"
    monkeypatch.setattr(reconciler, "_watched_since", long_ago)
    monkeypatch.setattr(reconciler, "_sampled_at", float("-inf"))
    EngineReplica.objects.update(is_up=False, last_seen_at=long_ago)
    reconciler.run_pass()
    assert AlertRule.objects.get().detail == "Does not answer: absent."


def test_engines_that_the_settings_forget_are_forgotten(settings, base_model, reconciler):
    settings.ENGINE_URLS = {"absent": "http://127.0.0.1:1"}
    reconciler.run_pass()
    assert [replica.name for replica in selectors.replicas()] == ["absent"]
    assert not selectors.engine_is_ready()


def test_a_notice_that_is_being_sent_does_not_keep_the_process_from_ending(monkeypatch):
    held, begun = threading.Event(), threading.Event()
    monkeypatch.setattr(reconcile, "send_due", lambda: (begun.set(), held.wait(120)))
    stop = threading.Event()
    sender = reconcile.sender_until(stop)
    sender.start()
    assert begun.wait(120) and sender.daemon
    stop.set()
    held.set()
    sender.join(timeout=120)
    assert not sender.is_alive()


def test_a_preview_is_unloaded_when_its_time_is_over(base_model, make_tuned, reconciler):
    model = make_tuned(released=False)
    Preview.objects.create(model=model, wanted_until=timezone.now() + timedelta(minutes=1))
    reconciler.run_pass()
    assert selectors.answers(model)
    Preview.objects.update(wanted_until=timezone.now() - timedelta(seconds=1))
    reconciler.run_pass()
    assert not selectors.answers(model) and not Preview.objects.exists()


def test_a_job_that_waits_for_its_model_ends_once_an_engine_answers(base_model, make_tuned, workspace, reconciler):
    from training_app.models import FineTuningJob

    model = make_tuned()
    job = FineTuningJob.objects.create(
        workspace=workspace, name="waiting", base_model=base_model, state="running", phase="release"
    )
    model.job = job
    model.save()
    reconciler.run_pass()
    job.refresh_from_db()
    assert job.state == "succeeded"


def test_old_messages_of_the_folder_broker_are_pruned(settings, base_model, reconciler):
    settings.REDIS_URL = ""
    folder = Path(settings.BROKER_FOLDER) / "processed"
    folder.mkdir(parents=True, exist_ok=True)
    old, fresh = folder / "old.msg", folder / "fresh.msg"
    old.touch()
    fresh.touch()
    os.utime(old, (0, 0))
    reconciler.run_pass()
    assert fresh.exists() and not old.exists()


def test_the_usage_of_one_request_is_what_the_engine_says(client, base_model):
    from serving_app.services import engine_usage_of

    answer = client.completions.create(model=base_model.name, prompt="abc", max_tokens=4)
    counted = engine_usage_of(answer._request_id)
    assert (counted.prompt, counted.completion) == (answer.usage.prompt_tokens, 4)


def test_reconcile_usage_prints_the_difference(own_engine, client, reconciler, capsys):
    from training_app.services import ensure_starter

    model = ensure_starter()
    reconciler.run_pass()
    client.completions.create(model=model.name, prompt="abc", max_tokens=4)
    call_command("reconcile_usage")
    assert "1 attempts; engines minus ledger: 0 prompt tokens" in capsys.readouterr().out


def test_the_command_stops_at_once_when_told_to(tmp_path):
    """On a home of its own whose tables are gone: every pass fails, the process stays, and ends with 0."""
    env = {
        **os.environ,
        "STUDIO_HOME": str(tmp_path),
        "DATABASE_URL": "",
        "DJANGO_SETTINGS_MODULE": "gptstudio.settings.local",
    }
    path = tmp_path / "empty.sqlite3"
    env["DATABASE_URL"] = f"sqlite:///{path}"
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("CREATE TABLE django_migrations (id INTEGER PRIMARY KEY, app, name, applied)")
        known = MigrationLoader(None).disk_migrations
        database.executemany("INSERT INTO django_migrations (app, name, applied) VALUES (?, ?, '2026-01-01')", known)
    root = Path(__file__).parents[2]
    process = subprocess.Popen([sys.executable, "manage.py", "reconcile"], cwd=root, env=env, stderr=subprocess.PIPE)
    assert process.stderr is not None
    for line in process.stderr:
        if b"cut short" in line:
            break
    process.send_signal(signal.SIGTERM)
    process.stderr.close()
    assert process.wait(timeout=120) == 0


def test_an_idle_model_leaves_memory_and_comes_back_for_who_asks(
    settings, base_model, make_tuned, reconciler, client, as_alice
):
    idle, deployed = make_tuned("ft:idle"), make_tuned("ft:deployed")
    targets = [{"model": deployed.id, "weight": 1}]
    services.create_deployment(as_alice, workspace_id=as_alice.workspace_id, name="shop", targets=targets)
    settings.ENGINE_IDLE_MINUTES = 30
    reconciler.run_pass()
    assert all(selectors.answers(model) for model in (base_model, idle, deployed)), "just begun: nobody was idle yet"
    client.chat.completions.create(model=base_model.name, messages=HELLO, max_tokens=1)
    for name in reconciler._asked:
        reconciler._asked[name] -= 31 * 60
    reconciler.run_pass()  # the journal shows who was asked
    reconciler.run_pass()
    assert [selectors.answers(model) for model in (base_model, idle, deployed)] == [True, False, True]
    with pytest.raises(openai.InternalServerError, match="is being loaded"):
        client.with_options(max_retries=0).chat.completions.create(model=idle.name, messages=HELLO, max_tokens=1)
    reconciler.run_pass()
    assert client.chat.completions.create(model=idle.name, messages=HELLO, max_tokens=1).model == idle.name
