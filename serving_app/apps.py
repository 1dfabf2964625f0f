"""Django's entry for serving."""

from django.apps import AppConfig


class ServingConfig(AppConfig):
    name = "serving_app"
    label = "serving"
