"""Nothing that the studio reads back can run code: no pickle in caches, on the broker, in sessions or in its own modules."""

from __future__ import annotations

import ast
from pathlib import Path

from django.conf import settings

ROOT = Path(__file__).resolve().parents[2]
RUNS_WHAT_IT_READS = {"pickle", "cPickle", "cloudpickle", "dill", "joblib", "marshal", "shelve", "jsonpickle"}


def imported(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {each.name.partition(".")[0] for each in node.names}
        if isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.partition(".")[0])
    return found


def test_no_module_of_ours_reads_pickles() -> None:
    modules = [
        path
        for package in ("gptstudio", "datasets_app", "training_app", "serving_app")
        for path in (ROOT / package).rglob("*.py")
    ]
    assert len(modules) > 300
    assert [path for path in modules if imported(path) & RUNS_WHAT_IT_READS] == []


def test_caches_messages_and_sessions_are_json() -> None:
    assert {each["BACKEND"] for each in settings.CACHES.values()} == {"gptstudio.core.json_cache.JsonCache"}
    assert (settings.CELERY_TASK_SERIALIZER, settings.CELERY_ACCEPT_CONTENT) == ("json", ["json"])
    assert settings.SESSION_SERIALIZER == "django.contrib.sessions.serializers.JSONSerializer"
