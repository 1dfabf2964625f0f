"""/api/v1/members: who is in the workspace, and as what. A key may do all but make, change or remove an admin."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.parsers import JSONParser
from rest_framework.request import Request
from rest_framework.response import Response

from gptstudio.accounts import selectors, services
from gptstudio.accounts.models import Membership, Role
from gptstudio.api.base import LIST_PARAMETERS, NativeView, page_of
from gptstudio.api.etags import ETAG, IF_MATCH, Tagged
from gptstudio.core.errors import Invalid


class MemberShape(serializers.ModelSerializer):
    """A member; a blocked one keeps the role and may do nothing."""

    id = serializers.CharField(source="user_id", help_text="The person's; it begins with user_.")
    email = serializers.EmailField(source="user.email")
    name = serializers.CharField(source="user.name", allow_blank=True)

    class Meta:
        model = Membership
        fields = ("id", "email", "name", "role", "blocked_at", "created_at")


class RoleBody(serializers.Serializer):
    """What a member may do from now on."""

    role = serializers.ChoiceField(Role.choices)


class MemberViews(NativeView):
    """What these views share."""

    parser_classes = [JSONParser]

    def found(self, user_id: str) -> Membership:
        return selectors.person_of(self.workspace_id, user_id)


class Members(MemberViews):
    """The workspace's members, blocked ones too."""

    actions: ClassVar[dict[str, str]] = {"GET": "members.view"}

    @extend_schema(
        operation_id="members_list",
        parameters=[OpenApiParameter("q", str, description="Of the name or the address."), *LIST_PARAMETERS],
        responses=page_of(MemberShape, "MembersPage"),
    )
    def get(self, request: Request) -> Response:
        wanted = request.query_params.get("q", "")
        if not wanted.isprintable():
            raise Invalid("q has characters that cannot be seen.", fix="Leave them out.", param="q")
        rows = selectors.people_of(self.workspace_id, wanted)
        return self.listed(rows, lambda each: MemberShape(each).data, by="user_id")


class MemberOne(MemberViews, Tagged):
    """One member."""

    tagged = ("id", "role", "blocked_at")
    actions: ClassVar[dict[str, str]] = {"GET": "members.view", "PATCH": "members.edit", "DELETE": "members.edit"}

    def shown(self, found: Membership) -> dict[str, Any]:
        return dict(MemberShape(found).data)

    @extend_schema(operation_id="members_read", parameters=[ETAG], responses=MemberShape)
    def get(self, request: Request, user_id: str) -> Response:
        return self.seen(self.found(user_id))

    @extend_schema(operation_id="members_change", parameters=[IF_MATCH, ETAG], request=RoleBody, responses=MemberShape)
    def patch(self, request: Request, user_id: str) -> Response:
        """It holds from their next request on, for keys that they made too. One admin must stay."""
        with self.unchanged(lambda: self.found(user_id)) as membership:
            return self.seen(services.change_role(self.actor, membership=membership, **self.given(RoleBody)))

    @extend_schema(operation_id="members_remove", parameters=[IF_MATCH], responses={204: None})
    def delete(self, request: Request, user_id: str) -> Response:
        """What they made stays; keys that they made open nothing any more."""
        with self.unchanged(lambda: self.found(user_id)) as membership:
            services.remove_member(self.actor, membership=membership)
        return Response(status=204)


class BlockMember(MemberViews):
    """Let a member in no more."""

    actions: ClassVar[dict[str, str]] = {"POST": "members.edit"}

    @extend_schema(operation_id="members_block", request=None, responses=MemberShape)
    def post(self, request: Request, user_id: str) -> Response:
        """At once, with the keys that they made. Blocking twice changes nothing."""
        return Response(MemberShape(services.block_member(self.actor, membership=self.found(user_id))).data)


class UnblockMember(MemberViews):
    """Let a blocked member in again."""

    actions: ClassVar[dict[str, str]] = {"POST": "members.edit"}

    @extend_schema(operation_id="members_unblock", request=None, responses=MemberShape)
    def post(self, request: Request, user_id: str) -> Response:
        """With the role and the keys of before."""
        return Response(MemberShape(services.unblock_member(self.actor, membership=self.found(user_id))).data)
