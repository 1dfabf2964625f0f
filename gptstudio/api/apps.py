"""Django's entry for the REST shell."""

from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "gptstudio.api"
    label = "api"

    def ready(self) -> None:
        from gptstudio.api import schema  # noqa: F401 - the schema learns how one signs in
