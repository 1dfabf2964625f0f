"""The page that an invitation's link leads to, for whoever holds it. Looking at it spends nothing."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from gptstudio.accounts import policies, selectors, services
from gptstudio.accounts.models import Role
from gptstudio.web import invited
from gptstudio.web.access import FORM


@never_cache
@require_http_methods(list(FORM))
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Who invites whom to what, and a button; sentences for links that are over. Raises NotFound for any other."""
    found = selectors.invitation_by_token(token)
    user = request.user
    if request.method == "POST":
        if not user.is_authenticated:
            return redirect_to_login(request.path)
        joined = services.accept_invitation(user=user, token=token)
        invited.forget(request)
        request.session["workspace"] = joined.workspace_id
        messages.success(request, f"You are in {found.workspace.name} now, as {joined.role}.")
        return redirect("home")
    services.check_open(found)
    invited.keep(request, token)
    refused = services.refusal(found, user=user) if user.is_authenticated else None
    context = {"invitation": found, "refused": refused, "hint": policies.ROLE_HINTS[Role(found.role)]}
    return render(request, "web/invitation.html", context, status=refused.status if refused else 200)
