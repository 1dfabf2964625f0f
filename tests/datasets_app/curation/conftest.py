"""Files to curate, recipes to curate them by, and one way to run them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from datasets_app.curation.kinds import KINDS
from datasets_app.curation.pipeline import Pipeline
from datasets_app.curation.recipe import parse_recipe
from tests.datasets_app.curation.standin import serving

USUAL = ("normalize", "personal_data", "exact_duplicates", "near_duplicates", "split", "tokens")


def recipe(*, mapping: dict[str, Any] | None = None, without: tuple[str, ...] = ("tokens",), **options: Any):
    """The usual steps but `without`, and those that have options here, with options by kind."""
    kinds = [kind.name for kind in KINDS if kind.name in USUAL or kind.name in options]
    steps = [{"kind": kind, "options": options.get(kind, {})} for kind in kinds if kind not in without]
    return parse_recipe({"version": 1, "mapping": mapping, "system_prompt": "", "steps": steps})


class Curated:
    """What a run left behind."""

    def __init__(self, out: Path, digest: str, progress: list[tuple[str, int, int]]) -> None:
        self.out, self.digest, self.progress = out, digest, progress
        self.report = json.loads((out / "report.json").read_text(encoding="utf-8"))

    def rows(self, *names: str) -> list[dict[str, Any]]:
        wanted = names or ("train", "validation", "test")
        return [row for name in wanted for row in pq.read_table(self.out / f"{name}.parquet").to_pylist()]

    def ledger(self) -> list[dict[str, Any]]:
        return pq.read_table(self.out / "ledger.parquet").to_pylist()

    def adds_up(self) -> bool:
        counted, splits = self.report["rows"], self.report["splits"]
        kept = splits["train"] + splits["validation"] + splits["test"]
        dropped = sum(counted["dropped"].values())
        on_disk = (len(self.rows()), len(self.ledger()))
        return (
            counted["in"] == counted["kept"] + dropped
            and on_disk == (counted["kept"], dropped)
            and kept == counted["kept"]
        )


@pytest.fixture
def write(tmp_path) -> Callable[..., Path]:
    """`write("a.csv", "text,label\\n…")` puts text or bytes into a file of the test's own folder."""

    def put(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
        return path

    return put


@pytest.fixture
def languagetool():
    """A stand-in for a LanguageTool server."""
    with serving() as server:
        yield server


def curator(folder: Path) -> Callable[..., Curated]:
    """What `curate` is, for a folder that it may write into."""

    def run(
        *files: Path,
        tokenizer: Path | None = None,
        out: str = "out",
        processes: int = 1,
        languagetool_url: str | None = None,
        **options: Any,
    ) -> Curated:
        seen: list[tuple[str, int, int]] = []
        steps = Pipeline(
            recipe(**options),
            files,
            tokenizer=tokenizer,
            processes=processes,
            languagetool_url=languagetool_url,
            progress=lambda step, done, total: seen.append((step, done, total)),
        )
        return Curated(folder / out, steps.run(folder / out), seen)

    return run


@pytest.fixture
def curate(tmp_path) -> Callable[..., Curated]:
    """`curate(file, …, **recipe)` runs the pipeline and reads what it wrote."""
    return curator(tmp_path)


@pytest.fixture
def pairs(write) -> Callable[..., Path]:
    """A CSV of questions and answers; each item is a question or (question, answer)."""

    def put(*items: str | tuple[str, str], name: str = "pairs.csv") -> Path:
        lines = ["prompt,completion"]
        for item in items:
            question, answer = item if isinstance(item, tuple) else (item, f"About {item}")
            lines.append(f'"{question}","{answer}"')
        return write(name, "\n".join(lines) + "\n")

    return put


@pytest.fixture(scope="session")
def tokenizer(tmp_path_factory) -> Path:
    """A folder with a tokenizer of one token a word and a chat template that wants user and assistant in turn."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    words = Tokenizer(models.WordLevel({"[UNK]": 0}, unk_token="[UNK]"))
    words.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    fast = PreTrainedTokenizerFast(tokenizer_object=words, unk_token="[UNK]")
    fast.chat_template = (
        "{% if messages[0].role == 'assistant' %}{{ raise_exception('odd') }}{% endif %}"
        "{% for m in messages %}{{ m.content }}\n{% endfor %}"
    )
    folder = tmp_path_factory.mktemp("tokenizer")
    fast.save_pretrained(folder)
    return folder


WORDS = [
    "parcel",
    "invoice",
    "window",
    "garden",
    "bicycle",
    "holiday",
    "refund",
    "printer",
    "mountain",
    "kettle",
    "library",
    "sandwich",
    "passport",
    "violin",
    "concert",
    "battery",
    "umbrella",
    "museum",
    "elephant",
    "carpet",
    "lantern",
    "harbour",
    "notebook",
    "cushion",
    "tractor",
    "pepper",
    "satellite",
    "blanket",
]


@pytest.fixture
def questions() -> Callable[[int], list[tuple[str, str]]]:
    """Questions with answers that are all unlike each other."""

    def make(count: int) -> list[tuple[str, str]]:
        from random import Random

        chance = Random(7)
        return [
            (" ".join(chance.sample(WORDS, 8)) + f" {place}", " ".join(chance.sample(WORDS, 6)))
            for place in range(count)
        ]

    return make
