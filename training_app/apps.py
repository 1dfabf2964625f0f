"""Django's entry for training."""

from django.apps import AppConfig


class TrainingConfig(AppConfig):
    name = "training_app"
    label = "training"
