"""Which column means what: guesses a mapping from column names and sample values. Converts no row."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields

from datasets_app.curation.columnnames import (
    ASKED_NAMES,
    AUTHOR_KEYS,
    GROUP_NAMES,
    ID_KEYS,
    LABEL_NAMES,
    PAIRS,
    PARENT_KEYS,
    PREFERENCES,
    REPLY_KEYS,
    ROLES,
    TEXT_KEYS,
    TEXT_NAMES,
    TIME_KEYS,
    TOOLS_NAMES,
)
from datasets_app.curation.errors import Refusal
from datasets_app.curation.keys import key_of
from datasets_app.curation.readers.heading import field_key
from datasets_app.curation.rows import Record
from datasets_app.curation.splitnames import SPLIT_KEYS, split_named
from datasets_app.curation.squad import is_squad
from datasets_app.curation.threads.chatgpt import is_chatgpt
from datasets_app.curation.toolcalls import hold_tools
from datasets_app.curation.transcripts import are_two, parse_transcript
from datasets_app.curation.turncolumns import turn_columns

SHORT_LABEL = 60
OTHER_PARTS = ("messages", "rejected", "context", "conversation", "speaker", "turn", "id", "parent", "split", "tools")
SHAPES = ("nested", "squad")  # layouts told by what is inside the records, not by columns


@dataclass(frozen=True, slots=True)
class ColumnMap:
    """Which column plays which part; None where no column does. ``layout`` names the shape of the file."""

    layout: str = "unknown"
    messages: str | None = None
    prompt: str | None = None
    completion: str | None = None
    rejected: str | None = None
    context: str | None = None
    system: str | None = None
    label: str | None = None
    conversation: str | None = None
    speaker: str | None = None
    turn: str | None = None
    id: str | None = None
    parent: str | None = None
    split: str | None = None
    tools: str | None = None
    group: tuple[str, ...] = ()

    def columns(self) -> list[str]:
        """Every column that is named, once."""
        parts = (getattr(self, part.name) for part in fields(self) if part.name not in {"layout", "group"})
        return list(dict.fromkeys([name for name in parts if name] + list(self.group)))

    def as_json(self) -> dict[str, object]:
        """The mapping as recipes and ``detect`` write it: the five parts people set, then those in use."""
        asked = {part: getattr(self, part) for part in ("prompt", "completion", "label", "group", "system")}
        others = {part: getattr(self, part) for part in OTHER_PARTS}
        by_shape = {"layout": self.layout} if self.layout in SHAPES else {}
        return {**asked, "group": list(self.group), **{part: name for part, name in others.items() if name}, **by_shape}


def mapping_from_json(given: Mapping[str, object]) -> ColumnMap:
    """Read a mapping that a person set. Raises Refusal where it names no part that makes a training row."""
    names = {part.name for part in fields(ColumnMap)} - {"layout", "group"}
    strange = set(given) - names - {"group", "layout"}
    group = given.get("group") or []
    if strange or not isinstance(group, list | str):
        raise _bad_mapping(f"The mapping has parts that are not known: {', '.join(sorted(strange)) or 'group'}.")
    parts = {name: str(given[name]) for name in names if given.get(name)}
    columns = (group,) if isinstance(group, str) else tuple(str(column) for column in group)
    layout = str(given["layout"]) if given.get("layout") in SHAPES else _layout_of(parts)
    return ColumnMap(layout=layout, group=columns, **parts)


def _layout_of(parts: Mapping[str, str]) -> str:
    if "messages" in parts:
        return "messages"
    if {"id", "parent", "prompt"} <= set(parts):
        return "thread"
    if {"conversation", "speaker", "prompt"} <= set(parts):
        return "turns"
    if {"prompt", "completion", "rejected"} <= set(parts):
        return "preference"
    if {"prompt", "completion"} <= set(parts):
        return "alpaca" if "context" in parts else "prompt_completion"
    if {"prompt", "label"} <= set(parts):
        return "text_label"
    raise _bad_mapping("The mapping names no question with its answer.")


NO_ANSWER_COLUMN = "No column with an answer was recognised. Say which columns to learn from."


def _bad_mapping(message: str) -> Refusal:
    fix = "Name the columns of prompt and completion, of prompt and label, or of messages."
    return Refusal(code="bad_mapping", message=message, fix=fix)


def guess_mapping(sample: Sequence[Record]) -> ColumnMap:
    """Guess from the first records of a file; ``layout`` is ``unknown`` or ``text`` where no answer column is seen."""
    columns = list(dict.fromkeys(name for record in sample for name in record.values))
    keys = {field_key(name): name for name in reversed(columns)}
    group = tuple(keys[name] for name in GROUP_NAMES if name in keys)
    system = keys.get("system") or keys.get("systemprompt")
    found = (
        _two_answers(sample, keys)
        or _chat(sample, columns)
        or _inside(sample)
        or _thread(sample, keys)
        or turn_columns(sample, keys, columns, group)
        or _pair(keys)
        or _transcript(sample, columns)
        or _text_and_label(sample, keys, columns)
    )
    split = next((keys[name] for name in SPLIT_KEYS if name in keys and _names_splits(sample, keys[name])), None)
    tools = next((name for key in TOOLS_NAMES if (name := keys.get(key)) and hold_tools(sample, name)), None)
    parts = {"group": group, "system": system, "split": split, "tools": tools, **(found or {"layout": "unknown"})}
    if "label" not in parts and parts["layout"] != "unknown":
        parts["label"] = next((keys[name] for name in LABEL_NAMES if name in keys and keys[name] != split), None)
    return ColumnMap(**parts)  # type: ignore[arg-type]


def _first(keys: Mapping[str, str], names: Iterable[str]) -> str | None:
    return next((keys[name] for name in names if name in keys), None)


def _names_splits(sample: Sequence[Record], column: str) -> bool:
    values = [value for record in sample if (value := record.values.get(column)) not in (None, "")]
    return bool(values) and all(split_named(value) is not None for value in values)


def _two_answers(sample: Sequence[Record], keys: Mapping[str, str]) -> dict[str, object] | None:
    """A preferred and another answer, with the question beside them or, in whole conversations, before them."""
    for chosen, rejected in PREFERENCES:
        if chosen not in keys or rejected not in keys:
            continue
        prompt = _first(keys, ASKED_NAMES)
        if prompt:
            parts = {"prompt": prompt, "completion": keys[chosen]}
            return {"layout": "preference", **parts, "rejected": keys[rejected]}
        if any(_is_talk(record.values.get(keys[chosen])) for record in sample[:50]):
            return {"layout": "messages", "messages": keys[chosen], "rejected": keys[rejected]}
    return None


def _is_talk(value: object) -> bool:
    return isinstance(_listed(value), list) or (isinstance(value, str) and bool(parse_transcript(value[:5000])))


def _chat(sample: Sequence[Record], columns: Sequence[str]) -> dict[str, object] | None:
    for column in columns:
        values = [_listed(record.values.get(column)) for record in sample[:50]]
        turns = [value[0] for value in values if isinstance(value, list) and value]
        objects = [turn for turn in turns if isinstance(turn, dict)]
        if objects and all("from" in turn and "value" in turn for turn in objects):
            return {"layout": "sharegpt", "messages": column}
        if objects and all("role" in turn and ("content" in turn or "tool_calls" in turn) for turn in objects):
            prompt = field_key(column) == "prompt"
            return None if prompt else {"layout": "messages", "messages": column}
        if turns and all(_is_said(turn) for turn in turns):
            return {"layout": "messages", "messages": column}
    return None


def _listed(value: object) -> object:
    """A list as it is, and one that stands as JSON in a text cell."""
    if isinstance(value, str) and value.lstrip().startswith("[{"):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return None
    return value


def _is_said(turn: object) -> bool:
    """A pair of a speaker's usual name and what was said."""
    return (
        isinstance(turn, list)
        and len(turn) == 2
        and all(isinstance(part, str) for part in turn)
        and turn[0].strip().lower() in ROLES
    )


