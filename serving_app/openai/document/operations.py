"""What each address of /v1 takes and answers, by the address's name and method. Paths come from the URL table."""

from __future__ import annotations

from dataclasses import dataclass, field

from serving_app.openai.document.shapes import Schema, any_of, described, exact, one_of, ref, text, whole

JSON = "application/json"
FORM = "multipart/form-data"
EVENTS = "text/event-stream"
BYTES: Schema = {"type": "string", "format": "binary"}


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one address. `refusals` are statuses beside those that every such operation has."""

    noun: str
    about: str
    answers: dict[str, Schema]
    body: str = ""
    kind: str = JSON
    query: dict[str, Schema] = field(default_factory=dict)
    refusals: tuple[int, ...] = ()


def _one(name: str) -> dict[str, Schema]:
    return {JSON: ref(name)}


def _streamed(name: str, chunk: str) -> dict[str, Schema]:
    """A whole body, or an event for each piece of it."""
    piece = {"type": "string", "contentMediaType": JSON, "contentSchema": any_of(ref(chunk), ref("Error"))}
    about = "One event. The last one is `[DONE]`, or an error where the answer breaks off."
    return {JSON: ref(name), EVENTS: described(exact({"data": any_of(one_of(["[DONE]"]), piece)}, closed=False), about)}


def _page(limit: int, most: int, **more: Schema) -> dict[str, Schema]:
    return {
        "limit": whole(1, about=f"Rows a page; {limit} when left out, and never more than {most:,}."),
        "after": {"type": "string", "pattern": "^[-a-zA-Z0-9_]*$", "description": "The last id of the page before."},
        **more,
    }


ASKED = (404, 408, 429, 500)
STORED = (507,)
FILES = {"purpose": text(), "order": one_of(["asc", "desc"])}
OPERATIONS: dict[tuple[str, str], Operation] = {
    ("chat_completions", "POST"): Operation(
        "Models", "Answer a conversation.", _streamed("ChatCompletion", "ChatChunk"), "ChatRequest", refusals=ASKED
    ),
    ("completions", "POST"): Operation(
        "Models", "Continue texts.", _streamed("Completion", "CompletionChunk"), "CompletionRequest", refusals=ASKED
    ),
    ("embeddings", "POST"): Operation(
        "Models", "A vector for each text.", _one("Embeddings"), "EmbeddingRequest", refusals=ASKED
    ),
    ("moderations", "POST"): Operation(
        "Models", "Judge texts. Nothing of them is kept.", _one("Moderation"), "ModerationRequest", refusals=(404, 429)
    ),
    ("models", "GET"): Operation("Models", "What this key may call.", _one("Models")),
    ("model", "GET"): Operation("Models", "One of them.", _one("Model")),
    ("model", "DELETE"): Operation("Models", "Put a model that is not released away for good.", _one("DeletedModel")),
    ("files", "GET"): Operation(
        "Files", "Files of the workspace.", _one("Files"), query=_page(10_000, 10_000, **FILES)
    ),
    ("files", "POST"): Operation(
        "Files",
        "Upload a file; it gets a data set of its own name.",
        _one("File"),
        "FileRequest",
        FORM,
        refusals=STORED,
    ),
    ("file", "GET"): Operation("Files", "One file's facts.", _one("File")),
    ("file", "DELETE"): Operation("Files", "Versions made from it stay as they are.", _one("DeletedFile")),
    ("file_content", "GET"): Operation("Files", "The bytes, as they came.", {"application/octet-stream": BYTES}),
    ("uploads", "POST"): Operation(
        "Uploads", "Announce a file that comes in parts.", _one("Upload"), "UploadRequest", refusals=STORED
    ),
    ("upload_parts", "POST"): Operation(
        "Uploads", "The next bytes.", _one("Part"), "PartRequest", FORM, refusals=STORED
    ),
    ("upload_complete", "POST"): Operation(
        "Uploads", "Make the file of its parts.", _one("Upload"), "CompleteUploadRequest", refusals=STORED
    ),
    ("upload_cancel", "POST"): Operation("Uploads", "Give an upload up.", _one("Upload")),
    ("jobs", "GET"): Operation(
        "Fine-tuning", "Jobs, newest first; `metadata[name]=value` filters.", _one("Jobs"), query=_page(20, 100)
    ),
    ("jobs", "POST"): Operation("Fine-tuning", "Start a job.", _one("Job"), "JobRequest", refusals=(404,)),
    ("job", "GET"): Operation("Fine-tuning", "One job.", _one("Job")),
    ("job_events", "GET"): Operation("Fine-tuning", "The log, newest first.", _one("JobEvents"), query=_page(20, 100)),
    ("job_checkpoints", "GET"): Operation(
        "Fine-tuning",
        "Verified checkpoints, newest first; of a job that has its model the one that this was made of.",
        _one("JobCheckpoints"),
        query=_page(10, 100),
    ),
    ("job_cancel", "POST"): Operation("Fine-tuning", "End the job; what it learnt is dropped.", _one("Job")),
    ("job_pause", "POST"): Operation("Fine-tuning", "Stop the job at a checkpoint.", _one("Job")),
    ("job_resume", "POST"): Operation("Fine-tuning", "Go on from there.", _one("Job")),
    ("openapi", "GET"): Operation("This document", "It is open to all.", {JSON: {"type": "object"}}),
}
