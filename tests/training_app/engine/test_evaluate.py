"""Evaluation: the numbers are those of the reference tools, and both models stand side by side."""

from __future__ import annotations

import functools
import hashlib
import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from rouge_score.rouge_scorer import RougeScorer
from sacrebleu import corpus_bleu, corpus_chrf

from training_app.engine import perplexity
from training_app.engine.answer_length import answer_limit
from training_app.engine.data import Row, build_examples, read_rows
from training_app.engine.evaluate import last_question
from training_app.engine.generation import answer_chats
from training_app.engine.model import Speaker, load_speaker
from training_app.engine.perplexity import answer_losses
from training_app.engine.room import Room
from training_app.engine.rowfile import read_statistics
from training_app.engine.scores import METRICS, Scored, score_texts
from training_app.engine.spec import ModelFolder
from training_app.engine.sums import MEASURED_BY, SCORES
from training_app.engine.templates import render_prompt
from training_app.engine.words import NAME as WORDS_NAME
from training_app.engine.words import count_words, words

PREDICTIONS = ["the cats are sitting on the mat", "Hello  World", "", "completely different words here now"]
REFERENCES = ["the cat sat on the mat", "hello world", "not empty", "nothing in common at all"]


def ignore(_rows: int) -> None:
    """Progress that nobody watches."""


def test_every_text_metric_agrees_with_its_own_library() -> None:
    scored = score_texts(PREDICTIONS, REFERENCES)
    assert scored.scores["bleu"] == pytest.approx(corpus_bleu(PREDICTIONS, [REFERENCES]).score, abs=1e-6)
    assert scored.scores["chrf"] == pytest.approx(corpus_chrf(PREDICTIONS, [REFERENCES]).score, abs=1e-6)
    scorer = RougeScorer(["rouge1", "rouge2", "rougeL"], use_stemmer=True)
    for kind in ("rouge1", "rouge2", "rougeL"):
        single = [scorer.score(r, p)[kind].fmeasure for r, p in zip(REFERENCES, PREDICTIONS, strict=True)]
        assert scored.scores[kind] == pytest.approx(sum(single) / len(single), abs=1e-6)
    assert scored.scores["exact_match"] == 0.25
    assert "tok:13a" in scored.signatures["bleu"] and "nc:6" in scored.signatures["chrf"]
    assert "stemmer:porter" in scored.signatures["rouge"]


def test_every_score_leads_to_the_signature_of_its_module() -> None:
    scored = score_texts(PREDICTIONS, REFERENCES)
    assert {MEASURED_BY.get(name, name) for name in scored.rows} == set(scored.signatures)
    of_test_rows = [name for name in SCORES if name != "log_loss"]
    assert all((METRICS / f"{MEASURED_BY.get(name, name)}.py").exists() for name in of_test_rows)


def test_token_f1_counts_shared_words_in_any_order() -> None:
    predictions = ["The mat, the cat!", "", "", "nothing here"]
    references = ["the cat sat on the mat", "words", "", "else"]
    scored = score_texts(predictions, references)
    # four of four words said are wanted, four of six wanted are said: 2 * 4 / 10
    assert [row[0] for row in scored.rows["token_f1"]] == [0.8, 0.0, 1.0, 0.0]
    assert scored.scores["token_f1"] == pytest.approx(1.8 / 4)


def test_macro_f1_and_accuracy_are_those_worked_out_by_hand() -> None:
    scored = Scored()
    scored.take("classification", list("aabbb"), list("abbbc"), labels=list("abcd"))
    # a: 1 right of 2 chosen, 1 true; b: 2 right of 3 chosen, 3 true; c never chosen; d does not occur
    assert scored.scores == {"accuracy": 0.6, "macro_f1": pytest.approx((2 / 3 + 4 / 6 + 0) / 3)}


