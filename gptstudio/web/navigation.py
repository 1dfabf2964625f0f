"""The side of every page: where one can go, and how much is there.

The apps stand above this room, so their counts come from a function that the top floor registers when it starts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.urls import NoReverseMatch, reverse

from gptstudio.accounts.policies import Actor


@dataclass(frozen=True, slots=True)
class Place:
    """A page in the side; shown to those who may do `action`."""

    key: str
    title: str
    url_name: str
    action: str
    group: str = ""


@dataclass(frozen=True, slots=True)
class Count:
    """What stands beside a place; `hot` when it waits for a person."""

    text: str
    hot: bool = False


@dataclass(frozen=True, slots=True)
class Link:
    """A place as the template shows it."""

    key: str
    title: str
    url: str
    count: Count | None
    is_here: bool


PLACES = (
    Place("home", "Home", "home", "workspace.view"),
    Place("datasets", "Data sets", "datasets:list", "datasets.view", "Make"),
    Place("jobs", "Fine-tunes", "training:jobs", "training.view", "Make"),
    Place("models", "Models", "training:models", "models.view", "Make"),
    Place("playground", "Playground", "serving:playground", "models.use", "Use"),
    Place("deployments", "Deployments", "serving:deployments", "deployments.view", "Use"),
    Place("connect", "Connect", "serving:connect", "models.view", "Use"),
    Place("keys", "API keys", "web:keys", "keys.view", "Use"),
    Place("usage", "Usage", "serving:usage", "usage.view", "Use"),
    Place("monitoring", "Monitoring", "serving:monitoring", "usage.view", "Watch"),
    Place("alerts", "Alerts", "serving:alerts", "alerts.edit", "Watch"),
    Place("notices", "Notices", "web:notices", "alerts.edit", "Watch"),
    Place("review", "Review", "admin:review_reviewitem_changelist", "reviews.view", "Watch"),
    Place("feedback", "Feedback", "serving:feedback", "datasets.edit", "Watch"),
    Place("activity", "Activity", "web:activity", "audit.view", "Watch"),
    Place("erasure", "Erasure", "erasure", "data.erase", "Watch"),
    Place("settings", "Settings", "web:settings", "workspace.view", "Watch"),
)
Counter = Callable[[str], dict[str, Count]]
_counters: list[Counter] = []


def register_counts(counter: Counter) -> None:
    """Say what stands beside the places: workspace id in, counts by place key out."""
    _counters.append(counter)


def counts(workspace_id: str) -> dict[str, Count]:
    """All registered counts for a workspace."""
    return {key: count for counter in _counters for key, count in counter(workspace_id).items()}


def _address(place: Place) -> str:
    try:
        return reverse(place.url_name)
    except NoReverseMatch:
        return ""


def groups(actor: Actor, path: str) -> list[tuple[str, list[Link]]]:
    """The side's links in their groups, for one actor on one page."""
    beside = counts(actor.workspace_id)
    found: dict[str, list[Link]] = {}
    for place in PLACES:
        url = _address(place)
        if not url or not actor.may(place.action):
            continue
        here = path == url if url == "/" else path.startswith(url)
        link = Link(place.key, place.title, url, beside.get(place.key), here)
        found.setdefault(place.group, []).append(link)
    return list(found.items())
