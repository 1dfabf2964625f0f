"""What of the bucket lies on a machine: within its bounds, the longest unasked first, and nothing that the bucket lacks."""

from __future__ import annotations

import os
import time
from pathlib import Path

from gptstudio.core import storage

SIZE = 1000


def kept(name: str, *, hours_ago: float, in_bucket: bool = True) -> Path:
    folder = storage.place(name)
    folder.mkdir(parents=True)
    (folder / "weights").write_bytes(b"w" * SIZE)
    if in_bucket:
        storage.keep(name)
    before = time.time() - 3600 * hours_ago
    os.utime(folder, (before, before))
    return folder


def test_the_longest_unasked_goes_first_until_the_rest_fits(bucket, studio_home) -> None:
    bucket.on(studio_home, cache_bytes=2 * SIZE)
    old, older, new = (
        kept(name, hours_ago=hours) for name, hours in (("artifacts/b", 5), ("versions/a", 9), ("exports/c", 2))
    )
    assert storage.evict() == SIZE
    assert not older.exists() and old.exists() and new.exists()
    assert storage.evict() == 0
    assert (storage.asked_for("versions/a") / "weights").read_bytes() == b"w" * SIZE
    assert storage.evict() == SIZE and older.exists() and not old.exists()


def test_what_the_bucket_lacks_or_somebody_just_asked_for_stays(bucket, studio_home) -> None:
    bucket.on(studio_home, cache_bytes=1)
    mine = kept("versions/mine", hours_ago=50, in_bucket=False)
    asked = kept("versions/asked", hours_ago=40)
    storage.touch("versions/asked")
    half = kept("artifacts/half", hours_ago=30)
    (half / "weights").write_bytes(b"w" * (SIZE - 1))
    os.utime(half, (0, 0))
    assert storage.evict() == 0
    assert mine.exists() and asked.exists() and half.exists()


def test_without_a_bound_or_a_bucket_everything_stays(bucket, studio_home, settings) -> None:
    folder = kept("versions/a", hours_ago=500)
    assert storage.evict() == 0
    settings.STORAGE = None
    assert storage.evict() == 0 and folder.exists()


def test_a_home_of_before_is_copied_once(bucket, studio_home, tmp_path) -> None:
    kept("versions/a", hours_ago=1, in_bucket=False)
    kept("artifacts/b", hours_ago=1)
    storage.place("uploads").mkdir()
    storage.place("uploads/c").write_bytes(b"rows")
    assert sorted(storage.fill()) == ["uploads/c", "versions/a"] and list(storage.fill()) == []
    bucket.on(tmp_path / "b")
    assert sorted(storage.elsewhere()) == ["artifacts/b", "uploads/c", "versions/a"]
    assert storage.fetched("uploads/c").read_bytes() == b"rows"
