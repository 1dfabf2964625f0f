"""Whatever is sent to /api/v1, fit or unfit, the answer is one that its document promises."""

from __future__ import annotations

import json

import pytest

from gptstudio.accounts import policies, services
from gptstudio.api.schema import schema
from tests import by_schema

pytestmark = pytest.mark.long


def test_bodies_and_parameters_drawn_at_random(transactional_db, live_server, world, as_alice, tmp_path):
    """Most things here have a state of their own, so a fit body may still be refused; an unfit one must be."""
    _key, secret = services.issue_key(
        as_alice, workspace_id=as_alice.workspace_id, name="draws", scopes=list(policies.SCOPES)
    )
    by_schema.check(
        by_schema.with_ids(json.loads(json.dumps(schema())), world.ids),
        url=live_server.url,
        secret=secret,
        folder=tmp_path,
        phases="fuzzing",
        examples=3,
        options=(by_schema.ALL_HAVE_OWN_RULES,),
    )
