"""/api/v1/api-keys: issued, changed, rotated, revoked. A secret is in the answer that makes it, and nowhere else."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.parsers import JSONParser
from rest_framework.request import Request
from rest_framework.response import Response

from gptstudio.accounts import policies, selectors, services
from gptstudio.accounts.models import ApiKey
from gptstudio.api.base import LIST_PARAMETERS, NativeView, page_of
from gptstudio.api.etags import ETAG, IF_MATCH, Tagged


class KeyShape(serializers.ModelSerializer):
    """A key without its secret. Limits that are null are none; an empty `allowed_models` allows all."""

    client_id = serializers.CharField(allow_null=True, help_text="Of an OAuth client; null for other keys.")
    live = serializers.BooleanField(
        source="is_live", help_text="Neither revoked nor paused nor expired, and its maker is let in."
    )
    scopes = serializers.ListField(child=serializers.CharField())
    allowed_models = serializers.ListField(child=serializers.CharField())
    origins = serializers.ListField(
        child=serializers.CharField(), help_text="Of a publishable key; empty: a secret one."
    )
    # their bounds would follow the database, the schema must not
    requests_per_minute = serializers.IntegerField(allow_null=True)
    tokens_per_minute = serializers.IntegerField(allow_null=True)
    parallel_requests = serializers.IntegerField(allow_null=True)

    class Meta:
        model = ApiKey
        fields = (
            "id", "name", "prefix", "client_id", "live", "scopes", "allowed_models", "origins", "budget_micro",
            "soft_budget_micro", "monthly_budget_micro", "soft_monthly_budget_micro",
            "requests_per_minute", "tokens_per_minute", "parallel_requests", "expires_at", "revoked_at", "paused_at", "paused_reason",
            "previous_prefix", "previous_until", "created_at",
        )  # fmt: skip


class SecretShape(KeyShape):
    """The same with the secret, which is shown this once."""

    secret = serializers.CharField()

    class Meta(KeyShape.Meta):
        fields = (*KeyShape.Meta.fields, "secret")  # type: ignore[assignment]


class KeyChange(serializers.Serializer):
    """What can be changed of a key. Null takes a limit away; what is left out stays."""

    name = serializers.CharField(max_length=80, required=False)
    allowed_models = serializers.ListField(child=serializers.CharField(max_length=200), required=False, max_length=100)
    origins = serializers.ListField(
        child=serializers.CharField(max_length=200),
        required=False,
        max_length=20,
        help_text="Makes the key publishable: for chat in pages of these origins, with one deployment in allowed_models.",
    )
    budget_micro = serializers.IntegerField(min_value=0, max_value=10**15, required=False, allow_null=True)
    soft_budget_micro = serializers.IntegerField(min_value=0, max_value=10**15, required=False, allow_null=True)
    monthly_budget_micro = serializers.IntegerField(
        min_value=0, max_value=10**15, required=False, allow_null=True, help_text="For each calendar month."
    )
    soft_monthly_budget_micro = serializers.IntegerField(min_value=0, max_value=10**15, required=False, allow_null=True)
    requests_per_minute = serializers.IntegerField(min_value=1, max_value=100_000, required=False, allow_null=True)
    tokens_per_minute = serializers.IntegerField(min_value=1, max_value=2_000_000_000, required=False, allow_null=True)
    parallel_requests = serializers.IntegerField(min_value=1, max_value=10_000, required=False, allow_null=True)
    expires_at = serializers.DateTimeField(required=False, allow_null=True)


class KeyBody(KeyChange):
    """A new key."""

    name = serializers.CharField(max_length=80)
    scopes = serializers.ListField(child=serializers.ChoiceField(list(policies.SCOPES)), allow_empty=False)
    as_client = serializers.BooleanField(
        required=False,
        help_text="An OAuth client instead of a key: its secret is exchanged for tokens at /oauth/token.",
    )


class RotateBody(serializers.Serializer):
    """When the secret in use stops working; left out or in the past: at once. At most 30 days ahead."""

    old_works_until = serializers.DateTimeField(required=False, allow_null=True)


class KeyReasonBody(serializers.Serializer):
    """Why, for the audit log."""

    reason = serializers.CharField(max_length=services.LONGEST_REASON)


def _with_secret(key: ApiKey, secret: str, *, status: int) -> Response:
    shown: dict[str, Any] = {**KeyShape(key).data, "secret": secret}
    return Response(shown, status=status, headers={"Cache-Control": "no-store"})


class KeyViews(NativeView):
    """What these views share. An answer with a secret is not kept for repeats, so no POST here can be replayed."""

    parser_classes = [JSONParser]
    replays = False


class Keys(KeyViews):
    """The workspace's keys, revoked ones included."""

    actions: ClassVar[dict[str, str]] = {"GET": "keys.view", "POST": "keys.edit"}

    @extend_schema(operation_id="keys_list", parameters=LIST_PARAMETERS, responses=page_of(KeyShape, "KeysPage"))
    def get(self, request: Request) -> Response:
        return self.listed(selectors.keys_of(self.workspace_id), lambda each: KeyShape(each).data)

    @extend_schema(operation_id="keys_issue", request=KeyBody, responses={201: SecretShape})
    def post(self, request: Request) -> Response:
        """The `secret` is in this answer alone. A key cannot be given more than the caller may do."""
        key, secret = services.issue_key(self.actor, workspace_id=self.workspace_id, **self.given(KeyBody))
        return _with_secret(key, secret, status=201)


