"""The demo with SIGKILL for its worker, engine or web process, each at three moments: does the road still end?

`python bench/kills.py [--small]` → bench/results/kills.json. The kill comes a moment after the step has begun, while
its work runs. `--small` takes the first 400 rows of the demo's tickets, so that nine demos take ten minutes.

The ledger is compared with the engine's journal over every attempt, the one that the kill interrupted too: the studio
is left running by the demo until `manage.py reconcile_usage` has counted. Ends with 1 where a road did not end by
itself, nobody was killed, or a single token differs.
"""

from __future__ import annotations

import contextlib
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
VICTIMS = {"worker": "celery", "engine": "serving_app.engine", "web": "gptstudio.server"}
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


def _difference(env: dict[str, str]) -> str | None:
    """What `reconcile_usage` says of all attempts; None where it finds no difference."""
    argv = [sys.executable, "manage.py", "reconcile_usage"]
    for _ in range(30):  # the reaper settles an interrupted attempt within a minute or so
        done = subprocess.run(argv, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return None
        time.sleep(4)
    return (done.stdout + done.stderr).strip()[-500:]


def _stop(supervisor: int) -> None:
    """End a studio that outlived its demo, and wait until it is gone."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(supervisor, signal.SIGTERM)
        for _ in range(600):
            os.kill(supervisor, 0)
            time.sleep(0.1)
        os.kill(supervisor, signal.SIGKILL)


def trial(victim: str, moment: str, *, small: bool) -> dict[str, object]:
    """One demo with one kill."""
    home = Path(tempfile.mkdtemp(prefix="studio-kill-"))
    env = {**os.environ, "STUDIO_HOME": str(home), "PORT": str(free_port()), "ENGINE_PORT": str(free_port())}
    argv = [sys.executable, "manage.py", "demo", "--keep", *(["--data", str(small_file(home))] if small else [])]
    start = time.monotonic()
    demo = subprocess.Popen(argv, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    killed: list[int] = []
    supervisors: set[int] = set()
    lines: list[str] = []

    def kill() -> None:
        time.sleep(MOMENTS[moment])
        for supervisor in supervisors:
            for pid in victims(supervisor, VICTIMS[victim]):
                os.kill(pid, signal.SIGKILL)
                killed.append(pid)

    assert demo.stdout is not None
    for line in demo.stdout:
        lines.append(line)
        supervisors.update(victims(demo.pid, "manage.py\0run"))
        if line.rstrip().endswith(moment):
            threading.Thread(target=kill).start()
    code = demo.wait()
    difference = _difference(env)
    for supervisor in supervisors:
        _stop(supervisor)
    outcome = {
        "victim": victim,
        "moment": moment.strip("] "),
        "killed": len(killed),
        "ended": code == 0,
        "ledger_difference": difference or 0,
        "seconds": round(time.monotonic() - start, 1),
    }
    if code:
        outcome["last_words"] = "".join(lines[-5:])
    shutil.rmtree(home, ignore_errors=True)
    return outcome


def main() -> int:
    """All nine trials."""
    small = "--small" in sys.argv[1:]
    trials = []
    for victim in VICTIMS:
        for moment in MOMENTS:
            trials.append(trial(victim, moment, small=small))
            print(trials[-1], flush=True)
    RESULTS.write_text(json.dumps({"rows": SMALL_ROWS if small else "all", "trials": trials}, indent=1) + "\n")
    return int(not all(each["ended"] and each["killed"] and each["ledger_difference"] == 0 for each in trials))


if __name__ == "__main__":
    sys.exit(main())
