"""Activity: who did what, when. Read from the audit log."""

from __future__ import annotations

from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import render

from gptstudio.audit import selectors
from gptstudio.audit.export import LINES, NAME, lines
from gptstudio.core.streaming import attachment
from gptstudio.web.access import MemberRequest, member_page
from gptstudio.web.paging import page_of


@member_page("audit.view")
def activity(request: MemberRequest) -> HttpResponse:
    """The workspace's lines, newest first; `q` narrows them by person, act or subject."""
    wanted = request.GET.get("q", "").strip()[:80]
    span = page_of(request, selectors.events_matching(request.actor.workspace_id, wanted), size=50)
    return render(request, "web/activity.html", {"span": span, "wanted": wanted})


@member_page("audit.view")
def export(request: MemberRequest) -> StreamingHttpResponse:
    """The same lines as a file, the oldest first, with the hashes that chain them."""
    wanted = request.GET.get("q", "").strip()[:80]
    return attachment(lines(request.actor.workspace_id, wanted), name=NAME, kind=LINES)
