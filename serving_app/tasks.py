"""What workers do for serving: answer what was asked in Slack."""

from __future__ import annotations

import os
import socket

from celery import shared_task

from serving_app import services


@shared_task(name="serving.answer_slack")
def answer_slack(question_id: str) -> None:
    """Ask the model and post what it says."""
    question = services.claim_question(question_id, holder=f"{socket.gethostname()}:{os.getpid()}")
    if question is not None:
        services.answer_question(question)