class KeyOne(KeyViews, Tagged):
    """One key."""

    tagged = ("revoked_at", "paused_at", *KeyChange().fields)

    actions: ClassVar[dict[str, str]] = {"GET": "keys.view", "PATCH": "keys.edit"}

    def shown(self, found: ApiKey) -> dict[str, Any]:
        return dict(KeyShape(found).data)

    @extend_schema(operation_id="keys_read", parameters=[ETAG], responses=KeyShape)
    def get(self, request: Request, key_id: str) -> Response:
        return self.seen(selectors.key_of(self.workspace_id, key_id))

    @extend_schema(operation_id="keys_change", parameters=[IF_MATCH, ETAG], request=KeyChange, responses=KeyShape)
    def patch(self, request: Request, key_id: str) -> Response:
        """Limits hold from the next request on."""
        with self.unchanged(lambda: selectors.key_of(self.workspace_id, key_id)) as key:
            return self.seen(services.update_key(self.actor, key=key, **self.given(KeyChange)))


class RotateKey(KeyViews):
    """A new secret for the same key."""

    actions: ClassVar[dict[str, str]] = {"POST": "keys.edit"}

    @extend_schema(operation_id="keys_rotate", request=RotateBody, responses=SecretShape)
    def post(self, request: Request, key_id: str) -> Response:
        """Both secrets work until `old_works_until`. Scopes, limits and bill stay with the key."""
        key = selectors.key_of(self.workspace_id, key_id)
        key, secret = services.rotate_key(self.actor, key=key, **self.given(RotateBody))
        return _with_secret(key, secret, status=200)


class RevokeKey(KeyViews):
    """Close a key."""

    actions: ClassVar[dict[str, str]] = {"POST": "keys.edit"}

    @extend_schema(operation_id="keys_revoke", request=None, responses=KeyShape)
    def post(self, request: Request, key_id: str) -> Response:
        """At once, on every process, for good. Revoking twice changes nothing."""
        key = selectors.key_of(self.workspace_id, key_id)
        return Response(KeyShape(services.revoke_key(self.actor, key=key)).data)


class PauseKey(KeyViews):
    """Stop a key without losing it."""

    actions: ClassVar[dict[str, str]] = {"POST": "keys.edit"}

    @extend_schema(operation_id="keys_pause", request=KeyReasonBody, responses=KeyShape)
    def post(self, request: Request, key_id: str) -> Response:
        """It opens nothing from the next request on, and neither do its tokens, until it is resumed."""
        key = selectors.key_of(self.workspace_id, key_id)
        services.pause_key(self.actor, key=key, **self.given(KeyReasonBody))
        return Response(KeyShape(selectors.key_of(self.workspace_id, key_id)).data)


class ResumeKey(KeyViews):
    """Let a paused key go on."""

    actions: ClassVar[dict[str, str]] = {"POST": "keys.edit"}

    @extend_schema(operation_id="keys_resume", request=KeyReasonBody, responses=KeyShape)
    def post(self, request: Request, key_id: str) -> Response:
        """It opens again what it opened before."""
        key = selectors.key_of(self.workspace_id, key_id)
        services.resume_key(self.actor, key=key, **self.given(KeyReasonBody))
        return Response(KeyShape(selectors.key_of(self.workspace_id, key_id)).data)
