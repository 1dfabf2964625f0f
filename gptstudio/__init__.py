"""GPT Studio: the wiring, and what the apps share."""

from gptstudio.celery import app as celery_app

__all__ = ["celery_app"]
