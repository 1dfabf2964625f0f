"""Runs pytest on both set-ups: the embedded default, then everything that touches a database on PostgreSQL and Redis.

Servers are taken from DATABASE_URL and REDIS_URL, else from the standard local ports, else throw-away ones are
started from installed binaries. What cannot be had is said; under CI=true it is a failure.
"""

from __future__ import annotations

import atexit
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

# A file's tests share their servers, so they stay together; the order is the one of `tests/conftest.py`. Three for two
# cores: there is always one that waits for a process to start or for something to be over.
TOGETHER = ["--numprocesses=3", "--dist=loadfile", "--no-loadscope-reorder"]
# No test cuts the power: a commit need not wait for the disk.
HASTE = {"PGOPTIONS": "-c synchronous_commit=off"}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(10)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_for(port: int, what: str) -> None:
    for _ in range(600):
        if answers(port):
            return
        time.sleep(0.1)
    sys.exit(f"{what} did not start on port {port}.")


def postgres_answers(url: str) -> bool:
    import psycopg

    try:
        with psycopg.connect(url, connect_timeout=10) as connection:
            connection.execute("select 1")
    except psycopg.Error:
        return False
    return True


def throw_away_postgres() -> str | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    initdb = str(found[-1]) if found else shutil.which("initdb")
    if initdb is None:
        return None
    folder = Path(tempfile.mkdtemp(prefix="studio-postgres-"))
    owner = {"user": "postgres"} if os.geteuid() == 0 else {}
    if owner:
        shutil.chown(folder, "postgres")
    data = folder / "data"
    subprocess.run(
        [initdb, "-D", str(data), "-U", "postgres", "-A", "trust"], check=True, stdout=subprocess.DEVNULL, **owner
    )
    port = free_port()
    server = subprocess.Popen(
        [str(Path(initdb).with_name("postgres")), "-D", str(data), "-p", str(port), "-k", str(folder), "-F"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        **owner,
    )
    atexit.register(stop, server, folder)
    wait_for(port, "PostgreSQL")
    return f"postgres://postgres@127.0.0.1:{port}/postgres"


def throw_away_redis() -> str | None:
    binary = shutil.which("redis-server")
    if binary is None:
        return None
    folder = Path(tempfile.mkdtemp(prefix="studio-redis-"))
    port = free_port()
    argv = [binary, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    server = subprocess.Popen(argv, stdout=subprocess.DEVNULL)
    atexit.register(stop, server, folder)
    wait_for(port, "Redis")
    return f"redis://127.0.0.1:{port}/0"


def stop(server: subprocess.Popen[bytes], folder: Path) -> None:
    server.terminate()
    server.wait(timeout=120)
    shutil.rmtree(folder, ignore_errors=True)


def find(variable: str, local: Callable[[], str | None], throw_away: Callable[[], str | None]) -> str | None:
    return os.environ.pop(variable, None) or local() or throw_away()


def local_postgres() -> str | None:
    url = "postgres://postgres@127.0.0.1:5432/postgres"
    return url if answers(5432) and postgres_answers(url) else None


def local_redis() -> str | None:
    return "redis://127.0.0.1:6379/9" if answers(6379) else None


def main(arguments: list[str]) -> int:
    postgres = find("DATABASE_URL", local_postgres, throw_away_postgres)
    redis = find("REDIS_URL", local_redis, throw_away_redis)
    absent = [name for name, url in (("PostgreSQL", postgres), ("Redis", redis)) if url is None]
    if absent and os.environ.get("CI") == "true":
        sys.exit(f"{' and '.join(absent)} cannot be had here, and CI=true.")
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # hundreds of processes would each compile the project anew
    servers = {"TEST_DATABASE_URL": postgres or "", "TEST_REDIS_URL": redis or "", **HASTE}
    pytest = [sys.executable, "-m", "pytest", *TOGETHER]
    print("== the embedded set-up", flush=True)
    embedded = subprocess.run([*pytest, *arguments], env={**os.environ, **servers}, check=False).returncode
    if absent:
        print(f"== skipped: the second set-up, because {' and '.join(absent)} cannot be had here")
        return embedded
    print("== PostgreSQL and Redis", flush=True)
    second = {**os.environ, **servers, "DATABASE_URL": str(postgres), "REDIS_URL": str(redis)}
    production = subprocess.run([*pytest, "--database-only", *arguments], env=second, check=False).returncode
    return embedded or production


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