def _inside(sample: Sequence[Record]) -> dict[str, object] | None:
    """Answers inside the records: articles with questions, or posts with posts below them."""
    if sample and all(is_squad(record.values) for record in sample):
        return {"layout": "squad", "group": ("title",)}
    if sample and all(is_chatgpt(record.values) for record in sample[:20]):
        return {"layout": "nested", "group": ("thread",)}
    for record in sample[:20]:
        for name, value in record.values.items():
            inner = value.values() if isinstance(value, dict) else [value]  # {"total_count": 3, "items": […]}
            items = [item for each in inner if isinstance(each, list) for item in each if isinstance(item, dict)]
            if items and field_key(name) in REPLY_KEYS and {*map(field_key, items[0])} & set(TEXT_KEYS):
                return {"layout": "nested", "group": ("thread",)}
    return None


def _thread(sample: Sequence[Record], keys: Mapping[str, str]) -> dict[str, object] | None:
    """Records that name the record they answer: some parent is the id of another record."""
    own, text = _first(keys, ID_KEYS), _first(keys, TEXT_KEYS)
    for parent in (keys[name] for name in PARENT_KEYS if name in keys):
        ids = {key_of(record.values.get(own or "")) for record in sample} - {""}
        parents = [key for record in sample if (key := key_of(record.values.get(parent)))]
        if own and text and parent != own and any(key in ids for key in parents):
            speaker, turn = _first(keys, AUTHOR_KEYS), _first(keys, TIME_KEYS)
            parts = {"id": own, "parent": parent, "prompt": text, "speaker": speaker, "turn": turn}
            return {"layout": "thread", **parts, "group": ("thread",)}
    return None


