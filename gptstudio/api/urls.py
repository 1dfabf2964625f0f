"""The native API's own addresses. The last one catches what is none, so that it too answers as a problem."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, JsonResponse
from django.urls import path, re_path
from django.views.decorators.csrf import csrf_exempt

from gptstudio.api import keys, schema, webhooks
from gptstudio.api.errors import CONTENT_TYPE


@csrf_exempt
def unknown(request: HttpRequest, rest: str) -> JsonResponse:
    """No such address."""
    title = f"There is nothing at /api/v1/{rest[:200]}."
    body: dict[str, Any] = {"type": "about:blank", "title": title, "status": 404, "code": "not_found"}
    body["fix"] = "The addresses are listed at /api/v1/docs."
    return JsonResponse({**body, "detail": f"{title} {body['fix']}"}, status=404, content_type=CONTENT_TYPE)


app_name = "api"
urlpatterns = [
    path("schema", schema.Schema.as_view(), name="schema"),
    path("docs", schema.docs, name="docs"),
    path("api-keys", keys.Keys.as_view(), name="keys"),
    path("api-keys/<slug:key_id>", keys.KeyOne.as_view(), name="key"),
    path("api-keys/<slug:key_id>/rotate", keys.RotateKey.as_view(), name="key-rotate"),
    path("api-keys/<slug:key_id>/revoke", keys.RevokeKey.as_view(), name="key-revoke"),
    path("webhooks", webhooks.Webhooks.as_view(), name="webhooks"),
    path("webhooks/<slug:destination_id>", webhooks.WebhookOne.as_view(), name="webhook"),
    path("webhooks/<slug:destination_id>/test", webhooks.TestWebhook.as_view(), name="webhook-test"),
    path("webhooks/<slug:destination_id>/deliveries", webhooks.WebhookDeliveries.as_view(), name="webhook-deliveries"),
    re_path(r"^(?P<rest>(?s:.*))\Z", unknown, name="unknown"),
]
