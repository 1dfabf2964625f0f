"""Whatever is sent to /v1, fit or unfit, the answer is one that its document promises."""

from __future__ import annotations

from pathlib import Path

import pytest

from serving_app.openai.document.paths import document
from tests import by_schema

pytestmark = pytest.mark.long

LINE = b'{"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":"Hello"}]}\n'
ASKING = ("POST /chat/completions", "POST /completions", "POST /embeddings")
STEERING = tuple(f"POST /fine_tuning/jobs/{{job_id}}/{verb}" for verb in ("cancel", "pause", "resume"))
UPLOADING = tuple(f"POST /uploads/{{upload_id}}/{verb}" for verb in ("parts", "complete", "cancel"))


@pytest.fixture
def described(client, base_model) -> dict:
    """The document, which knows what is there: a model, a file, a job, an upload."""
    file = client.files.create(file=("train.jsonl", LINE * 40), purpose="fine-tune")
    job = client.fine_tuning.jobs.create(model=base_model.name, training_file=file.id)
    upload = client.uploads.create(filename="a.jsonl", bytes=9, mime_type="text/jsonl", purpose="fine-tune")
    ids = {"name": base_model.name, "file_id": file.id, "job_id": job.id, "upload_id": upload.id}
    found = by_schema.with_ids(document(), ids)
    bodies = found["components"]["schemas"]
    for name in ("ChatRequest", "CompletionRequest", "EmbeddingRequest", "JobRequest"):
        bodies[name]["properties"]["model"] = {"const": base_model.name}
    for name in ("ChatRequest", "CompletionRequest"):  # short answers
        bodies[name]["properties"] |= {"max_tokens": {"const": 2}, "n": {"enum": [1, 2]}}
        bodies[name]["properties"].pop("max_completion_tokens", None)
        bodies[name]["required"].append("max_tokens")
    bodies["JobRequest"]["properties"]["training_file"] = {"const": file.id}
    bodies["JobRequest"]["properties"].pop("validation_file")
    return found


def check(described: dict, studio: str, secret: str, folder: Path, phase: str, *options: str) -> None:
    by_schema.check(
        described,
        url=f"{studio}/v1",
        secret=secret,
        folder=folder,
        phases=phase,
        examples=10,
        own_rules=(*ASKING, *STEERING, *UPLOADING),
        options=options,
    )


def test_bodies_and_parameters_drawn_at_random(described, studio, make_key, tmp_path):
    check(described, studio, make_key(), tmp_path, "fuzzing")


def test_every_bound_of_every_field_from_both_sides(described, studio, make_key, tmp_path):
    """Chat and text completions have thousands of bounds together: those are the benchmark's (bench/by_document.py)."""
    check(described, studio, make_key(), tmp_path, "coverage", "--exclude-path-regex", "completions")
