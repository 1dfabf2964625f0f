"""The audit log in the console: searchable, never changed; and what of it went wrong or was stopped."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlencode

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone

from gptstudio.audit import incidents, selectors
from gptstudio.audit.models import AuditEvent
from gptstudio.core.console import Newest, WorkspaceAdmin, among_newest, workspaces_in_console

DAYS = (1, 7, 30, 90)
USUAL_DAYS = 30
A_PAGE = 50


@admin.register(AuditEvent)
class AuditEventAdmin(WorkspaceAdmin):
    list_display = ("at", "actor_label", "action", "subject_kind", "subject_label", "workspace")
    list_filter = (
        "at",
        among_newest("action", "act"),
        among_newest("actor_kind", "kind of actor"),
        among_newest("subject_kind", "kind of subject"),
    )
    search_fields = ("actor_label", "subject_id", "subject_label", "action")
    list_select_related = ("workspace",)
    paginator = Newest

    def get_urls(self) -> list[URLPattern]:
        shown = path("incidents/", self.admin_site.admin_view(self.incidents_view), name="audit_incidents")
        return [shown, *super().get_urls()]

    def incidents_view(self, request: HttpRequest) -> HttpResponse:
        """What went wrong or was stopped lately, of all kinds or one."""
        inside = self.workspaces_of(request)
        if not inside:
            raise PermissionDenied
        admin_in = set(workspaces_in_console(request, ("admin",)))
        asked, kind = request.GET.get("days", ""), request.GET.get("kind", "")
        days = next((each for each in DAYS if str(each) == asked), USUAL_DAYS)
        kind = kind if kind in incidents.KINDS else ""
        wanted, is_upwards = request.GET.get("q", "").strip()[:100], request.GET.get("sort") == "when"
        since = timezone.now() - timedelta(days=days)
        found = selectors.incidents_in(inside, kind=kind, since=since, wanted=wanted)
        found = found.order_by("id") if is_upwards else found
        page = Paginator(found, A_PAGE).get_page(request.GET.get("page", "1"))
        asked_of = {"kind": kind, "days": days, "q": wanted}
        turned = urlencode(asked_of if is_upwards else {**asked_of, "sort": "when"})
        filters = urlencode({**asked_of, "sort": "when"} if is_upwards else asked_of)
        context = {
            **self.admin_site.each_context(request),
            "title": "Incidents",
            "opts": self.opts,
            "rows": [
                (
                    event,
                    incidents.KINDS[incidents.kind_of(event)].title,
                    incidents.why(event),
                    incidents.address_of(event, is_admin=event.workspace_id in admin_in),
                )
                for event in page
            ],
            "page": page,
            "kinds": [(name, each.title) for name, each in incidents.KINDS.items()],
            "kind": kind,
            "wanted": wanted,
            "is_upwards": is_upwards,
            "turned": turned,
            "days": days,
            "choices": DAYS,
            "filters": filters,
            "has_several": len(inside) > 1,
        }
        return TemplateResponse(request, "admin/audit/incidents.html", context)
