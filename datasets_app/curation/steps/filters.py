"""The filters as steps: each leaves rows out, or only counts them (`flag`). Why is said with the value that decided."""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from datasets_app.curation.filters import answer, question
from datasets_app.curation.filters.boilerplate import Boilerplate, Sightings
from datasets_app.curation.filters.conditions import Condition
from datasets_app.curation.filters.language import Languages, language_of
from datasets_app.curation.filters.length import Length
from datasets_app.curation.filters.lexicon import Toxicity
from datasets_app.curation.filters.patterns import Patterns
from datasets_app.curation.filters.repetition import TOP, Repetition
from datasets_app.curation.pii.finder import find
from datasets_app.curation.pii.masking import veil
from datasets_app.curation.rows import Conversation, Rejection, preferred
from datasets_app.curation.steps import Candidate, Known, Outcome, RowStep
from datasets_app.curation.surveys import Survey
from datasets_app.curation.tally import FLAGGED, LANGUAGE


class Filter(RowStep):
    """Judges each row. Action `drop`: it goes. `flag`: it stays and is counted as `flagged_<reason>`."""

    @abstractmethod
    def judge(self, row: Candidate, counts: Counter[str]) -> Rejection | None:
        """Why a row should go, or None."""

    def judge_all(self, rows: Sequence[Candidate], counts: Counter[str]) -> list[Rejection | None]:
        """The same for a batch."""
        return [self.judge(row, counts) for row in rows]

    def run(self, rows: Sequence[Candidate], counts: Counter[str]) -> list[Outcome]:
        return [self._outcome(row, why, counts) for row, why in zip(rows, self.judge_all(rows, counts), strict=True)]

    def _outcome(self, row: Candidate, why: Rejection | None, counts: Counter[str]) -> Outcome:
        if why is None:
            return row.conversation
        if self.options["action"] == "flag":
            counts[FLAGGED + why.reason] += 1
            return row.conversation
        return Rejection(why.reason, veil(why.detail, find(why.detail)))


class LengthFilter(Filter):
    """Too short or too long."""

    def __init__(self, options: Mapping[str, Any], known: Known) -> None:
        super().__init__(options, known)
        bounds = {name: (options[f"{name}_least"], options[f"{name}_most"]) for name in ("question", "answer")}
        self.length = Length(options["unit"], **bounds)

    def judge(self, row: Candidate, counts: Counter[str]) -> Rejection | None:
        return self.length.judge(row.conversation)


class LanguageFilter(Filter):
    """In none of the chosen languages. Counts `language_<code>` over all rows that it sees, by the question's language."""

    def __init__(self, options: Mapping[str, Any], known: Known) -> None:
        super().__init__(options, known)
        self.languages = Languages(
            options["languages"],
            place=options["place"],
            keep_unknown=options["keep_unknown"],
            accuracy=options["accuracy"],
        )

    def judge(self, row: Candidate, counts: Counter[str]) -> Rejection | None:
        found = self.languages.of(row.conversation)
        counts[LANGUAGE + found[0]] += 1
        return self.languages.judge(found)


class RepetitionFilter(Filter):
    """Repeats itself."""

    def __init__(self, options: Mapping[str, Any], known: Known) -> None:
        super().__init__(options, known)
        top = {size: options[f"phrase_of_{size}"] for size in TOP}
        self.repetition = Repetition(top, options["words"], options["lines"], options["least_words"])

    def judge(self, row: Candidate, counts: Counter[str]) -> Rejection | None:
        return self.repetition.judge(row.conversation)


class BoilerplateFilter(Filter):
    """Sentences that many answers share are cut out; or rows that say nothing else go, or are counted."""

    def __init__(self, options: Mapping[str, Any], known: Known) -> None:
        super().__init__(options, known)
        self.boilerplate = Boilerplate(known.surveys.get("boilerplate", ()))

    def judge(self, row: Candidate, counts: Counter[str]) -> Rejection | None:
        return self.boilerplate.judge(row.conversation)

    def run(self, rows: Sequence[Candidate], counts: Counter[str]) -> list[Outcome]:
        if self.options["action"] == "strip":
            return [self.boilerplate.strip(row.conversation) for row in rows]
        return super().run(rows, counts)


class Sentences(Survey):
    """Which sentences of answers recur in a large enough share of the rows."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        super().__init__(options)
        self.seen = Sightings()

    def add(self, found: Conversation) -> None:
        self.seen.add(found)

    def result(self) -> list[str]:
        return self.seen.repeated(self.options["share"])


class ToxicityFilter(Filter):
    """Holds words of the list."""

    def __init__(self, options: Mapping[str, Any], known: Known) -> None:
        super().__init__(options, known)
        self.toxicity = Toxicity(
            options["categories"], place=options["place"], least=options["least"], allow=options["allow"]
        )

    def judge(self, row: Candidate, counts: Counter[str]) -> Rejection | None:
        return self.toxicity.judge(row.conversation)


class PatternFilter(Filter):
    """Matches a pattern, or none."""

    def __init__(self, options: Mapping[str, Any], known: Known) -> None:
        super().__init__(options, known)
        self.patterns = Patterns(
            options["patterns"], place=options["place"], only=options["only"], ignore_case=options["ignore_case"]
        )

    def judge(self, row: Candidate, counts: Counter[str]) -> Rejection | None:
        return self.patterns.judge(row.conversation)


class ConditionFilter(Filter):
    """Does not meet the condition that rows are kept by."""

    def __init__(self, options: Mapping[str, Any], known: Known) -> None:
        super().__init__(options, known)
        self.condition = Condition(options["keep"]) if options["keep"] is not None else None

    def judge(self, row: Candidate, counts: Counter[str]) -> Rejection | None:
        return self.judge_all([row], counts)[0]

    def judge_all(self, rows: Sequence[Candidate], counts: Counter[str]) -> list[Rejection | None]:
        if self.condition is None:
            return [None] * len(rows)
        failures = self.condition.failures(len(rows), lambda kind, name: [_value(row, kind, name) for row in rows])
        return [Rejection("condition", why) if why else None for why in failures]


def _value(row: Candidate, kind: str, name: str) -> object:
    if kind == "column":
        return row.record.values.get(name)
    found = row.conversation
    spoken = [each["content"] for each in preferred(found.messages) if each["role"] != "system"]
    derived: dict[str, Callable[[], object]] = {
        "words": lambda: sum(len(text.split()) for text in spoken),
        "characters": lambda: sum(map(len, spoken)),
        "turns": lambda: len(spoken),
        "label": lambda: found.label,
        "language": lambda: language_of("\n".join(spoken)),
        "question": lambda: question(found),
        "answer": lambda: answer(found) or preferred(found.messages)[-1]["content"],
    }
    return derived[name]()
