"""One's own browsers: allauth lists them and ends all others; here ends a single one."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect

from gptstudio.accounts import services
from gptstudio.web.access import ACT, MemberRequest, signed_in_page


@signed_in_page(ACT)
def end(request: MemberRequest, session_id: int) -> HttpResponse:
    """Sign it out."""
    services.end_session(request, user=request.user, session_id=session_id)  # type: ignore[arg-type]
    messages.success(request, "That browser is signed out.")
    return redirect("usersessions_list")
