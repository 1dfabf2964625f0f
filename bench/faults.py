"""What can go wrong with a studio's machine, by name: FAULTS. Each is done, waited for where it lasts, and mended."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from postgres import Postgres
from redis_server import Redis
from relay import Relay
from studio import ROOT, Studio

WEB, WORKER, RECONCILER = "gptstudio.server", "celery", "manage.py\0reconcile"
ENGINE, CHILD, SUPERVISOR = "serving_app.engine", "training_app.engine", "manage.py\0run"
CURATION = "datasets_app.curation"
CUT_SECONDS, CLOCK_SECONDS = 30, 8


@dataclass
class World:
    """A studio and what it stands on."""

    studio: Studio
    cluster: Postgres
    redis: Redis
    to_database: Relay
    to_redis: Relay
    clock: Path
    draw: random.Random

    def set_clock(self, seconds: float) -> None:
        """The studio's wall clock is this much ahead from now on (bench/clock.c)."""
        with self.clock.open("r+b") as file:
            file.write(struct.pack("d", seconds))

    def processes(self, *words: str) -> list[int]:
        """This studio's processes whose command line holds one of `words`; all of them without words."""
        mark, found = f"STUDIO_HOME={self.studio.home}".encode(), []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                line = (entry / "cmdline").read_bytes().decode(errors="replace")
                if line and mark in (entry / "environ").read_bytes().split(b"\0"):
                    found += [int(entry.name)] if not words or any(word in line for word in words) else []
            except OSError:  # it ended meanwhile
                continue
        return found

    def send(self, sent: signal.Signals, *words: str) -> int:
        """Signal all of these; how many there were."""
        found = self.processes(*words)
        for pid in found:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, sent)
        return len(found)


def _killing(*words: str) -> Callable[[World], str]:
    def kill(world: World) -> str:
        return f"{world.send(signal.SIGKILL, *words)} processes"

    return kill


def _kill_child(world: World) -> str:
    """Whatever trains or curates, as soon as something does."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if killed := world.send(signal.SIGKILL, CHILD, CURATION):
            return f"{killed} processes"
        time.sleep(0.05)
    return f"nothing trained: {world.send(signal.SIGKILL, WORKER)} processes of the worker"


def _kill_supervisor(world: World) -> str:
    world.studio.running.kill()
    world.studio.running.wait()
    world.studio.start()
    return "and a new start"


def _power_cut(world: World) -> str:
    """All processes of the studio, its database and its broker in one moment; then all start again."""
    killed = world.send(signal.SIGKILL)
    world.cluster.kill()
    world.redis.kill()
    world.studio.running.wait()
    world.cluster.start()
    world.redis.start()
    world.studio.start()
    return f"{killed} processes"


def _kill_database(world: World) -> str:
    world.cluster.kill()
    world.cluster.start()
    return "and a new start"


def _kill_broker(world: World) -> str:
    world.redis.kill()
    time.sleep(world.draw.uniform(0, 4))
    world.redis.start()
    return "started empty"


@contextlib.contextmanager
def _worker_that_waits(world: World, seconds: float) -> Iterator[list[tuple[str, list[bytes]]]]:
    """Messages pile up while the worker stands still; what the broker's lists hold then."""
    world.send(signal.SIGSTOP, WORKER)
    try:
        time.sleep(seconds)
        client = world.redis.client
        names = [name.decode() for name in client.keys("*") if client.type(name) == b"list"]  # type: ignore[union-attr]
        yield [(name, client.lrange(name, 0, -1)) for name in names]  # type: ignore[misc]
    finally:
        world.send(signal.SIGCONT, WORKER)


def _doubled_messages(world: World) -> str:
    with _worker_that_waits(world, 6) as lists:
        for name, messages in lists:
            for message in messages * 2:
                world.redis.client.lpush(name, message)
    return f"{sum(len(messages) for _, messages in lists)} messages, three times each"


def _lost_messages(world: World) -> str:
    with _worker_that_waits(world, 6) as lists:
        world.redis.client.flushall()
    return f"{sum(len(messages) for _, messages in lists)} messages"


