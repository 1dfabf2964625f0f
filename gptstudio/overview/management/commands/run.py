"""`manage.py run`: web, worker, reconciler and engine under one command."""

from __future__ import annotations

import fcntl
import socket
import sys
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from gptstudio.core.supervisor import Program, Supervisor
from training_app.services import ensure_starter


def _lock(home: Path) -> IO[str]:
    """One studio a home. The lock goes with the process, so a killed studio leaves none behind."""
    file = (home / "run.lock").open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise CommandError(f"Another studio runs on {home}. Stop it, or set STUDIO_HOME to another folder.") from error
    return file


def _check_port(host: str, port: int, variable: str) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise CommandError(
                f"Port {port} on {host} is taken ({error.strerror}). Set {variable} to another."
            ) from error


def web() -> Program:
    """The pages and both APIs."""
    argv = [sys.executable, "-m", "uvicorn", "gptstudio.asgi:application", "--host", settings.HOST]
    argv += [
        "--port",
        str(settings.PORT),
        "--no-access-log",
        "--log-level",
        "warning",
        "--timeout-graceful-shutdown",
        "8",
    ]
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
    return Program("worker", [*argv, "--without-gossip", "--without-mingle", "--without-heartbeat"])


def reconciler() -> Program:
    """Makes the engines hold what the database says, and sends stale work again."""
    return Program("reconciler", [sys.executable, "manage.py", "reconcile"])


def engine() -> Program:
    """The embedded inference engine."""
    home = Path(settings.STUDIO_HOME)
    argv = [sys.executable, "-m", "serving_app.engine", "--host", "127.0.0.1", "--port", str(settings.ENGINE_PORT)]
    argv += ["--model-root", str(home / "artifacts"), "--journal", str(home / "journal")]
    argv += ["--threads", str(settings.ENGINE_THREADS)]
    env = {"ENGINE_TOKEN": settings.ENGINE_TOKEN, "OMP_WAIT_POLICY": "PASSIVE"}
    return Program("engine", argv, env=env)


class Command(BaseCommand):
    help = "Run the whole studio on this machine until Ctrl-C."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--no-engine", action="store_true", help="Leave out the engine: ENGINE_URLS names others.")

    def handle(self, *_args: Any, **options: Any) -> None:
        home = Path(settings.STUDIO_HOME)
        with _lock(home):
            _check_port(settings.HOST, settings.PORT, "PORT")
            programs = [web(), worker(), reconciler()]
            if not options["no_engine"]:
                _check_port("127.0.0.1", settings.ENGINE_PORT, "ENGINE_PORT")
                programs.append(engine())
            call_command("migrate", verbosity=0)
            ensure_starter()
            self.stdout.write(f"GPT Studio starts on {settings.PUBLIC_URL} (state in {home}). Ctrl-C stops it.")
            Supervisor(programs, cwd=settings.BASE_DIR).run()
            self.stdout.write("Stopped.")
