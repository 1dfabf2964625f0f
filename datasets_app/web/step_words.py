"""Steps and their options in the words of people. A step or an option that has none yet is named after itself."""

from __future__ import annotations

from dataclasses import dataclass

from gptstudio.web.wording import PERSONAL, personal_title


@dataclass(frozen=True, slots=True)
class OptionWords:
    """Title and help of an option. `rows` are the known names of a map; hidden options are set elsewhere."""

    title: str
    help: str = ""
    rows: tuple[tuple[str, str], ...] = ()
    is_hidden: bool = False


TYPES = tuple((kind, personal_title(kind)) for kind in PERSONAL)
TURNS = OptionWords("In which turns")
OPTIONS: dict[tuple[str, str], OptionWords] = {
    ("personal_data", "turns"): OptionWords("Where to look"),
    ("personal_data", "policy"): OptionWords("For each type", "What happens to a piece of this type.", TYPES),
    ("personal_data", "default"): OptionWords("Everything else", "What happens to types that are not named below."),
    ("personal_data", "allow"): OptionWords(
        "Leave these as they are", "Your own company, product and street names, one a line. Never taken for personal."
    ),
    ("personal_data", "deny"): OptionWords("Always hide these", "One a line, whatever they look like."),
    ("personal_data", "decisions"): OptionWords("Decisions", is_hidden=True),
    ("near_duplicates", "threshold"): OptionWords(
        "How alike is a near-copy", "From 0.3 to 1. At 0.7, about seven of ten short word runs are the same."
    ),
    ("split", "train"): OptionWords("To learn from", "A share of the rows: 0.8 is 80 %."),
    ("split", "validation"): OptionWords("To steer by", "Looked at while the model learns, to stop in time."),
    ("split", "test"): OptionWords("For the exam", "Never seen while learning. Scores come from here."),
    ("split", "seed"): OptionWords("Shuffle number", "The same number gives the same split again."),
    ("split", "stratify"): OptionWords(
        "Same mix of labels in each part", "So that a rare label is in the exam as often as it is in the rows."
    ),
    ("split", "validation_files"): OptionWords("Files to steer by", is_hidden=True),
    ("tokens", "tokenizer"): OptionWords("Tokenizer", is_hidden=True),
    ("tokens", "limit"): OptionWords("Longest row", "In tokens; a token is about four letters of English."),
    ("tokens", "policy"): OptionWords("Longer rows"),
}
CHOICES: dict[str, str] = {
    "all": "In every turn",
    "user": "In the person's turns alone",
    "mask": "Hide as [EMAIL]",
    "pseudonym": "Replace with an invented one",
    "hash": "Replace with a code",
    "drop_row": "Leave the row out",
    "keep": "Keep it",
    "drop": "Leave the row out",
    "truncate": "Cut the oldest turns, never the answer",
    "refuse": "Stop, and say which row",
}


def option_words(kind: str, option: str) -> OptionWords:
    """An option in words; its own name where there are none."""
    return OPTIONS.get((kind, option)) or OptionWords(option.replace("_", " ").capitalize())


def choice_word(kind: str, option: str, choice: str) -> str:
    """A choice in words: of this option, or of any."""
    return CHOICES.get(f"{kind}.{option}.{choice}") or CHOICES.get(choice) or choice.replace("_", " ").capitalize()
