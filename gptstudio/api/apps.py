"""Django's entry for the REST shell."""

from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "gptstudio.api"
    label = "api"