@pytest.mark.parametrize("name", ["bleu", "chrf", "rougeL", "exact_match", "token_f1", "macro_f1", "perplexity"])
def test_a_score_of_summed_rows_is_the_score_of_the_whole(name: str) -> None:
    scored = score_texts(PREDICTIONS, REFERENCES)
    scored.take("classification", list("aabbb"), list("abbbc"), labels=list("abcd"))
    scored.take("perplexity", [3.5, 0.0, 9.25], [2.0, 0.0, 4.0])
    sums = np.asarray(scored.rows[name], dtype=float).sum(axis=0)
    assert float(SCORES[name](sums)) == pytest.approx(scored.scores[name], abs=1e-9)


@pytest.mark.parametrize("place", range(4))
def test_bleu_and_chrf_of_drawn_rows_are_those_of_the_library(place: int) -> None:
    scored = score_texts(PREDICTIONS, REFERENCES)
    drawn = [place, place, (place + 1) % 4]
    texts = [PREDICTIONS[index] for index in drawn], [[REFERENCES[index] for index in drawn]]
    for name, library in (("bleu", corpus_bleu), ("chrf", corpus_chrf)):
        sums = np.asarray(scored.rows[name], dtype=float)[drawn].sum(axis=0)
        assert float(SCORES[name](sums)) == pytest.approx(library(*texts).score, abs=1e-9)


def test_perplexity_agrees_with_a_loop_over_single_tokens(speaker: Speaker, make_split: Callable[..., Path]) -> None:
    rows = read_rows(make_split("test", 9))
    examples = build_examples(rows, speaker.tokenizer, speaker.stop_tokens, max_length=200).items
    expected = []
    for example in examples:
        total, count = 0.0, 0
        with torch.inference_mode():
            logits = speaker.model(input_ids=torch.tensor([example.input_ids])).logits[0].double()
        for position in range(1, len(example.labels)):
            if example.labels[position] != -100:
                total -= float(logits[position - 1].log_softmax(-1)[example.labels[position]])
                count += 1
        expected.append((total, count))
    losses = answer_losses(speaker, examples, on_progress=ignore)
    assert [count for _, count in losses] == [count for _, count in expected]
    scored = Scored()
    scored.take("perplexity", [nats for nats, _ in losses], [float(tokens) for _, tokens in losses])
    whole = math.exp(sum(total for total, _ in expected) / sum(count for _, count in expected))
    assert scored.scores["perplexity"] == pytest.approx(whole, rel=1e-4)


