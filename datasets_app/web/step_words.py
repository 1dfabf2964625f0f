"""Steps and their options in the words of people. A step or an option that has none yet is named after itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from datasets_app.curation.kinds import BY_NAME
from gptstudio.web.wording import PERSONAL, personal_title


@dataclass(frozen=True, slots=True)
class OptionWords:
    """Title and help of an option. `rows` are the known names of a map; hidden options are set elsewhere."""

    title: str
    help: str = ""
    rows: tuple[tuple[str, str], ...] = ()
    is_hidden: bool = False


TYPES = tuple((kind, personal_title(kind)) for kind in PERSONAL)
ANY = {
    "turns": OptionWords("Where to look"),
    "action": OptionWords("What happens to such a row"),
    "place": OptionWords("Where to look"),
}
OPTIONS: dict[str, OptionWords] = {
    "normalize.parts": OptionWords("What to tidy"),
    "symbols.emoji": OptionWords("Emoji"),
    "symbols.urls": OptionWords("Links"),
    "symbols.handles": OptionWords("Names of accounts, such as @shop"),
    "case.policy": OptionWords("Capitals"),
    "spelling.dictionary": OptionWords(
        "Words that are right", "One a line, for this recipe. The words of the workspace are added by themselves."
    ),
    "grammar.rules": OptionWords("What to mend"),
    "grammar.languagetool": OptionWords(
        "Further, by a LanguageTool server", "Only where the studio's operator has set one up."
    ),
    "grammar.language": OptionWords("Language of that server", "Such as en-US or en-GB."),
    "personal_data.names": OptionWords(
        "Look for names and addresses",
        "By the studio's own tagger. It takes some other words for names, so look through the findings. Without it "
        "names and addresses mostly stay, and a reviewer has to allow the version.",
    ),
    "personal_data.policy": OptionWords("For each type", "What happens to a piece of this type.", TYPES),
    "personal_data.default": OptionWords("Everything else", "What happens to types that are set to “As the rest”."),
    "personal_data.allow": OptionWords(
        "Leave these as they are", "Your own company, product and street names, one a line. Never taken for personal."
    ),
    "personal_data.deny": OptionWords("Always hide these", "One a line, whatever they look like."),
    "personal_data.decisions": OptionWords("Decisions", is_hidden=True),
    "length.unit": OptionWords("Counted in"),
    "length.question_least": OptionWords("Shortest question"),
    "length.question_most": OptionWords("Longest question"),
    "length.answer_least": OptionWords("Shortest answer"),
    "length.answer_most": OptionWords("Longest answer"),
    "language.languages": OptionWords("Languages to keep", "Two letters each, one a line: en, de, fr."),
    "language.keep_unknown": OptionWords("Keep rows too short to tell"),
    "language.accuracy": OptionWords("How closely to look", "“Quick” is several times faster and errs on short texts."),
    "repetition.least_words": OptionWords("Only rows of at least so many words"),
    "repetition.lines": OptionWords("Most repeated lines", "A share: 0.3 is 30 %."),
    "repetition.words": OptionWords("Most repeated words", "A share of the words."),
    "repetition.phrase_of_2": OptionWords("Most of one pair of words", "Its share of the text."),
    "repetition.phrase_of_3": OptionWords("Most of one run of three", "Its share of the text."),
    "repetition.phrase_of_4": OptionWords("Most of one run of four", "Its share of the text."),
    "boilerplate.share": OptionWords(
        "In how many answers", "A share: what stands in more than 0.05 = 5 % is boilerplate."
    ),
    "toxicity.categories": OptionWords("Which words"),
    "toxicity.least": OptionWords("From how many such words"),
    "toxicity.allow": OptionWords("Words that are fine here", "One a line."),
    "patterns.patterns": OptionWords("Patterns", "One regular expression a line, such as ^TEST or INT-[0-9]+."),
    "patterns.only": OptionWords("Keep only rows that match"),
    "patterns.ignore_case": OptionWords("Capitals make no difference"),
    "conditions.keep": OptionWords(
        "Keep rows where", 'Such as {"column": "rating", "op": ">=", "value": 4}; join several with "all" or "any".'
    ),
    "near_duplicates.threshold": OptionWords(
        "How alike is a near-copy", "From 0.3 to 1. At 0.7, about seven of ten short word runs are the same."
    ),
    "near_duplicates.keep": OptionWords("Of such a group", "The others stand in the list of what was left out."),
    "split.given": OptionWords("Where a column or a file says the part"),
    "split.openings": OptionWords(
        "Rows that open alike stay together",
        "Rows of one template too, which differ in names and numbers alone: so the exam asks nothing that training has seen.",
    ),
    "balance.method": OptionWords("How", "In training alone; validation and test stay as they are."),
    "balance.cap": OptionWords("Most rows of a class", "For “Leave out what is above the most”."),
    "balance.ratio": OptionWords(
        "Largest class to smallest",
        "What it may be afterwards: 1 makes them all alike, 3 leaves the largest three times.",
    ),
    "balance.seed": OptionWords("Shuffle number", "The same number leaves out, or repeats, the same rows again."),
    "split.train": OptionWords("To learn from", "A share of the rows: 0.8 is 80 %."),
    "split.validation": OptionWords("To steer by", "Looked at while the model learns, to stop in time."),
    "split.test": OptionWords("For the exam", "Never seen while learning. Scores come from here."),
    "split.seed": OptionWords("Shuffle number", "The same number gives the same split again."),
    "split.stratify": OptionWords(
        "Same mix of labels in each part", "So that a rare label is in the exam as often as it is in the rows."
    ),
    "split.validation_files": OptionWords("Files to steer by", is_hidden=True),
    "tokens.tokenizer": OptionWords("Tokenizer", is_hidden=True),
    "tokens.limit": OptionWords("Longest row", "In tokens; a token is about four letters of English."),
    "tokens.policy": OptionWords("Longer rows"),
}
CHOICES: dict[str, str] = {
    "all": "In every turn",
    "user": "In the person's turns alone",
    "assistant": "In the answers alone",
    "any": "In the question and the answer",
    "question": "In the question",
    "answer": "In the answer",
    "flag": "Keep it, and count it in the report",
    "strip": "Cut the sentence, keep the row",
    "mask": "Hide behind its kind, as in [EMAIL]",
    "pseudonym": "Replace with an invented one",
    "hash": "Replace with a code",
    "drop_row": "Leave the row out",
    "keep": "Keep it",
    "none": "Leave it as it is",
    "drop": "Leave the row out",
    "remove": "Take it out",
    "placeholder": "Replace with a placeholder",
    "name": "Write its name",
    "leave": "Leave them",
    "repair": "Mend what shouts",
    "sentence": "As in a sentence, everywhere",
    "truncate": "Cut the oldest turns, then the end of the question, never the answer",
    "split": "Make several rows of it, each with a whole answer",
    "refuse": "Stop, and say which row",
    "encoding": "Broken letters (Ã© to é)",
    "html": "HTML to text",
    "unicode": "One form for each letter",
    "quotes": "Quotation marks",
    "invisible": "Invisible signs",
    "whitespace": "Spaces and blank lines",
    "high": "Closely",
    "low": "Quick",
    "near_duplicates.keep.all": "Keep all of them, in one part",
    "near_duplicates.keep.best": "Keep the one with the longest answer",
    "near_duplicates.keep.first": "Keep the first",
    "split.given.keep": "Keep to it",
    "split.given.ignore": "Split anew",
    "balance.method.cap": "Leave out what is above the most",
    "down_sample": "Leave out rows of large classes",
    "up_sample": "Repeat rows of small classes",
    "class_weights": "Weigh small classes more while learning",
    "accept": "Personal",
    "reject": "Not personal",
}


def option_words(kind: str, option: str) -> OptionWords:
    """An option in words; its own name where there are none."""
    return OPTIONS.get(f"{kind}.{option}") or ANY.get(option) or OptionWords(option.replace("_", " ").capitalize())


def options_in_words(kind: str, options: Mapping[str, Any]) -> list[tuple[str, str]]:
    """A step's settings as (title, value) for people; what is empty or set elsewhere is left out."""
    found = []
    for name, value in options.items():
        words = option_words(kind, name)
        if value not in ({}, [], None, "") and not words.is_hidden:
            found.append((words.title, _value_in_words(kind, name, value)))
    return found


def _value_in_words(kind: str, name: str, value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{personal_title(key)}: {choice_word(kind, name, str(each))}" for key, each in value.items())
    chosen = value if isinstance(value, list) else [value]
    options = BY_NAME[kind].options if kind in BY_NAME else ()
    known = {choice for option in options if option.name == name for choice in option.choices}
    return ", ".join(choice_word(kind, name, each) if each in known else str(each) for each in chosen)


def choice_word(kind: str, option: str, choice: str) -> str:
    """A choice in words: of this option, or of any."""
    return CHOICES.get(f"{kind}.{option}.{choice}") or CHOICES.get(choice) or choice.replace("_", " ").capitalize()
