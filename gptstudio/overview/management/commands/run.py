"""`manage.py run`: web, worker, reconciler and engine under one command."""

from __future__ import annotations

import fcntl
import sys
from io import StringIO
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from gptstudio.core import heartbeats
from gptstudio.core.errors import StudioError
from gptstudio.core.leftovers import sweep
from gptstudio.core.ports import check_port
from gptstudio.core.supervisor import Program, Supervisor
from serving_app.services import forget_seen


def _lock(home: Path) -> IO[str]:
    """One studio a home. The lock goes with the process, so a killed studio leaves none behind."""
    file = (home / "run.lock").open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise CommandError(f"Another studio runs on {home}. Stop it, or set STUDIO_HOME to another folder.") from error
    return file


def web() -> Program:
    """The pages and both APIs."""
    argv = [sys.executable, "-m", "gptstudio.server", "--host", settings.HOST, "--port", str(settings.PORT)]
    return Program("web", argv)


def worker() -> Program:
    """Celery: curation, training, evaluation. Two slots, so that reading a file need not wait for a training run."""
    argv = [
        sys.executable,
        "-m",
        "celery",
        "-A",
        "gptstudio",
        "worker",
        "-Q",
        "cpu",
        "-c",
        "2",
        "--loglevel",
        "WARNING",
    ]
    argv += ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    return Program("worker", argv, grace_seconds=settings.TRAINING_GRACE_SECONDS + 20)


def reconciler() -> Program:
    """Makes the engines hold what the database says, and sends stale work again."""
    return Program("reconciler", [sys.executable, "manage.py", "reconcile"])


def engine() -> Program:
    """The embedded inference engine."""
    home = Path(settings.STUDIO_HOME)
    argv = [sys.executable, "-m", "serving_app.engine", "--host", "127.0.0.1", "--port", str(settings.ENGINE_PORT)]
    argv += ["--model-root", str(home / "artifacts"), "--journal", str(home / "journal")]
    argv += ["--threads", str(settings.ENGINE_THREADS), "--max-context", str(settings.ENGINE_CONTEXT)]
    argv += ["--dtype", settings.ENGINE_DTYPE]
    env = {"ENGINE_TOKEN": settings.ENGINE_TOKEN, "OMP_WAIT_POLICY": "PASSIVE"}
    return Program("engine", argv, env=env, is_studio=False)


def start_over() -> None:
    """Under the home's lock: what a killed studio left half-made goes, and no sign of it counts as one of ours."""
    heartbeats.forget()
    forget_seen()
    sweep(older_than=0)


class Command(BaseCommand):
    help = "Run the whole studio on this machine until Ctrl-C."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--no-engine", action="store_true", help="Leave out the engine: ENGINE_URLS names others.")

    def handle(self, *_args: Any, **options: Any) -> None:
        home = Path(settings.STUDIO_HOME)
        with _lock(home):
            programs = [web(), worker(), reconciler()]
            try:
                check_port(settings.HOST, settings.PORT, variable="PORT")
                if not options["no_engine"]:
                    check_port("127.0.0.1", settings.ENGINE_PORT, variable="ENGINE_PORT")
                    programs.append(engine())
            except StudioError as error:
                raise CommandError(str(error)) from error
            call_command("prepare", stdout=StringIO())
            start_over()
            self.stdout.write(
                f"GPT Studio starts on {settings.PUBLIC_URL} (state in {home}). Ctrl-C stops it; a fine-tune saves first."
            )
            Supervisor(programs, cwd=settings.BASE_DIR).run()
            self.stdout.write("Stopped.")
