"""Django's entry for the top floor."""

from django.apps import AppConfig


class OverviewConfig(AppConfig):
    name = "gptstudio.overview"
    label = "overview"
