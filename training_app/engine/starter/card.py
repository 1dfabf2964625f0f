"""Measures a trained starter and writes its folder: weights, tokenizer, and a card with perplexity and samples."""

from __future__ import annotations

import math
import platform
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import torch
from torch.nn.functional import cross_entropy
from transformers import GenerationConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from training_app.engine.starter.corpus import Document, documents
from training_app.engine.starter.packing import encode

NAME = "studio-starter-1"
QUESTIONS = (
    "Hello, my parcel has not arrived and I ordered it three weeks ago. Can you help me?",
    "How do I reset my password?",
    "I want to cook vegetable curry tonight",
    "What is a deadline?",
    "Summarise: the printer in our office has been out of order since Monday.",
    "my gift card was declined at the checkout",
)
SYSTEM = "You are a helpful assistant."
HELD_OUT_DOCUMENTS = 1500


@dataclass(frozen=True, slots=True)
class Measure:
    """Perplexity per token on held-out text: of everything, of generated chats, of library prose."""

    overall: float
    chats: float
    prose: float
    tokens: int


def measure(
    model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast, *, seed: int, count: int = HELD_OUT_DOCUMENTS
) -> Measure:
    """Perplexity, exp of the mean negative log-likelihood of every token after the first, each document alone."""
    held_out = list(islice(documents(seed + 1000, held_out=True), count))
    chats = _loss(model, tokenizer, [document for document in held_out if not isinstance(document, str)])
    prose = _loss(model, tokenizer, [document for document in held_out if isinstance(document, str)])
    tokens = chats[1] + prose[1]
    overall = (chats[0] + prose[0]) / max(1, tokens)
    return Measure(
        math.exp(overall), math.exp(chats[0] / max(1, chats[1])), math.exp(prose[0] / max(1, prose[1])), tokens
    )


def _loss(model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast, held_out: list[Document]) -> tuple[float, int]:
    """Summed negative log-likelihood and the number of tokens scored."""
    rows = sorted((ids for ids, _ in encode(tokenizer, held_out)), key=len)
    total, count = 0.0, 0
    for start in range(0, len(rows), 16):
        batch = [torch.tensor(ids[: model.config.max_position_embeddings]) for ids in rows[start : start + 16]]
        labels = torch.nn.utils.rnn.pad_sequence(batch, batch_first=True, padding_value=-100)
        with torch.inference_mode():
            logits = model(input_ids=labels.clamp(min=0), use_cache=False).logits
        losses = cross_entropy(logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten(), reduction="sum")
        total += float(losses)
        count += int((labels[:, 1:] != -100).sum())
    return total, count


def samples(model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast) -> list[tuple[str, str]]:
    """Each of `QUESTIONS` with the model's greedy answer of at most 48 tokens."""
    return [(question, _answer(model, tokenizer, question)) for question in QUESTIONS]


def _answer(model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast, question: str) -> str:
    prompt = tokenizer.apply_chat_template(
        [{"role": "system", "content": SYSTEM}, {"role": "user", "content": question}],
        add_generation_prompt=True,
        return_dict=True,
        return_tensors="pt",
    )
    with torch.inference_mode():
        written = model.generate(**prompt, max_new_tokens=48, do_sample=False)
    answer: str = tokenizer.decode(written[0, prompt["input_ids"].shape[1] :], skip_special_tokens=True)
    return answer


def write_folder(out: Path, model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast, *, seed: int) -> Measure:
    """Saves everything under `out` (bfloat16 weights) and measures the model as it was saved."""
    out.mkdir(parents=True, exist_ok=True)
    tokenizer.save_pretrained(out)
    model.generation_config = GenerationConfig(
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        do_sample=False,
        max_new_tokens=128,
    )
    model.to(torch.bfloat16).save_pretrained(out)
    saved = LlamaForCausalLM.from_pretrained(out, dtype=torch.float32).eval()
    result = measure(saved, tokenizer, seed=seed)
    (out / "README.md").write_text(_card(saved, tokenizer, result, seed=seed), encoding="utf-8")
    return result


def _card(model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast, result: Measure, *, seed: int) -> str:
    shown = "\n".join(f"> {question}\n\n{answer}\n" for question, answer in samples(model, tokenizer))
    return f"""# {NAME}

A small causal language model made by the project's own script, so that everything works offline.
{model.num_parameters():,} parameters, a byte-level vocabulary of {len(tokenizer):,},
context {model.config.max_position_embeddings} tokens, bfloat16.

Made with `python -m training_app.engine.starter --out training_app/engine/starter/model --seed {seed}`
on Python {platform.python_version()} and torch {torch.__version__}.

Trained on conversations and tasks that the project generates, and on English prose that ships with Python
(docstrings and help topics, PSF licence). No public data set was used.

## Perplexity on its own held-out text
Other seed, wordings kept back from training, other paragraphs; {result.tokens:,} tokens.

| text | perplexity per token |
| --- | --- |
| all | {result.overall:.2f} |
| conversations and tasks | {result.chats:.2f} |
| library prose | {result.prose:.2f} |

## Samples (greedy, system prompt "{SYSTEM}")
A bare message without a system prompt is mostly answered with its topic in snake_case.

{shown}
## What it is not
It knows little, invents the rest, and speaks English alone. It is a base to fine-tune on a narrow task.
"""
