"""Test rows stay shut in a browser until somebody opens them there. It keeps what was opened, and writes no log."""

from __future__ import annotations

from gptstudio.web.access import MemberRequest

OPENED = "opened_test_rows"
MOST = 50


def is_open(request: MemberRequest, version_id: str) -> bool:
    """Whether this browser session has opened the version's test rows."""
    return version_id in request.session.get(OPENED, [])


def keep_open(request: MemberRequest, version_id: str) -> None:
    """They were opened, and a service has written down by whom."""
    request.session[OPENED] = [*request.session.get(OPENED, []), version_id][-MOST:]
