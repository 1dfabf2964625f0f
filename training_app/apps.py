"""Django's entry for training."""

from django.apps import AppConfig


class TrainingConfig(AppConfig):
    name = "training_app"
    label = "training"

    def ready(self) -> None:
        from training_app.web.reviewing import register_kinds

        register_kinds()
