"""Domains whose people may join a workspace by themselves, and those who do."""

from __future__ import annotations

from collections.abc import Sequence

from django.core.exceptions import ValidationError
from django.core.validators import validate_domain_name
from django.db import transaction

from gptstudio.accounts import policies, selectors
from gptstudio.accounts.models import JoinDomain, Membership, Role, User, Workspace
from gptstudio.accounts.policies import Actor
from gptstudio.accounts.services.members import audit, lock_members, person, put
from gptstudio.audit.services import record
from gptstudio.core.errors import Invalid, NotAllowed

MOST_DOMAINS = 20
# Where anybody gets an address within a minute.
OPEN_TO_ALL = frozenset(
    {
        "gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "live.com", "yahoo.com",
        "icloud.com", "gmx.de", "gmx.net", "web.de", "aol.com", "proton.me",
        "protonmail.com", "mail.com", "mail.ru", "yandex.ru", "qq.com", "163.com",
    }
)  # fmt: skip


@transaction.atomic
def set_join_domains(actor: Actor, *, workspace: Workspace, domains: Sequence[str]) -> list[str]:
    """Whose people may become viewers by themselves, in place of those before. To add a domain one needs a verified address
    there, so nobody lures another organisation's people.
    """
    policies.require(actor, "members.edit", workspace_id=workspace.id)
    wanted = sorted({each.strip().lower().removeprefix("@") for each in domains if each.strip()})
    lock_members(workspace.id)
    before = selectors.domains_of(workspace.id)
    _check(actor, wanted, before)
    if wanted == before:
        return wanted
    JoinDomain.objects.filter(workspace=workspace).exclude(domain__in=wanted).delete()
    JoinDomain.objects.bulk_create(
        JoinDomain(workspace=workspace, domain=each) for each in wanted if each not in before
    )
    record(
        actor,
        workspace_id=workspace.id,
        action="workspace.join_domains",
        subject_kind="workspace",
        subject_id=workspace.id,
        subject_label=workspace.name,
        data={"from": before, "to": wanted},
    )
    return wanted


def _check(actor: Actor, wanted: list[str], before: list[str]) -> None:
    """Raise Invalid for the first domain that cannot be."""
    if len(wanted) > MOST_DOMAINS:
        raise Invalid(f"{len(wanted)} domains are too many.", fix=f"Name {MOST_DOMAINS} at most.", param="domains")
    user = selectors.user_by_id(actor.user_id or "")
    own = {address.rpartition("@")[2] for address in selectors.verified_addresses_of(user)} if user else set()
    for domain in wanted:
        try:
            validate_domain_name(domain)
        except ValidationError as error:
            raise Invalid(f"{domain[:60]!r} is no domain.", fix="Write it as example.org.", param="domains") from error
        if domain in OPEN_TO_ALL:
            raise Invalid(f"Anybody gets an address at {domain}.", fix="Invite people by address.", param="domains")
        if domain not in own and domain not in before:
            raise Invalid(
                f"You have no verified address at {domain}.",
                fix="Verify one on your account pages, or have an admin do this who has one.",
                param="domains",
            )


@transaction.atomic
def join_workspace(*, user: User, workspace_id: str) -> Membership:
    """Become a viewer where a verified address of one's own lets in. Raises NotAllowed anywhere else."""
    found = selectors.workspaces_to_join(user).filter(id=workspace_id).first()
    if found is None:
        raise NotAllowed("You cannot join that workspace by yourself.", fix="Ask one of its admins to invite you.")
    lock_members(found.id)
    membership = put(workspace_id=found.id, user=user, role=Role.VIEWER)
    audit(person(user, found.id), user, "member.joined", workspace_id=found.id, role=membership.role)
    return membership
