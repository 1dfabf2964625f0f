"""Types of JSON in the native API."""

from __future__ import annotations

import pytest
from rest_framework import serializers

from gptstudio.api.strict import complaints


class Inner(serializers.Serializer):
    share = serializers.FloatField()


class Body(serializers.Serializer):
    name = serializers.CharField()
    count = serializers.IntegerField()
    on = serializers.BooleanField()
    names = serializers.ListField(child=serializers.CharField())
    kind = serializers.ChoiceField(["a", "b"])
    inner = Inner()
    many = Inner(many=True)


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({"name": "x", "count": 1, "on": True, "names": ["x"], "kind": "a", "inner": {"share": 1}}, []),
        ({"name": None, "count": 3.0, "inner": {"share": 0.5}, "many": [{"share": 1}], "strange": 1}, []),
        ({"names": "x", "inner": 1, "many": {}}, []),  # for the serializer to say
        ({"name": 1, "count": "1", "on": "true", "names": ["x", 2]}, ["name", "count", "on", "names[1]"]),
        ({"name": ["x"], "count": 1.5, "on": 1}, ["name", "count", "on"]),
        (
            {"count": True, "inner": {"share": "1"}, "many": [{}, {"share": True}]},
            ["count", "inner.share", "many[1].share"],
        ),
        ([], []),
    ],
)
def test_what_has_another_type_than_its_field_is_named(body, where):
    assert [path for path, _wanted in complaints(Body(), body)] == where


@pytest.mark.django_db
def test_a_key_is_not_bound_to_a_number(program):
    answer = program("keys:write", "chat")(
        "post", "/api/v1/api-keys", {"name": "shop", "scopes": ["chat"], "allowed_models": [0]}
    )
    assert answer.status_code == 400 and answer.json()["errors"][0]["param"] == "allowed_models[0]"
