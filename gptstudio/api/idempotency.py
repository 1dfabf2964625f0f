"""`Idempotency-Key` on POSTs: the same key with the same request gets the first answer again, and nothing happens twice.

A key belongs to whoever sends it, in one workspace, for 24 hours. Only answers of success are kept: what was refused
changed nothing and may be mended and sent again under the same key. Of a file that is streamed as a plain body the
length is compared, not each byte.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from django.http import HttpRequest, HttpResponse
from rest_framework.request import Request
from rest_framework.views import APIView

from gptstudio.api import services
from gptstudio.api.authentication import actor_of
from gptstudio.api.described import IDEMPOTENCY_KEY
from gptstudio.api.services import Answer, Claim
from gptstudio.core.errors import Invalid

REPLAYED = "Idempotent-Replayed"
LONGEST = 255


class Replayed(Exception):
    """This was answered before; `answer` says what."""

    def __init__(self, kept: Answer) -> None:
        super().__init__()
        self.answer = HttpResponse(kept.body, status=kept.status, content_type=kept.content_type)
        self.answer[REPLAYED] = "true"


class Idempotent(APIView):
    """Views whose POST may be repeated under a key. `replays` is False where answers are secret, personal, or downloads."""

    replays = True
    _claimed: Claim | None = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        key = request.headers.get(IDEMPOTENCY_KEY)
        if key is None or request.method != "POST" or not self.replays:
            return
        if not (0 < len(key) <= LONGEST and key.isascii() and key.isprintable()):
            raise Invalid(
                f"{IDEMPOTENCY_KEY} is not 1 to {LONGEST} plain characters.", fix="A random UUID serves well."
            )
        found = services.claim_answer(actor_of(request), key=key, fingerprint=fingerprint(request._request))
        if found.answer is not None:
            raise Replayed(found.answer)
        self._claimed = found

    def handle_exception(self, exc: Exception) -> Any:
        return exc.answer if isinstance(exc, Replayed) else super().handle_exception(exc)

    def raise_uncaught_exception(self, exc: Exception) -> Any:
        self._release_claim()
        return super().raise_uncaught_exception(exc)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(request, response, *args, **kwargs)
        if response.status_code >= 400 or response.streaming:
            self._release_claim()
        elif hasattr(response, "add_post_render_callback"):  # a body is written after the view
            response.add_post_render_callback(self._keep_answer)
        else:
            self._keep_answer(response)
        return response

    def _keep_answer(self, response: Any) -> None:
        if self._claimed is not None:
            kind = response.get("Content-Type", "")
            services.keep_answer(self._claimed, Answer(response.status_code, kind, response.content.decode()))

    def _release_claim(self) -> None:
        if self._claimed is not None:
            services.release_answer(self._claimed)


def fingerprint(request: HttpRequest) -> str:
    """A digest of what is asked: method, address, and the body as far as it is at hand."""
    kind = (request.content_type or "").lower()
    digest = sha256("\0".join((str(request.method), request.get_full_path(), kind)).encode())
    if kind.startswith("multipart/"):
        for name, values in sorted(request.POST.lists()):
            digest.update(repr((name, values)).encode())
        for name, file in ((name, file) for name, files in sorted(request.FILES.lists()) for file in files):
            digest.update(repr((name, file.name, file.size)).encode())
            for piece in file.chunks():
                digest.update(piece)
    elif kind.endswith("json"):
        digest.update(request.body)
    else:
        digest.update(request.headers.get("Content-Length", "").encode())
    return digest.hexdigest()