def _two_reconcilers(world: World) -> str:
    log = world.studio.home / "second.log"
    with log.open("ab") as out:
        argv = [sys.executable, "manage.py", "reconcile"]
        second = subprocess.Popen(argv, cwd=ROOT, env=world.studio.env, stdout=out, stderr=out)
    time.sleep(10)
    running = second.poll() is None
    second.terminate()
    second.wait(timeout=30)
    return "for 10 s" if running else f"the second ended by itself: {log.read_text()[-200:]}"


def _cutting(which: str) -> Callable[[World], str]:
    def cut(world: World) -> str:
        relay: Relay = getattr(world, which)
        relay.cut()
        time.sleep(CUT_SECONDS)
        relay.heal()
        return f"for {CUT_SECONDS} s"

    return cut


def _hanging(*words: str) -> Callable[[World], str]:
    def hang(world: World) -> str:
        seconds = world.draw.uniform(2, 12)
        stopped = world.send(signal.SIGSTOP, *words)
        time.sleep(seconds)
        world.send(signal.SIGCONT, *words)
        return f"{stopped} processes for {seconds:.0f} s"

    return hang


def _full_disk(world: World) -> str:
    """Every byte of the file system of STUDIO_HOME is taken for a while."""
    blanket = world.studio.home.parent / "blanket"
    with blanket.open("wb") as file, contextlib.suppress(OSError):
        while True:
            free = os.statvfs(blanket).f_bavail * os.statvfs(blanket).f_frsize
            size = file.seek(0, os.SEEK_END)
            os.posix_fallocate(file.fileno(), size, max(free, 4096))
    time.sleep(6)
    blanket.unlink()
    return "for 6 s"


def _clock_jump(world: World) -> str:
    """The studio's clock, not the database's, jumps and comes back."""
    seconds = world.draw.choice((-86_400, -3_600, -30, 30, 3_600, 86_400))
    world.set_clock(seconds)
    time.sleep(CLOCK_SECONDS)
    world.set_clock(0)
    return f"{seconds:+d} s for {CLOCK_SECONDS} s"


def _slow_storage(world: World) -> str:
    """Each fsync of the studio and of the database takes a quarter of a second longer."""
    pids = world.processes(WEB, WORKER, ENGINE, CHILD, CURATION) + world.cluster.processes()
    argv = ["strace", "-q", "-f", "-o", "/dev/null", "-e", "trace=fsync,fdatasync"]
    argv += ["-e", "inject=fsync,fdatasync:delay_enter=250000", *(f"-p{pid}" for pid in pids)]
    tracer = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(8)
    tracer.send_signal(signal.SIGINT)
    tracer.wait(timeout=30)
    return "for 8 s"


FAULTS: dict[str, Callable[[World], str]] = {
    "web killed": _killing(WEB),
    "worker killed": _killing(WORKER),
    "engine killed": _killing(ENGINE),
    "reconciler killed": _killing(RECONCILER),
    "training or curation killed": _kill_child,
    "supervisor killed": _kill_supervisor,
    "power cut": _power_cut,
    "database killed": _kill_database,
    "broker killed": _kill_broker,
    "messages doubled": _doubled_messages,
    "messages lost": _lost_messages,
    "two reconcilers": _two_reconcilers,
    "line to the database cut": _cutting("to_database"),
    "line to the broker cut": _cutting("to_redis"),
    "web hangs": _hanging(WEB),
    "worker hangs": _hanging(WORKER, CHILD, CURATION),
    "engine hangs": _hanging(ENGINE),
    "disk full": _full_disk,
    "clock jumps": _clock_jump,
    "storage slow": _slow_storage,
}


def possible() -> tuple[dict[str, Callable[[World], str]], dict[str, str]]:
    """The faults that this machine can have, and why not, for the others."""
    missing = {}
    if shutil.which("cc") is None:
        missing["clock jumps"] = "no C compiler is installed"
    if shutil.which("strace") is None:
        missing["storage slow"] = "strace is not installed"
    if os.geteuid() != 0:
        missing["disk full"] = "a file system of its own needs root"
    return {name: fault for name, fault in FAULTS.items() if name not in missing}, missing
