"""Django's entry for serving."""

from django.apps import AppConfig


class ServingConfig(AppConfig):
    name = "serving_app"
    label = "serving"

    def ready(self) -> None:
        from serving_app.web.reviewing import register_kinds

        register_kinds()
