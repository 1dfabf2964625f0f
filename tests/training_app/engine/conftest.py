"""A tiny random Llama with a byte tokenizer, small splits and run folders. Nothing here is ever downloaded."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from training_app.engine.command import execute
from training_app.engine.model import Speaker, load_speaker
from training_app.engine.spec import ModelFolder
from training_app.engine.stopping import StopRequest

MARKED = (
    "{% for m in messages %}<|{{ m['role'] }}|>"
    "{% if m['role'] == 'assistant' %}{% generation %}{{ m['content'] }}<|end|>{% endgeneration %}"
    "{% else %}{{ m['content'] }}<|end|>{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
SPECIAL = ["<|pad|>", "<|end|>", "<|system|>", "<|user|>", "<|assistant|>"]


def byte_tokenizer(template: str | None) -> PreTrainedTokenizerFast:
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {token: index for index, token in enumerate([*SPECIAL, *alphabet])}
    inner = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    inner.add_special_tokens(SPECIAL)
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=inner, eos_token="<|end|>", pad_token="<|pad|>")
    tokenizer.chat_template = template
    return tokenizer


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Make a model folder; `template=None` makes a base model without a chat template."""

    def make(*, template: str | None = MARKED, dtype: torch.dtype = torch.float32, hidden: int = 32) -> Path:
        folder = tmp_path_factory.mktemp("model")
        tokenizer = byte_tokenizer(template)
        torch.manual_seed(5)
        config = LlamaConfig(
            vocab_size=len(tokenizer),
            hidden_size=hidden,
            intermediate_size=2 * hidden,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            max_position_embeddings=256,
            attention_dropout=0.1,
            tie_word_embeddings=True,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
            bos_token_id=None,
        )
        LlamaForCausalLM(config).to(dtype).save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        return folder

    return make


@pytest.fixture(scope="session")
def tiny(model_folder: Callable[..., Path]) -> Path:
    return model_folder()


@pytest.fixture(scope="session")
def still_model(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model without dropout: two passes over one batch see the same."""
    folder = tmp_path_factory.mktemp("still") / "model"
    shutil.copytree(tiny, folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"attention_dropout": 0.0}))
    return folder


@pytest.fixture
def speaker(tiny: Path) -> Speaker:
    loaded = load_speaker(ModelFolder("tiny", tiny), dtype=torch.float32, device=torch.device("cpu"))
    loaded.model.eval()
    return loaded


@pytest.fixture
def make_split(tmp_path: Path) -> Callable[..., Path]:
    """Write a split; each row is a list of (role, content), or by default a short question and its answer."""

    def make(name: str, rows: Sequence[Sequence[tuple[str, str]]] | int) -> Path:
        if isinstance(rows, int):
            rows = [
                [("user", f"What is {i}?" + " Please." * (i % 3)), ("assistant", f"It is {i % 7}." + " Yes." * (i % 2))]
                for i in range(rows)
            ]
        records = [
            {
                "row_id": index,
                "file": "rows.csv",
                "row": index,
                "messages": [{"role": role, "content": content} for role, content in row],
                "label": None,
                "group": str(index),
                "cluster": index,
                "tokens": None,
            }
            for index, row in enumerate(rows)
        ]
        schema = pa.schema(
            [
                ("row_id", pa.int64()),
                ("file", pa.string()),
                ("row", pa.int64()),
                ("messages", pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))),
                ("label", pa.string()),
                ("group", pa.string()),
                ("cluster", pa.int64()),
                ("tokens", pa.int32()),
            ]
        )
        path = tmp_path / f"{name}.parquet"
        pq.write_table(pa.Table.from_pylist(records, schema=schema), path)
        return path

    return make


PATIENT = """
import sys, time
from pathlib import Path
sys.path.insert(0, {root!r})
from training_app.engine import events, stopping
from training_app.engine.__main__ import main
told, ask, write = Path(__file__).with_suffix(".told"), stopping.StopRequest._ask, events.EventLog.write
def asked(self, *args):
    told.touch()
    ask(self, *args)
def waits(self, kind, **data):
    while kind == "metric" and data["step"] > {step} and not told.exists():
        time.sleep(0.01)
    write(self, kind, **data)
stopping.StopRequest._ask, events.EventLog.write = asked, waits
sys.exit(main(sys.argv[1:]))
"""


def patient_engine(folder: Path, *, step: int) -> Path:
    """A program that is the engine, and after the metric of `step` says no other until it is asked to stop, is killed, or
    finds a file of its own name that ends in `.told`: however slow its listener is, the run is not over before.
    """
    script = folder / "patient_engine.py"
    script.write_text(PATIENT.format(root=str(Path(__file__).parents[3]), step=step), encoding="utf-8")
    return script


@pytest.fixture
def train_content(tiny: Path, make_split: Callable[..., Path]) -> dict[str, Any]:
    """A complete training spec: 12 steps over two epochs, a validation every 3."""
    return {
        "v": 1,
        "kind": "train",
        "job": "ftjob-test",
        "attempt": 1,
        "base_model": {"name": "tiny", "path": str(tiny)},
        "data": {"train": str(make_split("train", 46)), "validation": str(make_split("validation", 8))},
        "method": "full",
        "hyperparameters": {
            "learning_rate": 0.01,
            "batch_size": 4,
            "gradient_accumulation_steps": 2,
            "n_epochs": 2,
            "optimizer": "adamw",
            "weight_decay": 0.01,
            "warmup_ratio": 0.1,
            "scheduler": "cosine",
            "max_grad_norm": 1.0,
            "max_length": 128,
            "seed": 7,
            "early_stopping_patience": 0,
            "early_stopping_min_delta": 0.0,
            "eval_steps": 3,
            "save_steps": 2,
            "lora": {"rank": 4, "alpha": 8, "dropout": 0.1},
        },
        "device": "cpu",
        "threads": 1,
    }


@pytest.fixture
def write_run(tmp_path: Path) -> Callable[..., Path]:
    """Write a spec into a run folder of its own; returns the spec's path."""

    def write(name: str, content: dict[str, Any]) -> Path:
        run = tmp_path / name
        run.mkdir(exist_ok=True)
        spec = run / "spec.json"
        spec.write_text(json.dumps(content), encoding="utf-8")
        return spec

    return write


class Listener(io.StringIO):
    """A mirror that can ask the run to stop as soon as it has seen an event."""

    def __init__(self, stop: StopRequest, wanted: tuple[str, int | None] | None) -> None:
        super().__init__()
        self._stop = stop
        self._wanted = wanted

    def write(self, line: str) -> int:
        event = json.loads(line)
        if self._wanted == (event["kind"], event["data"].get("step")):
            self._stop.requested = True
        return super().write(line)


@pytest.fixture
def run_engine() -> Callable[..., tuple[int, list[dict[str, Any]]]]:
    """Run a command in this process; returns its exit code and the events it said."""

    def run(
        command: str, spec: Path, *, stop_at: tuple[str, int | None] | None = None
    ) -> tuple[int, list[dict[str, Any]]]:
        stop = StopRequest()
        mirror = Listener(stop, stop_at)
        code = execute(command, spec, mirror, stop)
        return code, [json.loads(line) for line in mirror.getvalue().splitlines()]

    return run
