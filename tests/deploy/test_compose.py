"""docker-compose.yml without a Docker engine: the file is parsed, and every command of ours is run for real."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from django.conf import settings

from gptstudio.server import config_of
from serving_app.engine.settings import EngineSettings

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
DEFAULT = re.compile(r"\$\{\w+:-([^}]*)\}")
OURS = {name: service for name, service in COMPOSE["services"].items() if service.get("image") == "gptstudio:latest"}


def command_of(name: str) -> list[str]:
    """A service's command where nothing is set."""
    return [DEFAULT.sub(r"\1", str(part)) for part in COMPOSE["services"][name]["command"]]


def test_the_file_names_every_part_of_the_studio() -> None:
    expected = {"postgres", "redis", "web", "worker-cpu", "worker-gpu", "reconciler", "engine"}
    assert expected <= set(COMPOSE["services"])


def test_servers_are_healthy_before_the_studio_starts() -> None:
    for service in OURS.values():
        assert service["depends_on"]["postgres"]["condition"] == "service_healthy"
    for name in ("postgres", "redis"):
        assert COMPOSE["services"][name]["healthcheck"]["test"]


def test_nothing_of_the_studio_starts_before_its_tables_and_its_starter_stand() -> None:
    waiting = {name: service["depends_on"].get("prepare") for name, service in OURS.items() if name != "prepare"}
    assert waiting and all(each == {"condition": "service_completed_successfully"} for each in waiting.values())
    assert "prepare" not in OURS["prepare"]["depends_on"] and OURS["prepare"]["restart"] == "no"


def test_every_named_volume_is_declared() -> None:
    used = {volume.split(":")[0] for service in COMPOSE["services"].values() for volume in service.get("volumes", [])}
    assert used == set(COMPOSE["volumes"])


def test_web_and_workers_agree_on_the_machine_that_trains() -> None:
    for service in OURS.values():
        told = service["environment"]
        assert {"TRAINING_QUEUE", "TRAINING_DEVICE", "TRAINING_PROCESSES"} <= set(told), (
            "the form offers what it can do"
        )
        assert told["TRAINING_DEVICE"] == COMPOSE["x-studio"]["environment"]["TRAINING_DEVICE"]


def test_secrets_have_no_default() -> None:
    environment = COMPOSE["x-studio"]["environment"]
    assert all(":?" in environment[name] for name in ("SECRET_KEY", "ENGINE_TOKEN"))


def test_no_address_with_its_key_is_written_to_a_log() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    for command in (COMPOSE["services"]["web"]["command"], json.loads(dockerfile.split("CMD ")[-1])):
        assert "gptstudio.server" in command
    assert not config_of(host="127.0.0.1", port=1, grace=1).access_log


def test_the_gpu_parts_start_when_asked_for_alone() -> None:
    profiles = {name: service.get("profiles") for name, service in COMPOSE["services"].items() if "profiles" in service}
    assert profiles == {"worker-gpu": ["gpu"], "vllm": ["vllm"]}
    for name in profiles:
        assert COMPOSE["services"][name]["deploy"]["resources"]["reservations"]["devices"][0]["driver"] == "nvidia"


def test_vllm_asks_for_the_token_that_the_studio_shows_and_finds_adapters_where_it_says() -> None:
    vllm, shared = COMPOSE["services"]["vllm"], COMPOSE["x-studio"]
    assert vllm["environment"]["VLLM_API_KEY"] == shared["environment"]["ENGINE_TOKEN"]
    assert vllm["environment"]["VLLM_ALLOW_RUNTIME_LORA_UPDATING"] == "True" and "--enable-lora" in vllm["command"]
    assert f"{shared['volumes'][0]}:ro" in vllm["volumes"]


def test_every_setting_that_is_given_is_one_that_the_studio_reads() -> None:
    described = (ROOT / ".env.example").read_text()
    given = set(COMPOSE["x-studio"]["environment"])
    assert {name for name in given if f"# {name}=" not in described} == set()


def test_metrics_are_those_of_one_process() -> None:
    assert "--workers" not in COMPOSE["services"]["web"]["command"]


def test_what_answers_has_longer_to_stop_than_it_drains() -> None:
    for name in ("web", "engine"):
        assert (
            int(COMPOSE["services"][name]["stop_grace_period"].removesuffix("s"))
            > EngineSettings(model_root=Path()).drain_seconds
        )


def test_a_worker_has_longer_to_stop_than_a_fine_tune_to_save() -> None:
    for name in ("worker-cpu", "worker-gpu"):
        assert int(COMPOSE["services"][name]["stop_grace_period"].removesuffix("s")) > settings.TRAINING_GRACE_SECONDS


@pytest.mark.parametrize("name", sorted(OURS))
def test_every_command_of_ours_is_there_to_be_run(name: str, tmp_path: Path) -> None:
    command = [sys.executable if part == "python" else part for part in command_of(name)]
    env = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "gptstudio.settings.production",
        "SECRET_KEY": "x" * 50,
        "ENGINE_TOKEN": "y" * 50,
        "STUDIO_HOME": str(tmp_path),
    }
    env.pop("DATABASE_URL", None)
    env.pop("REDIS_URL", None)
    outcome = subprocess.run(
        [*command, "--help"], cwd=ROOT, env=env, capture_output=True, text=True, check=False, timeout=400
    )
    assert outcome.returncode == 0, outcome.stderr[-2000:]
    flags = [part for part in command if part.startswith("--")]
    assert [flag for flag in flags if flag not in outcome.stdout] == []


def test_the_dockerfile_installs_what_is_pinned_and_runs_as_nobody_special() -> None:
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    assert any("requirements.txt" in line and line.startswith("RUN pip install") for line in lines)
    assert any(line.startswith("USER ") and "root" not in line for line in lines)
    assert (ROOT / "requirements.txt").read_text().startswith("#")


def test_production_refuses_to_start_without_its_secrets(tmp_path: Path) -> None:
    env = {
        "PATH": os.environ["PATH"],
        "DJANGO_SETTINGS_MODULE": "gptstudio.settings.production",
        "STUDIO_HOME": str(tmp_path),
    }
    outcome = subprocess.run(
        [sys.executable, "manage.py", "check"], cwd=ROOT, env=env, capture_output=True, text=True, check=False
    )
    assert outcome.returncode != 0
    assert "SECRET_KEY is not set" in outcome.stderr
