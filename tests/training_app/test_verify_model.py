"""`verify_model`: from the uploads to the weights, one line each, and one byte anywhere is noticed."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.core.management import CommandError, call_command

from datasets_app import builder
from datasets_app.models import DatasetVersion
from datasets_app.services import erase_file
from tests.worlds import make_dataset, make_job, make_version
from training_app import runner
from training_app.models import FineTuningJob, LanguageModel
from training_app.services import register_fine_tune

pytestmark = pytest.mark.django_db


@pytest.fixture
def model(as_alice, base, tmp_path) -> LanguageModel:
    """A fine-tune whose every digest is right, in a folder with its spec."""
    version = make_version(as_alice, dataset=make_dataset(as_alice)[0])
    DatasetVersion.objects.filter(id=version.id).update(digest=builder.stored_digest(version))
    job = make_job(as_alice, version=version, base=base)
    folder = tmp_path / "made"
    folder.mkdir()
    (folder / "spec.json").write_text(json.dumps(runner.train_spec(job)))
    (folder / "model.safetensors").write_bytes(b"weights")
    return register_fine_tune(job, folder=folder)


def verify(model: LanguageModel, capsys) -> tuple[bool, dict[str, str]]:
    """Whether it is all right, and the state of each kind of thing."""
    try:
        call_command("verify_model", model.id)
        is_fine = True
    except CommandError:
        is_fine = False
    lines = [line.split() for line in capsys.readouterr().out.splitlines() if ":" in line]
    return is_fine, {"base" if words[1] == "base" else words[1]: words[0] for words in lines}


def flip(path: Path, at: int = -1) -> None:
    path.chmod(0o644)
    held = bytearray(path.read_bytes())
    held[at] ^= 1
    path.write_bytes(held)


def test_what_nobody_touched_is_fine_line_by_line(model, capsys) -> None:
    assert verify(model, capsys) == (True, dict.fromkeys(("base", "upload", "data", "spec", "model"), "fine"))


def test_a_flipped_byte_is_noticed_wherever_it_is(model, capsys) -> None:
    version = model.job.version
    places = {
        "upload": version.files.get().path,
        "base": model.base.path / "model.safetensors",
        "model": model.path / "model.safetensors",
        "data": version.split_path("train"),
    }
    for name, path in places.items():
        flip(path)
        found = verify(model, capsys)
        assert not found[0] and [kind for kind, state in found[1].items() if state != "fine"] == [name], name
        flip(path)
    assert verify(model, capsys)[0]


def test_another_word_in_a_stored_row_is_noticed_though_the_file_can_be_read(model, capsys) -> None:
    path = model.job.version.split_path("test")
    rows = pq.read_table(path).to_pylist()
    rows[0]["messages"][1]["content"] = "Lost."
    pq.write_table(pa.Table.from_pylist(rows), path)
    is_fine, states = verify(model, capsys)
    assert not is_fine and states["data"] == "differs" and states["model"] == "fine"


def test_a_job_that_says_something_else_than_the_spec_is_noticed(model, capsys) -> None:
    FineTuningJob.objects.update(hyperparameters={**model.job.hyperparameters, "learning_rate": 1.0})
    is_fine, states = verify(model, capsys)
    assert not is_fine and states["spec"] == "differs"


def test_what_was_erased_is_said_and_what_is_missing_without_a_tombstone_is_wrong(model, as_alice, capsys) -> None:
    upload = model.job.version.files.get()
    upload.path.unlink()
    assert verify(model, capsys)[1]["upload"] == "missing"
    upload.path.write_bytes(b"")
    erase_file(as_alice, file=upload, reason="Asked by letter.")
    assert verify(model, capsys) == (
        True,
        {"base": "fine", "upload": "erased", "data": "fine", "spec": "fine", "model": "fine"},
    )


def test_an_unknown_model_is_a_sentence(db) -> None:
    with pytest.raises(CommandError, match="There is no model model_nothing"):
        call_command("verify_model", "model_nothing")
