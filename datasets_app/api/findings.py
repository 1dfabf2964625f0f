"""Personal data that was found in a version: listed, decided on singly and in bulk, shown in clear to who asks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiParameter, extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.parsers import JSONParser
from rest_framework.request import Request
from rest_framework.response import Response

from datasets_app import selectors, services
from datasets_app.api import asked
from datasets_app.api.versions import OfVersion
from datasets_app.contents import findings as contents
from datasets_app.curation.kinds import POLICIES
from datasets_app.models import DatasetVersion, Verdict
from gptstudio.api.base import LIST_PARAMETERS
from gptstudio.core.errors import Invalid, NotFound

MOST_KEYS, MOST_VALUES = 1_000, 5_000
SURENESS = {"": (0.0, 1.0), "unsure": (0.0, contents.SURE - 1e-6), "sure": (contents.SURE, 1.0)}
TAKE_BACK = "take_back"
NARROWING = [
    OpenApiParameter("type", str, description="Such as EMAIL_ADDRESS."),
    OpenApiParameter("action", str, enum=list(POLICIES), description="What was done with it."),
    OpenApiParameter("value", str, description="The `value_key` of a value: all places where it stands."),
    OpenApiParameter("sure", str, enum=[name for name in SURENESS if name]),
    OpenApiParameter("decided", bool, description="Decided on since, or not; both when not given."),
]


class DecisionShape(serializers.Serializer):
    """What somebody said of a hit, or of its value wherever it stands; versions asked for from then on follow it."""

    verdict = serializers.ChoiceField(Verdict.choices)
    everywhere = serializers.BooleanField()


class HitShape(serializers.Serializer):
    """A hit, the value by its first character alone. Of one in a test row the words are null unless those are revealed."""

    id = serializers.CharField()
    value_key = serializers.CharField(help_text="Equal for equal values of one type.")
    entity_type = serializers.CharField()
    score = serializers.FloatField(help_text="How sure, up to 1.")
    source = serializers.CharField(help_text="What found it.")  # type: ignore[assignment]
    action = serializers.CharField(help_text="What was done with it.")
    file = serializers.CharField()
    row = serializers.IntegerField(help_text="The record in it, from 0.")
    turn = serializers.IntegerField()
    role = serializers.CharField()
    is_test = serializers.BooleanField()
    before = serializers.CharField(allow_null=True, allow_blank=True)
    veiled = serializers.CharField(allow_null=True, allow_blank=True)
    after = serializers.CharField(allow_null=True, allow_blank=True)
    replacement = serializers.CharField(
        allow_null=True, allow_blank=True, help_text="What stands there now; null where it was kept."
    )
    equal = serializers.IntegerField(help_text="Hits of this value among those that the list is narrowed to.")
    decision = DecisionShape(allow_null=True)


class NarrowBody(serializers.Serializer):
    """The same as in the list's address."""

    type = serializers.CharField(required=False)
    action = serializers.ChoiceField(POLICIES, required=False)
    value = serializers.CharField(required=False)
    sure = serializers.ChoiceField([name for name in SURENESS if name], required=False)
    decided = serializers.BooleanField(required=False)


class DecideBody(serializers.Serializer):
    """A verdict about the hits in `findings`, or about every different value of a list (`all`, {} for the whole list)."""

    verdict = serializers.ChoiceField([*Verdict.values, TAKE_BACK])
    findings = serializers.ListField(
        child=serializers.CharField(), required=False, allow_empty=False, max_length=MOST_KEYS
    )
    everywhere = serializers.BooleanField(
        required=False, default=False, help_text="Of `findings`: not the places, but their values wherever they stand."
    )
    all = NarrowBody(required=False)


def _narrowed(given: Mapping[str, Any], *, decided: bool | None) -> contents.Narrowed:
    least, most = SURENESS[given.get("sure", "")]
    kind, action, value = (given.get(name, "") for name in ("type", "action", "value"))
    return contents.Narrowed(kind, action, value, least, most, decided)


def _body(hit: contents.Hit, *, revealed: bool) -> dict[str, Any]:
    is_shut = hit.data["is_test"] and not revealed
    words = {"veiled": hit.veiled, **{name: hit.data[name] for name in ("before", "after", "replacement")}}
    decision = {"verdict": hit.decision, "everywhere": hit.is_by_value} if hit.decision else None
    return {**hit.data, **(dict.fromkeys(words) if is_shut else words), "id": hit.data["key"], "decision": decision}


class _OfFindings(OfVersion):
    def decisions(self, version: DatasetVersion) -> dict[str, str]:
        return {each.key: each.verdict for each in selectors.decisions_of(version.dataset)}


