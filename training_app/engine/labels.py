"""Which label a model holds likeliest, where the answers of a data set are labels. Generates nothing.

The likelihood of a label is that of the whole answer: the sum of the log-probabilities of its tokens and of the token
that ends it. It is not divided by the length: labels are rival answers, and their probabilities can be compared as they
are. A base model that was never shown the labels leans to short ones that way; that is a part of what it does not know.
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from transformers import Cache

from training_app.engine.data import Row, label_answers
from training_app.engine.model import Speaker
from training_app.engine.templates import Message, render_chat

SIGNATURE = "likeliest label|sum of log-probabilities of its tokens and its end|not length-normalised|first of equals"
# One (row, label) pair costs a few tokens of arithmetic; these bounds keep the whole near the cost of the answers.
MOST_LABELS = 200
MOST_PAIRS = 20_000
ROWS_A_REPORT = 20
# Keys, values and logits of the labels that are read at once.
MOST_BYTES = 256 * 1024 * 1024
LOGIT_BYTES = 12  # of one vocabulary entry: as the model gives it, as float32, and its logarithm


@dataclass(frozen=True, slots=True)
class Labelled:
    """Rows whose answer is their label, the labels to choose from as answers, and what was left out in a sentence.

    `places` are positions in the rows that were looked at, `truths` the right answer of each; `fitting` rows have a label
    for an answer, and where those are too many `places` are some of them.
    """

    labels: tuple[str, ...]
    places: tuple[int, ...]
    truths: tuple[str, ...]
    fitting: int
    note: str = ""


def labelled_rows(rows: Sequence[Row], known: Sequence[str]) -> Labelled | None:
    """The rows to classify, among the labels that they or `known` name; None where answers are no labels.

    `known` are further labels of the data set, so that a class without a test row is a possible mistake.
    """
    fitting = [index for index, row in enumerate(rows) if row.label and _folded(row.label) == _folded(_answer(row))]
    spellings: dict[str, Counter[str]] = {}
    for index in fitting:
        spellings.setdefault(_folded(_answer(rows[index])), Counter())[_answer(rows[index])] += 1
    texts = {_folded(label): label for label in known if label.strip()}
    texts |= {folded: found.most_common(1)[0][0] for folded, found in spellings.items()}
    labels = tuple(sorted(texts.values()))
    if len(spellings) < 2:
        return None
    if len(labels) > MOST_LABELS:
        note = f"There are {len(labels):,} labels. With more than {MOST_LABELS} the likeliest one is not looked for."
        return Labelled(labels=labels, places=(), truths=(), fitting=len(fitting), note=note)
    most, all_fitting = max(1, MOST_PAIRS // len(labels)), len(fitting)
    note = ""
    if len(fitting) > most:
        step = len(fitting) / most
        note = f"With {len(labels)} labels to choose from, {most:,} of {len(fitting):,} test rows were classified."
        fitting = [fitting[int(index * step)] for index in range(most)]
    return Labelled(
        labels=labels,
        places=tuple(fitting),
        truths=tuple(texts[_folded(_answer(rows[index]))] for index in fitting),
        fitting=all_fitting,
        note=note,
    )


def choose_labels(
    speaker: Speaker, asked: Sequence[Sequence[Message]], labels: Sequence[str], *, on_progress: Callable[[int], None]
) -> list[str]:
    """The likeliest of `labels` as the answer to each of the conversations in `asked`."""
    chosen: list[str] = []
    for begin in range(0, len(asked), ROWS_A_REPORT):
        for before in asked[begin : begin + ROWS_A_REPORT]:
            scores = label_scores(speaker, before, labels)
            chosen.append(labels[max(range(len(labels)), key=scores.__getitem__)])
        on_progress(len(chosen) - begin)
    return chosen


def label_scores(speaker: Speaker, before: Sequence[Message], labels: Sequence[str]) -> list[float]:
    """The log-probability (nats) of each label as the whole answer after `before`.

    What all of them begin with is read once and its keys and values are shared. Where the longest label does not fit the
    model's context, all lose the same beginning: what they are compared after stays the same.
    """
    chats = [render_chat(speaker.tokenizer, [*before, {"role": "assistant", "content": label}]) for label in labels]
    read = speaker.tokenizer([chat.text for chat in chats], add_special_tokens=False, return_offsets_mapping=True)
    marked = [
        [mark >= 0 for mark in label_answers(ids, offsets, chat.answers[-1:], speaker.stop_tokens, where="a label")]
        for ids, offsets, chat in zip(read["input_ids"], read["offset_mapping"], chats, strict=True)
    ]
    too_long = max(len(ids) for ids in read["input_ids"]) - speaker.context
    cut = max(0, min(too_long, min(marks.index(True) for marks in marked) - 1))  # one token before the label stays
    part = slice(cut, cut + speaker.context)
    rows, learned = [ids[part] for ids in read["input_ids"]], [marks[part] for marks in marked]
    shared = _shared_start(rows, learned)
    pieces = [(row[shared:], marks[shared:]) for row, marks in zip(rows, learned, strict=True)]
    return _scores_after(speaker, rows[0][:shared], pieces)


def _shared_start(rows: Sequence[list[int]], learned: Sequence[list[bool]]) -> int:
    """How many tokens all rows begin with, none of them learned; one token at least is left to each."""
    least = min(min(marks.index(True) for marks in learned), min(len(row) for row in rows) - 1)
    return next((index for index in range(least) if len({row[index] for row in rows}) > 1), least)


def _scores_after(
    speaker: Speaker, start: Sequence[int], pieces: Sequence[tuple[list[int], list[bool]]]
) -> list[float]:
    """In as many passes as memory asks for; equal labels score the same whatever they are read with."""
    found = [0.0] * len(pieces)
    with torch.inference_mode():
        # The last shared token is read again with each label: what it predicts is their first token.
        cache = _read(speaker, start[:-1]) if len(start) > 1 else None
        again = list(start[-1:] if cache is not None else start)
        width = len(again) + max(len(row) for row, _marks in pieces)
        a_label = _bytes_of(cache) + LOGIT_BYTES * width * int(speaker.model.config.vocab_size)
        at_once = max(1, MOST_BYTES // a_label)

        def work(batch: list[int]) -> None:
            shared = copy.deepcopy(cache)
            if shared is not None:
                shared.batch_repeat_interleave(len(batch))
            scores = _scores_of(speaker, len(start), again, [pieces[place] for place in batch], shared)
            for place, score in zip(batch, scores, strict=True):
                found[place] = score

        speaker.room.take([1] * len(pieces), token_budget=len(pieces), most=at_once, work=work)
    return found


def _scores_of(
    speaker: Speaker,
    started: int,
    again: list[int],
    pieces: Sequence[tuple[list[int], list[bool]]],
    cache: Cache | None,
) -> list[float]:
    device, pad = speaker.model.device, int(speaker.tokenizer.pad_token_id)
    width = max(len(row) for row, _marks in pieces)
    counts = torch.tensor([marks + [False] * (width - len(marks)) for _row, marks in pieces], device=device)
    ids = torch.tensor([again + row + [pad] * (width - len(row)) for row, _marks in pieces], device=device)
    present = torch.tensor(
        [[1] * (started + len(row)) + [0] * (width - len(row)) for row, _marks in pieces], device=device
    )
    logits = speaker.model(input_ids=ids, attention_mask=present, past_key_values=cache).logits
    each = logits[:, :-1].float().log_softmax(-1).gather(-1, ids[:, 1:].unsqueeze(-1)).squeeze(-1)
    ends = min(width, each.shape[1])
    found: list[float] = (each[:, -ends:].double() * counts[:, -ends:]).sum(dim=1).tolist()
    return found


def _read(speaker: Speaker, start: Sequence[int]) -> Cache | None:
    """Keys and values of `start`; None where the model keeps something else."""
    output = speaker.model(input_ids=torch.tensor([list(start)], device=speaker.model.device), use_cache=True)
    cache = getattr(output, "past_key_values", None)
    return cache if isinstance(cache, Cache) else None


def _bytes_of(cache: Cache | None) -> int:
    layers = cache.layers if cache is not None else []
    kept = [getattr(layer, name, None) for layer in layers for name in ("keys", "values")]
    return sum(each.nbytes for each in kept if isinstance(each, torch.Tensor))


def _answer(row: Row) -> str:
    return row.messages[-1]["content"] if row.messages and row.messages[-1]["role"] == "assistant" else ""


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())
