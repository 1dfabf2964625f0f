"""ETags on what can be edited: who sends If-Match changes only what they have seen (RFC 9110, 13.1.1).

A tag is a digest of what the answer says can be edited, so that use, counters and the clock do not change it.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from typing import Any, ClassVar, TypeVar

from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from django.db.models import Model
from drf_spectacular.utils import OpenApiParameter
from rest_framework.response import Response

from gptstudio.api.base import NativeView
from gptstudio.core.errors import StudioError
from gptstudio.core.holding import hold

Found = TypeVar("Found", bound=Model)
ETAG = OpenApiParameter(
    "ETag", str, OpenApiParameter.HEADER, response=[200], description="Send it as If-Match with a change."
)
IF_MATCH = OpenApiParameter(
    "If-Match",
    str,
    OpenApiParameter.HEADER,
    description="The ETag of what was seen; 412 when somebody changed it since.",
)


class Stale(StudioError):
    """Somebody else changed it in the meantime."""

    status = 412
    code = "changed_meanwhile"


class Tagged(NativeView, ABC):
    """A view of one thing that can be edited. `tagged`: the fields of its answer that make the tag; none: all of them."""

    tagged: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def shown(self, found: Any) -> dict[str, Any]:
        """The thing as it is answered."""

    def seen(self, found: Any) -> Response:
        """The answer, with its tag."""
        body = self.shown(found)
        return Response(body, headers={"ETag": f'"{self._tag(body)}"'})

    @contextmanager
    def unchanged(self, find: Callable[[], Found]) -> Iterator[Found]:
        """What `find` gives, held until the end where the caller says what they saw. Raises Stale when it is another."""
        found, said = find(), self.request.headers.get("If-Match", "").strip()
        if said in ("", "*"):
            yield found
            return
        with transaction.atomic():
            hold(found)
            found = find()
            tags = [
                each.strip().removeprefix("W/").strip('"') for each in said.split(",")
            ]  # proxies that compress weaken
            if self._tag(self.shown(found)) not in tags:
                raise Stale(
                    "Somebody changed this after you read it.",
                    fix="Read it again, and send your change with its new ETag.",
                )
            yield found

    def _tag(self, body: dict[str, Any]) -> str:
        said = {name: body[name] for name in self.tagged or body}
        return sha256(json.dumps(said, sort_keys=True, cls=DjangoJSONEncoder).encode()).hexdigest()[:32]
