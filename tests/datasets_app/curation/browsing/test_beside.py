"""What lies beside the rows of a version, on a disk that fills up."""

from __future__ import annotations

import resource

import pytest

from datasets_app.curation.browsing.beside import write_beside
from datasets_app.curation.errors import Refusal
from datasets_app.curation.pipeline import Pipeline
from datasets_app.curation.recipe import parse_recipe


def test_a_disk_that_fills_up_while_the_index_is_written_leaves_nothing_half_made(write, tmp_path):
    rows = "".join(f"Where is parcel {number} of {number * 7919}?,On day {number * 31}.\n" for number in range(2_000))
    file = write("a.csv", f"question,answer\n{rows}")
    recipe = parse_recipe({"version": 1, "steps": [{"kind": "split"}]})
    pipeline = Pipeline(recipe, [file], tokenizer=None, progress=lambda *_: None, processes=1)
    before = set(tmp_path.iterdir())

    def on_a_full_disk(folder):
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
        try:
            write_beside(folder)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    with pytest.raises(Refusal) as refused:
        pipeline.run(tmp_path / "out", beside=on_a_full_disk)
    assert refused.value.code == "disk_full"
    assert set(tmp_path.iterdir()) == before
