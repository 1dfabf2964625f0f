"""A tiny random base model in the store, versions that are ready without a curation run, and jobs on both."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from datasets_app import recipes
from datasets_app import services as data
from datasets_app.models import DatasetVersion
from gptstudio.accounts import selectors as people
from gptstudio.accounts import services as accounts
from gptstudio.accounts.policies import system

TEMPLATE = (
    "{% for m in messages %}<|{{ m['role'] }}|>"
    "{% if m['role'] == 'assistant' %}{% generation %}{{ m['content'] }}<|end|>{% endgeneration %}"
    "{% else %}{{ m['content'] }}<|end|>{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)


@pytest.fixture(scope="session")
def tiny_base(tmp_path_factory) -> Path:
    """A Llama of a few thousand weights with a byte tokenizer; never downloaded."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("tiny-base")
    special = ["<|pad|>", "<|end|>", "<|system|>", "<|user|>", "<|assistant|>"]
    tokens = [*special, *sorted(pre_tokenizers.ByteLevel.alphabet())]
    inner = Tokenizer(models.BPE(vocab={token: at for at, token in enumerate(tokens)}, merges=[]))
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    inner.add_special_tokens(special)
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=inner, eos_token="<|end|>", pad_token="<|pad|>")
    tokenizer.chat_template = TEMPLATE
    torch.manual_seed(3)
    shape = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    ends = {"bos_token_id": None, "eos_token_id": 1, "pad_token_id": 0}
    config = LlamaConfig(vocab_size=len(tokens), num_key_value_heads=1, max_position_embeddings=256, **shape, **ends)
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture
def base(tiny_base, settings, studio_home, db):
    """The tiny model, standing in for the starter."""
    from training_app.services import ensure_starter

    settings.STARTER_FOLDER, settings.TRAINING_THREADS = tiny_base, 1
    return ensure_starter()


@pytest.fixture
def as_tom(workspace):
    """Tom, trainer in Care."""
    user = accounts.create_user(email="tom@care.example", name="Tom")
    accounts.add_member(system(workspace.id), workspace_id=workspace.id, user=user, role="trainer")
    return people.actor_of_member(people.membership(user, workspace.id))


@pytest.fixture
def dataset(as_bob, workspace, studio_home):
    return data.create_dataset(as_bob, workspace_id=workspace.id, name="Tickets")


@pytest.fixture
def file(as_bob, dataset):
    return data.add_file(as_bob, dataset=dataset, name="tickets.csv", chunks=[b"question,answer\nWhy?,Because.\n"])


def report_of(splits: dict[str, int]) -> dict:
    rows = sum(splits.values())
    return {"rows": {"in": rows, "kept": rows}, "splits": {**splits, "leaks": 0}, "personal_data": {"EMAIL": 2}}


@pytest.fixture
def finish(studio_home):
    """Make a waiting version ready; with `write` its Parquet files lie on disk."""

    def end(version: DatasetVersion, *, write: bool = False, **splits: int) -> DatasetVersion:
        splits = {"train": 40, "validation": 6, "test": 4} | splits
        held = data.claim_version(version.id, holder="test")
        if write:
            write_splits(held.folder, splits)
        data.finish_version(held, report=report_of(splits), digest="d" * 64)
        return DatasetVersion.objects.select_related("dataset").get(id=version.id)

    return end


@pytest.fixture
def version(as_bob, dataset, file, finish):
    """A ready version whose files are never read."""
    return finish(data.create_version(as_bob, dataset=dataset))


@pytest.fixture
def written(as_bob, dataset, file, finish):
    """A ready version with real rows."""
    return finish(data.create_version(as_bob, dataset=dataset), write=True)


@pytest.fixture
def kept_version(as_bob, dataset, file, finish):
    """A ready version that keeps personal data, which nobody has allowed."""
    recipe = recipes.default_recipe()
    recipes.step(recipe, "personal_data")["options"]["default"] = "keep"
    return finish(data.create_version(as_bob, dataset=dataset, recipe=recipe))


def write_splits(folder: Path, splits: dict[str, int]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder.mkdir(parents=True)
    number = 0
    message = pa.struct([("role", pa.string()), ("content", pa.string())])
    types = {"row_id": pa.int64(), "file": pa.string(), "row": pa.int64(), "messages": pa.list_(message)}
    types |= {"label": pa.string(), "group": pa.string(), "cluster": pa.int64(), "tokens": pa.int32()}
    for split, rows in splits.items():
        records = []
        for _ in range(rows):
            turns = [("user", f"What is {number}?"), ("assistant", f"It is {number % 7}.")]
            messages = [{"role": role, "content": content} for role, content in turns]
            where = {"row_id": number, "file": "tickets.csv", "row": number, "group": str(number), "cluster": number}
            records.append({**where, "messages": messages, "label": None, "tokens": None})
            number += 1
        pq.write_table(pa.Table.from_pylist(records, schema=pa.schema(types)), folder / f"{split}.parquet")
    (folder / "report.json").write_text(json.dumps(report_of(splits)))


@pytest.fixture
def make_job(as_tom, workspace, base, version):
    """A queued job on the ready version, unless told otherwise."""
    from training_app import services

    def make(**options):
        if not {"version", "training_file"} & set(options):
            options["version"] = version
        return services.create_job(as_tom, workspace_id=workspace.id, base_model=base, **options)

    return make
