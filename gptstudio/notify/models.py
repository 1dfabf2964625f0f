"""Destination: where a workspace wants to be told. Delivery: one notice on its way there, and the log of it."""

from __future__ import annotations

from django.db import models

from gptstudio.core.ids import PublicIdField
from gptstudio.notify.events import alert_events


class DestinationKind(models.TextChoices):
    """How a notice travels."""

    EMAIL = "email", "E-mail"
    WEBHOOK = "webhook", "Webhook"


class Destination(models.Model):
    """An e-mail address or a URL. What signs its webhooks is worked out from its id; nothing secret is kept here."""

    id = PublicIdField(prefix="dest_")
    workspace = models.ForeignKey("accounts.Workspace", on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=8, choices=DestinationKind)
    address = models.CharField(max_length=500)
    events = models.JSONField(default=alert_events, help_text="What it is told of, by name.")
    created_at = models.DateTimeField(auto_now_add=True)
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return self.address


class DeliveryState(models.TextChoices):
    """How a delivery stands."""

    PENDING = "pending", "On its way"
    SENT = "sent", "Delivered"
    FAILED = "failed", "Given up"


class Delivery(models.Model):
    """Written in the transaction of what it tells of; sent later, tried again with growing pauses."""

    id = PublicIdField(prefix="dlv_")
    destination = models.ForeignKey(Destination, on_delete=models.CASCADE, related_name="deliveries")
    event = models.CharField(max_length=40)
    title = models.CharField(max_length=200)
    body = models.JSONField()
    state = models.CharField(max_length=8, choices=DeliveryState, default=DeliveryState.PENDING)
    attempts = models.PositiveIntegerField(default=0)
    next_at = models.DateTimeField()
    answer = models.CharField(max_length=200, blank=True, help_text="What came of the last try.")
    created_at = models.DateTimeField(auto_now_add=True)
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-created_at",)
        indexes = [models.Index(fields=["state", "next_at"], name="deliveries_due")]

    def __str__(self) -> str:
        return f"{self.event} to {self.destination}"
