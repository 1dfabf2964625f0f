"""A row token by token, as a model learns it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from transformers import AutoTokenizer

from datasets_app.curation.browsing.tokenview import view_of
from datasets_app.curation.errors import Refusal
from training_app.engine.data import IGNORED, Row, build_examples

STARTER = Path("training_app/engine/starter/model").resolve()
TALK = [
    {"role": "system", "content": "Be kind."},
    {"role": "user", "content": "Where is my parcel – the naïve 🙂 one?"},
    {"role": "assistant", "content": "On its way."},
    {"role": "user", "content": "Since when?"},
    {"role": "assistant", "content": "Since Monday,\nI think."},
]


def with_template(folder: Path, template: str) -> Path:
    shutil.copytree(STARTER, folder, ignore=shutil.ignore_patterns("*.safetensors", "chat_template.jinja"))
    (folder / "chat_template.jinja").write_text(template, encoding="utf-8")
    return folder


@pytest.mark.parametrize("limit", [None, 30])
def test_what_is_shown_as_learned_is_what_the_engine_learns(limit):
    tokenizer = AutoTokenizer.from_pretrained(STARTER, local_files_only=True)
    built = build_examples(
        [Row(0, "a", 0, TALK)], tokenizer, frozenset([tokenizer.eos_token_id]), max_length=limit or 9_999
    )
    view = view_of(STARTER, TALK, limit=limit)
    labels = built.items[0].labels
    shown = [token.role == "learned" for token in view.tokens[: len(labels)]]
    assert shown == [label != IGNORED for label in labels]
    assert all(token.role == "cut" for token in view.tokens[len(labels) :])
    assert sum(view.counts.values()) == view.total == len(view.tokens)


def test_the_pieces_are_the_text_and_letters_of_several_tokens_stand_once():
    text = "".join(token.text for token in view_of(STARTER, TALK, limit=None).tokens)
    assert "the naïve 🙂 one?" in text and text.count("🙂") == 1 and "\ue000" not in text


def test_a_template_without_marks_tells_by_its_prefixes(tmp_path):
    plain = (
        "{% for m in messages %}{% if m.role == 'assistant' %}<|assistant|>{{ m.content }}{{ eos_token }}"
        "{% else %}<|user|>{{ m.content }}{% endif %}{% endfor %}"
        "{% if add_generation_prompt %}<|assistant|>{% endif %}"
    )
    view = view_of(with_template(tmp_path / "plain", plain), TALK, limit=None)
    learned = "".join(token.text for token in view.tokens if token.role == "learned")
    assert learned == "On its way.<|end|>Since Monday,\nI think.<|end|>"


@pytest.mark.parametrize(
    ("template", "sentence"),
    [
        ("{{ raise_exception('roles must alternate') }}", "roles must alternate"),
        ("{% for m in messages %}{{ loop.revindex }}{{ m.content }}{% endfor %}", "does not tell where answers"),
        ("{{ messages.__class__.__mro__ }}", "does not accept this row"),
        ("{% for", "does not accept this row"),
        ("{{ 1 // 0 }}", "does not accept this row"),
        ("{% for i in range(10 ** 9) %}{% endfor %}", "does not accept this row"),
        ("{% for i in range(99999) %}{{ 'long' * 99 }}{% endfor %}", "writes more than 2,000,000 characters"),
    ],
)
def test_a_template_that_cannot_write_the_row_is_a_sentence(tmp_path, template, sentence):
    with pytest.raises(Refusal, match=sentence):
        view_of(with_template(tmp_path / "odd", template), TALK, limit=None)


@pytest.mark.parametrize(
    "endless",
    [
        "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
        "{% set found = namespace(text='long') %}{% for i in range(99) %}{% set found.text = found.text * 99 %}{% endfor %}",
    ],
)
def test_a_template_that_never_ends_or_takes_all_memory_is_a_sentence(tmp_path, monkeypatch, endless):
    with pytest.raises(Refusal, match="did not come to an end within 5 seconds and 1 GiB of memory"):
        view_of(with_template(tmp_path / "odd", endless), TALK, limit=None)


def test_a_folder_without_tokenizer_or_template_is_a_sentence(tmp_path):
    with pytest.raises(Refusal, match=r"no tokenizer\.json"):
        view_of(tmp_path, TALK, limit=None)
    folder = with_template(tmp_path / "bare", "")
    (folder / "chat_template.jinja").unlink()
    assert "chat_template" not in json.loads((folder / "tokenizer_config.json").read_text())
    with pytest.raises(Refusal, match="no chat template"):
        view_of(folder, TALK, limit=None)
