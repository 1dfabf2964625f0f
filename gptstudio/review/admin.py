"""The review queue: evidence to read, and a decision with a reason through the same service that all faces use."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from unfold.decorators import display

from gptstudio.accounts.policies import Actor
from gptstudio.accounts.selectors import actor_of_member, membership
from gptstudio.core.console import WorkspaceAdmin
from gptstudio.core.errors import NotAllowed, StudioError
from gptstudio.review import services
from gptstudio.review.evidence import lines_of
from gptstudio.review.models import TRANSITIONS, ReviewItem, ReviewState
from gptstudio.review.wording import wording_of

LABELS = {ReviewState.PENDING: "warning", ReviewState.APPROVED: "success", ReviewState.REJECTED: "danger"}

DONE = {"approved": "approved", "rejected": "rejected", "pending": "waits again"}


class DecisionForm(forms.Form):
    """What a reviewer fills in."""

    verdict = forms.ChoiceField(choices=[("approved", "Approve"), ("rejected", "Reject"), ("pending", "Put back")])
    reason = forms.CharField(widget=forms.Textarea(attrs={"rows": 3}), max_length=2000)


@admin.register(ReviewItem)
class ReviewItemAdmin(WorkspaceAdmin):
    list_display = ("title", "kind", "shown_state", "requested_by", "workspace", "created_at", "decided_at")
    list_filter = ("state", "kind")
    search_fields = ("title", "subject_id", "requested_by")
    list_select_related = ("workspace",)

    @display(description="state", ordering="state", label={key.label: value for key, value in LABELS.items()})
    def shown_state(self, item: ReviewItem) -> str:
        return ReviewState(item.state).label

    def get_urls(self) -> list[URLPattern]:
        decide = path("<str:item_id>/decide/", self.admin_site.admin_view(self.decide_view), name="review_decide")
        return [decide, *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if request.method == "POST":
            raise PermissionDenied  # it is decided at an address of its own
        item = self.get_object(request, unquote(object_id))  # the list writes `_` as `_5F`
        if item is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        return self._page(request, item, DecisionForm())

    def _page(self, request: HttpRequest, item: ReviewItem, form: DecisionForm, *, status: int = 200) -> HttpResponse:
        actor = self._actor(request, item)
        context = {
            **self.admin_site.each_context(request),
            "title": item.title,
            "opts": self.opts,
            "item": item,
            "evidence": lines_of(item),
            "wording": wording_of(item.kind),
            "decisions": item.decisions.all(),
            "form": form,
            **self._may(actor, item),
        }
        return TemplateResponse(request, "admin/review/item.html", context, status=status)

    def _actor(self, request: HttpRequest, item: ReviewItem) -> Actor | None:
        found = membership(request.user, item.workspace_id)  # type: ignore[arg-type]
        return actor_of_member(found) if found and found.workspace_id == item.workspace_id else None

    def _may(self, actor: Actor | None, item: ReviewItem) -> dict[str, Any]:
        """The verdicts that are open to this person, and why the others are not."""
        if actor is None:
            return {"verdicts": set(), "refusal": "You are not a member of this workspace."}
        verdicts, refusal = set(), ""
        for verdict in TRANSITIONS.after(item.state):
            try:
                services.check_may_decide(actor, item=item, policy=item.workspace.release_policy, verdict=verdict)
                verdicts.add(str(verdict))
            except NotAllowed as error:
                refusal = str(error)
        return {"verdicts": verdicts, "refusal": refusal}

    def decide_view(self, request: HttpRequest, item_id: str) -> HttpResponse:
        item = self.get_object(request, item_id)
        if item is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, item_id)
        actor, form = self._actor(request, item), DecisionForm(request.POST)
        if request.method != "POST" or actor is None or not form.is_valid():
            return self._page(request, item, form, status=400 if request.method == "POST" else 200)
        try:
            if form.cleaned_data["verdict"] == ReviewState.PENDING:
                services.reopen(actor, item=item, reason=form.cleaned_data["reason"])
            else:
                services.decide(actor, item=item, **form.cleaned_data)
        except StudioError as error:
            form.add_error(None, str(error))
            return self._page(request, item, form, status=error.status)
        messages.success(request, f"{item.title}: {DONE[form.cleaned_data['verdict']]}.")
        return HttpResponseRedirect(reverse("admin:review_reviewitem_changelist") + "?state__exact=pending")
