"""The data card of a version: what it is, what was done to it, what it cannot promise. From its report; opens no rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from datasets_app import recipes, selectors
from datasets_app.models import DatasetVersion
from gptstudio.web.wording import personal_title, sentence_of, size

SEARCHED = {
    "all": "It was looked for in every turn.",
    "user": "It was looked for in the person's turns alone; answers stand as they came.",
}
SPLITS = (("train", "Training"), ("validation", "Validation"), ("test", "Test"))


@dataclass(frozen=True, slots=True)
class Section:
    """A heading, sentences, and a table with its head (empty: no table)."""

    title: str
    sentences: Sequence[str] = ()
    head: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Card:
    """The card of one version."""

    title: str
    sentence: str
    sections: Sequence[Section]


def card_of(version: DatasetVersion) -> Card:
    """The card; every number in it stands in the version's report."""
    report = version.report
    rows, splits = report.get("rows", {}), report.get("splits", {})
    kept, taken = rows.get("kept", 0), rows.get("in", 0)
    sentence = f"{kept:,} conversations for training a language model, kept of {taken:,} rows that came in."
    parts = (
        _files(version),
        _counts(rows),
        _splits(splits, report.get("leaks") or []),
        _steps(version),
        _personal(version, report),
        _classes(report.get("classes") or {}),
        _lengths(report.get("tokens") or {}),
        _people(report.get("quality") or {}),
        _limits(version, report),
        _identity(version),
    )
    return Card(str(version), sentence, [part for part in parts if part is not None])


def _files(version: DatasetVersion) -> Section:
    rows = [
        (
            name,
            str(file.detection.get("format", "–")),
            str(file.detection.get("encoding") or "–"),
            f"{file.detection.get('rows', 0):,}",
            size(file.bytes),
            file.digest[:16],
        )
        for name, file in selectors.files_by_name(version).items()
    ]
    return Section("Made from", (), ("File", "Format", "Encoding", "Rows", "Size", "SHA-256, first 16"), rows)


def _counts(rows: dict[str, Any]) -> Section:
    dropped = sorted(rows.get("dropped", {}).items(), key=lambda pair: (-pair[1], pair[0]))
    table = [("Came in", f"{rows.get('in', 0):,}"), ("Kept", f"{rows.get('kept', 0):,}")]
    table += [(f"Left out: {sentence_of(reason)}", f"{count:,}") for reason, count in dropped]
    return Section("Rows", ("Every row that was left out stands in the ledger with its reason.",), ("", "Rows"), table)


def _counted(leaks: Sequence[dict[str, Any]]) -> str:
    """From which likeness on a row counts as a near-copy, where the report says it."""
    found = next((each["threshold"] for each in leaks if "threshold" in each), None)
    return "" if found is None else f"; alike by {found:g} or more, or with the same question"


def _splits(splits: dict[str, Any], leaks: Sequence[dict[str, Any]]) -> Section:
    held = splits.get("validation", 0) + splits.get("test", 0)
    sentences = (
        f"{splits.get('leaks', 0):,} of {held:,} validation and test rows have a copy or near-copy in training, "
        f"measured afresh on the finished files{_counted(leaks)}.",
        "Rows of one conversation, customer or document, and near-copies of one another, are in one split.",
    )
    return Section(
        "Splits", sentences, ("Split", "Rows"), [(title, f"{splits.get(key, 0):,}") for key, title in SPLITS]
    )


def _steps(version: DatasetVersion) -> Section:
    done = {each["kind"]: each for each in version.report.get("steps", [])}
    rows = []
    for each in version.recipe.get("steps", []):
        kind, counts = each["kind"], done.get(each["kind"], {})
        title = recipes.STEP_HINTS.get(kind, (kind.replace("_", " ").capitalize(), ""))[0]
        is_on = each.get("enabled", True)
        numbers = (f"{counts.get('changed', 0):,}", f"{counts.get('dropped', 0):,}") if is_on else ("–", "–")
        rows.append((title, "on" if is_on else "off", *numbers))
    return Section("Steps, in their order", (), ("Step", "", "Rows changed", "Rows left out"), rows)


