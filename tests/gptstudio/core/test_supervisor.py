"""The supervisor over real processes: restarts the dead, stops all, leaves none."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import threading
import time
from pathlib import Path

import pytest

from gptstudio.core.supervisor import Program, Supervisor


@pytest.fixture(autouse=True)
def keep_signal_handlers():
    kept = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, listener in kept.items():
        signal.signal(number, listener)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def run(supervisor: Supervisor, step) -> None:
    """Run until `step` says done; it is called each tick."""
    deadline = time.monotonic() + 120

    def tick() -> None:
        assert time.monotonic() < deadline, "nothing happened in two minutes"
        if step():
            supervisor.stop()

    supervisor.run(on_tick=tick)


def test_a_killed_program_is_started_again_and_all_are_stopped_together(tmp_path) -> None:
    programs = [Program("one", ["sleep", "600"]), Program("two", ["sleep", "601"])]
    supervisor = Supervisor(programs, cwd=tmp_path)
    seen: list[int] = []

    def step() -> bool:
        one, two = (program.running for program in programs)
        if not seen and one is not None:
            seen.append(one.pid)
            os.kill(one.pid, signal.SIGKILL)
        elif seen and one is not None and one.pid != seen[0]:
            assert two is not None
            seen.extend([one.pid, two.pid])
            return True
        return False

    run(supervisor, step)
    assert programs[0].failures == 1 and programs[1].failures == 0
    assert [pid for pid in seen if alive(pid)] == []


def test_a_program_that_keeps_failing_is_given_longer_and_longer_pauses(tmp_path, caplog) -> None:
    program = Program("broken", ["false"])
    supervisor = Supervisor([program], cwd=tmp_path)
    allowed, begun = [], []

    def step() -> bool:
        if program.running is None and len(allowed) < program.failures:
            allowed.append(program.not_before)
        if program.running is not None and len(begun) < len(allowed):
            begun.append(program.started_at)
        return len(begun) == 2

    run(supervisor, step)
    assert re.findall(r"again in (\S+) s", caplog.text)[:2] == ["0.5", "1.0"]
    assert all(start >= soonest for start, soonest in zip(begun, allowed, strict=True))


def test_what_a_stopped_program_had_started_goes_with_it_even_when_it_will_not_listen(tmp_path) -> None:
    script = "trap '' TERM; sleep 602 & echo $! > child.tmp; mv child.tmp child; wait; wait"
    program = Program("stubborn", ["bash", "-c", script], grace_seconds=0.2)
    supervisor = Supervisor([program], cwd=tmp_path)
    run(supervisor, (tmp_path / "child").exists)
    assert program.running is not None and program.running.returncode == -signal.SIGKILL
    left = int((tmp_path / "child").read_text())
    deadline = time.monotonic() + 120
    while alive(left):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_program_ends_itself_what_it_began(tmp_path) -> None:
    work = "until [ -e told ]; do sleep 0.01; done; touch saved"
    script = f"trap 'touch told; wait; exit 5' TERM; ({work}) & touch ready; wait"
    program = Program("worker", ["bash", "-c", script])
    run(Supervisor([program], cwd=tmp_path), (tmp_path / "ready").exists)
    assert program.running is not None and program.running.returncode == 5
    assert (tmp_path / "saved").exists()


def test_programs_get_their_own_environment_beside_ours(tmp_path) -> None:
    program = Program(
        "env", ["bash", "-c", "echo $COLOUR > out.tmp; mv out.tmp out; sleep 603"], env={"COLOUR": "blue"}
    )
    run(Supervisor([program], cwd=tmp_path), (tmp_path / "out").exists)
    assert (tmp_path / "out").read_text() == "blue\n"


def test_an_engine_is_told_none_of_the_studios_secrets_but_its_own(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://studio:secret@host/studio")
    script = "echo $ENGINE_TOKEN,$DATABASE_URL,${PATH:+path} > out.tmp; mv out.tmp out; sleep 606"
    program = Program("engine", ["bash", "-c", script], env={"ENGINE_TOKEN": "own"}, is_studio=False)
    run(Supervisor([program], cwd=tmp_path), (tmp_path / "out").exists)
    assert (tmp_path / "out").read_text() == "own,,path\n"


def test_sigterm_to_the_studio_stops_it(tmp_path) -> None:
    program = Program("one", ["sleep", "604"])
    supervisor = Supervisor([program], cwd=tmp_path)
    sent = threading.Event()

    def tick() -> None:
        if not sent.is_set():
            sent.set()
            os.kill(os.getpid(), signal.SIGTERM)

    supervisor.run(on_tick=tick)
    assert supervisor.stopping
    assert isinstance(program.running, subprocess.Popen) and program.running.returncode == -signal.SIGTERM
