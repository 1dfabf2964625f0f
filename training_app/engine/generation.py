"""Greedy answers in batches. Knows no metric and no data set."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from transformers import GenerationConfig

from training_app.engine.model import Speaker
from training_app.engine.templates import Message, render_prompt

MOST_ROWS_PER_BATCH = 64
# Keys and values of this many positions stay well below a gigabyte for the models a CPU can run.
TOKENS_PER_BATCH = 32_768


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model wrote: its text without special tokens, its token ids up to the stop token (left out), and whether it was
    cut for there was none.
    """

    text: str
    token_ids: tuple[int, ...]
    is_cut: bool = False


def answer_chats(
    speaker: Speaker,
    chats: Sequence[Sequence[Message]],
    *,
    max_new_tokens: int,
    on_progress: Callable[[int], None],
    begun: Sequence[str] | None = None,
) -> list[Answer]:
    """Answer each conversation greedily; `begun` puts the first words of each answer into the model's mouth.

    `on_progress` gets the number of rows of each finished batch. Prompts too long for the context lose their start.
    """
    starts = begun if begun is not None else [""] * len(chats)
    prompts = [render_prompt(speaker.tokenizer, chat) + start for chat, start in zip(chats, starts, strict=True)]
    return continue_texts(speaker, prompts, max_new_tokens=max_new_tokens, on_progress=on_progress)


def continue_texts(
    speaker: Speaker, prompts: Sequence[str], *, max_new_tokens: int, on_progress: Callable[[int], None]
) -> list[Answer]:
    """Continue raw prompts greedily, sorted by length and padded on the left; answers come in the given order."""
    if not prompts:
        return []
    new_tokens = min(max_new_tokens, max(1, speaker.context // 2))
    room = speaker.context - new_tokens
    ids = [row[-room:] for row in speaker.tokenizer(list(prompts), add_special_tokens=False)["input_ids"]]
    answers: list[Answer | None] = [None] * len(ids)
    lengths = [len(row) + new_tokens for row in ids]

    def work(batch: list[int]) -> None:
        written = _generate(speaker, [ids[index] for index in batch], new_tokens)
        for index, (tokens, is_cut) in zip(batch, written, strict=True):
            text = speaker.tokenizer.decode(list(tokens), skip_special_tokens=True)
            answers[index] = Answer(text=text.strip(), token_ids=tokens, is_cut=is_cut)
        on_progress(len(batch))

    speaker.room.take(lengths, token_budget=TOKENS_PER_BATCH, most=MOST_ROWS_PER_BATCH, work=work)
    return [answer for answer in answers if answer is not None]


def _generate(speaker: Speaker, rows: Sequence[Sequence[int]], new_tokens: int) -> list[tuple[tuple[int, ...], bool]]:
    """New token ids per row up to the first stop token, and whether there was none."""
    pad = int(speaker.tokenizer.pad_token_id)
    width = max(len(row) for row in rows)
    device = speaker.model.device
    ids = torch.tensor([[pad] * (width - len(row)) + list(row) for row in rows], device=device)
    mask = torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in rows], device=device)
    config = GenerationConfig(
        do_sample=False, max_new_tokens=new_tokens, eos_token_id=sorted(speaker.stop_tokens), pad_token_id=pad
    )
    with torch.inference_mode():
        output = speaker.model.generate(input_ids=ids, attention_mask=mask, generation_config=config)
    return [_until_stop(row, speaker.stop_tokens) for row in output[:, width:].tolist()]


def _until_stop(tokens: Sequence[int], stop_tokens: frozenset[int]) -> tuple[tuple[int, ...], bool]:
    for index, token in enumerate(tokens):
        if token in stop_tokens:
            return tuple(tokens[:index]), False
    return tuple(tokens), True
