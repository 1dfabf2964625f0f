"""`python -m training_app.engine.hub --repo ID --out DIR [--revision REV]`: one JSON object a line on standard output.

Kinds: plan {commit, bytes, files}, finished {commit, licence}, failed {code, message, fix}. Exit 0 fetched, 2 refused.
HF_ENDPOINT, HF_TOKEN and HF_HUB_OFFLINE are the hub library's own variables.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

ENVIRONMENT = {
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "HF_HUB_DISABLE_XET": "1",
    "HF_HUB_DISABLE_IMPLICIT_TOKEN": "0",
    "DO_NOT_TRACK": "1",
}


def main(arguments: list[str]) -> int:
    """Fetch one repository; returns the process's exit code."""
    parser = argparse.ArgumentParser(prog="python -m training_app.engine.hub")
    parser.add_argument("--repo", required=True)
    parser.add_argument("--revision", default="main")
    parser.add_argument("--out", type=Path, required=True)
    chosen = parser.parse_args(arguments)
    chosen.out.mkdir(parents=True, exist_ok=True)
    os.environ.update(ENVIRONMENT)
    os.environ["HF_HOME"] = str(chosen.out / ".cache" / "home")

    from training_app.engine.errors import EngineError
    from training_app.engine.hub.fetching import fetch

    def say(kind: str, **data: object) -> None:
        print(json.dumps({"kind": kind, **data}), flush=True)

    try:
        fetched = fetch(chosen.repo, revision=chosen.revision, out=chosen.out, on_plan=lambda plan: say("plan", **plan))
    except EngineError as error:
        say("failed", code=error.code, message=error.message, fix=error.fix)
        return 2
    say("finished", commit=fetched.commit, licence=fetched.licence)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
