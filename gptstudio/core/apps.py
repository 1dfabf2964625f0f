"""Django's entry for the core."""

from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = "gptstudio.core"
    label = "core"
