"""Does the studio keep its promises while what it stands on fails? Faults drawn by seed, one after the other, under traffic.

`make trials` (MINUTES=10, TRIALS=200: whichever comes first) or
`python bench/trials.py [--minutes 10] [--trials 200] [--seed 1] [--only NAME…]` → bench/results/trials.json, a line
`{seed, fault, kept}` for each. The studio runs on PostgreSQL and Redis of its own, reached through lines that can be
cut, its home on a file system that can be filled and its clock on one that can jump. Meanwhile files are uploaded,
fine-tunes run and chats are answered or hung up on. After each fault: the studio answers again by itself; every file
that it took comes back with its SHA-256; every fine-tune is there, and none is held by nobody; no process is left over;
the audit log verifies. At the end every fine-tune ends, and the ledger has to equal the engine's journal: an attempt
that differs is charged to the trial it began in. Ends with 1 where a promise was broken.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from faults import World, possible
from ledger_trials import Book, verdict
from postgres import Postgres
from redis_server import Redis
from relay import Relay
from studio import ROOT, Studio
from traffic import FINAL, Traffic

RESULTS = Path(__file__).with_name("results") / "trials.json"
PATIENCE, TO_END = 120.0, 900.0
HOME_SIZE = "4g"
OLDER_FILES = 8


@contextlib.contextmanager
def _file_system() -> Iterator[Path]:
    """A folder with an end: a file system of its own in memory where that is allowed."""
    with tempfile.TemporaryDirectory(prefix="studio-trials-") as name:
        mounted = os.geteuid() == 0
        if mounted:
            subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={HOME_SIZE}", "studio", name], check=True)
        try:
            yield Path(name)
        finally:
            if mounted:
                subprocess.run(["umount", "-l", name], check=True)


def _shared_library(folder: Path) -> Path:
    """The clock that can jump, compiled."""
    made = folder / "clock.so"
    source = Path(__file__).with_name("clock.c")
    subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-o", str(made), str(source), "-ldl"], check=True)
    return made


@contextlib.contextmanager
def world_of(draw: random.Random) -> Iterator[World]:
    """A studio that runs, on servers of its own."""
    with ExitStack() as stack:
        cluster, redis = stack.enter_context(Postgres()), stack.enter_context(Redis())
        lines = [stack.enter_context(Relay(port)) for port in (cluster.port, redis.port)]
        home = stack.enter_context(_file_system())
        studio = Studio(
            database=f"postgres://postgres@127.0.0.1:{lines[0].port}/postgres",
            broker=f"redis://127.0.0.1:{lines[1].port}/0",
            within=home,
        )
        clock = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "clock"
        clock.write_bytes(bytes(8))
        if "clock jumps" not in possible()[1]:
            studio.env |= {"LD_PRELOAD": str(_shared_library(clock.parent)), "CLOCK_OFFSET_FILE": str(clock)}
        stack.enter_context(studio)
        yield World(studio, cluster, redis, *lines, clock, draw)


class Promises:
    """What has to hold after a fault. Reads the database past the lines that are cut."""

    def __init__(self, world: World, traffic: Traffic) -> None:
        self._world, self._traffic, self._book = world, traffic, Book(world.studio, world.cluster)

    def broken(self, new_files: list[str]) -> dict[str, str]:
        """Each promise that does not hold within PATIENCE, with what was found instead."""
        files = [*new_files, *self._some_of_before(new_files)]
        found = {
            "answers again": self._until(self._unready),
            "files come back": ", ".join(self._traffic.unlike(files)),
            "nothing is held by nobody": self._until(self._stuck),
            "no process is left over": self._until(self._orphans),
            "audit log": self._audit(),
        }
        return {name: what for name, what in found.items() if what}

    def _some_of_before(self, new_files: list[str]) -> list[str]:
        before = [each for each in self._traffic.seen.files if each not in new_files]
        return self._world.draw.sample(before, min(OLDER_FILES, len(before)))

    def _until(self, wrong: Any) -> str:
        deadline = time.monotonic() + PATIENCE
        while (what := wrong()) and time.monotonic() < deadline:
            time.sleep(0.5)
        return str(what)

    def _unready(self) -> str:
        if self._world.studio.running.poll() is not None:
            return "the supervisor ended"
        return "" if self._world.studio.is_ready() else "GET /health says that a part is missing"

    def _stuck(self) -> str:
        """Work whose lease ran out a good while ago, or that is told to be running and held by nobody."""
        late = "lease_until < now() - interval '45 seconds'"
        jobs = self._book.rows(f"SELECT id FROM training_finetuningjob WHERE state = 'running' AND {late}")
        versions = self._book.rows(f"SELECT id FROM datasets_datasetversion WHERE state = 'building' AND {late}")
        unknown = self._traffic.seen.jobs.keys() - {
            str(row[0]) for row in self._book.rows("SELECT id FROM training_finetuningjob")
        }
        return ", ".join([str(row[0]) for row in jobs + versions] + [f"{each} is gone" for each in unknown])

    def _orphans(self) -> str:
        """Processes of this studio that do not descend from its supervisor."""
        kin = {self._world.studio.running.pid}
        waiting = list(kin)
        while waiting:
            with contextlib.suppress(OSError):
                for task in Path(f"/proc/{waiting.pop()}/task").iterdir():
                    waiting += (children := [int(child) for child in (task / "children").read_text().split()])
                    kin.update(children)
        return ", ".join(str(pid) for pid in self._world.processes() if pid not in kin)

    def _audit(self) -> str:
        try:
            self._world.studio.manage("verify_audit")
        except RuntimeError as error:
            return str(error)
        return ""

    def differing_attempts(self) -> list[float]:
        """When each attempt began, in seconds since 1970, whose bill is not what the engine counted."""
        world = self._world
        argv = [sys.executable, "manage.py", "reconcile_usage"]
        done = subprocess.run(argv, cwd=ROOT, env=world.studio.env, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return []
        named = [line.strip() for line in done.stdout.splitlines() if line.startswith("  ")]
        listed = ", ".join(f"'{each}'" for each in named)
        times = self._book.rows(
            f"SELECT extract(epoch FROM created_at) FROM serving_completion WHERE attempt_id IN ({listed})"
        )
        return [float(row[0]) for row in times] or [0.0]

    def ledger(self) -> dict[str, Any]:
        """The whole bill beside the journal and what callers were told."""
        return verdict(self._world.studio, self._book, self._traffic.tally)

    def states(self) -> dict[str, str]:
        """Every fine-tune's state by its id."""
        return {str(row[0]): str(row[1]) for row in self._book.rows("SELECT id, state FROM training_finetuningjob")}

    def failures(self) -> list[str]:
        """What failed fine-tunes say of themselves."""
        rows = self._book.rows("SELECT id, error FROM training_finetuningjob WHERE state = 'failed'")
        return [f"{row[0]}: {row[1]}" for row in rows]

    def open_attempts(self) -> int:
        return self._book.number("SELECT count(*) FROM serving_completion WHERE state = 'running'")


