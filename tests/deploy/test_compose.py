"""docker-compose.yml without a Docker engine: the file is parsed, and every command of ours is run for real."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from django.conf import settings
from django.core.management import load_command_class

from gptstudio.overview.management.commands.prepare import MOUNTED
from gptstudio.server import config_of
from serving_app.engine.settings import EngineSettings

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
DEFAULT = re.compile(r"\$\{\w+:-([^}]*)\}")
DESCRIBED = set(re.findall(r"^# ([A-Z0-9_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
OURS = {name: service for name, service in COMPOSE["services"].items() if service.get("image") == "gptstudio:latest"}

STUDIO = {name: service for name, service in OURS.items() if name != "engine"}  # what knows the database


def command_of(name: str) -> list[str]:
    """A service's command where nothing is set."""
    return [DEFAULT.sub(r"\1", str(part)) for part in COMPOSE["services"][name]["command"]]


def test_the_file_names_every_part_of_the_studio() -> None:
    expected = {"postgres", "redis", "web", "worker-cpu", "worker-gpu", "reconciler", "engine"}
    assert expected <= set(COMPOSE["services"])


def test_servers_are_healthy_before_the_studio_starts() -> None:
    for service in STUDIO.values():
        assert service["depends_on"]["postgres"]["condition"] == "service_healthy"
    for name in ("postgres", "redis"):
        assert COMPOSE["services"][name]["healthcheck"]["test"]


def test_nothing_of_the_studio_starts_before_its_tables_and_its_starter_stand() -> None:
    waiting = {name: service["depends_on"].get("prepare") for name, service in OURS.items() if name != "prepare"}
    assert waiting and all(each == {"condition": "service_completed_successfully"} for each in waiting.values())
    assert "prepare" not in OURS["prepare"]["depends_on"] and OURS["prepare"]["restart"] == "no"


def test_every_named_volume_and_network_is_declared() -> None:
    used = {
        volume["source"] if isinstance(volume, dict) else volume.split(":")[0]
        for service in COMPOSE["services"].values()
        for volume in service.get("volumes", [])
    }
    assert used == set(COMPOSE["volumes"])
    assert {name for service in COMPOSE["services"].values() for name in service["networks"]} == set(
        COMPOSE["networks"]
    )


def test_engines_know_their_token_and_no_database_and_see_models_alone() -> None:
    for name, told in (
        ("engine", {"ENGINE_TOKEN"}),
        ("vllm", {"VLLM_API_KEY", "VLLM_ALLOW_RUNTIME_LORA_UPDATING", "HF_TOKEN"}),
    ):
        engine = COMPOSE["services"][name]
        assert set(engine["environment"]) == told and "env_file" not in engine
        assert "data" not in engine["networks"] and "prepare" in engine["depends_on"]
        seen = {each["volume"]["subpath"]: each for each in engine["volumes"] if isinstance(each, dict)}
        assert set(seen) <= set(MOUNTED), "prepare makes the folders"
        assert seen["artifacts"]["read_only"] and all(
            "home" not in each for each in engine["volumes"] if isinstance(each, str)
        )
        assert all(each["target"] == f"/home/studio/home/{subpath}" for subpath, each in seen.items())
    for name in ("postgres", "redis"):
        assert COMPOSE["services"][name]["networks"] == ["data"]
    assert COMPOSE["networks"]["engines"] == {"internal": True}


def test_redis_asks_for_the_password_that_the_studio_shows() -> None:
    redis, asked = COMPOSE["services"]["redis"], "${REDIS_PASSWORD:?choose one in .env}"
    assert redis["command"][-2:] == ["--requirepass", asked] and redis["environment"]["REDISCLI_AUTH"] == asked
    assert COMPOSE["x-studio"]["environment"]["REDIS_URL"] == f"redis://:{asked}@redis:6379/0"


def test_web_and_workers_agree_on_the_machine_that_trains() -> None:
    for service in STUDIO.values():
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
    worker = COMPOSE["services"]["worker-gpu"]
    assert worker["deploy"]["resources"]["reservations"]["devices"][0]["count"] == "${TRAINING_PROCESSES:-1}"
    assert worker["shm_size"] == "2gb"


