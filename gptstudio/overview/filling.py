"""What a studio keeps under STUDIO_HOME is copied to the bucket: once a bucket is set, and after a restore."""

from __future__ import annotations

from gptstudio.core import storage
from training_app.services import keep_runs


def fill_bucket() -> int:
    """Copy what is here and not there. Returns how many things that were; StorageTrouble where the bucket takes no more."""
    return sum(1 for _name in storage.fill()) + keep_runs()
