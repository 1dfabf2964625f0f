"""Whether a worker was told to end: said in its main process, seen in all that it forked. Knows no work.

One byte of memory that a fork shares. It needs no lock, so nobody can be killed holding one.
"""

from __future__ import annotations

import mmap

_asked = mmap.mmap(-1, 1)


def ask() -> None:
    """Tell this process and those that it forked."""
    _asked[0] = 1


def is_asked() -> bool:
    """Whether this worker ends: what can save does so, and nothing begins."""
    return bool(_asked[0])
