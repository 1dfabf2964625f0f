"""How endpoints are described beyond what drf-spectacular sees. It imports no view: Django REST framework reads it first."""

from __future__ import annotations

from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter

IDEMPOTENCY_KEY = "Idempotency-Key"
PARAMETER = OpenApiParameter(
    IDEMPOTENCY_KEY,
    {"type": "string", "pattern": "^[ -~]{1,255}$"},
    OpenApiParameter.HEADER,
    description="The same key with the same request is answered as the first time, for 24 hours.",
)


class Described(AutoSchema):
    """An endpoint as it is; every POST takes an Idempotency-Key, but for those whose answer is not kept."""

    def get_override_parameters(self) -> Any:
        return [PARAMETER] if self.method == "POST" and getattr(self.view, "replays", False) else []
