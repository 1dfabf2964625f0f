"""Members: who is in the workspace and as what, who is invited, and whose people may come by themselves."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from gptstudio.accounts import policies, selectors, services
from gptstudio.accounts.models import Invitation, Role
from gptstudio.core.errors import StudioError
from gptstudio.web.access import ACT, FORM, MemberRequest, member_page
from gptstudio.web.forms import StudioForm
from gptstudio.web.lists import Choice, by_field, listed, wanted_by
from gptstudio.web.once import made_once

ROLES = [(role.value, f"{role.label}: {policies.ROLE_HINTS[role]}") for role in Role]

SORTS = {"person": "user__email", "role": "role", "since": "created_at"}
CHOICES = (
    by_field("role", "Role", Role.choices),
    Choice(
        "state",
        "State",
        {"in": ("May come in", Q(blocked_at=None)), "blocked": ("Blocked", Q(blocked_at__isnull=False))},
    ),
)


class RoleForm(StudioForm):
    """What somebody may do."""

    role = forms.ChoiceField(label="Role", choices=ROLES, initial=Role.VIEWER)


class InviteForm(RoleForm):
    """Whom to invite, and as what."""

    email = forms.EmailField(label="E-mail", max_length=254, help_text="They sign in or sign up with this address.")
    field_order = ("email", "role")


class DomainsForm(StudioForm):
    """Whose people may come by themselves."""

    domains = forms.CharField(
        label="Domains",
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="One a line, such as example.org. You need a verified address there yourself. Empty: by invitation only.",
    )


def _members(
    request: MemberRequest, *, invite: InviteForm | None = None, domains: DomainsForm | None = None
) -> HttpResponse:
    workspace_id = request.actor.workspace_id
    people = selectors.people_of(workspace_id, wanted_by(request))
    known = "\n".join(selectors.domains_of(workspace_id))
    context = {
        "listing": listed(request, people, sorts=SORTS, usual="person", choices=CHOICES),
        "invitations": selectors.open_invitations_of(workspace_id)[:100],
        "form": invite or InviteForm(),
        "domains": domains or DomainsForm(initial={"domains": known}),
        "listed": known,
    }
    refused = (invite and invite.errors) or (domains and domains.errors)
    return render(request, "web/members.html", context, status=400 if refused else 200)


def _invited(request: MemberRequest, invitation: Invitation) -> HttpResponse:
    """The page with the link, which is shown this once, mailed or not."""
    link = request.build_absolute_uri(reverse("web:invitation", args=[invitation.token]))
    context = {"invitation": invitation, "link": link, "mailed": services.mail_invitation(invitation, link=link)}
    shown = render(request, "web/invitation_made.html", context)
    shown.headers["Cache-Control"] = "no-store"
    return shown


@member_page("members.view", FORM, to_post="members.edit")
@made_once(shows=True)
def members(request: MemberRequest) -> HttpResponse:
    """The page; its form invites somebody, and the link is on the page that answers."""
    if request.method != "POST":
        return _members(request)
    form = InviteForm(request.POST)
    if form.is_valid():
        try:
            made = services.invite(request.actor, workspace_id=request.actor.workspace_id, **form.cleaned_data)
        except StudioError as error:
            form.refuse(error)
        else:
            return _invited(request, made)
    return _members(request, invite=form)


@member_page("members.edit", ACT)
def domains(request: MemberRequest) -> HttpResponse:
    """Say whose people may come by themselves."""
    form = DomainsForm(request.POST)
    if form.is_valid():
        wanted = form.cleaned_data["domains"].split()
        try:
            services.set_join_domains(request.actor, workspace=request.membership.workspace, domains=wanted)
        except StudioError as error:
            form.refuse(error)
        else:
            messages.success(request, "Saved. It holds for whoever comes from now on.")
            return redirect("web:members")
    return _members(request, domains=form)


@member_page("members.edit", ACT)
def resend(request: MemberRequest, invitation_id: str) -> HttpResponse:
    """A new link for an invitation; the old one ends."""
    found = selectors.invitation_of(request.actor.workspace_id, invitation_id)
    return _invited(request, services.renew_invitation(request.actor, invitation=found))


@member_page("members.edit", ACT)
def withdraw(request: MemberRequest, invitation_id: str) -> HttpResponse:
    """End an invitation."""
    found = selectors.invitation_of(request.actor.workspace_id, invitation_id)
    services.withdraw_invitation(request.actor, invitation=found)
    messages.success(request, f"The link that {found.email} got opens nothing any more. You can invite them again.")
    return redirect("web:members")


@member_page("members.view", FORM, to_post="members.edit")
def member(request: MemberRequest, user_id: str) -> HttpResponse:
    """One member: their role, and what blocking or removing them does."""
    found = selectors.person_of(request.actor.workspace_id, user_id)
    form = RoleForm(request.POST or None, initial={"role": found.role})
    if request.method == "POST" and form.is_valid():
        try:
            services.change_role(request.actor, membership=found, role=form.cleaned_data["role"])
        except StudioError as error:
            form.refuse(error)
        else:
            messages.success(request, "Saved. It holds from their next click on.")
            return redirect("web:members" if user_id != request.user.pk else "home")
    context = {"member": found, "form": form, "keys": selectors.live_keys_by(found.workspace_id, user_id)}
    return render(request, "web/member.html", context, status=400 if form.errors else 200)


@member_page("members.edit", ACT)
def block(request: MemberRequest, user_id: str) -> HttpResponse:
    """Let a member in no more, until they are unblocked."""
    found = selectors.person_of(request.actor.workspace_id, user_id)
    services.block_member(request.actor, membership=found)
    messages.success(request, f"{found.user} is blocked. Unblocking gives them all back.")
    return redirect("web:member", user_id)


@member_page("members.edit", ACT)
def unblock(request: MemberRequest, user_id: str) -> HttpResponse:
    """Let a blocked member in again."""
    found = selectors.person_of(request.actor.workspace_id, user_id)
    services.unblock_member(request.actor, membership=found)
    messages.success(request, f"{found.user} is let in again, with their keys.")
    return redirect("web:member", user_id)


@member_page("members.edit", ACT)
def remove(request: MemberRequest, user_id: str) -> HttpResponse:
    """Take a member out of the workspace."""
    found = selectors.person_of(request.actor.workspace_id, user_id)
    services.remove_member(request.actor, membership=found)
    messages.success(
        request, f"{found.user} is no member any more. Inviting them again gives them their keys back, too."
    )
    return redirect("web:members" if user_id != request.user.pk else "home")


@member_page("workspace.view", FORM)
def leave(request: MemberRequest) -> HttpResponse:
    """What leaving does, and the button."""
    workspace = request.membership.workspace
    if request.method == "POST":
        services.leave_workspace(request.actor)
        messages.success(request, f"You left {workspace.name}.")
        return redirect("web:workspaces")
    keys = selectors.live_keys_by(workspace.id, request.membership.user_id)
    return render(request, "web/leave.html", {"workspace": workspace, "keys": keys})
