"""Workspace: the wall between organisations' parts. Membership: who is inside, and as what."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from gptstudio.core.ids import PublicIdField


class ReleasePolicy(models.TextChoices):
    """Who may release a model."""

    TWO_PERSON = "two_person", "Two people: whoever uploaded or trained cannot approve"
    SELF = "self", "One person, with a reason"
    AUTOMATIC = "automatic", "Automatic, once evaluated and within the safety limits"


class Role(models.TextChoices):
    """What a member is in a workspace."""

    VIEWER = "viewer", "Viewer"
    EDITOR = "editor", "Editor"
    TRAINER = "trainer", "Trainer"
    REVIEWER = "reviewer", "Reviewer"
    ADMIN = "admin", "Admin"


class Workspace(models.Model):
    """Everything that is made belongs to one."""

    id = PublicIdField(prefix="ws_")
    name = models.CharField(max_length=80)
    slug = models.SlugField(max_length=40, unique=True)
    release_policy = models.CharField(max_length=16, choices=ReleasePolicy, default=ReleasePolicy.TWO_PERSON)
    budget_micro = models.BigIntegerField(null=True, blank=True, help_text="Spend limit in millionths; empty: none.")
    soft_budget_micro = models.BigIntegerField(null=True, blank=True, help_text="Tell people at this much.")
    monthly_budget_micro = models.BigIntegerField(null=True, blank=True, help_text="At most in a calendar month.")
    soft_monthly_budget_micro = models.BigIntegerField(null=True, blank=True, help_text="Tell people in a month.")
    rules_epoch = models.PositiveIntegerField(
        default=0, help_text="Rises with each change of what its requests are held to; 0: nothing was ever set."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name


class Inside(models.Manager["Membership"]):
    """Members who are let in. Whoever asks without thinking of blocked ones so never lets one in."""

    def get_queryset(self) -> models.QuerySet[Membership]:
        return super().get_queryset().filter(blocked_at__isnull=True)


class Membership(models.Model):
    """One person in one workspace. A blocked one keeps role and budgets, and may do nothing."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=16, choices=Role, default=Role.VIEWER)
    budget_micro = models.BigIntegerField(null=True, blank=True, help_text="Their own questions and their keys'.")
    soft_budget_micro = models.BigIntegerField(null=True, blank=True, help_text="Tell people at this much.")
    monthly_budget_micro = models.BigIntegerField(null=True, blank=True, help_text="At most in a calendar month.")
    soft_monthly_budget_micro = models.BigIntegerField(null=True, blank=True, help_text="Tell people in a month.")
    created_at = models.DateTimeField(auto_now_add=True)
    blocked_at = models.DateTimeField(null=True, blank=True)

    objects = Inside()
    with_blocked: models.Manager[Membership] = models.Manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "user"], name="one_membership_each")]

    def __str__(self) -> str:
        return f"{self.user} in {self.workspace} as {self.role}"
