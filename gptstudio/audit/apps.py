"""Django's entry for the audit log."""

from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "gptstudio.audit"
    label = "audit"
