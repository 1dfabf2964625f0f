"""Django's entry for the review queue."""

from django.apps import AppConfig


class ReviewConfig(AppConfig):
    name = "gptstudio.review"
    label = "review"
