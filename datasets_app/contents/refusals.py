"""Curation's refusals as the studio's errors, so that pages and REST answer with their sentence."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from datasets_app.curation.errors import Refusal
from gptstudio.core.errors import Invalid


@contextmanager
def sentences() -> Iterator[None]:
    """Raise Invalid where curation refuses."""
    try:
        yield
    except Refusal as refusal:
        raise Invalid(refusal.message, fix=refusal.fix, code=refusal.code) from refusal
