"""UsageDaily: sums of the ledger by day, key, member and model. ModelPrice: what tokens cost from when on."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from gptstudio.core.ids import PublicIdField


class UsageDaily(models.Model):
    """A projection of the ledger, kept in the transaction that ends an attempt; `rebuild_usage` makes it anew.

    `day` is the day in the studio's time zone on which the attempt was billed.
    """

    workspace = models.ForeignKey("accounts.Workspace", on_delete=models.CASCADE, related_name="+")
    day = models.DateField()
    api_key = models.ForeignKey("accounts.ApiKey", on_delete=models.PROTECT, null=True, related_name="+")
    user_id = models.CharField(max_length=48, blank=True)
    model_name = models.CharField(max_length=200)
    requests = models.BigIntegerField(default=0)
    prompt_tokens = models.BigIntegerField(default=0)
    cached_tokens = models.BigIntegerField(default=0)
    completion_tokens = models.BigIntegerField(default=0)
    cost_micro = models.BigIntegerField(default=0)

    class Meta:
        ordering = ("-day", "id")
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "day", "api_key", "user_id", "model_name"],
                condition=models.Q(api_key__isnull=False),
                name="one_sum_a_day_with_key",
            ),
            models.UniqueConstraint(
                fields=["workspace", "day", "user_id", "model_name"],
                condition=models.Q(api_key__isnull=True),
                name="one_sum_a_day_without_key",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.model_name}"


class ModelPrice(models.Model):
    """Millionths of the currency unit for a million tokens, from `valid_from` until the next one of the same model.

    An empty name means every model that has no price of its own. A price that was in force is never changed.
    """

    id = PublicIdField(prefix="price_")
    workspace = models.ForeignKey("accounts.Workspace", on_delete=models.CASCADE, related_name="+")
    model_name = models.CharField(max_length=200, blank=True)
    prompt_micro = models.BigIntegerField()
    completion_micro = models.BigIntegerField()
    valid_from = models.DateTimeField()
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("model_name", "-valid_from", "-id")
        indexes = [models.Index(fields=["workspace", "model_name", "-valid_from"], name="prices_in_force")]

    def __str__(self) -> str:
        return f"{self.model_name or 'every model'} from {self.valid_from}"
