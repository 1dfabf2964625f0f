"""The log as a file: lines of JSON, the oldest first, as the chain goes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from django.db import connection

from gptstudio.audit import selectors
from gptstudio.audit.models import AuditEvent

NAME = "audit.jsonl"
LINES = "application/x-ndjson"
BATCH = 1_000


def line_of(event: AuditEvent) -> dict[str, Any]:
    """One line with everything that its hash covers."""
    return {
        "id": str(event.id),
        "at": event.at.isoformat(),
        "actor_kind": event.actor_kind,
        "actor_id": event.actor_id,
        "actor_label": event.actor_label,
        "action": event.action,
        "subject_kind": event.subject_kind,
        "subject_id": event.subject_id,
        "subject_label": event.subject_label,
        "details": event.data,
        "previous_hash": event.previous_hash,
        "hash": event.hash,
    }


def lines(workspace_id: str, wanted: str) -> Iterator[bytes]:
    """The lines that hold these words, all without words: then the chain can be checked from its beginning.

    Each piece may be made in another thread, so none leaves a connection behind.
    """
    after = 0
    while True:
        found = list(selectors.events_matching(workspace_id, wanted).filter(id__gt=after).order_by("id")[:BATCH])
        if not connection.in_atomic_block:
            connection.close()
        if not found:
            return
        after = found[-1].id
        yield b"".join(json.dumps(line_of(event), ensure_ascii=False).encode() + b"\n" for event in found)
