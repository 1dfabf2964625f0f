"""The starter's script makes a model others can load, and the shipped folder is such a model."""

from __future__ import annotations

import json
import re
from itertools import islice
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedTokenizerFast

from training_app.engine import starter
from training_app.engine.starter.card import measure, write_folder
from training_app.engine.starter.corpus import documents, plain_text
from training_app.engine.starter.packing import ANSWER_WEIGHT, blocks, encode
from training_app.engine.starter.training import Plan, rate_share, train
from training_app.engine.starter.vocabulary import train_tokenizer

SHIPPED = Path(starter.__file__).parent / "model"
TINY = Plan(steps=3, long_steps=1, block=64, rows=2, warmup=1, hidden=32, layers=1, heads=2, inner=48)
CHAT = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "where is my lamp"},
    {"role": "assistant", "content": "lamp_late"},
]


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerFast:
    texts = (plain_text(document) for document in islice(documents(0), 1500))
    return train_tokenizer(texts, size=800)


@pytest.fixture(scope="module")
def shipped() -> PreTrainedTokenizerFast:
    return AutoTokenizer.from_pretrained(SHIPPED)


def test_the_same_seed_gives_the_same_weights(tokenizer: PreTrainedTokenizerFast) -> None:
    first, again = (train(tokenizer, plan=TINY, seed=7, report=lambda line: None) for _ in range(2))
    other = train(tokenizer, plan=TINY, seed=8, report=lambda line: None)
    pairs = list(zip(first.parameters(), again.parameters(), other.parameters(), strict=True))
    assert all(torch.equal(one, two) for one, two, _ in pairs)
    assert not all(torch.equal(one, three) for one, _, three in pairs)


def test_a_written_folder_loads_and_its_card_states_the_perplexity(
    tokenizer: PreTrainedTokenizerFast, tmp_path: Path
) -> None:
    model = train(tokenizer, plan=TINY, seed=7, report=lambda line: None)
    result = write_folder(tmp_path, model, tokenizer, seed=7)
    assert AutoModelForCausalLM.from_pretrained(tmp_path).dtype == torch.bfloat16
    assert f"| all | {result.overall:.2f} |" in (tmp_path / "README.md").read_text(encoding="utf-8")


def test_training_lowers_the_loss(tokenizer: PreTrainedTokenizerFast) -> None:
    short, longer = (
        train(
            tokenizer,
            plan=Plan(steps=steps, long_steps=0, block=64, rows=4, warmup=2, hidden=32, layers=1, heads=2, inner=48),
            seed=0,
            report=lambda line: None,
        )
        for steps in (1, 40)
    )
    assert (
        measure(longer, tokenizer, seed=0, count=60).overall < measure(short, tokenizer, seed=0, count=60).overall / 2
    )


def test_packed_tokens_are_those_of_the_chat_template(tokenizer: PreTrainedTokenizerFast) -> None:
    ids, weights = next(iter(encode(tokenizer, [CHAT])))
    told = tokenizer.apply_chat_template(CHAT, return_dict=True, return_assistant_tokens_mask=True)
    assert ids == told["input_ids"]
    assert [weight == ANSWER_WEIGHT for weight in weights] == [bool(mark) for mark in told["assistant_masks"]]


def test_blocks_lay_documents_end_to_end() -> None:
    stream = [([1, 2, 3], [1.0] * 3), ([4, 5, 6], [2.0] * 3), ([7, 8], [1.0] * 2)]
    ids, weights = next(blocks(stream, length=3, rows=2))
    assert ids.tolist() == [[1, 2, 3], [4, 5, 6]]
    assert weights.tolist() == [[1.0] * 3, [2.0] * 3]


def test_the_rate_rises_then_falls() -> None:
    shares = [rate_share(step, total=100, warmup=10) for step in range(100)]
    assert shares[0] == pytest.approx(0.1)
    assert max(shares) == pytest.approx(1.0)
    assert shares[10:] == sorted(shares[10:], reverse=True)
    assert shares[-1] < 0.06


def test_the_shipped_model_is_small_and_of_a_standard_class() -> None:
    config = json.loads((SHIPPED / "config.json").read_text(encoding="utf-8"))
    model = AutoModelForCausalLM.from_pretrained(SHIPPED)
    assert config["architectures"] == ["LlamaForCausalLM"]
    assert config["max_position_embeddings"] >= 512
    assert model.dtype == torch.bfloat16
    assert model.num_parameters() <= 5_500_000
    assert (SHIPPED / "model.safetensors").stat().st_size <= 12_000_000
    assert model.generation_config.eos_token_id == config["eos_token_id"]
    assert model.generation_config.pad_token_id not in (None, config["eos_token_id"])


def test_the_shipped_template_marks_the_answer_with_its_end(shipped: PreTrainedTokenizerFast) -> None:
    told = shipped.apply_chat_template(CHAT, return_dict=True, return_assistant_tokens_mask=True)
    marked = [token for token, mark in zip(told["input_ids"], told["assistant_masks"], strict=True) if mark]
    assert shipped.decode(marked) == f"lamp_late{shipped.eos_token}"
    assert len(shipped) <= 4096


@pytest.mark.parametrize("text", ["plain", "Ünï-cödé 漢字 🙂", "tabs\tand\nlines", "", "  two  spaces "])
def test_the_shipped_tokenizer_returns_any_text_unchanged(shipped: PreTrainedTokenizerFast, text: str) -> None:
    assert shipped.decode(shipped(text, add_special_tokens=False)["input_ids"]) == text


def test_the_shipped_model_reaches_its_perplexity_and_says_so(shipped: PreTrainedTokenizerFast) -> None:
    model = AutoModelForCausalLM.from_pretrained(SHIPPED, dtype=torch.float32).eval()
    stated = re.search(r"\| all \| ([\d.]+) \|", (SHIPPED / "README.md").read_text(encoding="utf-8"))
    assert stated is not None
    assert float(stated.group(1)) <= 15
    assert measure(model, shipped, seed=0, count=300).overall <= 15


def test_the_shipped_model_answers_in_words_and_stops(shipped: PreTrainedTokenizerFast) -> None:
    model = AutoModelForCausalLM.from_pretrained(SHIPPED).eval()
    question = [{"role": "user", "content": "How do I reset my password?"}]
    prompt = shipped.apply_chat_template(question, add_generation_prompt=True, return_dict=True, return_tensors="pt")
    written = model.generate(**prompt, max_new_tokens=80)[0, prompt["input_ids"].shape[1] :].tolist()
    assert shipped.eos_token_id in written
    assert re.search(r"[a-z]{3,}", shipped.decode(written, skip_special_tokens=True))