def test_losses_are_the_same_where_few_logits_fit_and_even_one_row_is_taken_in_parts(
    speaker: Speaker, make_split: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    examples = build_examples(
        read_rows(make_split("judged", 7)), speaker.tokenizer, speaker.stop_tokens, max_length=128
    ).items
    whole = answer_losses(speaker, examples, on_progress=ignore)
    built: list[int] = []
    take = perplexity.logits_at

    def counted(*args: Any) -> torch.Tensor:
        logits = take(*args)
        built.append(logits.numel())
        return logits

    monkeypatch.setattr(perplexity, "logits_at", counted)
    monkeypatch.setattr(perplexity, "MOST_LOGITS", 4 * int(speaker.model.config.vocab_size))
    found = answer_losses(speaker, examples, on_progress=ignore)
    assert [count for _, count in found] == [count for _, count in whole]
    assert [nats for nats, _ in found] == pytest.approx([nats for nats, _ in whole], rel=1e-5)
    assert max(built) <= perplexity.MOST_LOGITS and len(built) > len(examples)


def test_what_does_not_fit_into_memory_is_measured_and_answered_with_fewer_rows_at_a_time(
    speaker: Speaker, make_split: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = read_rows(make_split("large", 11))
    examples = build_examples(rows, speaker.tokenizer, speaker.stop_tokens, max_length=128).items
    chats = [row.messages[:-1] for row in rows]

    def measured() -> tuple[list[float], list[str], int]:
        done: list[int] = []
        losses = answer_losses(speaker, examples, on_progress=done.append)
        answers = answer_chats(speaker, chats, max_new_tokens=4, on_progress=done.append)
        return [nats for nats, _ in losses], [answer.text for answer in answers], sum(done)

    nats, texts, done = measured()
    forward, tried = type(speaker.model).forward, []

    @functools.wraps(forward)
    def small(self: Any, input_ids: torch.Tensor | None = None, **named: Any) -> Any:
        tried.append(len(input_ids))
        if len(input_ids) > 3:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes.")
        return forward(self, input_ids=input_ids, **named)

    monkeypatch.setattr(type(speaker.model), "forward", small)
    said: list[str] = []
    speaker = replace(speaker, room=Room(tell=said.append))
    again = measured()
    assert again[0] == pytest.approx(nats, rel=1e-5) and again[1:] == (texts, done)
    assert [count for count in tried if count > 3] == [11, 5, 5], "twice for losses; answers begin with fewer, too"
    assert [each.split(":")[0] for each in said] == [
        f"There was not enough memory for {rows} rows at once" for rows in (11, 5, 5)
    ]
    speaker = replace(speaker, room=Room(1 / 16, tell=said.append))
    tried.clear()
    assert measured()[1:] == (texts, done) and max(tried) <= 4


def test_a_single_row_that_does_not_fit_and_other_trouble_are_said_as_they_are() -> None:
    for error, rows in ((MemoryError("no"), 1), (RuntimeError("shapes differ"), 5)):
        with pytest.raises(type(error), match=str(error)):
            Room().take([4] * rows, token_budget=99, most=8, work=lambda _batch, error=error: _raise(error))


def _raise(error: Exception) -> None:
    raise error


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


def test_answers_get_as_many_tokens_as_the_references_ask_for() -> None:
    assert answer_limit([5] * 40, context=2048, most=512) == 64, "never fewer than always"
    # 19 of 20 fit, with a quarter to spare; the odd long one does not set it for all
    assert answer_limit([*range(100, 119), 4000], context=2048, most=512) == math.ceil(1.25 * 119)
    assert answer_limit([4000], context=16384, most=512) == 512
    assert answer_limit([4000], context=256, most=512) == 128
    assert answer_limit([4000], context=1, most=8) == 1


def test_an_answer_that_was_cut_is_known_from_one_that_ended(speaker: Speaker) -> None:
    chat = [[{"role": "user", "content": "word"}]]
    (whole,) = answer_chats(speaker, chat, max_new_tokens=6, on_progress=ignore)
    assert whole.is_cut and len(whole.token_ids) == 6
    ending = replace(speaker, stop_tokens=frozenset([whole.token_ids[-1]]))
    (ended,) = answer_chats(ending, chat, max_new_tokens=6, on_progress=ignore)
    first = whole.token_ids.index(whole.token_ids[-1])
    assert not ended.is_cut and ended.token_ids == whole.token_ids[:first]


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
    assert (question.row.row_id, question.reference, len(question.before)) == (4, "b", 1)
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
    names = {"perplexity", "bleu", "chrf", "rouge1", "rouge2", "rougeL", "exact_match", "token_f1", "empty", "cut"}
    assert set(report["base"]) == set(report["tuned"]) == names
    assert report["tuned"]["perplexity"] < report["base"]["perplexity"]
    assert report["rows"] == 25
    assert report["decoding"] == {"strategy": "greedy", "max_new_tokens": 8}, "the spec's own bound is kept to"
    rows = pq.read_table(spec.parent / "rows.parquet", columns=["base_cut", "tuned_cut"]).to_pylist()
    assert report["base"]["cut"] == sum(row["base_cut"] for row in rows) > 0
    assert report["tuned"]["cut"] == sum(row["tuned_cut"] for row in rows)
    check_intervals(report, spec.parent / "rows.parquet")
    measured = next(event["data"] for event in events if event["kind"] == "evaluation")
    assert measured == {"base": report["base"], "tuned": report["tuned"]}
    assert [event["kind"] for event in events[-2:]] == ["saved", "finished"]


def test_long_references_let_both_models_answer_at_length(
    tiny: Path,
    make_split: Callable[..., Path],
    write_run: Callable[..., Path],
    run_engine: Callable[..., tuple[int, list[dict[str, Any]]]],
) -> None:
    model = {"name": "tiny", "path": str(tiny)}
    split = make_split("long", [[("user", f"Say {number}."), ("assistant", "y" * 80)] for number in range(4)])
    content = {
        "v": 1, "kind": "evaluate", "job": "j", "attempt": 1, "device": "cpu", "threads": 1, "base_model": model,
        "tuned_model": model, "data": {"test": str(split)}, "max_rows": 4, "max_new_tokens": 512, "seed": 0,
    }  # fmt: skip
    spec = write_run("long", content)
    assert run_engine("evaluate", spec)[0] == 0
    report = json.loads((spec.parent / "evaluation.json").read_text())
    assert report["decoding"]["max_new_tokens"] == math.ceil(1.25 * 81)


def check_intervals(report: dict[str, Any], path: Path) -> None:
    assert report["headline"] == "exact_match" and report["labels"] is None
    assert report["intervals"]["perplexity"]["said"] == "better"
    assert report["rows_file"]["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    for side in ("base", "tuned"):
        for name, statistics in read_statistics(path, side).items():
            assert float(SCORES[name](statistics.sum(axis=0))) == pytest.approx(report[side][name], abs=1e-9)
            interval = report["intervals"][name]
            assert interval[side] == pytest.approx(report[side][name], abs=1e-9)
            assert interval["low"] <= interval["difference"] <= interval["high"] and interval["rows"] == 25
    assert sum(part["rows"] for part in report["lengths"]) == 25
    assert {name: len(rows) for name, rows in report["reading"].items()} == {"best": 10, "worst": 10, "random": 10}


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


WORLD = (
    "Ваш заказ отправлен вчера вечером",
    "Η παραγγελία σας στάλθηκε χθες το βράδυ",
    "您的订单已于昨天晚上发出，请注意查收。",
    "ご注文の商品は昨日発送いたしました。",
    "สินค้าของคุณถูกจัดส่งแล้วเมื่อวานนี้",
    "Die Größe fällt für Füße schön aus",
)


@pytest.mark.parametrize("text", WORLD)
def test_an_answer_in_any_script_that_equals_its_reference_scores_all_there_is(text: str) -> None:
    same = score_texts([text], [text]).scores
    assert {name: same[name] for name in ("rouge1", "rouge2", "rougeL", "exact_match", "token_f1")} == {
        "rouge1": 1.0, "rouge2": 1.0, "rougeL": 1.0, "exact_match": 1.0, "token_f1": 1.0,
    }  # fmt: skip
    assert same["bleu"] == pytest.approx(100.0) and same["chrf"] == pytest.approx(100.0)
    part = score_texts([text[: len(text) // 2]], [text]).scores
    assert 0.3 < (part["rougeL"] or 0.0) < 0.9 and 0.3 < (part["token_f1"] or 0.0) < 0.9


def test_words_outside_latin_are_whole_and_named_in_the_signatures() -> None:
    assert words("schöne Füße") == ["schöne", "Füße"] and words("हिन्दी में") == ["हिन्दी", "में"]
    assert words("iPhone 15を買う") == ["iPhone", "15", "を", "買", "う"]
    assert words("u\u0308ber") == words("\u00fcber") == ["\u00fcber"]
    scored = score_texts(["u\u0308ber"], ["\u00fcber"])
    assert scored.scores["exact_match"] == scored.scores["rouge1"] == 1.0
    assert all(WORDS_NAME in scored.signatures[name] for name in ("rouge", "token_f1", "bleu"))


def test_bleu_of_chinese_is_that_of_sacrebleu_for_chinese() -> None:
    said = ["您的订单昨天晚上发出，请查收。", "我们提供 24 小时 (全天) 服务"]
    wanted = ["您的订单已于昨天晚上发出，请注意查收。", "我们提供24小时全天服务！"]
    expected = corpus_bleu(said, [wanted], tokenize="zh").score
    assert expected > 5 and score_texts(said, wanted).scores["bleu"] == pytest.approx(expected, abs=1e-6)


def test_words_are_counted_as_readers_count_them() -> None:
    assert count_words("it's 3-4 days - or so") == 5
    assert count_words("请注意查收。") == 5
