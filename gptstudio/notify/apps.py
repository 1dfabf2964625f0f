"""Django's entry for notices."""

from django.apps import AppConfig


class NotifyConfig(AppConfig):
    name = "gptstudio.notify"
    label = "notify"
