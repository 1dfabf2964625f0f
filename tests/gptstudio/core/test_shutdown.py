"""What a worker's main process says reaches those that it forked."""

from __future__ import annotations

import mmap
import os

from gptstudio.core import shutdown


def test_a_process_that_was_forked_before_hears_it(monkeypatch) -> None:
    monkeypatch.setattr(shutdown, "_asked", mmap.mmap(-1, 1))
    told, tell = os.pipe()
    heard, hear = os.pipe()
    forked = os.fork()
    if not forked:
        before = shutdown.is_asked()
        os.write(hear, b"!")
        os.read(told, 1)
        os._exit(0 if shutdown.is_asked() and not before else 1)
    os.read(heard, 1)
    shutdown.ask()
    os.write(tell, b"!")
    assert os.waitpid(forked, 0)[1] == 0
    for pipe in (told, tell, heard, hear):
        os.close(pipe)
