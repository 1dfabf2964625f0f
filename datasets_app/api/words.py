"""/api/v1/words: the workspace's own words, by what they are for. The pages replace a whole list, programs change it."""

from __future__ import annotations

from bisect import bisect_right
from typing import ClassVar

from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.parsers import JSONParser
from rest_framework.request import Request
from rest_framework.response import Response

from datasets_app import selectors, services
from datasets_app.api.asked import number
from datasets_app.services.words import LONGEST, MOST_WORDS
from gptstudio.api.base import LIST_PARAMETERS, NativeView

CHANGED = inline_serializer(
    "WordsChanged",
    {
        "changed": serializers.IntegerField(help_text="How many were put in, or taken out."),
        "total": serializers.IntegerField(help_text="How many the list has now."),
    },
)


class WordsBody(serializers.Serializer):
    """Words or names."""

    words = serializers.ListField(
        child=serializers.CharField(max_length=LONGEST), allow_empty=False, max_length=MOST_WORDS
    )


class _OfWords(NativeView):
    parser_classes = [JSONParser]

    def answer(self, changed: int, kind: str) -> Response:
        return Response({"changed": changed, "total": len(selectors.words_of(self.workspace_id)[kind])})


class Words(_OfWords):
    """One list: `dictionary` (spelled right), `allow` (never personal data) or `deny` (always personal data)."""

    actions: ClassVar[dict[str, str]] = {"GET": "datasets.view", "POST": "datasets.edit"}

    @extend_schema(
        parameters=LIST_PARAMETERS,
        responses=inline_serializer(
            "WordsPage",
            {
                "data": serializers.ListField(child=serializers.CharField()),
                "next": serializers.CharField(allow_null=True),
                "total": serializers.IntegerField(),
            },
        ),
    )
    def get(self, request: Request, kind: str) -> Response:
        """In the order of their letters."""
        limit = number(request.query_params, "limit", least=1, most=100) or 20
        words, after = sorted(selectors.words_of(self.workspace_id)[kind]), request.query_params.get("after")
        rest = words[bisect_right(words, after) :] if after else words
        return Response(
            {"data": rest[:limit], "next": rest[limit - 1] if len(rest) > limit else None, "total": len(words)}
        )

    @extend_schema(request=WordsBody, responses=CHANGED)
    def post(self, request: Request, kind: str) -> Response:
        """Put words in; what is there already is passed over. It holds for versions asked for from now on."""
        words = self.given(WordsBody)["words"]
        return self.answer(services.add_words(self.actor, workspace_id=self.workspace_id, kind=kind, words=words), kind)


class RemoveWords(_OfWords):
    """The same list, shorter."""

    actions: ClassVar[dict[str, str]] = {"POST": "datasets.edit"}

    @extend_schema(request=WordsBody, responses=CHANGED)
    def post(self, request: Request, kind: str) -> Response:
        """Take words out, as they are written in the list; what is not there is passed over."""
        words = self.given(WordsBody)["words"]
        return self.answer(
            services.remove_words(self.actor, workspace_id=self.workspace_id, kind=kind, words=words), kind
        )
