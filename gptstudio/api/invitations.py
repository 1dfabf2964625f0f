"""/api/v1/invitations: people who may become members. A link is in the answer that makes it, and nowhere else."""

from __future__ import annotations

from typing import Any, ClassVar

from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.parsers import JSONParser
from rest_framework.request import Request
from rest_framework.response import Response

from gptstudio.accounts import selectors, services
from gptstudio.accounts.models import Invitation, InvitationState, Role
from gptstudio.api.base import LIST_PARAMETERS, NativeView, page_of


class InvitationShape(serializers.ModelSerializer):
    """An invitation without its link."""

    state = serializers.ChoiceField(InvitationState.choices)
    invited_by = serializers.CharField(source="invited_by_label")

    class Meta:
        model = Invitation
        fields = ("id", "email", "role", "state", "invited_by", "created_at", "expires_at")


class LinkShape(InvitationShape):
    """The same with the link, which is shown this once."""

    link = serializers.URLField()
    mailed = serializers.BooleanField(help_text="Whether the link was handed to the mail server.")

    class Meta(InvitationShape.Meta):
        fields = (*InvitationShape.Meta.fields, "link", "mailed")  # type: ignore[assignment]


class InvitationBody(serializers.Serializer):
    """Whom to invite, and as what; a key cannot invite an admin."""

    email = serializers.EmailField(max_length=254)
    role = serializers.ChoiceField(Role.choices)


class InvitationViews(NativeView):
    """What these views share. An answer with a link is not kept for repeats; inviting twice is refused anyway."""

    parser_classes = [JSONParser]
    replays = False

    def with_link(self, invitation: Invitation, *, status: int) -> Response:
        link = self.request.build_absolute_uri(reverse("web:invitation", args=[invitation.token]))
        mailed = services.mail_invitation(invitation, link=link)
        shown: dict[str, Any] = {**InvitationShape(invitation).data, "link": link, "mailed": mailed}
        return Response(shown, status=status, headers={"Cache-Control": "no-store"})


class Invitations(InvitationViews):
    """All of the workspace, those that are over included."""

    actions: ClassVar[dict[str, str]] = {"GET": "members.view", "POST": "members.edit"}

    @extend_schema(
        operation_id="invitations_list",
        parameters=LIST_PARAMETERS,
        responses=page_of(InvitationShape, "InvitationsPage"),
    )
    def get(self, request: Request) -> Response:
        return self.listed(selectors.invitations_of(self.workspace_id), lambda each: InvitationShape(each).data)

    @extend_schema(operation_id="invitations_make", request=InvitationBody, responses={201: LinkShape})
    def post(self, request: Request) -> Response:
        """The `link` is in this answer alone, and in the mail where e-mail is set up. It works once, for seven days."""
        made = services.invite(self.actor, workspace_id=self.workspace_id, **self.given(InvitationBody))
        return self.with_link(made, status=201)


class RenewInvitation(InvitationViews):
    """A new link for an invitation."""

    actions: ClassVar[dict[str, str]] = {"POST": "members.edit"}

    @extend_schema(operation_id="invitations_renew", request=None, responses=LinkShape)
    def post(self, request: Request, invitation_id: str) -> Response:
        """The link before ends; the new one works for seven days."""
        found = selectors.invitation_of(self.workspace_id, invitation_id)
        return self.with_link(services.renew_invitation(self.actor, invitation=found), status=200)


class WithdrawInvitation(InvitationViews):
    """End an invitation."""

    actions: ClassVar[dict[str, str]] = {"POST": "members.edit"}

    @extend_schema(operation_id="invitations_withdraw", request=None, responses=InvitationShape)
    def post(self, request: Request, invitation_id: str) -> Response:
        """Its link opens nothing any more."""
        found = selectors.invitation_of(self.workspace_id, invitation_id)
        return Response(InvitationShape(services.withdraw_invitation(self.actor, invitation=found)).data)
