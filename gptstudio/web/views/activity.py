"""Activity: who did what, when. Read from the audit log."""

from __future__ import annotations

from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import render

from gptstudio.audit import selectors
from gptstudio.audit.export import LINES, NAME, lines
from gptstudio.core.streaming import attachment
from gptstudio.web.access import MemberRequest, member_page
from gptstudio.web.lists import listed, wanted_by


@member_page("audit.view")
def activity(request: MemberRequest) -> HttpResponse:
    """The workspace's lines, newest first; `q` narrows them by person, act or subject."""
    lines = selectors.events_matching(request.actor.workspace_id, wanted_by(request))
    listing = listed(request, lines, sorts={"when": "id"}, usual="-when", size=50)
    return render(request, "web/activity.html", {"listing": listing})


@member_page("audit.view")
def export(request: MemberRequest) -> StreamingHttpResponse:
    """The same lines as a file, the oldest first, with the hashes that chain them."""
    return attachment(lines(request.actor.workspace_id, wanted_by(request)), name=NAME, kind=LINES)
