"""The OpenAPI document of /v1 says what the URL table, the views and the parsers say: nothing less, nothing more."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest
import yaml

from serving_app.engine.protocol.chat_request import read_chat_request
from serving_app.engine.protocol.embedding_request import read_embedding_request
from serving_app.engine.protocol.fields import Fields
from serving_app.engine.protocol.text_request import read_text_request
from serving_app.openai import fine_tuning_request, moderations, uploads
from serving_app.openai.document.operations import OPERATIONS
from serving_app.openai.document.paths import addresses, document, methods_of
from training_app import presets

ROOT = Path(__file__).resolve().parents[2]
CALL = {"id": "call_1", "type": "function", "function": {"name": "look", "arguments": "{}"}}
FUNCTION = {"type": "function", "function": {"name": "look", "description": "", "strict": True, "parameters": {}}}
CHOICES = (
    {"type": "function", "function": {"name": "look"}},
    {
        "type": "allowed_tools",
        "allowed_tools": {"mode": "auto", "tools": [{"type": "function", "function": {"name": "look"}}]},
    },
)
PARTS = [{"type": "text", "text": "Hi"}, {"type": "refusal", "refusal": "No"}]
CHAT = {
    "model": "m",
    "messages": [
        {"role": "user", "content": PARTS},
        {"role": "assistant", "content": PARTS, "tool_calls": [CALL]},
        {"role": "tool", "content": PARTS, "tool_call_id": "call_1"},
    ],
    "stream": True,
    "stream_options": {"include_usage": True, "include_obfuscation": False},
    "tools": [FUNCTION],
    "response_format": {
        "type": "json_schema",
        "json_schema": {"name": "n", "description": "", "strict": True, "schema": {}},
    },
}


def component(name: str) -> dict:
    return document()["components"]["schemas"][name]


def fields_in(schema: dict, path: str = "") -> set[str]:
    """The way to every field that a schema names."""
    if "$ref" in schema:
        return fields_in(component(schema["$ref"].rsplit("/", 1)[-1]), path)
    found: set[str] = set()
    for kind in schema.get("anyOf", []):
        found |= fields_in(kind, path)
    for name, inner in schema.get("properties", {}).items():
        at = f"{path}.{name}".strip(".")
        found |= {at} | fields_in(inner, at)
    if "items" in schema:
        found |= fields_in(schema["items"], f"{path}[]")
    return found


@pytest.fixture
def taken(monkeypatch) -> set[str]:
    """The way to every field that a parser has taken off a body."""
    found: set[str] = set()
    take = Fields.take

    def noted(self, name):
        parts = self.at(name).replace("]", "[").split("[")
        found.add("[]".join(part for part in parts if not part.isdigit()).replace("[][]", "[]"))
        return take(self, name)

    monkeypatch.setattr(Fields, "take", noted)
    return found


def test_every_address_and_method_is_described_and_nothing_else():
    known = {(name, method) for _route, name, view in addresses() for method in methods_of(view)}
    assert known == set(OPERATIONS)
    assert len(document()["paths"]) == len(list(addresses()))


def test_the_fields_of_a_chat_request_are_those_that_are_read(taken):
    for choice in CHOICES:
        read_chat_request({**CHAT, "tool_choice": choice})
    schema_of_a_tool = "tools[].function.parameters"
    described = {each for each in fields_in(component("ChatRequest")) if not each.startswith(f"{schema_of_a_tool}.")}
    assert taken == described


def test_the_fields_of_a_text_completion_request_are_those_that_are_read(taken):
    read_text_request({"model": "m", "prompt": "Hi", "stream": True, "stream_options": {"include_usage": True}})
    assert taken == fields_in(component("CompletionRequest"))


def test_the_fields_of_an_embedding_request_are_those_that_are_read(taken):
    read_embedding_request({"model": "m", "input": ["Hi"]})
    assert taken == fields_in(component("EmbeddingRequest"))


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("JobRequest", fine_tuning_request.KNOWN),
        ("ModerationRequest", moderations.KNOWN),
        ("UploadRequest", uploads.CREATE),
        ("CompleteUploadRequest", uploads.COMPLETE),
        ("Hyperparameters", {*presets.RANGES, *presets.CHOICES, *presets.SWITCHES}),
    ],
)
def test_the_fields_of_other_requests_are_those_that_are_read(name, read):
    assert set(component(name)["properties"]) == set(read)


def test_the_document_is_the_one_that_was_agreed():
    """Where this fails: `python manage.py openai_document --file docs/openai.yaml`, and look at what changed."""
    agreed = yaml.safe_load((ROOT / "docs" / "openai.yaml").read_text(encoding="utf-8"))
    assert json.loads(json.dumps(document())) == agreed


def test_it_is_served_to_all_without_a_key(studio):
    answer = httpx.get(f"{studio}/v1/openapi.json", timeout=60)
    assert answer.status_code == 200 and answer.json()["openapi"] == "3.1.0" and answer.headers["x-request-id"]
    assert httpx.post(f"{studio}/v1/openapi.json", timeout=60).status_code in (401, 405)
