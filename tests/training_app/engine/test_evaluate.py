"""Evaluation: the numbers are those of the reference tools, and both models stand side by side."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from rouge_score.rouge_scorer import RougeScorer
from sacrebleu import corpus_bleu

from training_app.engine.data import Row, build_examples, read_rows
from training_app.engine.evaluate import last_question
from training_app.engine.generation import answer_chats
from training_app.engine.model import Speaker, load_speaker
from training_app.engine.perplexity import answer_perplexity
from training_app.engine.scores import score_texts
from training_app.engine.spec import ModelFolder
from training_app.engine.templates import render_prompt

PREDICTIONS = ["the cats are sitting on the mat", "Hello  World", "", "completely different words here now"]
REFERENCES = ["the cat sat on the mat", "hello world", "not empty", "nothing in common at all"]


def ignore(_rows: int) -> None:
    """Progress that nobody watches."""


def test_bleu_and_rouge_agree_with_the_tools_themselves() -> None:
    scores, signatures = score_texts(PREDICTIONS, REFERENCES)
    assert scores["bleu"] == pytest.approx(corpus_bleu(PREDICTIONS, [REFERENCES]).score, abs=1e-6)
    scorer = RougeScorer(["rouge1", "rouge2", "rougeL"], use_stemmer=True)
    for kind in ("rouge1", "rouge2", "rougeL"):
        single = [scorer.score(r, p)[kind].fmeasure for r, p in zip(REFERENCES, PREDICTIONS, strict=True)]
        assert scores[kind] == pytest.approx(sum(single) / len(single), abs=1e-6)
    assert scores["exact_match"] == 0.25
    assert "tok:13a" in signatures["bleu"]
    assert "stemmer:porter" in signatures["rouge"]


def test_perplexity_agrees_with_a_loop_over_single_tokens(speaker: Speaker, make_split: Callable[..., Path]) -> None:
    rows = read_rows(make_split("test", 9))
    examples = build_examples(rows, speaker.tokenizer, speaker.stop_tokens, max_length=200).items
    total, count = 0.0, 0
    for example in examples:
        with torch.inference_mode():
            logits = speaker.model(input_ids=torch.tensor([example.input_ids])).logits[0].double()
        for position in range(1, len(example.labels)):
            if example.labels[position] != -100:
                total -= float(logits[position - 1].log_softmax(-1)[example.labels[position]])
                count += 1
    assert answer_perplexity(speaker, examples, on_progress=ignore) == pytest.approx(math.exp(total / count), rel=1e-4)


def test_batched_answers_equal_answers_one_by_one(speaker: Speaker) -> None:
    chats = [[{"role": "user", "content": "word " * n}] for n in (1, 9, 3, 20)]
    batched = answer_chats(speaker, chats, max_new_tokens=6, on_progress=ignore)
    for chat, answer in zip(chats, batched, strict=True):
        ids = speaker.tokenizer(render_prompt(speaker.tokenizer, chat), add_special_tokens=False)["input_ids"]
        alone: list[int] = []
        for _ in range(6):
            with torch.inference_mode():
                token = int(speaker.model(input_ids=torch.tensor([ids + alone])).logits[0, -1].argmax())
            if token in speaker.stop_tokens:
                break
            alone.append(token)
        assert list(answer.token_ids) == alone


def test_a_prompt_longer_than_the_context_loses_its_start(speaker: Speaker) -> None:
    chats = [[{"role": "user", "content": "word " * 200}]]
    answers = answer_chats(speaker, chats, max_new_tokens=6, on_progress=ignore)
    assert len(answers[0].token_ids) <= 6


def test_the_question_is_all_before_the_last_answer() -> None:
    messages = [
        {"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}, {"role": "user", "content": "c"},
    ]  # fmt: skip
    question = last_question(Row(row_id=4, file="f", row=0, messages=messages))
    assert question is not None
    assert (question.row_id, question.reference, len(question.before)) == (4, "b", 1)
    assert last_question(Row(row_id=5, file="f", row=1, messages=messages[:1])) is None


def test_a_model_and_its_base_are_scored_side_by_side(
    tiny: Path,
    train_content: dict[str, Any],
    make_split: Callable[..., Path],
    write_run: Callable[..., Path],
    run_engine: Callable[..., tuple[int, list[dict[str, Any]]]],
) -> None:
    trained = write_run("trained", train_content | {"method": "lora"})
    assert run_engine("train", trained)[0] == 0
    adapter = str(trained.parent / "model")
    content = {
        "v": 1, "kind": "evaluate", "job": "ftjob-test", "attempt": 2, "device": "cpu", "threads": 1,
        "base_model": {"name": "tiny", "path": str(tiny)},
        "tuned_model": {"name": "ft:tiny", "path": adapter, "base_path": str(tiny)},
        "data": {"test": str(make_split("test", 30))}, "max_rows": 25, "max_new_tokens": 8, "seed": 0,
    }  # fmt: skip
    spec = write_run("evaluation", content)

    code, events = run_engine("evaluate", spec)

    assert code == 0
    report = json.loads((spec.parent / "evaluation.json").read_text())
    names = {"perplexity", "bleu", "rouge1", "rouge2", "rougeL", "exact_match", "empty"}
    assert set(report["base"]) == set(report["tuned"]) == names
    assert report["tuned"]["perplexity"] < report["base"]["perplexity"]
    assert report["rows"] == 25
    assert len(report["samples"]) == 20
    assert set(report["samples"][0]) == {"row_id", "prompt", "reference", "base", "tuned"}
    measured = next(event["data"] for event in events if event["kind"] == "evaluation")
    assert measured == {"base": report["base"], "tuned": report["tuned"]}
    assert [event["kind"] for event in events[-2:]] == ["saved", "finished"]


def test_a_merged_adapter_speaks_as_the_adapter_beside_its_base(
    tiny: Path,
    train_content: dict[str, Any],
    write_run: Callable[..., Path],
    run_engine: Callable[..., tuple[int, list[dict[str, Any]]]],
) -> None:
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    trained = write_run("adapter", train_content | {"method": "lora"})
    assert run_engine("train", trained)[0] == 0
    folder = trained.parent / "model"
    merged = load_speaker(
        ModelFolder("t", folder, base_path=tiny), dtype=torch.float32, device=torch.device("cpu")
    ).model.eval()
    beside = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(tiny), folder).eval()
    plain = AutoModelForCausalLM.from_pretrained(tiny).eval()
    ids = torch.arange(5, 25).reshape(1, -1)
    with torch.inference_mode():
        logits = merged(input_ids=ids).logits
        torch.testing.assert_close(logits, beside(input_ids=ids).logits, atol=1e-4, rtol=1e-4)
        assert not torch.allclose(logits, plain(input_ids=ids).logits, atol=1e-3)


def test_a_test_split_without_answers_is_a_failure_with_a_sentence(
    tiny: Path,
    make_split: Callable[..., Path],
    write_run: Callable[..., Path],
    run_engine: Callable[..., tuple[int, list[dict[str, Any]]]],
) -> None:
    model = {"name": "tiny", "path": str(tiny)}
    content = {
        "v": 1, "kind": "evaluate", "job": "j", "attempt": 1, "device": "cpu", "threads": 1, "base_model": model,
        "tuned_model": model, "data": {"test": str(make_split("test", []))}, "max_rows": 5, "max_new_tokens": 4,
        "seed": 0,
    }  # fmt: skip
    code, events = run_engine("evaluate", write_run("empty", content))
    assert code == 1
    assert events[-1]["data"]["code"] == "nothing_to_evaluate"
