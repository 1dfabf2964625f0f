"""The review queue: tabs, one item with its evidence, and acts through the same services that all faces use."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from gptstudio.accounts.policies import Actor
from gptstudio.accounts.selectors import actor_of_member, membership
from gptstudio.core.console import WorkspaceAdmin, workspaces_in_console
from gptstudio.core.errors import StudioError
from gptstudio.review import selectors, services
from gptstudio.review.desk import Filters, ManyForm, ReasonForm, VerdictForm, focus, overview
from gptstudio.review.models import ReviewItem, ReviewState

QUEUE = "admin:review_reviewitem_changelist"
DONE = {"approved": "approved", "rejected": "rejected", "pending": "waits again"}
Act = Callable[[Actor, ReviewItem, dict[str, Any]], str]


@admin.register(ReviewItem)
class ReviewItemAdmin(WorkspaceAdmin):
    list_select_related = ("workspace",)

    def get_urls(self) -> list[URLPattern]:
        acts = {
            "decide": (_decide, VerdictForm),
            "claim": (_claim, None),
            "release": (_release, None),
            "escalate": (_escalate, ReasonForm),
            "hand-back": (_hand_back, ReasonForm),
        }
        found = [
            path(
                f"<str:item_id>/{name}/",
                self.admin_site.admin_view(partial(self.act_view, act=act, form=form)),
                name=f"review_{name.replace('-', '_')}",
            )
            for name, (act, form) in acts.items()
        ]
        many = path("decide/", self.admin_site.admin_view(self.many_view), name="review_many")
        return [many, *found, *super().get_urls()]

    def _desk(self, request: HttpRequest) -> selectors.Desk:
        inside, admin_in = self.workspaces_of(request), workspaces_in_console(request, ("admin",))
        return selectors.Desk(str(request.user.pk), inside, admin_in)

    def _actor(self, request: HttpRequest, workspace_id: str) -> Actor | None:
        found = membership(request.user, workspace_id)  # type: ignore[arg-type]
        return actor_of_member(found) if found and found.workspace_id == workspace_id else None

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        return self._queue_page(request)

    def _queue_page(self, request: HttpRequest, *, error: str = "", status: int = 200) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": "Review",
            "opts": self.opts,
            "error": error,
            **overview(self._desk(request), Filters.of(request), page=request.GET.get("page", "1")),
        }
        return TemplateResponse(request, "admin/review/queue.html", context, status=status)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if request.method == "POST":
            raise PermissionDenied  # it is decided at an address of its own
        item = self.get_object(request, unquote(object_id))  # the list writes `_` as `_5F`
        if item is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        return self._page(request, item, VerdictForm())

    def _page(self, request: HttpRequest, item: ReviewItem, form: Any, *, status: int = 200) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": item.title,
            "opts": self.opts,
            "form": form,
            **focus(self._desk(request), self._actor(request, item.workspace_id), item, Filters.of(request)),
        }
        return TemplateResponse(request, "admin/review/item.html", context, status=status)

    def act_view(self, request: HttpRequest, item_id: str, *, act: Act, form: type[ReasonForm] | None) -> HttpResponse:
        """One act on one item. After it one is shown what comes next: the same item, or the one behind it."""
        item = self.get_object(request, item_id)
        if item is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, item_id)
        actor = self._actor(request, item.workspace_id)
        given = (form or VerdictForm)(request.POST)
        if request.method != "POST" or actor is None:
            return self._page(request, item, VerdictForm(), status=400 if request.method == "POST" else 200)
        if form is not None and not given.is_valid():
            return self._page(request, item, given, status=400)
        filters = Filters.of(request)
        place = selectors.place_of(item, filters.rows(self._desk(request)))
        try:
            said = act(actor, item, given.cleaned_data if form is not None else request.POST.dict())
        except StudioError as error:
            given.is_valid()
            given.add_error(None, str(error))
            return self._page(request, self.get_object(request, item_id) or item, given, status=error.status)
        messages.success(request, f"{item.title}: {said}.")
        stays = form is None or not filters.is_waiting
        following = item.id if stays else place.after or place.before
        if not following:
            return HttpResponseRedirect(reverse(QUEUE) + filters.query)
        return HttpResponseRedirect(reverse("admin:review_reviewitem_change", args=[following]) + filters.query)

    def many_view(self, request: HttpRequest) -> HttpResponse:
        """Decide many: each under the policy of its own workspace."""
        form = ManyForm(request.POST)
        if request.method != "POST":
            return HttpResponseRedirect(reverse(QUEUE))
        if not form.is_valid():
            wrong = next(iter(form.errors.values()))[0]
            return self._queue_page(request, error=str(wrong), status=400)
        ids = request.POST.getlist("item")
        by_workspace = selectors.workspaces_of(self._desk(request), ids[: services.MOST_AT_ONCE + 1])
        outcomes: list[services.Outcome] = []
        refused: StudioError | None = None
        for workspace_id, chosen in by_workspace.items():
            actor = self._actor(request, workspace_id)
            if actor is None:
                continue
            try:
                outcomes += services.decide_many(actor, workspace_id=workspace_id, item_ids=chosen, **form.cleaned_data)
            except StudioError as error:  # of this workspace; what was decided in others is told
                refused = error
        if refused is not None:
            self._tell_of(request, outcomes, form.cleaned_data["verdict"])
            return self._queue_page(request, error=str(refused), status=refused.status)
        if not outcomes:
            return self._queue_page(request, error="Nothing was chosen.", status=400)
        self._tell_of(request, outcomes, form.cleaned_data["verdict"])
        return HttpResponseRedirect(reverse(QUEUE) + Filters.of(request).query)

    def _tell_of(self, request: HttpRequest, outcomes: list[services.Outcome], verdict: str) -> None:
        done = [each for each in outcomes if not each.refused]
        if done:
            messages.success(request, f"{len(done):,} {'was' if len(done) == 1 else 'were'} {verdict}.")
        for each in [each for each in outcomes if each.refused][:5]:
            messages.warning(request, f"Not decided: {each.refused}")


def _decide(actor: Actor, item: ReviewItem, given: dict[str, Any]) -> str:
    if given["verdict"] == ReviewState.PENDING:
        services.reopen(actor, item=item, reason=given["reason"])
    else:
        services.decide(actor, item=item, verdict=given["verdict"], reason=given["reason"])
    return DONE[given["verdict"]]


def _claim(actor: Actor, item: ReviewItem, given: dict[str, Any]) -> str:
    services.claim_item(actor, item=item, take_over=given.get("take_over") == "yes")
    return "yours for 15 minutes"


def _release(actor: Actor, item: ReviewItem, _given: dict[str, Any]) -> str:
    services.release_item(actor, item=item)
    return "free for everybody"


def _escalate(actor: Actor, item: ReviewItem, given: dict[str, Any]) -> str:
    services.escalate_item(actor, item=item, reason=given["reason"])
    return "handed up to the admins"


def _hand_back(actor: Actor, item: ReviewItem, given: dict[str, Any]) -> str:
    services.hand_back_item(actor, item=item, reason=given["reason"])
    return "handed back to the reviewers"
