"""The filters of the table of steps: names, options and what options mean together. Loads no step."""

from __future__ import annotations

from collections.abc import Mapping

from datasets_app.curation.filters import PLACES, conditions, patterns
from datasets_app.curation.filters.language import ACCURACIES, CODES
from datasets_app.curation.filters.length import UNITS
from datasets_app.curation.filters.lexicon import CATEGORIES
from datasets_app.curation.filters.repetition import REPEATED_LINES, REPEATED_WORDS, TOP
from datasets_app.curation.kind import STEPS, Kind
from datasets_app.curation.options import Option

_STEPS = f"{STEPS}.filters"
ACTION = Option("action", "choice", "drop", choices=("drop", "flag"))
PLACE = Option("place", "choice", "any", choices=PLACES)
Options = Mapping[str, object]


def _length(options: Options) -> str | None:
    for name in ("question", "answer"):
        least, most = options[f"{name}_least"], options[f"{name}_most"]
        if isinstance(least, int) and isinstance(most, int) and least > most:
            return f"The least length of the {name} is more than the most."
    return None


def _languages(options: Options) -> str | None:
    chosen = options["languages"]
    if not isinstance(chosen, list) or not chosen:
        return "The step language keeps at least one language."
    unknown = [code for code in chosen if code.lower() not in CODES]
    return f"“{unknown[0]}” is no known language. Use two letters, such as {', '.join(CODES[:5])}." if unknown else None


def _patterns(options: Options) -> str | None:
    given = options["patterns"]
    return patterns.fault(given) if isinstance(given, list) else None


def _condition(options: Options) -> str | None:
    return conditions.fault(options["keep"]) if options["keep"] is not None else None


def _bound(name: str) -> Option:
    return Option(name, "int", None, least=0)


FILTERS = (
    Kind(
        "length",
        (
            ACTION,
            Option("unit", "choice", "words", choices=UNITS),
            *(_bound(f"{name}_{end}") for name in ("question", "answer") for end in ("least", "most")),
        ),
        step=f"{_STEPS}:LengthFilter",
        check=_length,
    ),
    Kind(
        "language",
        (
            ACTION,
            PLACE,
            Option("languages", "texts", ["en"]),
            Option("keep_unknown", "bool", True),
            Option("accuracy", "choice", "high", choices=ACCURACIES),
        ),
        step=f"{_STEPS}:LanguageFilter",
        check=_languages,
    ),
    Kind(
        "repetition",
        (
            ACTION,
            Option("least_words", "int", 20, least=1),
            Option("lines", "float", REPEATED_LINES, least=0, most=1),
            Option("words", "float", REPEATED_WORDS, least=0, most=1),
            *(Option(f"phrase_of_{size}", "float", share, least=0, most=1) for size, share in TOP.items()),
        ),
        step=f"{_STEPS}:RepetitionFilter",
    ),
    Kind(
        "boilerplate",
        (
            Option("action", "choice", "strip", choices=("strip", "drop", "flag")),
            Option("share", "float", 0.05, least=0.001, most=1),
        ),
        step=f"{_STEPS}:BoilerplateFilter",
        survey=f"{_STEPS}:Sentences",
    ),
    Kind(
        "toxicity",
        (
            ACTION,
            PLACE,
            Option("categories", "choices", list(CATEGORIES), choices=CATEGORIES),
            Option("least", "int", 1, least=1),
            Option("allow", "texts", []),
        ),
        step=f"{_STEPS}:ToxicityFilter",
    ),
    Kind(
        "patterns",
        (
            ACTION,
            PLACE,
            Option("patterns", "texts", []),
            Option("only", "bool", False),
            Option("ignore_case", "bool", True),
        ),
        step=f"{_STEPS}:PatternFilter",
        check=_patterns,
    ),
    Kind("conditions", (ACTION, Option("keep", "tree", None)), step=f"{_STEPS}:ConditionFilter", check=_condition),
)
