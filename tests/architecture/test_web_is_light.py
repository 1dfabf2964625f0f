"""A web process that has answered every address holds no heavy library: those live in engines and children alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ("torch", "transformers", "datasets", "evaluate", "spacy", "presidio_analyzer", "boto3")
VISIT = """
import json, os, sys

os.environ["DJANGO_SETTINGS_MODULE"] = "gptstudio.settings.test"
from gptstudio.asgi import application  # noqa: F401 - boots the web process

from django.core.management import call_command
from django.test import Client
from django.urls import URLPattern, get_resolver

SAMPLES = {"int": "1", "slug": "a", "uuid": "00000000-0000-0000-0000-000000000000", "str": "a", "path": "a/b"}


def addresses(patterns, prefix=""):
    for pattern in patterns:
        path = prefix + plain(pattern.pattern)
        if isinstance(pattern, URLPattern):
            yield path
        else:
            yield from addresses(pattern.url_patterns, path)


def plain(pattern):
    if hasattr(pattern, "_route"):
        text = str(pattern._route)
        for name, converter in pattern.converters.items():
            kind = type(converter).__name__.removesuffix("Converter").lower().replace("string", "str")
            for written in (f"<{name}>", f"<{kind}:{name}>"):
                text = text.replace(written, REAL.get(name, SAMPLES.get(kind, "a")))
        return text
    import re
    text = re.sub(r"\\(\\?P<[^>]+>[^()]*(\\([^()]*\\)[^()]*)*\\)", "a", pattern.regex.pattern)
    return re.sub(r"\\(\\?:[^()]*\\)\\??|[\\^$\\\\]|\\.\\*|\\Z", "", text)


TURNS = [{"role": "user", "content": "Where is it?"}, {"role": "assistant", "content": "There."}]
PLACE = {"row_id": 0, "file": "tickets.csv", "row": 0, "label": None, "group": "0", "cluster": 0, "tokens": 9}
ROWS = [{**PLACE, "messages": TURNS}]


def seed(workspace, model):
    # one of each, so that pages about one thing have something to show
    dataset = Dataset.objects.create(workspace=workspace, name="Tickets")
    file = DatasetFile.objects.create(dataset=dataset, name="tickets.csv", bytes=1, digest="0" * 64)
    file.path.parent.mkdir(exist_ok=True)
    file.path.write_text("a")
    report = {"rows": {"in": 1, "kept": 1}, "splits": {"train": 1, "validation": 0, "test": 0}}
    recipe = default_recipe()
    version = DatasetVersion.objects.create(dataset=dataset, number=1, state="ready", recipe=recipe, report=report)
    version.files.set([file])
    version.folder.mkdir(parents=True)
    pq.write_table(pa.Table.from_pylist(ROWS, schema=SCHEMA), version.split_path("train"))
    pq.write_table(pa.Table.from_pylist([], schema=traces.schema()), version.folder / "findings.parquet")
    job = FineTuningJob.objects.create(workspace=workspace, name="Tone", version=version, base_model=model)
    deployment = Deployment.objects.create(workspace=workspace, name="support")
    deployment.revisions.create(number=1, targets=[{"model": model.id, "weight": 1}], created_by_label="Ada")
    key = ApiKey.objects.create(workspace=workspace, name="shop", prefix="sk-studio-abc", hash="0" * 64)
    found = {"dataset": dataset, "file": file, "version": version, "job": job, "model": model}
    found |= {"deployment": deployment, "key": key}
    found["user"] = Membership.objects.get(workspace=workspace).user
    found["price"] = ModelPrice.objects.create(workspace=workspace, prompt_micro=1, completion_micro=1, valid_from=timezone.now())
    found["rule"] = AlertRule.objects.create(workspace=workspace, kind="errors")
    found["destination"] = to = Destination.objects.create(workspace=workspace, kind="webhook", address="https://a.example")
    found["delivery"] = Delivery.objects.create(destination=to, event="e", title="t", body={}, next_at=timezone.now())
    found["request"] = Completion.objects.create(workspace=workspace, model=model, replica="embedded", endpoint="completions")
    KeptTexts.objects.create(request=found["request"], workspace=workspace, question={"messages": TURNS}, answers=[])
    found["export"] = ModelExport.objects.create(model=model, form="gguf-f16", state="failed")
    found["preview"] = RecipePreview.objects.create(dataset=dataset, recipe=recipe)
    found["recipe"] = CurationRecipe.objects.create(workspace=workspace, name="Ours", body=recipe)
    return {f"{name}_id": each.id for name, each in found.items()} | {"subject_id": version.id, "split": "train", "place": "0"}


call_command("migrate", verbosity=0)
import pyarrow as pa
import pyarrow.parquet as pq
from datasets_app.curation.pii import traces
from datasets_app.curation.table import SCHEMA
from datasets_app.models import CurationRecipe, Dataset, DatasetFile, DatasetVersion, RecipePreview
from datasets_app.recipes import default_recipe
from gptstudio.accounts import services
from django.utils import timezone
from gptstudio.accounts.models import ApiKey, Membership
from gptstudio.notify.models import Delivery, Destination
from serving_app.models import AlertRule, Completion, Deployment, KeptTexts, ModelPrice
from training_app.models import FineTuningJob, ModelExport
from training_app.services import ensure_starter

ready = services.bootstrap(email="ada@care.example", workspace_name="Care", release_policy="self")
user = ready.user
user.is_superuser = True
user.save()
REAL = seed(ready.workspace, ensure_starter())
secret = services.bootstrap_key(ready, rotate=False)
client = Client(raise_request_exception=False)
client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
seen = {}
for path in sorted(set(addresses(get_resolver().url_patterns))):
    if "logout" not in path:
        bearer = {"Authorization": f"Bearer {secret}"} if path.startswith("v1/") else {}
        response = client.get("/" + path, headers=bearer)
        if getattr(response, "streaming", False):
            response.close()
        seen["/" + path] = response.status_code
heavy = sorted(name for name in HEAVY if name in sys.modules)
print(json.dumps({"seen": seen, "heavy": heavy, "real": REAL}))
"""


def test_no_address_loads_a_heavy_library_and_none_breaks(tmp_path) -> None:
    environment = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
    ended = subprocess.run(
        [sys.executable, "-c", f"HEAVY = {HEAVY!r}\n{VISIT}"],
        cwd=ROOT,
        env={**environment, "STUDIO_HOME": str(tmp_path), "LOG_LEVEL": "CRITICAL"},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr[-3000:]
    found = json.loads(ended.stdout.splitlines()[-1])
    assert found["heavy"] == []
    statuses = found["seen"]
    assert {path: status for path, status in statuses.items() if status >= 500 and path != "/health"} == {}
    assert len(statuses) > 40
    assert sum(status == 200 for status in statuses.values()) > 20
    assert statuses["/v1/models"] == 200
    ids = {each for name, each in found["real"].items() if name.endswith("_id")}
    about = {path for path in statuses for each in ids if f"/{each}" in path}
    assert about and {path for path in about if statuses[path] == 404} == set()