def test_vllm_asks_for_the_token_that_the_studio_shows_and_finds_adapters_where_it_says() -> None:
    vllm, shared = COMPOSE["services"]["vllm"], COMPOSE["x-studio"]
    assert vllm["environment"]["VLLM_API_KEY"] == shared["environment"]["ENGINE_TOKEN"]
    assert vllm["environment"]["VLLM_ALLOW_RUNTIME_LORA_UPDATING"] == "True" and "--enable-lora" in vllm["command"]


def test_every_setting_that_is_given_is_one_that_the_studio_reads() -> None:
    assert set(COMPOSE["x-studio"]["environment"]) - DESCRIBED == set()


def test_every_setting_that_stands_in_the_file_reaches_the_studio() -> None:
    of_this_file = {"DJANGO_SETTINGS_MODULE", "STUDIO_HOME", "DATABASE_URL", "REDIS_URL"}
    for service in STUDIO.values():
        assert service["env_file"] == [{"path": ".env", "required": False}]
        for name in set(service["environment"]) - of_this_file:
            assert f"${{{name}:" in service["environment"][name], f"{name} of .env would be lost"
    assert "SSL_REDIRECT" not in COMPOSE["x-studio"]["environment"], "PUBLIC_URL decides"


def test_what_lasts_says_whether_it_is_well_and_the_pages_are_offered_to_this_machine_alone() -> None:
    for name, service in COMPOSE["services"].items():
        assert service.get("healthcheck") or name == "prepare", name
    for name in ("web", "engine", "vllm"):
        program = COMPOSE["services"][name]["healthcheck"]["test"][-1]
        compile(program, name, "exec")
    assert COMPOSE["services"]["web"]["ports"] == ["${BIND:-127.0.0.1}:8000:8000"]


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


def lines_of(page: str, start: str) -> list[list[str]]:
    """The command lines of a page that begin so, as words."""
    text = (ROOT / "docs" / page).read_text().replace("\\\n", " ")
    blocks = re.findall(r"^```\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return [shlex.split(line) for block in blocks for line in block.splitlines() if line.startswith(start)]


def test_the_documented_lines_of_backup_and_restore_name_what_is_there() -> None:
    ran = {}
    for words in lines_of("operating.md", "docker compose run"):
        assert "--no-deps" in words, "prepare would fill the database that a restore needs empty"
        service, at = next((word, place) for place, word in enumerate(words) if word in STUDIO)
        assert words[at + 1 : at + 3] == ["python", "manage.py"]
        command = load_command_class("gptstudio.overview", words[at + 3])
        told = vars(command.create_parser("manage.py", words[at + 3]).parse_args(words[at + 4 :]))
        (mount,) = (words[place + 1] for place, word in enumerate(words) if word == "-v")
        assert str(told.get("to") or told["folder"]).startswith(mount.split(":")[1]), "what is mounted is what is used"
        ran[words[at + 3]] = service
    assert ran == {"backup": "web", "restore": "web"}
    started = {name for words in lines_of("operating.md", "docker compose up") for name in words[3:] if name[0] != "-"}
    assert started <= set(COMPOSE["services"])


def test_the_dockerfile_installs_what_is_pinned_and_runs_as_nobody_special() -> None:
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    assert any("requirements.txt" in line and line.startswith("RUN pip install") for line in lines)
    assert any(line.startswith("USER ") and "root" not in line for line in lines)
    assert (ROOT / "requirements.txt").read_text().startswith("#")


def test_the_image_takes_no_secrets_and_no_state_of_this_machine_along() -> None:
    left_out = set((ROOT / ".dockerignore").read_text().split())
    assert "COPY . ." in (ROOT / "Dockerfile").read_text()
    assert {".git", ".venv", "var", "backups", "**/.env", "**/.env.*"} <= left_out
    held_back = set((ROOT / ".gitignore").read_text().split())
    assert {".env", ".env.*", "var/", "backups/"} <= held_back


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
