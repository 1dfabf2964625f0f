"""Django's entry for the dashboard frame."""

from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "gptstudio.web"
    label = "web"
