"""The cleaning steps of the table of steps: names and options. Loads no step."""

from __future__ import annotations

from datasets_app.curation.cleaning.casing import POLICIES
from datasets_app.curation.cleaning.grammar import RULES
from datasets_app.curation.cleaning.languagetool import CATEGORIES
from datasets_app.curation.cleaning.symbols import CHOICES, EMOJI_CHOICES
from datasets_app.curation.kind import STEPS, Kind
from datasets_app.curation.normalize import PARTS
from datasets_app.curation.options import Option

_STEPS = f"{STEPS}.cleaning"
TURNS = Option("turns", "choice", "all", choices=("all", "user", "assistant"))

CLEANING = (
    Kind(
        "normalize",
        (Option("parts", "choices", list(PARTS), choices=PARTS),),
        moves=True,
        step=f"{STEPS}.normalize:Normalize",
    ),
    Kind(
        "symbols",
        (
            TURNS,
            Option("emoji", "choice", "keep", choices=EMOJI_CHOICES),
            Option("urls", "choice", "keep", choices=CHOICES),
            Option("handles", "choice", "keep", choices=CHOICES),
        ),
        moves=True,
        step=f"{_STEPS}:Symbols",
    ),
    Kind("case", (TURNS, Option("policy", "choice", "repair", choices=POLICIES)), moves=True, step=f"{_STEPS}:Case"),
    Kind(
        "spelling",
        (TURNS, Option("dictionary", "texts", [])),
        moves=True,
        step=f"{_STEPS}:Spelling",
        survey=f"{_STEPS}:Words",
    ),
    Kind(
        "grammar",
        (
            TURNS,
            Option("rules", "choices", list(RULES), choices=tuple(RULES)),
            Option("languagetool", "choices", [], choices=CATEGORIES),
            Option("language", "text", "en-US"),
        ),
        moves=True,
        step=f"{_STEPS}:Grammar",
    ),
)
