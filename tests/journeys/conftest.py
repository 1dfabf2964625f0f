"""Homes, databases and small data for tests that start the whole studio."""

from __future__ import annotations

import csv
import os
import random
import socket
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class SetUp:
    """A studio to be started: its home and its whole environment."""

    name: str
    home: Path
    env: dict[str, str]

    def manage(self, *arguments: str, timeout: float = 1500) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _base_env(home: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "CI", "PGOPTIONS")}
    ports = {"PORT": str(free_port()), "ENGINE_PORT": str(free_port())}
    return {**kept, **ports, "STUDIO_HOME": str(home), "HF_HUB_OFFLINE": "1"}


@pytest.fixture
def embedded(tmp_path: Path) -> SetUp:
    """SQLite, the folder broker, the embedded engine."""
    home = tmp_path / "home"
    return SetUp("embedded", home, _base_env(home))


@pytest.fixture
def production(tmp_path: Path, servers: tuple[str, str]) -> Iterator[SetUp]:
    """PostgreSQL and Redis, in a database of its own."""
    import psycopg

    server, redis = servers
    name = f"studio_journey_{uuid.uuid4().hex[:10]}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"create database {name}")
    home = tmp_path / "home"
    database = f"{server.rsplit('/', 1)[0]}/{name}"
    yield SetUp("production", home, {**_base_env(home), "DATABASE_URL": database, "REDIS_URL": redis})
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"drop database if exists {name} with (force)")


@pytest.fixture
def head_of_banking77(real_data: Path, tmp_path: Path) -> Path:
    """The first 240 questions of banking77: text and label, a newline in some."""
    path = tmp_path / "banking77_head.csv"
    with (real_data / "banking77" / "train.csv").open(newline="", encoding="utf-8") as whole:
        rows = list(csv.reader(whole))[:241]
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    return path


@pytest.fixture
def head_of_dialogues(real_data: Path, tmp_path: Path) -> Path:
    """The first 60 dialogues of the Schema-Guided test set: many turns each."""
    path = tmp_path / "sgd_head.jsonl"
    with (real_data / "dialogues" / "sgd_test_messages.jsonl").open(encoding="utf-8") as whole:
        path.write_text("".join(next(whole) for _ in range(60)), encoding="utf-8")
    return path


TOPICS = {
    "parcel_late": ("my parcel is late", "We are sorry. The courier brings it on the next working day."),
    "wrong_colour": ("the colour is wrong", "Please send it back; a new one leaves our house today."),
    "refund_wish": ("i want my money back", "The refund reaches your account within five days."),
    "cannot_log_in": ("i cannot log in", "Use the link under the form to choose a new password."),
}
OPENERS = ("hello", "good morning", "hi there", "excuse me", "dear team", "hey", "please help", "once more")
ITEMS = ("lamp", "kettle", "jacket", "notebook", "bottle", "chair", "scarf", "clock", "mirror", "basket", "pillow")
PLACES = ("kitchen", "garden", "office", "hall", "attic", "cellar", "balcony", "studio", "garage", "library")


@pytest.fixture
def small_export(tmp_path: Path) -> Path:
    """A hundred and sixty rows that differ, with one phone number and one address to hide."""
    rng = random.Random(7)
    path = tmp_path / "small_export.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["question", "answer", "topic"])
        for number in range(160):
            topic, (complaint, answer) = rng.choice(sorted(TOPICS.items()))
            words = [rng.choice(ITEMS), rng.choice(PLACES), rng.choice(ITEMS), str(rng.randrange(10, 99))]
            rng.shuffle(words)
            text = f"{rng.choice(OPENERS)}, {complaint}: {' '.join(words)} {rng.choice(PLACES)} {number}"
            if number == 3:
                text += " reach me at jo.doe@mail.example or +1 202-555-0143"
            writer.writerow([text, answer, topic])
    return path
