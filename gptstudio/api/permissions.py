"""May the actor do what this view does? A view names its actions by method: `actions = {"GET": "datasets.view"}`."""

from __future__ import annotations

from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from gptstudio.core.errors import NotAllowed


class MayAct(BasePermission):
    """No actor, no answer; a view that names no action for a method refuses it."""

    def has_permission(self, request: Request, view: Any) -> bool:
        actor = getattr(request._request, "actor", None)
        if actor is None:
            return False
        action = getattr(view, "actions", {}).get(request.method)
        if action is None:
            return request.method == "OPTIONS"
        if not actor.may(action):
            raise NotAllowed(
                f"This {'key' if actor.kind == 'key' else 'role'} does not allow {action}.",
                fix="Ask an admin of the workspace for a role or a key scope that does.",
            )
        return True
