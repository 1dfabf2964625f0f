"""What one request asks of sampling. Values only: parsing is in `protocol`, arithmetic in `sampling`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class SamplingParams:
    """Sampling of one sequence.

    `logprobs` is None when none were asked for, else the number of alternatives beside the chosen token (0 to 20).
    Penalties follow OpenAI's formula: a token sampled c times before loses c * frequency + (c > 0) * presence; tokens
    of the prompt do not count (vLLM does the same). Stop strings hold up to the text `stop_until`, if one is given,
    and not in an answer that begins with `stop_unless`.
    """

    max_tokens: int
    temperature: float = 1.0
    top_p: float = 1.0
    frequency_penalty: float = 0.0
    presence_penalty: float = 0.0
    logit_bias: Mapping[int, float] = field(default_factory=dict)
    seed: int | None = None
    stop: tuple[str, ...] = ()
    stop_until: str = ""
    stop_unless: str = ""
    logprobs: int | None = None

    @property
    def greedy(self) -> bool:
        """Whether the likeliest token is always taken."""
        return self.temperature == 0.0

    @property
    def penalized(self) -> bool:
        """Whether earlier tokens change the odds of later ones."""
        return self.frequency_penalty != 0.0 or self.presence_penalty != 0.0


@dataclass(frozen=True, slots=True)
class TokenLogprob:
    """Log probability (natural) of a chosen token and of the likeliest alternatives, before temperature and bias."""

    token: int
    logprob: float
    top: tuple[tuple[int, float], ...]
