"""Half-made files go: all of them where nobody else works, the old ones beside a running studio; finished ones stay."""

from __future__ import annotations

import os
import time

import pytest

from gptstudio.core.leftovers import sweep

HALF_MADE = (
    "artifacts/.staging-a1/content/sub/model.safetensors",
    "uploads/.incoming-b2",
    "parts/upload_1/.incoming-b3",
    "uploading/tmpc3.upload.csv",
    "work/dsv_1.2/out/train.parquet",
)
FINISHED = (
    "artifacts/abc/model.safetensors",
    "uploads/abc",
    "parts/upload_1/1",
    "versions/dsv_1/report.json",
    "uploading/notes.txt",
)


@pytest.fixture
def home(studio_home, settings):
    settings.FILE_UPLOAD_TEMP_DIR = str(studio_home / "uploading")
    for name in (*HALF_MADE, *FINISHED):
        (studio_home / name).parent.mkdir(parents=True, exist_ok=True)
        (studio_home / name).write_text("x")
    for folder in ("artifacts/.staging-a1/content/sub", "artifacts/.staging-a1/content"):
        (studio_home / folder).chmod(0o555)  # as copies for the store are
    yield studio_home


def there(home) -> set[str]:
    return {name for name in (*HALF_MADE, *FINISHED) if (home / name).exists()}


def test_a_home_that_nobody_works_in_keeps_what_is_finished(home) -> None:
    assert sweep(older_than=0) == len(HALF_MADE)
    assert there(home) == set(FINISHED)
    assert not (home / "artifacts" / ".staging-a1").exists()
    assert sweep(older_than=0) == 0


def test_beside_a_running_studio_only_the_old_goes(home) -> None:
    long_ago = time.time() - 7_200
    for path in [*(home / "work").rglob("*"), home / "uploads" / ".incoming-b2"]:
        os.utime(path, (long_ago, long_ago))
    fresh = home / "work" / "dsv_1.2" / "stdout"
    fresh.write_text("still at it")
    assert sweep(older_than=3_600) == 1
    assert there(home) == {*HALF_MADE, *FINISHED} - {"uploads/.incoming-b2"}
