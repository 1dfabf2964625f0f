"""Answers of /v1 against the `openai` package's own types: strictly, with every required field and none of ours."""

from __future__ import annotations

import base64
import json
import re
import struct
from collections.abc import Iterator
from functools import cache
from typing import Any, Literal
from urllib.parse import urlsplit

import httpx
import jsonschema_rs
from openai.types import (
    Completion,
    CompletionChoice,
    CreateEmbeddingResponse,
    FileDeleted,
    FileObject,
    Model,
    ModelDeleted,
    ModerationCreateResponse,
    Upload,
)
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.fine_tuning import FineTuningJob, FineTuningJobEvent
from openai.types.fine_tuning.jobs import FineTuningJobCheckpoint
from openai.types.shared import ErrorObject
from openai.types.uploads import UploadPart
from pydantic import BaseModel

ONE = r"[^/]+"
# Method, address below /v1, type of the answer; `LISTED` types come in OpenAI's list objects.
ANSWERS: list[tuple[str, str, type[BaseModel]]] = [
    ("POST", "chat/completions", ChatCompletion),
    ("POST", "completions", Completion),
    ("POST", "embeddings", CreateEmbeddingResponse),
    ("POST", "moderations", ModerationCreateResponse),
    ("GET", "models/.+", Model),
    ("DELETE", "models/.+", ModelDeleted),
    ("POST", "files", FileObject),
    ("GET", f"files/{ONE}", FileObject),
    ("DELETE", f"files/{ONE}", FileDeleted),
    ("POST", "uploads", Upload),
    ("POST", f"uploads/{ONE}/(complete|cancel)", Upload),
    ("POST", f"uploads/{ONE}/parts", UploadPart),
    ("POST", "fine_tuning/jobs", FineTuningJob),
    ("GET", f"fine_tuning/jobs/{ONE}", FineTuningJob),
    ("POST", f"fine_tuning/jobs/{ONE}/(cancel|pause|resume)", FineTuningJob),
]
LISTED: list[tuple[str, type[BaseModel]]] = [
    ("models", Model),
    ("files", FileObject),
    ("fine_tuning/jobs", FineTuningJob),
    (f"fine_tuning/jobs/{ONE}/events", FineTuningJobEvent),
    (f"fine_tuning/jobs/{ONE}/checkpoints", FineTuningJobCheckpoint),
]


class TextChunkChoice(CompletionChoice):
    """The package has one type for texts and their pieces; in pieces OpenAI sends null until the reason is known."""

    finish_reason: Literal["stop", "length", "content_filter"] | None  # type: ignore[assignment]


class TextChunk(Completion):
    """A piece of a text completion."""

    choices: list[TextChunkChoice]  # type: ignore[assignment]


CHUNKS: dict[str, type[BaseModel]] = {"chat/completions": ChatCompletionChunk, "completions": TextChunk}


def strange_fields(value: Any, path: str = "") -> Iterator[str]:
    """Fields that the package's types do not know."""
    if isinstance(value, BaseModel):
        yield from (f"{path}.{name}" for name in value.model_extra or {})
        for name in type(value).model_fields:
            yield from strange_fields(getattr(value, name), f"{path}.{name}")
    elif isinstance(value, list):
        for each in value:
            yield from strange_fields(each, f"{path}[]")


def check(kind: type[BaseModel], body: Any) -> None:
    """`body` is a `kind`, strictly: no text for a number, nothing missing, nothing more."""
    found = kind.model_validate(body, strict=True)
    assert list(strange_fields(found, kind.__name__)) == []


def check_error(body: Any) -> None:
    """OpenAI's envelope and nothing beside it."""
    assert set(body) == {"error"}
    check(ErrorObject, body["error"])


def check_stream(path: str, text: str) -> list[dict[str, Any]]:
    """Every event of a stream; gives the chunks. `path` is the address below /v1."""
    *events, end, nothing = text.split("\n\n")
    chunks = [json.loads(event.removeprefix("data: ")) for event in events if not event.startswith(":")]
    assert nothing == ""
    if "error" in json.loads(end.removeprefix("data: ") if "error" in end else "{}"):
        check_error(json.loads(end.removeprefix("data: ")))
    else:
        assert end == "data: [DONE]"
    for chunk in chunks:
        check(CHUNKS[path], chunk)
    return chunks


def unpacked(body: dict[str, Any]) -> dict[str, Any]:
    """Embeddings as numbers: the package asks for base64 and unpacks it before its types see it."""
    data = []
    for each in body["data"]:
        packed = each["embedding"]
        if isinstance(packed, str):
            raw = base64.b64decode(packed, validate=True)
            each = {**each, "embedding": list(struct.unpack(f"<{len(raw) // 4}f", raw))}
        data.append(each)
    return {**body, "data": data}


def check_documented(response: httpx.Response, body: Any) -> None:
    """The document of /v1 knows this status of this address, and its schema fits the body."""
    from serving_app.openai.document.paths import document  # settings are there by now

    path = urlsplit(str(response.request.url)).path.removeprefix("/v1")
    for template, operations in document()["paths"].items():
        if not re.fullmatch(re.sub(r"\\{\w+\\}", ".+" if "/models/" in template else ONE, re.escape(template)), path):
            continue
        found = operations[response.request.method.lower()]["responses"][str(response.status_code)]
        schema = json.dumps({**found, "components": document()["components"]})
        validator(schema).validate(body)
        return
    raise AssertionError(f"{path} is not in the document.")


@cache
def validator(response: str) -> Any:
    """Of a documented response's JSON body."""
    found = json.loads(response)
    kinds = found["components"]["responses"][found["$ref"].rsplit("/", 1)[-1]] if "$ref" in found else found
    schema = {**kinds["content"]["application/json"]["schema"], "components": found["components"]}
    return jsonschema_rs.Draft202012Validator(schema)


def check_answer(response: httpx.Response) -> None:
    """An event hook for httpx: whatever comes back as JSON from /v1 has the shape that its address promises."""
    assert response.headers["x-request-id"]
    if not response.headers["content-type"].startswith("application/json"):
        return
    response.read()
    body = response.json()
    check_documented(response, body)
    if response.status_code >= 400:
        check_error(body)
        return
    if response.request.url.path == "/v1/embeddings":
        body = unpacked(body)
    method, path = response.request.method, urlsplit(str(response.request.url)).path.removeprefix("/v1/")
    listed = next((kind for form, kind in LISTED if method == "GET" and re.fullmatch(form, path)), None)
    if listed is not None:
        assert body["object"] == "list"
        assert path == "models" or isinstance(body["has_more"], bool)
        for each in body["data"]:
            check(listed, each)
        return
    check(next(kind for verb, form, kind in ANSWERS if verb == method and re.fullmatch(form, path)), body)
