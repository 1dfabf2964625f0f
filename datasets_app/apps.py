"""Django's entry for datasets."""

from django.apps import AppConfig


class DatasetsConfig(AppConfig):
    name = "datasets_app"
    label = "datasets"

    def ready(self) -> None:
        from gptstudio.review.wording import Wording, register

        note = "Where its recipe keeps personal data or looks for no names, nobody trains on it until somebody decides."
        register("version", Wording(note=note, waits="It waits until you decide."))
