"""Schemathesis against a running studio, as a process of its own: it knows an API by its document alone."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

# Operations with rules that a schema cannot tell: a fit body may be refused there, with a sentence.
OWN_RULES = """
[[operations]]
include-name = "{name}"
checks.positive_data_acceptance.enabled = false
"""
EXPECTED = """
[checks]
positive_data_acceptance.expected-statuses = ["2xx", 401, 403, 404, 422]
"""
ALL_HAVE_OWN_RULES = "--exclude-checks=positive_data_acceptance"


def run(
    document: dict[str, Any],
    *,
    url: str,
    secret: str,
    folder: Path,
    phases: str,
    examples: int,
    own_rules: Iterable[str] = (),
    options: tuple[str, ...] = (),
) -> subprocess.CompletedProcess[str]:
    """Send what fits the document and what does not; returncode 0: every answer was as the document says."""
    described, config = folder / "document.json", folder / "schemathesis.toml"
    described.write_text(json.dumps(document), encoding="utf-8")
    config.write_text(EXPECTED + "".join(OWN_RULES.format(name=name) for name in own_rules), encoding="utf-8")
    argv = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(config), "run", str(described), "--url", url]
    argv += ["-H", f"Authorization: Bearer {secret}", "--phases", phases, "--max-examples", str(examples)]
    argv += ["--mode", "all", "--generation-deterministic", "--no-color", "--continue-on-failure", *options]
    argv += ["--request-timeout", "120", "--suppress-health-check", "too_slow"]
    return subprocess.run(argv, capture_output=True, text=True, cwd=folder, check=False)


def check(document: dict[str, Any], **options: Any) -> None:
    """The same; AssertionError with what was found."""
    ended = run(document, **options)
    assert ended.returncode == 0, ended.stdout[-20_000:] + ended.stderr[-2_000:]


def with_ids(document: dict[str, Any], ids: dict[str, str]) -> dict[str, Any]:
    """The same document, which names a thing that is there, and one that is not, for each id in an address."""
    found = copy.deepcopy(document)
    for path in found["paths"].values():
        for operation in path.values():
            for each in operation.get("parameters", []):
                if each["in"] == "path" and each["name"] in ids:
                    each["schema"] = {"enum": [ids[each["name"]], "nothing"]}
    return found
