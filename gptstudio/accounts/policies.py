"""What each role and each key scope may do. Pure tables; services ask `require` before they write."""

from __future__ import annotations

from dataclasses import dataclass, field

from gptstudio.accounts.models import Role
from gptstudio.core.errors import NotAllowed

VIEW = frozenset(
    {"workspace.view", "datasets.view", "training.view", "models.view", "models.use", "deployments.view", "usage.view"}
)
EDIT = VIEW | {"datasets.edit"}
TRAIN = EDIT | {
    "training.edit",
    "models.preview",
    "models.download",
    "models.request_release",
    "models.archive",
    "models.take_back",
    "deployments.edit",
    "keys.view",
}
REVIEW = VIEW | {
    "reviews.view",
    "reviews.decide",
    "audit.view",
    "models.preview",
    "models.take_back",
    "deployments.stop",
}
EVERYTHING = (
    TRAIN
    | REVIEW
    | {
        "reviews.take_over",
        "keys.edit",
        "members.view",
        "members.edit",
        "settings.edit",
        "budgets.edit",
        "prices.edit",
        "alerts.edit",
        "guardrails.edit",
        "base_models.register",
        "data.erase",
    }
)
ROLES: dict[str, frozenset[str]] = {
    Role.VIEWER: VIEW,
    Role.EDITOR: EDIT,
    Role.TRAINER: TRAIN,
    Role.REVIEWER: REVIEW,
    Role.ADMIN: EVERYTHING,
}
ROLE_HINTS = {
    Role.VIEWER: "sees everything and asks models",
    Role.EDITOR: "also uploads and curates data",
    Role.TRAINER: "also fine-tunes, asks for release and deploys",
    Role.REVIEWER: "sees everything and decides in the review queue",
    Role.ADMIN: "may do everything, with members and keys too",
}
SCOPES: dict[str, frozenset[str]] = {
    "chat": frozenset({"models.use", "models.view"}),
    "models:read": frozenset({"models.view"}),
    "models:preview": frozenset({"models.preview"}),
    "models:download": frozenset({"models.download"}),
    "models:write": frozenset({"models.request_release", "models.take_back", "models.archive", "base_models.register"}),
    "files:read": frozenset({"datasets.view"}),
    "files:write": frozenset({"datasets.edit"}),
    "jobs:read": frozenset({"training.view"}),
    "jobs:write": frozenset({"training.edit"}),
    "deployments:read": frozenset({"deployments.view"}),
    "deployments:write": frozenset({"deployments.edit", "deployments.stop"}),
    "usage:read": frozenset({"usage.view"}),
    "budgets:write": frozenset({"budgets.edit", "usage.view"}),
    "prices:write": frozenset({"prices.edit", "usage.view"}),
    "alerts:write": frozenset({"alerts.edit"}),
    "guardrails:write": frozenset({"guardrails.edit"}),
    "reviews:read": frozenset({"reviews.view"}),
    "reviews:write": frozenset({"reviews.decide", "reviews.take_over", "models.take_back"}),
    "keys:write": frozenset({"keys.view", "keys.edit"}),
    "members:read": frozenset({"members.view"}),
    "members:write": frozenset({"members.view", "members.edit"}),
    "audit:read": frozenset({"audit.view"}),
    "erasure:write": frozenset({"data.erase", "datasets.edit"}),
}
PUBLISHABLE = frozenset({"models.use"})  # all that a key in a web page may do
# What notices of such events let their receivers see.
TOLD = {"job": "training.view", "study": "training.view", "review": "reviews.view"}
SCOPE_HINTS = {
    "chat": "Ask models for answers",
    "models:read": "List models",
    "models:preview": "Try models that are not released",
    "models:download": "Download models' weights",
    "models:write": "Ask for release, put models away, register base models",
    "files:read": "Read data sets and files",
    "files:write": "Upload and curate data",
    "jobs:read": "See fine-tunes",
    "jobs:write": "Start and cancel fine-tunes",
    "deployments:read": "See deployments",
    "deployments:write": "Deploy, roll back and stop",
    "usage:read": "Read usage and cost",
    "budgets:write": "Set budgets of the workspace and its members",
    "prices:write": "Set prices of models",
    "alerts:write": "Set alert rules and who is told",
    "guardrails:write": "Set what prompts and answers may say, and what is kept of them",
    "reviews:read": "See the review queue",
    "reviews:write": "Decide in the review queue",
    "keys:write": "Make and revoke keys",
    "members:read": "See members and invitations",
    "members:write": "Invite, change and remove members, but admins",
    "audit:read": "Read the audit log",
    "erasure:write": "Trace a person's data and erase it",
}


@dataclass(frozen=True, slots=True)
class Actor:
    """Whoever acts, seen from one workspace. `user_id` is the person behind it, also behind a key."""

    kind: str
    id: str
    label: str
    workspace_id: str
    actions: frozenset[str] = field(default=frozenset(), repr=False)
    user_id: str | None = None
    role: str = ""

    def may(self, action: str) -> bool:
        return action in self.actions


def require(actor: Actor, action: str, *, workspace_id: str) -> None:
    """Raise NotAllowed unless `actor` may do `action` in this workspace."""
    if actor.workspace_id != workspace_id or not actor.may(action):
        who = f"role {actor.role}" if actor.role else "key"
        raise NotAllowed(
            f"Your {who} does not allow this ({action}).",
            fix="Ask an admin of the workspace for a role or a key scope that does.",
        )


def action_to_hear_of(event: str) -> str:
    """What somebody must be allowed to do to have others told of an event, or to read what they were told."""
    return TOLD.get(event.partition(".")[0], "alerts.edit")


def system(workspace_id: str, *, label: str = "GPT Studio", kind: str = "system") -> Actor:
    """The studio itself (or its release policy, `kind="policy"`) acting in a workspace."""
    return Actor(kind=kind, id=kind, label=label, workspace_id=workspace_id, actions=EVERYTHING)
