"""Inviting people by e-mail address, and what becomes of an invitation. The address of its page is not known here."""

from __future__ import annotations

import logging
from datetime import timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import send_mail
from django.core.validators import validate_email
from django.db import transaction
from django.utils import timezone

from gptstudio.accounts import policies, selectors
from gptstudio.accounts.models import Invitation, InvitationState, Membership, Role, User
from gptstudio.accounts.policies import Actor
from gptstudio.accounts.services.members import audit, check_role, lock_members, person, put
from gptstudio.audit.services import record
from gptstudio.core.errors import Conflict, Invalid, NotAllowed, StudioError, TooMuch

logger = logging.getLogger(__name__)
LASTING = timedelta(days=7)
DAY = timedelta(days=1)
MOST_A_DAY = 50  # invitations of one workspace: each may send a mail to anybody
MOST_LINKS = 5  # of one invitation


def _address(email: str) -> str:
    email = email.strip().lower()
    try:
        validate_email(email)
    except ValidationError as error:
        raise Invalid("This is no e-mail address.", fix="Write it as name@example.org.", param="email") from error
    return email


def _audit(actor: Actor, invitation: Invitation, action: str) -> None:
    record(
        actor,
        workspace_id=invitation.workspace_id,
        action=action,
        subject_kind="invitation",
        subject_id=invitation.id,
        subject_label=invitation.email,
        data={"role": invitation.role},
    )


@transaction.atomic
def invite(actor: Actor, *, workspace_id: str, email: str, role: str) -> Invitation:
    """Let whoever has this address become a member with this role within seven days. Raises Conflict for members and for who
    is invited already, TooMuch after many on one day.
    """
    policies.require(actor, "members.edit", workspace_id=workspace_id)
    check_role(actor, role)
    email = _address(email)
    lock_members(workspace_id)
    if member := selectors.people_of(workspace_id).filter(user__email__iexact=email).first():
        blocked = member.blocked_at is not None
        raise Conflict(
            f"{email} is {'blocked here' if blocked else 'a member already'}.",
            fix="Unblock them on the page Members." if blocked else "Change their role on the page Members.",
            param="email",
        )
    if selectors.open_invitations_of(workspace_id).filter(email=email).exists():
        raise Conflict(f"{email} is invited already.", fix="Send that invitation again, or withdraw it.", param="email")
    now = timezone.now()
    if Invitation.objects.filter(workspace_id=workspace_id, created_at__gt=now - DAY).count() >= MOST_A_DAY:
        raise TooMuch(f"{MOST_A_DAY} people were invited within a day.", fix="Go on tomorrow.")
    invitation = Invitation.objects.create(
        workspace_id=workspace_id,
        email=email,
        role=Role(role),
        invited_by_label=actor.label[:200],
        expires_at=now + LASTING,
    )
    _audit(actor, invitation, "invitation.made")
    return invitation


@transaction.atomic
def renew_invitation(actor: Actor, *, invitation: Invitation) -> Invitation:
    """A new link, good for another seven days; the one before ends."""
    found = _open(actor, invitation)
    if found.link >= MOST_LINKS:
        raise TooMuch(
            f"{found.email} was sent {MOST_LINKS} links.",
            fix="Withdraw the invitation and ask whether the address is right.",
        )
    found.link += 1
    found.expires_at = timezone.now() + LASTING
    found.save(update_fields=["link", "expires_at"])
    _audit(actor, found, "invitation.renewed")
    return found


@transaction.atomic
def withdraw_invitation(actor: Actor, *, invitation: Invitation) -> Invitation:
    """Its link opens nothing any more."""
    found = _open(actor, invitation)
    found.withdrawn_at = timezone.now()
    found.save(update_fields=["withdrawn_at"])
    _audit(actor, found, "invitation.withdrawn")
    return found


def _open(actor: Actor, invitation: Invitation) -> Invitation:
    """The invitation as it is now, to be changed. Raises Conflict for one that is over."""
    policies.require(actor, "members.edit", workspace_id=invitation.workspace_id)
    check_role(actor, invitation.role)
    lock_members(invitation.workspace_id)
    found = selectors.invitation_of(invitation.workspace_id, invitation.id)
    if found.state in (InvitationState.ACCEPTED, InvitationState.WITHDRAWN):
        raise Conflict(f"The invitation of {found.email} was {found.state} already.", fix="Invite them anew.")
    return found


def mail_invitation(invitation: Invitation, *, link: str) -> bool:
    """Send the link, where e-mail is set up; False where it did not leave. Outside of a transaction."""
    if not settings.EMAIL_URL:
        return False
    name = " ".join(invitation.workspace.name.split())  # a header is one line
    lines = [
        f"{invitation.invited_by_label} invites you to the workspace {name} in GPT Studio, as {invitation.role}.",
        "",
        link,
        "",
        f"The link works once, for this address, until {invitation.expires_at:%d %B %Y, %H:%M} UTC.",
    ]
    try:
        send_mail(f"You are invited to {name}", "\n".join(lines), None, [invitation.email])
    except OSError as error:  # SMTP's errors are OSErrors too
        logger.warning("the mail of %s did not leave: %s", invitation.id, type(error).__name__)
        return False
    return True


def check_open(invitation: Invitation) -> None:
    """Raise Conflict, with a sentence for who holds the link, unless the invitation can be accepted still."""
    over = {
        InvitationState.ACCEPTED: "was used already",
        InvitationState.WITHDRAWN: "was withdrawn",
        InvitationState.EXPIRED: f"expired on {invitation.expires_at:%d %B %Y, %H:%M} UTC",
    }.get(invitation.state)
    if over:
        raise Conflict(
            f"This invitation to {invitation.workspace.name} {over}.",
            fix=f"Ask {invitation.invited_by_label} or another admin there for a new one.",
        )


def refusal(invitation: Invitation, *, user: User) -> StudioError | None:
    """Why this person cannot accept an open invitation; None: they can."""
    name = invitation.workspace.name
    member = selectors.people_of(invitation.workspace_id).filter(user_id=user.id).first()
    if member is not None and member.blocked_at is not None:
        return NotAllowed(f"You are blocked in {name}.", fix="An admin there can unblock you.")
    if member is not None:
        return Conflict(f"You are a member of {name} already.", fix="An admin there can change your role.")
    if invitation.email not in {user.email.lower(), *selectors.verified_addresses_of(user)}:
        return NotAllowed(
            f"This invitation is for {invitation.email}, and you are signed in as {user.email}.",
            fix="Sign out, then sign in with that address, or make an account with it.",
        )
    return None


@transaction.atomic
def accept_invitation(*, user: User, token: str) -> Membership:
    """Make this person a member by the link that they hold, which is spent with it. Raises NotFound, Conflict, NotAllowed."""
    lock_members(selectors.invitation_by_token(token).workspace_id)
    invitation = selectors.invitation_by_token(token)  # as it is now
    check_open(invitation)
    if refused := refusal(invitation, user=user):
        raise refused
    membership = put(workspace_id=invitation.workspace_id, user=user, role=invitation.role)
    invitation.accepted_at = timezone.now()
    invitation.save(update_fields=["accepted_at"])
    actor = person(user, invitation.workspace_id)
    audit(actor, user, "member.joined", workspace_id=actor.workspace_id, role=membership.role, invitation=invitation.id)
    return membership
