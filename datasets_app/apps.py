"""Django's entry for datasets."""

from django.apps import AppConfig


class DatasetsConfig(AppConfig):
    name = "datasets_app"
    label = "datasets"

    def ready(self) -> None:
        from datasets_app.services import ended_uploads, erased_uploads, erased_versions
        from datasets_app.web.reviewing import register_kinds
        from gptstudio.core import storage

        register_kinds()
        storage.register("uploads", erased_uploads)
        storage.register("versions", erased_versions)
        storage.register("parts", ended_uploads)
