"""Invitation: somebody who may become a member. JoinDomain: whose people may become one by themselves."""

from __future__ import annotations

from django.core import signing
from django.db import models
from django.utils import timezone

from gptstudio.accounts.models.workspace import Role, Workspace
from gptstudio.core.ids import PublicIdField

SALT = "gptstudio.invitation"


class InvitationState(models.TextChoices):
    """How an invitation stands; worked out, not kept."""

    PENDING = "pending", "Pending"
    EXPIRED = "expired", "Expired"
    ACCEPTED = "accepted", "Accepted"
    WITHDRAWN = "withdrawn", "Withdrawn"


class Invitation(models.Model):
    """Lets one e-mail address into a workspace once. Its link is signed over its id and `link`, so a newer link ends those
    before it, and nothing that is kept here opens anything.
    """

    id = PublicIdField(prefix="inv_")
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="invitations")
    email = models.EmailField()
    role = models.CharField(max_length=16, choices=Role)
    invited_by_label = models.CharField(max_length=200)
    link = models.PositiveIntegerField(default=1, help_text="How many links were made; the newest alone is good.")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return f"{self.email} to {self.workspace} as {self.role}"

    @property
    def token(self) -> str:
        """What its link ends with."""
        return signing.dumps([self.id, self.link], salt=SALT)

    @property
    def state(self) -> InvitationState:
        if self.accepted_at is not None:
            return InvitationState.ACCEPTED
        if self.withdrawn_at is not None:
            return InvitationState.WITHDRAWN
        return InvitationState.PENDING if self.expires_at > timezone.now() else InvitationState.EXPIRED


class JoinDomain(models.Model):
    """People with a verified e-mail address at this domain may join the workspace as viewers."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="join_domains")
    domain = models.CharField(max_length=253)

    class Meta:
        ordering = ("domain",)
        constraints = [models.UniqueConstraint(fields=["workspace", "domain"], name="one_domain_each")]
        indexes = [models.Index(fields=["domain"], name="join_domains_by_name")]

    def __str__(self) -> str:
        return self.domain
