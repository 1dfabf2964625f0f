"""Real child processes: how they end, how they are stopped, and that none stays behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from celery.exceptions import Ignore

from gptstudio.core import child, shutdown

READY = "import pathlib, sys; pathlib.Path('ready').touch(); "


def python(code: str, folder: Path, **options) -> child.Result:
    options.setdefault("on_tick", lambda: True)
    return child.run(
        [sys.executable, "-S", "-c", code],
        stderr=folder / "stderr",
        stdout=folder / "stdout",
        cwd=folder,
        tick_seconds=0.02,
        **options,
    )


def is_gone(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return True
    return state == "Z"


def wait_until_gone(pid: int) -> None:
    deadline = time.monotonic() + 120
    while not is_gone(pid):
        assert time.monotonic() < deadline, f"process {pid} lives on"
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("code", "outcome"),
    [(0, "finished"), (1, "failed"), (2, "refused"), (3, "stopped"), (4, "out_of_memory"), (77, "failed")],
)
def test_an_exit_code_has_a_name(tmp_path, code: int, outcome: str) -> None:
    result = python(f"import sys; sys.exit({code})", tmp_path)
    assert (result.outcome, result.returncode) == (outcome, code)


def test_a_kill_that_nobody_here_sent_counts_as_out_of_memory(tmp_path) -> None:
    result = python("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", tmp_path)
    assert (result.outcome, result.returncode) == ("out_of_memory", -signal.SIGKILL)


def test_output_goes_to_files_and_the_tail_of_the_errors_comes_back(tmp_path) -> None:
    result = python("import sys; print('out'); print('x' * 9000 + 'last words', file=sys.stderr)", tmp_path)
    assert (tmp_path / "stdout").read_text() == "out\n"
    assert result.stderr_tail.endswith("last words\n") and len(result.stderr_tail) == 4000


def test_the_tail_holds_nothing_of_an_earlier_start(tmp_path) -> None:
    python("import sys; print('std::bad_alloc', file=sys.stderr)", tmp_path)
    result = python("import sys; print('well', file=sys.stderr)", tmp_path)
    assert (tmp_path / "stderr").read_text() == "std::bad_alloc\nwell\n"
    assert result.stderr_tail == "well\n"


def test_a_child_told_to_stop_may_save_first(tmp_path) -> None:
    code = (
        "import signal, sys, pathlib\n"
        "def save(*_): pathlib.Path('saved').touch(); sys.exit(3)\n"
        "signal.signal(signal.SIGTERM, save)\n"
        "pathlib.Path('ready').touch()\n"
        "while True: signal.pause()\n"
    )
    result = python(code, tmp_path, on_tick=lambda: not (tmp_path / "ready").exists())
    assert (result.outcome, result.returncode) == ("stopped", 3)
    assert (tmp_path / "saved").exists()


def test_a_child_that_does_not_listen_is_killed_after_the_grace(tmp_path) -> None:
    code = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + READY + "\nwhile True: signal.pause()"
    result = python(code, tmp_path, on_tick=lambda: not (tmp_path / "ready").exists(), grace_seconds=0.1)
    assert (result.outcome, result.returncode) == ("stopped", -signal.SIGKILL)


def test_when_the_worker_ends_a_child_with_nothing_to_save_goes_and_its_task_is_given_up(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(shutdown, "_asked", bytearray(1))
    code = "import os, pathlib, signal; pathlib.Path('pid.tmp').write_text(str(os.getpid())); "
    code += "os.rename('pid.tmp', 'pid'); signal.pause()"

    def tick() -> bool:
        if (tmp_path / "pid").exists():
            shutdown.ask()
        return True

    with pytest.raises(Ignore):
        python(code, tmp_path, on_tick=tick)
    assert is_gone(int((tmp_path / "pid").read_text()))
    assert python("pass", tmp_path, outlasts_worker=True).outcome == "finished"


def test_a_child_that_ends_well_although_told_to_stop_has_finished(tmp_path) -> None:
    code = "import signal, sys\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(0))\n" + READY + "\nsignal.pause()"
    result = python(code, tmp_path, on_tick=lambda: not (tmp_path / "ready").exists())
    assert result.outcome == "finished"


def test_when_the_tick_breaks_the_child_is_killed_and_the_error_is_not_swallowed(tmp_path) -> None:
    code = "import os, pathlib, signal; pathlib.Path('pid.tmp').write_text(str(os.getpid())); "
    code += "os.rename('pid.tmp', 'pid'); signal.pause()"

    def tick() -> bool:
        if (tmp_path / "pid").exists():
            raise ConnectionError("the database is away")
        return True

    with pytest.raises(ConnectionError):
        python(code, tmp_path, on_tick=tick)
    assert is_gone(int((tmp_path / "pid").read_text()))


def test_the_tick_is_called_once_more_after_the_end(tmp_path) -> None:
    calls = []
    python("pass", tmp_path, on_tick=lambda: calls.append(1) or True)
    assert calls


def test_memory_is_limited(tmp_path) -> None:
    code = "import sys\ntry: x = bytearray(512 << 20)\nexcept MemoryError: sys.exit(4)"
    assert python(code, tmp_path).outcome == "finished"
    result = python(code, tmp_path, limits=child.Limits(memory_bytes=256 << 20))
    assert result.outcome == "out_of_memory"


def test_the_size_of_files_is_limited(tmp_path) -> None:
    code = "open('big', 'wb', buffering=0).write(b'x' * 100_000)"
    result = python(code, tmp_path, limits=child.Limits(file_bytes=50_000))
    assert result.outcome == "finished" or result.outcome == "failed"
    assert (tmp_path / "big").stat().st_size <= 50_000


def test_a_child_dies_with_its_parent(tmp_path) -> None:
    code = (
        "import pathlib, sys\n"
        "from gptstudio.core import child\n"
        "here = pathlib.Path(sys.argv[1])\n"
        "started = child.start(['sleep', '600'], stderr=here / 'stderr', cwd=here)\n"
        "print(started.pid, flush=True)\n"
        "sys.stdin.read()\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).resolve().parents[3],
    )
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    assert not is_gone(pid)
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    wait_until_gone(pid)
    parent.stdout.close()
    parent.stdin.close()
