"""Django's entry for datasets."""

from django.apps import AppConfig


class DatasetsConfig(AppConfig):
    name = "datasets_app"
    label = "datasets"

    def ready(self) -> None:
        from datasets_app.web.reviewing import register_kinds

        register_kinds()