def _one(seed: int, fault: str, world: World, traffic: Traffic, promises: Promises) -> dict[str, Any]:
    """One fault at a moment drawn from `seed`, and what held."""
    world.draw.seed(seed)
    before, began = set(traffic.seen.files), time.time()
    time.sleep(world.draw.uniform(0, 2))
    done = possible()[0][fault](world)
    broken = promises.broken([each for each in traffic.seen.files if each not in before])
    found: dict[str, Any] = {"seed": seed, "fault": fault, "kept": not broken, "what": done}
    return found | {
        "began": round(began, 1),
        "seconds": round(time.time() - began, 1),
        **({"broken": broken} if broken else {}),
    }


def _settle(traffic: Traffic, promises: Promises) -> dict[str, str]:
    """Wait until every fine-tune has ended and no attempt is open; those that did not."""
    deadline = time.monotonic() + TO_END
    while time.monotonic() < deadline:
        states = promises.states()
        if all(state in FINAL for state in states.values()) and not promises.open_attempts():
            break
        time.sleep(3)
    return {job: state for job, state in states.items() if state not in FINAL}


def run(minutes: float, trials: int, seed: int, only: list[str]) -> dict[str, Any]:
    """Trials until the time or the number is reached, and the reckoning at the end."""
    faults, missing = possible()
    names = [name for name in faults if not only or name in only]
    with world_of(random.Random(seed)) as world, Traffic(world.studio.url, world.studio.key, seed) as traffic:
        promises, done = Promises(world, traffic), []
        deadline = time.monotonic() + 60 * minutes
        for number in range(trials):
            if time.monotonic() > deadline:
                break
            turn = random.Random(seed + number // len(names)).sample(names, len(names))
            done.append(_one(seed + number, turn[number % len(names)], world, traffic, promises))
            print(json.dumps(done[-1]), flush=True)
        traffic.stop()
        unended = _settle(traffic, promises)
        for moment in promises.differing_attempts():
            guilty = max(
                (each for each in done if each["began"] <= moment), key=lambda each: each["began"], default=done[0]
            )
            guilty["kept"] = False
            guilty.setdefault("broken", {})["ledger"] = "an attempt that began then is billed otherwise than counted"
        lost = traffic.unlike(list(traffic.seen.files))
        return {
            "trials": done,
            "left_out": missing,
            "files": {"taken": len(traffic.seen.files), "lost": lost},
            "fine_tunes": {"states": dict(Counter(promises.states().values())), "not_ended": unended},
            "why_failed": promises.failures(),
            "ledger": promises.ledger(),
            "answers_of_the_studio": dict(sorted(traffic.seen.outcomes.items())),
        }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", nargs="*", default=[], metavar="NAME")
    parser.add_argument("--results", type=Path, default=RESULTS)
    options = parser.parse_args()
    found = run(options.minutes, options.trials, options.seed, options.only)
    options.results.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    kept = sum(each["kept"] for each in found["trials"])
    print(f"{kept} of {len(found['trials'])} trials kept every promise")
    whole = not found["files"]["lost"] and not found["fine_tunes"]["not_ended"]
    return int(not (whole and kept == len(found["trials"])))


if __name__ == "__main__":
    sys.exit(main())
