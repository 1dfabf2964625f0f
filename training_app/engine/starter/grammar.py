"""Sentences from templates: `[a|b]` picks one, `{name}` fills a gap from a word bank.

Some templates are kept back from training, so that perplexity can be measured on wordings never seen.
Knows nothing of what the sentences are about.
"""

from __future__ import annotations

import random
import re
import tomllib
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

BANK = Path(__file__).parent / "bank"
_CHOICE = re.compile(r"\[([^\[\]]*)\]")
_GAP = re.compile(r"\{(\w+)\}")
_SPACES = re.compile(r" {2,}")
#: One template in this many is kept back from training.
KEPT_BACK = 12
#: Lists shorter than this are never thinned: a gap must stay fillable.
SHORT_LIST = 4


def load_bank(name: str) -> dict[str, Any]:
    """The word bank `bank/<name>.toml` as plain dictionaries and lists."""
    return tomllib.loads((BANK / f"{name}.toml").read_text(encoding="utf-8"))


def is_kept_back(template: str) -> bool:
    """Whether a template is reserved for held-out text (a stable property of its wording)."""
    return zlib.crc32(template.encode()) % KEPT_BACK == 0


class Grammar:
    """Draws sentences from one seeded source of chance and one set of word banks."""

    def __init__(self, rng: random.Random, banks: Mapping[str, Sequence[str]], *, held_out: bool = False) -> None:
        self.rng = rng
        self.banks = banks
        self.held_out = held_out

    def chance(self, share: float) -> bool:
        """True in `share` of the calls."""
        return self.rng.random() < share

    def choose(self, templates: Sequence[str]) -> str:
        """One template; in training never a kept-back one, in held-out text kept-back ones by preference."""
        if len(templates) < SHORT_LIST:
            return self.rng.choice(templates)
        kept_back = [template for template in templates if is_kept_back(template)]
        if self.held_out and kept_back and self.chance(0.5):
            return self.rng.choice(kept_back)
        if not self.held_out and 0 < len(kept_back) < len(templates):
            return self.rng.choice([template for template in templates if not is_kept_back(template)])
        return self.rng.choice(templates)

    def expand(self, template: str, fixed: Mapping[str, str] | None = None) -> str:
        """The template with every choice made and every gap filled; `fixed` wins over the banks."""
        known = fixed or {}
        text = template
        while "[" in text or "{" in text:
            before = text
            text = _CHOICE.sub(lambda match: self.rng.choice(match.group(1).split("|")), text)
            text = _GAP.sub(lambda match: self._fill(match.group(1), known), text)
            if text == before:
                raise ValueError(f"The template {template!r} has a bracket without a partner.")
        return _SPACES.sub(" ", text).strip()

    def _fill(self, name: str, known: Mapping[str, str]) -> str:
        return known[name] if name in known else self.choose(self.banks[name])


def sentence(text: str, *, end: str = ".") -> str:
    """`text` with a capital at its start and a full stop (or `end`) where it has none."""
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "!", "?")) else text + end
