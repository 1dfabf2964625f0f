"""The Helm chart: rendered by helm, held against Kubernetes' own schemas, and every command of ours run for real."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from django.conf import settings

from serving_app.engine.settings import EngineSettings
from tests.deploy.charts import ALL, CHART, ROOT, helm, pods, rendered
from tests.deploy.test_compose import lines_of

VERSIONS = ("1.27", "1.31", "1.34")
SETS = {
    "as it is": {},
    "all of it": ALL,
    "vllm alone": {**ALL, "engine.replicas": "0", "networkPolicy.enabled": "false"},
}


@pytest.fixture(scope="module", params=SETS)
def objects(request: pytest.FixtureRequest) -> list[dict[str, Any]]:
    return rendered(**SETS[request.param])


@pytest.fixture(scope="module")
def everything() -> list[dict[str, Any]]:
    return rendered(**ALL)


def named(objects: list[dict[str, Any]], kind: str) -> dict[str, dict[str, Any]]:
    return {each["metadata"]["name"]: each for each in objects if each["kind"] == kind}


def settings_of(objects: list[dict[str, Any]]) -> dict[str, str]:
    return named(objects, "ConfigMap")["studio-settings"]["data"]


def container(pod: dict[str, Any]) -> dict[str, Any]:
    (only,) = pod["spec"]["containers"]
    return only


def fit(objects: list[dict[str, Any]]) -> None:
    for each in objects:
        for version in VERSIONS:
            kubernetes_validate.validate(each, version, strict=True)


def test_helm_finds_nothing_wrong_with_it() -> None:
    outcome = helm("lint", "--strict", str(CHART), "--set", "secretName=s")
    assert outcome.returncode == 0, outcome.stdout


def test_every_object_fits_kubernetes_own_schema(objects: list[dict[str, Any]]) -> None:
    assert len(objects) > 10
    fit(objects)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"secretName": ""}, "Set secretName to a Secret with SECRET_KEY, ENGINE_TOKEN, DATABASE_URL and REDIS_URL."),
        ({"engine.replicas": "0"}, "Nobody would answer: set engine.replicas to 1 or more"),
        ({"vllm.enabled": "true"}, "Set vllm.model to a folder below /home/studio/home"),
        ({"publicUrl": "studio.example"}, "publicUrl"),
        ({"web.replicas": "0"}, "replicas"),
        ({"web.replica": "3"}, "replica"),
        ({"workerGPU.enabled": "true"}, "workerGPU"),
        ({"backup.restoreFrom": "studio-2026-01-31T12-00-00"}, "Set backup.existingClaim"),
    ],
)
def test_wrong_values_are_refused_by_their_name(values: dict[str, str], said: str) -> None:
    asked = [part for name, value in {"secretName": "s", **values}.items() for part in ("--set", f"{name}={value}")]
    outcome = helm("template", "studio", str(CHART), *asked)
    assert outcome.returncode != 0 and said in outcome.stderr


def test_every_setting_is_one_that_the_studio_reads(everything: list[dict[str, Any]]) -> None:
    described = (ROOT / ".env.example").read_text()
    assert {name for name in settings_of(everything) if f"# {name}=" not in described} == set()


def test_every_command_of_ours_is_there_to_be_run(everything: list[dict[str, Any]], tmp_path: Path) -> None:
    secrets = {"SECRET_KEY": "x" * 50, "ENGINE_TOKEN": "y" * 50, "STUDIO_HOME": str(tmp_path)}
    told = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
    env = {**told, **settings_of(everything), **secrets}
    for part, pod in pods(everything).items():
        if part == "vllm":
            continue
        command = [sys.executable if word == "python" else word for word in container(pod)["command"]]
        outcome = subprocess.run(
            [*command, "--help"], cwd=ROOT, env=env, capture_output=True, text=True, check=False, timeout=120
        )
        assert outcome.returncode == 0, outcome.stderr[-2000:]
        assert [word for word in command if word.startswith("--") and word not in outcome.stdout] == []


def test_nothing_runs_as_root_or_writes_to_its_image(everything: list[dict[str, Any]]) -> None:
    user = re.search(r"--uid (\d+)", (ROOT / "Dockerfile").read_text())
    assert user is not None
    for pod in pods(everything).values():
        confined = container(pod)["securityContext"]
        assert confined["capabilities"]["drop"] == ["ALL"] and confined["allowPrivilegeEscalation"] is False
        assert pod["spec"]["automountServiceAccountToken"] is False
        assert confined["readOnlyRootFilesystem"] is True
        assert pod["spec"]["securityContext"]["runAsUser"] == int(user[1])
        assert pod["spec"]["securityContext"]["runAsNonRoot"] is True
        written = {each["name"] for each in container(pod)["volumeMounts"] if not each.get("readOnly")}
        assert {"tmp"} <= written
    assert {"cache", "shm"} <= {each["name"] for each in container(pods(everything)["vllm"])["volumeMounts"]}


def test_every_selector_finds_its_pods_and_every_named_object_is_there(everything: list[dict[str, Any]]) -> None:
    labels = [pod["metadata"]["labels"] for pod in pods(everything).values()]

    def found(selector: dict[str, str]) -> list[dict[str, str]]:
        return [each for each in labels if selector.items() <= each.items()]

    for each in everything:
        if each["kind"] in ("Deployment", "StatefulSet"):
            assert found(each["spec"]["selector"]["matchLabels"]) == [each["spec"]["template"]["metadata"]["labels"]]
        if each["kind"] == "Service":
            assert len(found(each["spec"]["selector"])) == 1
        if each["kind"] == "NetworkPolicy":
            assert found(each["spec"]["podSelector"]["matchLabels"])
    claims = named(everything, "PersistentVolumeClaim")
    for pod in pods(everything).values():
        for volume in pod["spec"]["volumes"]:
            if "persistentVolumeClaim" in volume:
                assert volume["persistentVolumeClaim"]["claimName"] in claims
        for source in container(pod).get("envFrom", []):
            assert source in ({"configMapRef": {"name": "studio-settings"}}, {"secretRef": {"name": "studio-secrets"}})
    (backend,) = named(everything, "Ingress")["studio-web"]["spec"]["rules"][0]["http"]["paths"]
    assert backend["backend"]["service"]["name"] in named(everything, "Service")


def test_engines_are_named_as_their_pods_and_services_are(everything: list[dict[str, Any]]) -> None:
    urls = dict(pair.split("=") for pair in settings_of(everything)["ENGINE_URLS"].split(","))
    stateful = named(everything, "StatefulSet")["studio-engine"]["spec"]
    service = stateful["serviceName"]
    port = container(pods(everything)["engine"])["ports"][0]["containerPort"]
    for number in range(stateful["replicas"]):
        assert urls.pop(f"engine-{number}") == f"http://studio-engine-{number}.{service}:{port}"
    assert urls == {"vllm": "http://studio-vllm:8000"}
    assert named(everything, "Service")[service]["spec"]["clusterIP"] == "None"


def test_engines_know_their_token_and_no_database(everything: list[dict[str, Any]]) -> None:
    for part in ("engine", "vllm"):
        told = container(pods(everything)[part])
        assert "envFrom" not in told
        keys = {
            each["valueFrom"]["secretKeyRef"]["key"]
            for each in told["env"]
            if "secretKeyRef" in each.get("valueFrom", {})
        }
        assert "ENGINE_TOKEN" in keys and keys <= {"ENGINE_TOKEN", "HF_TOKEN"}


def test_engines_see_models_to_read_and_their_own_journal_alone(everything: list[dict[str, Any]]) -> None:
    seen = {
        part: {
            (each.get("subPath") or each.get("subPathExpr"), bool(each.get("readOnly")))
            for each in container(pods(everything)[part])["volumeMounts"]
            if each["name"] == "home"
        }
        for part in ("engine", "vllm")
    }
    assert seen["engine"] == {("artifacts", True), ("journal/$(POD_NAME)", False)}, "each has a journal of its own"
    assert seen["vllm"] == {("artifacts", True), ("import", True)}
    for part in ("engine", "vllm"):
        (folders,) = pods(everything)[part]["spec"]["initContainers"]
        assert folders["command"][:2] == ["mkdir", "-p"] and "envFrom" not in folders
        assert {"artifacts", "import"} <= {path.rpartition("/")[2] for path in folders["command"][2:]}


def test_a_backup_has_a_place_and_a_restore_has_the_studio_to_itself() -> None:
    named_one = {"backup.existingClaim": "vault"}
    kept = rendered(**{**ALL, **named_one})
    fit(kept)
    reconciler = pods(kept)["reconciler"]
    assert {"name": "backups", "mountPath": "/backups"} in container(reconciler)["volumeMounts"]
    assert {"name": "backups", "persistentVolumeClaim": {"claimName": "vault"}} in reconciler["spec"]["volumes"]
    assert "/backups" not in str(pods(kept)["web"]) and "/backups" not in str(pods(kept)["engine"])
    restoring = rendered(**{**ALL, **named_one, "backup.restoreFrom": "studio-2026-01-31T12-00-00"})
    fit(restoring)
    assert set(pods(restoring)) == {"prepare"}
    told = container(pods(restoring)["prepare"])
    assert told["command"][2:] == ["restore", "--from", "/backups/studio-2026-01-31T12-00-00"]
    assert {"name": "backups", "mountPath": "/backups"} in told["volumeMounts"]


def test_the_documented_lines_render() -> None:
    lines = [*lines_of("operating.md", "helm "), *lines_of("deploying.md", "helm ")]
    assert len(lines) == 3
    for words in lines:
        given = [part for place, word in enumerate(words) if word == "--set" for part in ("--set", words[place + 1])]
        outcome = helm("template", "studio", str(CHART), "--set", "secretName=studio-secrets", *given)
        assert outcome.returncode == 0, outcome.stderr


def test_workers_of_two_versions_are_never_at_work_at_once(everything: list[dict[str, Any]]) -> None:
    for name in ("worker", "worker-gpu", "reconciler"):
        assert named(everything, "Deployment")[f"studio-{name}"]["spec"]["strategy"] == {"type": "Recreate"}


@pytest.mark.parametrize("cloud", ["aws", "azure", "gcp"])
def test_each_clouds_values_make_a_studio_that_is_reached_and_reaches_its_servers(cloud: str) -> None:
    values = CHART.parent / "clouds" / f"{cloud}.yaml"
    outcome = helm("template", "studio", str(CHART), "-f", str(values), "--set", "workerGpu.enabled=true")
    assert outcome.returncode == 0, outcome.stderr
    objects = [each for each in yaml.safe_load_all(outcome.stdout) if each]
    fit(objects)
    ingress, service = named(objects, "Ingress")["studio-web"], named(objects, "Service")["studio-web"]
    told = ingress["metadata"]["annotations"]
    ports = {each["port"] for each in named(objects, "NetworkPolicy")["studio-studio"]["spec"]["egress"][1]["ports"]}
    if cloud == "aws":
        assert told["alb.ingress.kubernetes.io/target-type"] == "ip" and "type" not in service["spec"]
        assert "alb.ingress.kubernetes.io/certificate-arn" in told and {5432, 6379} <= ports
    elif cloud == "gcp":
        assert told["kubernetes.io/ingress.class"] == "gce" and "ingressClassName" not in ingress["spec"]
        assert "cloud.google.com/backend-config" in service["metadata"]["annotations"] and {5432, 6378} <= ports
    else:
        assert ingress["spec"]["ingressClassName"] == "azure-application-gateway" and {5432, 10000} <= ports
    assert settings_of(objects)["TRUSTED_PROXIES"] == "1"


def test_probes_ask_what_answers_and_the_host_that_they_name_is_let_in(everything: list[dict[str, Any]]) -> None:
    from django.urls import resolve

    web = container(pods(everything)["web"])
    probe = web["readinessProbe"]["httpGet"]
    assert resolve(probe["path"]).url_name == "health_of_web"
    assert probe["httpHeaders"] == [{"name": "Host", "value": "localhost"}]
    assert set(settings_of(everything)["ALLOWED_HOSTS"].split(",")) == {"studio.example", "localhost"}
    for part in ("web", "engine"):
        only = container(pods(everything)[part])
        assert "tcpSocket" in only["livenessProbe"], "a database that is away starts nobody again"
        assert only["readinessProbe"]["httpGet"]["port"] in {port["name"] for port in only["ports"]}


def test_what_is_under_way_has_longer_to_end_than_it_takes(everything: list[dict[str, Any]]) -> None:
    grace = {part: pod["spec"].get("terminationGracePeriodSeconds", 30) for part, pod in pods(everything).items()}
    assert grace["worker"] > settings.TRAINING_GRACE_SECONDS and grace["worker-gpu"] > settings.TRAINING_GRACE_SECONDS
    command = container(pods(everything)["web"])["command"]
    pause = int(container(pods(everything)["web"])["lifecycle"]["preStop"]["exec"]["command"][1])
    assert grace["web"] > pause + int(command[command.index("--grace") + 1])
    assert grace["engine"] > EngineSettings(model_root=Path()).drain_seconds


def test_a_gpu_worker_takes_the_fine_tunes_and_as_many_gpus_as_it_has_processes(
    everything: list[dict[str, Any]],
) -> None:
    told = settings_of(everything)
    assert (told["TRAINING_QUEUE"], told["TRAINING_DEVICE"], told["TRAINING_PROCESSES"]) == ("gpu", "cuda", "2")
    assert container(pods(everything)["worker-gpu"])["resources"]["limits"]["nvidia.com/gpu"] == 2
    told = settings_of(rendered())
    assert (told["TRAINING_QUEUE"], told["TRAINING_DEVICE"], told["TRAINING_PROCESSES"]) == ("cpu", "cpu", "1")


def test_nobody_reaches_an_engine_but_the_studio_and_engines_reach_nobody(everything: list[dict[str, Any]]) -> None:
    policies = named(everything, "NetworkPolicy")
    nothing = policies["studio-nothing"]["spec"]
    assert set(nothing["policyTypes"]) == {"Ingress", "Egress"} and "egress" not in nothing and "ingress" not in nothing

    def parts(selector: dict[str, Any]) -> set[str]:
        (within,) = selector["matchExpressions"]
        return set(within["values"])

    engines = policies["studio-engines"]["spec"]
    assert parts(engines["podSelector"]) == {"engine", "vllm"}
    callers = parts(engines["ingress"][0]["from"][0]["podSelector"])
    sends_out = [
        each["spec"]
        for each in policies.values()
        if "Egress" in each["spec"]["policyTypes"] and each["spec"].get("egress")
    ]
    assert callers == parts(policies["studio-studio"]["spec"]["podSelector"])
    reached = [each for each in sends_out if "matchExpressions" in each["podSelector"]]
    assert all("engine" not in parts(each["podSelector"]) for each in reached)
    closed = named(rendered(**{**ALL, "vllm.model": "/home/studio/home/import/qwen"}), "NetworkPolicy")
    assert closed["studio-vllm"]["spec"]["egress"] == [], "its model lies on the disk"


def test_where_a_bucket_has_the_files_each_pod_has_a_home_of_its_own() -> None:
    objects = rendered(**ALL, **{"storage.url": "s3://studio/care", "storage.cacheGb": "20"})
    homes = {
        part: next((each for each in pod["spec"]["volumes"] if each["name"] == "home"), {})
        for part, pod in pods(objects).items()
    }
    own = {part for part, home in homes.items() if home.get("emptyDir") == {"sizeLimit": "30720Mi"}}
    assert own == {"web", "worker", "worker-gpu", "prepare"}
    assert all("persistentVolumeClaim" in homes[part] for part in ("reconciler", "engine"))
    (settings,) = (each["data"] for each in objects if each["kind"] == "ConfigMap")
    assert (settings["STORAGE_URL"], settings["STORAGE_CACHE_GB"]) == ("s3://studio/care", "20")
    assert "STORAGE_URL" not in next(each["data"] for each in rendered() if each["kind"] == "ConfigMap")


def test_the_data_outlives_the_release() -> None:
    claim = named(rendered(), "PersistentVolumeClaim")["studio-home"]
    assert claim["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"
    assert claim["spec"]["accessModes"] == ["ReadWriteMany"]
    assert "PersistentVolumeClaim" not in {each["kind"] for each in rendered(**{"home.existingClaim": "mine"})}


def test_the_chart_is_of_the_studios_version() -> None:
    assert f'appVersion: "{settings.VERSION}"' in (CHART / "Chart.yaml").read_text()
