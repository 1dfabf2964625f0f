"""Documents to fixed blocks of token ids with a weight per token. Knows the tokenizer, not the model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

import torch
from transformers import PreTrainedTokenizerFast

from training_app.engine.starter.corpus import Document
from training_app.engine.starter.vocabulary import BEGIN, END, ROLES

#: The assistant's tokens count this much against 1 for all others: answers are few and matter most.
ANSWER_WEIGHT = 2.0
_BATCH = 512


def encode(
    tokenizer: PreTrainedTokenizerFast, documents: Iterable[Document]
) -> Iterator[tuple[list[int], list[float]]]:
    """Token ids and weights of each document, in order, exactly as the chat template would give them."""
    stream = iter(documents)
    while batch := list(islice(stream, _BATCH)):
        pieces = [list(_pieces(document)) for document in batch]
        ids = tokenizer([text for parts in pieces for text, _ in parts], add_special_tokens=False)["input_ids"]
        encoded = iter(ids)
        for parts in pieces:
            tokens: list[int] = []
            weights: list[float] = []
            for _, weight in parts:
                piece = next(encoded)
                tokens += piece
                weights += [weight] * len(piece)
            yield tokens, weights


def _pieces(document: Document) -> Iterator[tuple[str, float]]:
    system, user, assistant = ROLES
    if isinstance(document, str):
        yield f"{BEGIN}{document}{END}", 1.0
        return
    yield BEGIN, 1.0
    for message in document:
        if message["role"] == "assistant":
            yield assistant, 1.0
            yield message["content"] + END, ANSWER_WEIGHT
        else:
            yield f"{user if message['role'] == 'user' else system} {message['content']}{END}", 1.0


def blocks(
    encoded: Iterable[tuple[list[int], list[float]]], *, length: int, rows: int
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Batches of shape (rows, length): documents laid end to end and cut; ids int64, weights float32."""
    ids: list[int] = []
    weights: list[float] = []
    need = length * rows
    for tokens, marks in encoded:
        ids += tokens
        weights += marks
        while len(ids) >= need:
            yield torch.tensor(ids[:need]).view(rows, length), torch.tensor(weights[:need]).view(rows, length)
            del ids[:need], weights[:need]
