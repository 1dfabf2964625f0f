"""Which column means what: guesses a mapping from column names and sample values. Converts no row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields

from datasets_app.curation.errors import Refusal
from datasets_app.curation.readers.dialect import field_key
from datasets_app.curation.rows import Record


def _words(names: str) -> tuple[str, ...]:
    return tuple(names.split())


TEXT_NAMES = _words("text sentence utterance message question query content body request comment review description")
LABEL_NAMES = _words("label category intent class topic tag sentiment labels queue department")
GROUP_NAMES = _words(
    "conversationid dialogueid dialogid convoid threadid sessionid ticketid caseid treeid customerid userid documentid "
    "docid chatid"
)
SPEAKER_NAMES = _words("role speaker sender author from who participant")
TURN_NAMES = _words("turn turnnumber turnid turnindex position sequence order step")
PAIRS = (
    ("instruction", "output", "alpaca"),
    ("instruction", "response", "alpaca"),
    ("prompt", "completion", "prompt_completion"),
    ("prompt", "response", "prompt_completion"),
    ("prompt", "answer", "prompt_completion"),
    ("input", "output", "prompt_completion"),
    ("question", "answer", "question_answer"),
    ("customermessage", "agentreply", "prompt_completion"),
    ("customermessage", "reply", "prompt_completion"),
    ("customer", "agentreply", "prompt_completion"),
    ("customer", "agent", "prompt_completion"),
    ("user", "assistant", "prompt_completion"),
    ("message", "reply", "prompt_completion"),
    ("query", "response", "prompt_completion"),
    ("request", "response", "prompt_completion"),
)
ROLES = {
    "user": "user", "human": "user", "customer": "user", "client": "user", "visitor": "user", "prompter": "user",
    "assistant": "assistant", "gpt": "assistant", "bot": "assistant", "chatgpt": "assistant", "agent": "assistant",
    "model": "assistant", "support": "assistant", "ai": "assistant", "system": "system", "developer": "system",
    "tool": "tool", "function": "tool", "observation": "tool",
}  # fmt: skip
SHORT_LABEL = 60


@dataclass(frozen=True, slots=True)
class ColumnMap:
    """Which column plays which part; None where no column does. ``layout`` names the shape of the file."""

    layout: str = "unknown"
    messages: str | None = None
    prompt: str | None = None
    completion: str | None = None
    context: str | None = None
    system: str | None = None
    label: str | None = None
    conversation: str | None = None
    speaker: str | None = None
    turn: str | None = None
    group: tuple[str, ...] = ()

    def columns(self) -> list[str]:
        """Every column that is named, once."""
        parts = (getattr(self, part.name) for part in fields(self) if part.name not in {"layout", "group"})
        return list(dict.fromkeys([name for name in parts if name] + list(self.group)))

    def as_json(self) -> dict[str, object]:
        """The mapping as recipes and ``detect`` write it: the five parts people set, then those in use."""
        asked = {part: getattr(self, part) for part in ("prompt", "completion", "label", "group", "system")}
        others = {part: getattr(self, part) for part in ("messages", "context", "conversation", "speaker", "turn")}
        return {**asked, "group": list(self.group), **{part: name for part, name in others.items() if name}}


def mapping_from_json(given: Mapping[str, object]) -> ColumnMap:
    """Read a mapping that a person set. Raises Refusal where it names no part that makes a training row."""
    names = {part.name for part in fields(ColumnMap)} - {"layout", "group"}
    strange = set(given) - names - {"group", "layout"}
    group = given.get("group") or []
    if strange or not isinstance(group, list | str):
        raise _bad_mapping(f"The mapping has parts that are not known: {', '.join(sorted(strange)) or 'group'}.")
    parts = {name: str(given[name]) for name in names if given.get(name)}
    columns = (group,) if isinstance(group, str) else tuple(str(column) for column in group)
    return ColumnMap(layout=_layout_of(parts), group=columns, **parts)


def _layout_of(parts: Mapping[str, str]) -> str:
    if "messages" in parts:
        return "messages"
    if {"conversation", "speaker", "prompt"} <= set(parts):
        return "turns"
    if {"prompt", "completion"} <= set(parts):
        return "alpaca" if "context" in parts else "prompt_completion"
    if {"prompt", "label"} <= set(parts):
        return "text_label"
    raise _bad_mapping("The mapping names no question with its answer.")


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
        _chat(sample, columns) or _turns(sample, keys, group) or _pair(keys) or _text_and_label(sample, keys, columns)
    )
    parts = {"group": group, "system": system, **(found or {"layout": "unknown"})}
    if "label" not in parts and parts["layout"] != "unknown":
        parts["label"] = _first(keys, LABEL_NAMES)
    return ColumnMap(**parts)  # type: ignore[arg-type]


def _first(keys: Mapping[str, str], names: Iterable[str]) -> str | None:
    return next((keys[name] for name in names if name in keys), None)


def _chat(sample: Sequence[Record], columns: Sequence[str]) -> dict[str, object] | None:
    for column in columns:
        values = [record.values.get(column) for record in sample[:50]]
        turns = [value[0] for value in values if isinstance(value, list) and value and isinstance(value[0], dict)]
        if turns and all("from" in turn and "value" in turn for turn in turns):
            return {"layout": "sharegpt", "messages": column}
        if turns and all("role" in turn and ("content" in turn or "tool_calls" in turn) for turn in turns):
            prompt = field_key(column) == "prompt"
            return None if prompt else {"layout": "messages", "messages": column}
    return None


def _turns(sample: Sequence[Record], keys: Mapping[str, str], group: Sequence[str]) -> dict[str, object] | None:
    """Turns in rows: a conversation column whose values come back, a speaker whose values are roles, and a text."""
    speaker, text = _first(keys, SPEAKER_NAMES), _first(keys, TEXT_NAMES)
    if not (group and speaker and text) or speaker == text:
        return None
    known = [str(record.values.get(speaker)).strip().lower() in ROLES for record in sample]
    values = {record.values.get(group[0]) for record in sample if isinstance(record.values.get(group[0]), str | int)}
    if not sample or sum(known) < 0.8 * len(known) or len(values) > 0.75 * len(sample):
        return None
    parts = {"conversation": group[0], "speaker": speaker, "prompt": text, "turn": _first(keys, TURN_NAMES)}
    return {"layout": "turns", **parts}


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
