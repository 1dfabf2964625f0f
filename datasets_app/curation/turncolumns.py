"""Which columns of a table hold single turns: the conversation, who speaks and what is said. Converts no row."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from datasets_app.curation.columnnames import (
    AUTHOR_KEYS,
    LABEL_NAMES,
    ROLES,
    SPEAKER_NAMES,
    TALK_NAMES,
    TEXT_NAMES,
    TIME_KEYS,
    TURN_NAMES,
)
from datasets_app.curation.rows import Record

MOST_KNOWN = 0.8  # of the values of a column, to be roles
LONGEST_NAME = 80


def turn_columns(
    sample: Sequence[Record], keys: Mapping[str, str], columns: Sequence[str], group: Sequence[str]
) -> dict[str, object] | None:
    """A conversation whose values come back, a text, and a speaker: a column whose values are roles, or, where a row is
    sure to be a turn, one in which the people of a conversation have different names."""
    text = next((keys[name] for name in TEXT_NAMES if name in keys), None)
    if not (group and text and sample) or not _come_back(sample, group[0]):
        return None
    named = [
        keys[name] for name in (*SPEAKER_NAMES, *AUTHOR_KEYS) if name in keys and keys[name] not in (text, group[0])
    ]
    others = [column for column in columns if column not in (text, group[0], *named)]
    speaker = next(_with_roles(sample, named[:1], least=1), None) or next(
        _with_roles(sample, [*named, *others], least=2), None
    )
    if speaker is None and not any(name in keys for name in LABEL_NAMES) and group[0] in map(keys.get, TALK_NAMES):
        speaker = next((column for column in named if _differ(sample, group[0], column)), None)
    if speaker is None:
        return None
    turn = next((keys[name] for name in (*TURN_NAMES, *TIME_KEYS) if name in keys), None)
    return {"layout": "turns", "conversation": group[0], "speaker": speaker, "prompt": text, "turn": turn}


def _come_back(sample: Sequence[Record], column: str) -> bool:
    values = {value for record in sample if isinstance(value := record.values.get(column), str | int)}
    return len(values) <= 0.75 * len(sample)


def _with_roles(sample: Sequence[Record], columns: Sequence[str], *, least: int) -> Iterator[str]:
    """Columns most of whose values are roles, `least` different ones."""
    for column in columns:
        roles = [ROLES.get(str(record.values.get(column)).strip().lower()) for record in sample]
        known = [role for role in roles if role]
        if len(known) >= MOST_KNOWN * len(roles) and len(set(known)) >= least:
            yield column


def _differ(sample: Sequence[Record], conversation: str, column: str) -> bool:
    """Whether in most conversations of several rows more than one short name stands in a column."""
    names: dict[object, list[str]] = defaultdict(list)
    for record in sample:
        name = record.values.get(column)
        if not isinstance(name, str | int) or len(str(name)) > LONGEST_NAME:
            return False
        names[str(record.values.get(conversation))].append(str(name))
    several = [found for found in names.values() if len(found) > 1]
    return bool(several) and sum(len(set(found)) > 1 for found in several) > 0.5 * len(several)
