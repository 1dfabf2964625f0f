"""The demo with SIGKILL for its worker, engine or web process, each at three moments: does the road still end?

`python bench/kills.py [--small]` → bench/results/kills.json. The kill comes a moment after the step has begun, while
its work runs. `--small` takes the first 400 rows of the demo's tickets, so that nine demos take ten minutes.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from studio import ROOT, free_port

RESULTS = Path(__file__).with_name("results") / "kills.json"
MOMENTS = {"] curate": 4.0, "] train": 15.0, "] answer": 0.15}  # seconds from the step's beginning to the kill
VICTIMS = {"worker": "celery", "engine": "serving_app.engine", "web": "uvicorn"}
SMALL_ROWS = 400


def victims(supervisor: int, word: str) -> list[int]:
    """Children of the demo's supervisor whose command line holds `word`."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
            line = (entry / "cmdline").read_bytes().decode(errors="replace")
        except OSError:
            continue
        if parent == supervisor and word in line:
            found.append(int(entry.name))
    return found


def small_file(home: Path) -> Path:
    """The first rows of the demo's tickets."""
    argv = [sys.executable, "-m", "gptstudio.overview.demo_data", "--out", str(home / "data")]
    subprocess.run(argv, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    lines = (home / "data" / "tickets.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    path = home / "few_tickets.csv"
    path.write_text("".join(lines[: SMALL_ROWS + 1]), encoding="utf-8")
    return path


def trial(victim: str, moment: str, *, small: bool) -> dict[str, object]:
    """One demo with one kill."""
    home = Path(tempfile.mkdtemp(prefix="studio-kill-"))
    env = {**os.environ, "STUDIO_HOME": str(home), "PORT": str(free_port()), "ENGINE_PORT": str(free_port())}
    argv = [sys.executable, "manage.py", "demo", *(["--data", str(small_file(home))] if small else [])]
    start = time.monotonic()
    demo = subprocess.Popen(argv, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    killed: list[int] = []
    lines: list[str] = []

    def kill() -> None:
        time.sleep(MOMENTS[moment])
        for supervisor in victims(demo.pid, "manage.py\0run"):
            for pid in victims(supervisor, VICTIMS[victim]):
                os.kill(pid, signal.SIGKILL)
                killed.append(pid)

    assert demo.stdout is not None
    for line in demo.stdout:
        lines.append(line)
        if line.rstrip().endswith(moment):
            threading.Thread(target=kill).start()
    code = demo.wait()
    summary = home / "demo" / "summary.json"
    difference = None
    if summary.exists():
        found = json.loads(summary.read_text())
        difference = sum(abs(found["usage"][name] - found["engine_usage"][name]) for name in found["engine_usage"])
    outcome = {
        "victim": victim,
        "moment": moment.strip("] "),
        "killed": len(killed),
        "ended": code == 0,
        "ledger_difference": difference,
        "seconds": round(time.monotonic() - start, 1),
    }
    if code:
        outcome["last_words"] = "".join(lines[-5:])
    shutil.rmtree(home, ignore_errors=True)
    return outcome


def main() -> None:
    """All nine trials."""
    small = "--small" in sys.argv[1:]
    trials = []
    for victim in VICTIMS:
        for moment in MOMENTS:
            trials.append(trial(victim, moment, small=small))
            print(trials[-1], flush=True)
    RESULTS.write_text(json.dumps(trials, indent=1) + "\n")


if __name__ == "__main__":
    main()
