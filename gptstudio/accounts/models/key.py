"""ApiKey: what a program shows instead of a password. The key itself is seen once; only its hash is kept.

An OAuth client is a key whose secret opens nothing but the token endpoint: it is exchanged for tokens that pass soon.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.functional import cached_property

from gptstudio.accounts.models.workspace import Membership, Workspace
from gptstudio.core.ids import PublicIdField


class ApiKey(models.Model):
    """`sk-studio-` and 256 random bits. The prefix is kept for people to tell keys apart.

    After a rotation the secret before opens the key too, until `previous_until`. An empty limit is none.
    A paused one opens nothing until it is resumed; a revoked one never again.
    It acts for the member who made it: never for more than their role allows, and not once they are blocked or gone.
    A key with `origins` is publishable: it begins with `pk-studio-`, stands in web pages, and asks one deployment for chat
    from pages of these origins alone.
    """

    id = PublicIdField(prefix="key_")
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="api_keys")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True)
    name = models.CharField(max_length=80)
    prefix = models.CharField(max_length=24)
    hash = models.CharField(max_length=64, unique=True, null=True, blank=True)
    client = models.OneToOneField(
        "allauth_idp_oidc.Client", on_delete=models.SET_NULL, null=True, blank=True, related_name="key"
    )
    previous_prefix = models.CharField(max_length=24, blank=True)
    previous_hash = models.CharField(max_length=64, unique=True, null=True, blank=True)
    previous_until = models.DateTimeField(null=True, blank=True)
    scopes = models.JSONField(default=list)
    allowed_models = models.JSONField(
        default=list, blank=True, help_text="Names of models and deployments that it may ask; empty: all."
    )
    origins = models.JSONField(
        default=list, blank=True, help_text="Web pages that it may be used from; empty: a secret key."
    )
    budget_micro = models.BigIntegerField(null=True, blank=True)
    soft_budget_micro = models.BigIntegerField(null=True, blank=True, help_text="Tell people at this much.")
    monthly_budget_micro = models.BigIntegerField(null=True, blank=True, help_text="At most in a calendar month.")
    soft_monthly_budget_micro = models.BigIntegerField(null=True, blank=True, help_text="Tell people in a month.")
    requests_per_minute = models.PositiveIntegerField(null=True, blank=True)
    tokens_per_minute = models.PositiveIntegerField(null=True, blank=True)
    parallel_requests = models.PositiveIntegerField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    paused_at = models.DateTimeField(null=True, blank=True)
    paused_by_label = models.CharField(max_length=200, blank=True)
    paused_reason = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    # What a token in use was narrowed to; None: the key itself is shown.
    token_scopes: list[str] | None = None

    @property
    def granted_scopes(self) -> list[str]:
        """The scopes of what is shown now."""
        return [each for each in self.scopes if self.token_scopes is None or each in self.token_scopes]

    @property
    def is_client(self) -> bool:
        """Whether it is an OAuth client, also once it is revoked."""
        return self.hash is None

    def may_ask(self, name: str) -> bool:
        """Whether this name of a model or deployment may be asked with the key."""
        return not self.allowed_models or name in self.allowed_models

    @property
    def is_publishable(self) -> bool:
        return bool(self.origins)

    @property
    def has_two_secrets(self) -> bool:
        return self.previous_until is not None and self.previous_until > timezone.now()

    @cached_property
    def maker_role(self) -> str | None:
        """What its maker is in the workspace; None: no member who is let in. Selectors read it with the key."""
        makers = Membership.objects.filter(workspace_id=self.workspace_id, user_id=self.created_by_id)
        return makers.values_list("role", flat=True).first()

    @property
    def is_orphaned(self) -> bool:
        """Whether its maker is blocked or gone; a key that the studio made has none."""
        return self.created_by_id is not None and self.maker_role is None

    @property
    def is_live(self) -> bool:
        is_open = (
            self.revoked_at is None
            and self.paused_at is None
            and (self.expires_at is None or self.expires_at > timezone.now())
        )
        return is_open and not self.is_orphaned
