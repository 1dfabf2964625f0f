"""The Helm chart as Helm renders it. `make test` puts a helm of its own beside the virtual environment."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "deploy" / "helm" / "gptstudio"
OWN = ROOT / ".venv" / "helm" / "helm"


def helm(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run helm on this machine alone; a named skip where it is absent, under CI=true too: the one index that has it carries it
    inside a package for something else, which may leave.
    """
    program = str(OWN) if OWN.exists() else shutil.which("helm")
    if program is None:
        pytest.skip("helm cannot be had here (see the Makefile)")
    return subprocess.run([program, *arguments], capture_output=True, text=True, check=False, timeout=60)


def rendered(**values: str) -> list[dict[str, Any]]:
    """The chart's objects under these values (`a.b=c`), with a Secret named `studio-secrets`."""
    settings = {"secretName": "studio-secrets", **values}
    asked = [part for name, value in settings.items() for part in ("--set", f"{name}={value}")]
    outcome = helm("template", "studio", str(CHART), "--namespace", "care", *asked)
    assert outcome.returncode == 0, outcome.stderr
    return [each for each in yaml.safe_load_all(outcome.stdout) if each]


ALL = {
    "workerGpu.enabled": "true",
    "workerGpu.gpus": "2",
    "vllm.enabled": "true",
    "vllm.model": "Qwen/Qwen2.5-7B-Instruct",
    "engine.replicas": "2",
    "ingress.enabled": "true",
    "ingress.className": "nginx",
    "ingress.tlsSecretName": "studio-tls",
}


def pods(objects: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Templates of pods by the part that they are."""
    found = [each["spec"]["template"] for each in objects if "template" in each.get("spec", {})]
    return {each["metadata"]["labels"]["app.kubernetes.io/component"]: each for each in found}
