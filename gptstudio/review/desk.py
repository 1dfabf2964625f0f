"""What the pages of the queue show, and the forms on them. Thin: it asks selectors and services, and decides nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest

from gptstudio.accounts.policies import Actor
from gptstudio.core.errors import NotAllowed
from gptstudio.review import selectors, services
from gptstudio.review.evidence import lines_of
from gptstudio.review.models import TRANSITIONS, ReviewItem, ReviewState
from gptstudio.review.wording import kinds_in_bulk, name_of, wording_of

TITLES = {"pending": "Waiting", "mine": "Mine", "decided": "Decided"}
A_PAGE = 50


class ReasonForm(forms.Form):
    """Why."""

    reason = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 3}), max_length=2000, error_messages={"required": "Say in a sentence why."}
    )


class VerdictForm(ReasonForm):
    """What a reviewer fills in. Whether a reason is needed hangs on the kind: the service says so."""

    verdict = forms.ChoiceField(choices=[("approved", "Approve"), ("rejected", "Reject"), ("pending", "Put back")])
    reason = forms.CharField(widget=forms.Textarea(attrs={"rows": 3}), max_length=2000, required=False)


class ManyForm(forms.Form):
    """One decision about many."""

    verdict = forms.ChoiceField(choices=[("approved", "Approve"), ("rejected", "Reject")])
    reason = forms.CharField(max_length=2000, required=False)


@dataclass(frozen=True, slots=True)
class Filters:
    """The part of the queue that somebody works through. It stands in every address, so that going on stays in it."""

    tab: str = "pending"
    kind: str = ""
    wanted: str = ""

    @classmethod
    def of(cls, request: HttpRequest) -> Filters:
        tab = request.GET.get("tab", "")
        kind, wanted = request.GET.get("kind", "")[:32], request.GET.get("q", "").strip()[:100]
        return cls(tab if tab in selectors.TABS else "pending", kind, wanted)

    @property
    def is_waiting(self) -> bool:
        return self.tab != "decided"

    @property
    def query(self) -> str:
        return self.at(self.tab)

    def at(self, tab: str, **more: Any) -> str:
        """The same in another tab, as the end of an address."""
        said = {"tab": tab, "kind": self.kind, "q": self.wanted, **more}
        return "?" + urlencode({name: value for name, value in said.items() if value})

    def rows(self, desk: selectors.Desk) -> QuerySet[ReviewItem]:
        return selectors.queue(desk, self.tab, kind=self.kind, wanted=self.wanted)


def overview(desk: selectors.Desk, filters: Filters, *, page: str) -> dict[str, Any]:
    """The list: a page of one tab, how many stand in the others, and how long it takes."""
    shown = Paginator(filters.rows(desk), A_PAGE).get_page(page)
    counts = selectors.counts(desk)
    wait, decisions = selectors.median_wait(desk.workspaces)
    bulk = set(kinds_in_bulk())
    rows = [(item, name_of(item.kind), item.kind in bulk, item.is_claimed_by(desk.holder)) for item in shown]
    return {
        "filters": filters,
        "query": filters.query,
        "tabs": [(tab, TITLES[tab], counts[tab], filters.at(tab)) for tab in selectors.TABS],
        "kinds": [(kind, name_of(kind)) for kind in selectors.kinds_in(desk)],
        "rows": rows,
        "has_bulk": filters.is_waiting and any(is_bulk for _item, _name, is_bulk, _mine in rows),
        "page": shown,
        "before": filters.at(filters.tab, page=shown.number - 1) if shown.has_previous() else "",
        "after": filters.at(filters.tab, page=shown.number + 1) if shown.has_next() else "",
        "wait": wait,
        "decisions": decisions,
        "days": selectors.MEASURED_DAYS,
        "oldest": selectors.oldest_waiting(desk),
        "has_several": len(desk.workspaces) > 1,
    }


def focus(desk: selectors.Desk, actor: Actor | None, item: ReviewItem, filters: Filters) -> dict[str, Any]:
    """One item, what lies beside it in the list, and what this person may do with it now."""
    wording = wording_of(item.kind)
    place = selectors.place_of(item, filters.rows(desk))
    return {
        "item": item,
        "kind_name": name_of(item.kind),
        "evidence": lines_of(item) | wording.more(item),
        "suggestion": wording.suggest(item) if item.state == ReviewState.PENDING else None,
        "links": wording.links(item),
        "wording": wording,
        "decisions": selectors.decisions_about(item),
        "place": place,
        "filters": filters,
        "query": filters.query,
        **_may(actor, item),
    }


def _may(actor: Actor | None, item: ReviewItem) -> dict[str, Any]:
    """The verdicts and acts that are open to this person, and why the others are not."""
    found: dict[str, Any] = {"verdicts": set(), "acts": set(), "refusal": "", "is_mine": False}
    if actor is None:
        return {**found, "refusal": "You are not a member of this workspace."}
    mine, oversees = item.is_claimed_by(services.holder_of(actor)), actor.may("reviews.take_over")
    found["is_mine"] = mine
    if item.is_claimed and not mine:
        fix = "It comes free when they decide or let go of it, or 15 minutes after they took it."
        found["refusal"] = f"{item.claimed_by_label} has taken this item. {fix}"
        return {**found, "acts": {"take_over", "release"} if oversees else set()}
    for verdict in TRANSITIONS.after(item.state):
        try:
            services.check_may_decide(actor, item=item, policy=item.workspace.release_policy, verdict=verdict)
            found["verdicts"].add(str(verdict))
        except NotAllowed as error:
            found["refusal"] = str(error)
    if item.state == ReviewState.PENDING and actor.may("reviews.decide"):
        is_open = item.escalated_at is None or oversees
        found["acts"] |= {"release" if mine else "claim"} if is_open else set()
        found["acts"] |= {"escalate"} if item.escalated_at is None else {"hand_back"} if oversees else set()
    return found
