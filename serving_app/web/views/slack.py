"""Where Slack sends its events. Answered at once: Slack waits three seconds; the model is asked by a worker."""

from __future__ import annotations

import json
import time
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from serving_app import services


def _refused(status: int, sentence: str) -> JsonResponse:
    return JsonResponse({"error": sentence}, status=status)


@csrf_exempt
@require_POST
def events(request: HttpRequest) -> HttpResponse:
    """Takes what Slack has signed: its question whether this is the right address, and events."""
    if not (settings.SLACK_SIGNING_SECRET and settings.SLACK_BOT_TOKEN and settings.SLACK_KEY):
        return _refused(404, "Slack is not set up in this studio: see docs/slack.md.")
    is_real = services.is_signed_by_slack(
        request.body,
        timestamp=request.headers.get("X-Slack-Request-Timestamp", ""),
        signature=request.headers.get("X-Slack-Signature", ""),
        now=time.time(),
    )
    if not is_real:
        return _refused(401, "This was not signed by Slack within the last five minutes.")
    try:
        body: Any = json.loads(request.body)
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        return _refused(400, "The body is no JSON object.")
    if body.get("type") == "url_verification":
        return JsonResponse({"challenge": str(body.get("challenge", ""))[:1_000]})
    if body.get("type") == "event_callback":
        services.take_event(body)
    return HttpResponse()