def _transcript(sample: Sequence[Record], columns: Sequence[str]) -> dict[str, object] | None:
    """A column whose texts are whole talks: two roles at least in most of them."""
    for column in columns:
        talks = [parse_transcript(text[:5000]) for text in _texts(sample[:50], column)]
        if sum(map(are_two, talks)) > 0.6 * len(talks):
            return {"layout": "transcript", "messages": column}
    return None


def _pair(keys: Mapping[str, str]) -> dict[str, object] | None:
    for prompt, completion, layout in PAIRS:
        if prompt in keys and completion in keys:
            context = (keys.get("input") or keys.get("context")) if layout == "alpaca" else None
            return {"layout": layout, "prompt": keys[prompt], "completion": keys[completion], "context": context}
    return None


def _text_and_label(
    sample: Sequence[Record], keys: Mapping[str, str], columns: Sequence[str]
) -> dict[str, object] | None:
    text, label = _first(keys, TEXT_NAMES), _first(keys, LABEL_NAMES)
    if not text or not label:
        text, label = _by_content(sample, columns, text=text, label=label)
    if text and label:
        return {"layout": "text_label", "prompt": text, "label": label}
    if text and isinstance(sample[0].values.get(text), str):
        return {"layout": "text", "prompt": text}
    return None


def _by_content(
    sample: Sequence[Record], columns: Sequence[str], *, text: str | None, label: str | None
) -> tuple[str | None, str | None]:
    """In two columns: short values that come back are labels, longer ones that do not are texts."""
    if len(columns) == 1:
        return columns[0], None
    if len(columns) != 2 or len(sample) < 5:
        return text, label
    for one, other in (columns, tuple(reversed(columns))):
        labels, texts = _texts(sample, one), _texts(sample, other)
        fits = label in (None, one) and text in (None, other) and _look_like_labels(labels)
        if fits and _mean(texts) > max(12, _mean(labels)) and len(set(texts)) > len(set(labels)):
            return other, one
    return text, label


def _texts(sample: Sequence[Record], column: str) -> list[str]:
    return [value for record in sample if isinstance(value := record.values.get(column), str)]


def _mean(texts: Sequence[str]) -> float:
    return sum(map(len, texts)) / max(1, len(texts))


def _look_like_labels(values: Sequence[str]) -> bool:
    counts = Counter(values)
    return bool(values) and max(map(len, counts)) <= SHORT_LABEL and len(counts) <= max(2, len(values) // 3)
