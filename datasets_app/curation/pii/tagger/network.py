"""The network as it is trained: characters and word of each token, then two bidirectional LSTM layers, then tags.

Tokens are given once by kind (`words`, `shapes`, `letters` over distinct tokens) and placed by `places`, so that the
convolution over characters is done once for each distinct token of a batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn

from datasets_app.curation.pii.tagger.labels import TAGS
from datasets_app.curation.pii.tagger.tokens import CHARACTERS, SHAPES, UNKNOWN


@dataclass(frozen=True, slots=True)
class Size:
    """The widths of the layers."""

    vocabulary: int
    word: int = 40
    letter: int = 24
    filters: int = 72
    shape: int = 16
    token: int = 128
    hidden: int = 96

    def as_dict(self) -> dict[str, int]:
        return asdict(self)


class Network(nn.Module):
    """Logits of tags for each token.

    Args:
        kinds: for each number of a word the number of its kind; needed to train.

    Args of a call:
        words, shapes: (K,) numbers of the distinct tokens of the batch.
        letters: (K, LETTERS).
        places: (B, T), which distinct token stands where.
        lengths: (B,), how many tokens each row has; what lies behind them is not looked at.
    """

    def __init__(self, size: Size, kinds: Sequence[int] = (), dropout: float = 0.2) -> None:
        super().__init__()
        self.kinds = torch.tensor(kinds)
        self.word = nn.Embedding(size.vocabulary, size.word)
        self.letter = nn.Embedding(CHARACTERS, size.letter, padding_idx=0)
        self.shape = nn.Embedding(SHAPES, size.shape)
        self.near = nn.Conv1d(size.letter, size.filters, 3, padding=1)
        self.far = nn.Conv1d(size.filters, size.filters, 3, padding=1)
        self.token = nn.Linear(size.word + size.filters + size.shape, size.token)
        self.lstm = nn.LSTM(
            size.token, size.hidden, num_layers=2, bidirectional=True, batch_first=True, dropout=dropout
        )
        self.tag = nn.Linear(2 * size.hidden, TAGS)
        self.dropout = nn.Dropout(dropout)

    def forward(
        self, words: Tensor, shapes: Tensor, letters: Tensor, places: Tensor, lengths: Tensor, forget: float = 0.0
    ) -> Tensor:
        """(B, T, TAGS); `forget` is the share of distinct words of which only the kind is known, and, of as many more,
        nothing, so that kinds and spelling are learnt too."""
        if forget:
            chance = torch.rand(words.shape)
            words = torch.where(chance < forget, self.kinds[words], words)
            words = words.masked_fill(chance > 1 - forget, UNKNOWN)
        spelt = self.letter(letters).transpose(1, 2)
        spelt = torch.relu(self.near(spelt))
        spelt = torch.relu(self.far(spelt) + spelt).amax(2)
        known = torch.cat([self.word(words), spelt, self.shape(shapes)], 1)
        tokens = nn.functional.embedding(places, torch.relu(self.token(self.dropout(known))))
        packed = nn.utils.rnn.pack_padded_sequence(
            self.dropout(tokens), lengths, batch_first=True, enforce_sorted=False
        )
        hidden, _ = nn.utils.rnn.pad_packed_sequence(
            self.lstm(packed)[0], batch_first=True, total_length=places.shape[1]
        )
        return self.tag(self.dropout(hidden))  # type: ignore[no-any-return]