class Findings(_OfFindings):
    """The hits of a version."""

    actions: ClassVar[dict[str, str]] = {"GET": "datasets.view"}

    @extend_schema(
        operation_id="findings_list",
        parameters=[*NARROWING, *LIST_PARAMETERS, asked.REVEAL],
        responses=inline_serializer(
            "FindingsPage",
            {
                "data": HitShape(many=True),
                "next": serializers.CharField(allow_null=True),
                "total": serializers.IntegerField(),
            },
        ),
    )
    def get(self, request: Request, dataset_id: str, version_id: str) -> Response:
        """The least sure first. What is decided meanwhile moves no page."""
        version, query = self.version(dataset_id, version_id), request.query_params
        asked.check_known(query, [each.name for each in (*NARROWING, *LIST_PARAMETERS, asked.REVEAL)])
        asked.one_of(query, "action", POLICIES)
        asked.one_of(query, "sure", list(SURENESS))
        revealed = asked.flag(query, "reveal_test")
        if revealed:
            services.open_test_rows(self.actor, version=version)
        decided = asked.flag(query, "decided") if "decided" in query else None
        limit = asked.number(query, "limit", least=1, most=100) or 20
        hits, total = contents.find(
            version,
            _narrowed(query, decided=decided),
            self.decisions(version),
            limit=limit + 1,
            after=query.get("after", ""),
        )
        shown = [HitShape(_body(hit, revealed=revealed)).data for hit in hits[:limit]]
        return Response({"data": shown, "next": shown[-1]["id"] if len(hits) > limit else None, "total": total})


class DecideFindings(_OfFindings):
    """Yes, no, or back to what the recipe says."""

    actions: ClassVar[dict[str, str]] = {"POST": "datasets.edit"}
    parser_classes = [JSONParser]

    @extend_schema(
        operation_id="findings_decide",
        request=DecideBody,
        responses=inline_serializer("FindingsDecided", {"decided": serializers.IntegerField()}),
    )
    def post(self, request: Request, dataset_id: str, version_id: str) -> Response:
        """Versions asked for from now on follow; this one stays as it is."""
        version, body = self.version(dataset_id, version_id), self.given(DecideBody)
        if ("findings" in body) == ("all" in body):
            raise Invalid("Name either findings or all of a list.", fix='Send "findings": […] or "all": {}.')
        found = self._named(version, body) if "findings" in body else self._listed(version, body["all"])
        verdict = "" if body["verdict"] == TAKE_BACK else body["verdict"]
        count = services.decide_findings(self.actor, dataset=version.dataset, found=found, verdict=verdict)
        return Response({"decided": count})

    def _named(self, version: DatasetVersion, body: Mapping[str, Any]) -> list[tuple[str, str]]:
        known = {hit.data["key"]: hit for hit in contents.hits_of(version, body["findings"], {})}
        missing = [key for key in body["findings"] if key not in known]
        if missing:
            raise NotFound(f"There is no finding {missing[0][:60]} in this version.", param="findings")
        return [(hit.value if body["everywhere"] else key, hit.data["entity_type"]) for key, hit in known.items()]

    def _listed(self, version: DatasetVersion, narrowing: Mapping[str, Any]) -> list[tuple[str, str]]:
        narrowed = _narrowed(narrowing, decided=narrowing.get("decided"))
        found = contents.values(version, narrowed, self.decisions(version), limit=MOST_VALUES + 1)
        if len(found) > MOST_VALUES:
            raise Invalid(
                f"The list has more than {MOST_VALUES:,} different values.",
                fix="Narrow it further, or change what the recipe does with the whole type.",
                param="all",
            )
        return found


class FindingInClear(_OfFindings):
    """A value as it stands in the upload. No answer of it is kept for repeats."""

    actions: ClassVar[dict[str, str]] = {"POST": "datasets.view"}
    replays = False

    @extend_schema(
        operation_id="findings_clear",
        request=None,
        parameters=[asked.REVEAL],
        responses=inline_serializer(
            "FindingClear",
            {
                "before": serializers.CharField(allow_blank=True),
                "value": serializers.CharField(
                    allow_blank=True, help_text="Empty where an earlier step had changed the words."
                ),
                "after": serializers.CharField(allow_blank=True),
            },
        ),
    )
    def post(self, request: Request, dataset_id: str, version_id: str, finding_id: str) -> Response:
        """It is written into the audit log, with the key that asked, each time. One in a test row only with
        `reveal_test=true`."""
        version, revealed = self.version(dataset_id, version_id), asked.flag(request.query_params, "reveal_test")
        hit = contents.hit_of(version, finding_id)
        if hit.data["is_test"]:
            asked.check_revealed("test", revealed=revealed)
            services.open_test_rows(self.actor, version=version)
        services.note_clear_text(self.actor, version=version, file=hit.data["file"], row=hit.data["row"])
        found = contents.clear_text(version, hit)
        return Response({"before": found.before, "value": found.value, "after": found.after})