def _personal(version: DatasetVersion, report: dict[str, Any]) -> Section:
    counts = sorted((report.get("personal_data") or {}).items(), key=lambda pair: (-pair[1], pair[0]))
    sentence = _why_allowed(version)
    where = SEARCHED.get(recipes.searched_turns(version.recipe))
    rows = [(personal_title(kind), f"{count:,}") for kind, count in counts]
    return Section(
        "Personal data", (sentence, where) if where else (sentence,), ("Type", "Times found") if rows else (), rows
    )


def _why_allowed(version: DatasetVersion) -> str:
    if version.is_made_up:
        return "Its rows are a sample of the studio's own, made up: nobody's data is in them."
    if why := recipes.why_seen(version.recipe):
        return f"The recipe {why}; a reviewer had to allow this version."
    return "Personal data that was found is hidden, names too."


def _classes(classes: dict[str, Any]) -> Section | None:
    train = sorted((classes.get("train") or {}).items(), key=lambda pair: (-pair[1], pair[0]))
    if not train:
        return None
    total = sum(count for _, count in train)
    rows = [(str(label), f"{count:,}", f"{100 * count / total:.1f} %") for label, count in train[:40]]
    more = (f"{len(train) - 40:,} more labels are not listed.",) if len(train) > 40 else ()
    return Section("Labels in training", more, ("Label", "Rows", "Share"), rows)


def _lengths(tokens: dict[str, Any]) -> Section | None:
    histogram = [(edge, count) for edge, count in tokens.get("histogram", []) if count]
    if not histogram:
        return None
    limit = tokens.get("limit")
    sentence = f"The limit was {limit:,} tokens; {tokens.get('over', 0):,} rows were longer." if limit else ""
    rows = [(f"up to {edge:,.0f}", f"{count:,}") for edge, count in histogram]
    return Section("Length in tokens", (sentence,) if sentence else (), ("Tokens", "Rows"), rows)


def _people(quality: dict[str, Any]) -> Section | None:
    """Whom the training rows speak of, and what measured quality warns of."""
    if not quality:
        return None
    people = quality["people"]
    head = f"{people['rows']:,} of {quality['rows']:,} training rows speak of a group of people, by a list of English words."
    warnings = [f"{each['message']} {each['fix']}" for each in quality["warnings"]]
    rows = [
        (kind.capitalize(), group, f"{counted['rows']:,}")
        for kind, groups in people["kinds"].items()
        for group, counted in groups.items()
    ]
    return Section("Balance and people", (head, *warnings), ("", "Group", "Rows") if rows else (), rows)


def _limits(version: DatasetVersion, report: dict[str, Any]) -> Section:
    kinds = {each["kind"] for each in version.recipe.get("steps", []) if each.get("enabled", True)}
    sentences = [
        "The rows say what the files said. Whether that is true, fair or up to date was not checked.",
        "No finder of personal data finds everything: look through a sample before the rows leave the house.",
    ]
    if "personal_data" not in kinds:
        sentences.append("Nobody looked for personal data.")
    if "near_duplicates" not in kinds:
        sentences.append("Nobody looked for near-copies, so the leak number counts what its own search found.")
    notes = [str(note) for note in report.get("notes", [])]
    return Section("What it cannot promise", [*sentences, *notes])


def _identity(version: DatasetVersion) -> Section:
    rows = [
        ("Version", version.id),
        ("Digest", version.digest or "–"),
        ("Why it was made", version.get_origin_display()),
        ("Descends from", str(version.parent) if version.parent else "the files alone"),
        ("Finished", f"{version.finished_at:%Y-%m-%d %H:%M} UTC" if version.finished_at else "–"),
    ]
    sentence = "The same files and the same recipe give the same digest: `manage.py verify_version` makes it again."
    return Section("Identity", (sentence,), ("", ""), rows)


def _escaped(cell: str) -> str:
    return cell.replace("\\", "\\\\").replace("|", "\\|").replace("\n", " ").replace("<", "&lt;")


def _lines(card: Card) -> Iterator[str]:
    yield f"# {_escaped(card.title)}"
    yield f"\n{card.sentence}"
    for section in card.sections:
        yield f"\n## {section.title}"
        for sentence in section.sentences:
            yield f"\n{_escaped(sentence)}"
        if section.head:
            yield f"\n| {' | '.join(section.head)} |"
            yield f"|{' --- |' * len(section.head)}"
            yield from (f"| {' | '.join(map(_escaped, row))} |" for row in section.rows)


def markdown(card: Card) -> str:
    """The card as a Markdown page."""
    return "\n".join(_lines(card)) + "\n"
