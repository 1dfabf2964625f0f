"""One record to one conversation, by its column map; or the reason why not. Guesses nothing and cleans nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from datasets_app.curation.columnnames import ROLES
from datasets_app.curation.layouts import ColumnMap
from datasets_app.curation.readers.jsontext import mended
from datasets_app.curation.rows import REJECTED, Conversation, Message, Record, Rejection
from datasets_app.curation.speakers import speaker_role
from datasets_app.curation.splitnames import split_named
from datasets_app.curation.threads.posts import Post, conversations
from datasets_app.curation.toolcalls import shown_tools, tool_calls
from datasets_app.curation.transcripts import parse_transcript

SYSTEM = "system"
_LIST = re.compile(r"\s*\[\s*[\[{\"\]]")
ASSISTANT = "assistant"
USER = "user"
_UNLEARNED = (
    "Message {number} has a weight, which says that it is not to be learned as it is. All answers of a conversation are "
    "learned here: take the weight away, or cut the conversation so that this answer is not in it."
)


class _Unusable(Exception):
    """A record that cannot become a conversation, with the reason for the ledger."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.rejection = Rejection(reason, detail)


def map_record(record: Record, mapping: ColumnMap, *, system_prompt: str) -> Conversation | Rejection:
    """Turn ``record`` into a conversation that ends in an answer, with its label and group keys."""
    try:
        messages = _messages(record.values, mapping)
        label = _label(record.values, mapping)
        split = _split(record.values, mapping)
        whole = _with_system(messages, record.values, mapping, system_prompt)
        whole = _with_tools(whole, record.values, mapping)
        messages = _ending_in_an_answer(whole)
        unanswered = sum(bool(each["content"].strip()) for each in whole[len(messages) :])
        messages += _rejected(record.values, mapping)
    except _Unusable as error:
        return error.rejection
    groups = tuple(
        f"{column}={value}"
        for column in mapping.group
        if (value := _plain(record.values.get(column), column=column).strip())
    )
    return Conversation(
        tuple(messages),
        label,
        groups,
        answer_is_label=mapping.layout == "text_label",
        split=split,
        unanswered=unanswered,
    )


def _split(values: Mapping[str, object], mapping: ColumnMap) -> str | None:
    """The split that the file names; an empty cell leaves the row to the split step."""
    said = _plain(values.get(mapping.split), column=mapping.split).strip() if mapping.split else ""
    if not said:
        return None
    if (found := split_named(said)) is None:
        detail = f"The column “{mapping.split}” names no split that is known. Use train, validation or test."
        raise _Unusable("unknown_split", detail)
    return found


def _messages(values: Mapping[str, object], mapping: ColumnMap) -> list[Message]:
    if mapping.messages:
        return _turns(values.get(mapping.messages), column=mapping.messages)
    answer = mapping.label if mapping.layout == "text_label" else mapping.completion
    question = _question(values, mapping)
    return question + _answer(values.get(answer or ""), column=answer or "")


def _question(values: Mapping[str, object], mapping: ColumnMap) -> list[Message]:
    column = mapping.prompt or ""
    given = values.get(column)
    if isinstance(given, dict) and "messages" in given:  # as OpenAI writes pairs of answers
        given = given["messages"]
    if isinstance(given, list):
        return _turns(given, column=column)
    parts = [_plain(given, column=column)]
    if mapping.context:
        parts.append(_plain(values.get(mapping.context), column=mapping.context))
    text = "\n\n".join(part for part in parts if part.strip())
    if not text:
        raise _Unusable("empty", f"The column “{column}” is empty, so there is no question.")
    return [{"role": USER, "content": text}]


def _answer(given: object, *, column: str) -> list[Message]:
    if isinstance(given, dict) and isinstance(given.get("text"), list):  # answers as SQuAD's tables hold them
        given = next((text for text in given["text"] if text), None)
    if isinstance(given, list):
        return _turns(given, column=column)
    text = _plain(given, column=column)
    if not text.strip():
        raise _Unusable("no_answer", f"The column “{column}” is empty, so there is no answer to learn from.")
    return [{"role": ASSISTANT, "content": text}]


def _rejected(values: Mapping[str, object], mapping: ColumnMap) -> list[Message]:
    """The other answer of a pair as a turn of its own; none where its cell is empty."""
    column = mapping.rejected
    if column is None or values.get(column) in (None, "", []):
        return []
    given = values[column]
    listed = mapping.messages or isinstance(given, list) or (isinstance(given, str) and _LIST.match(given))
    turns = _turns(given, column=column) if listed else _answer(given, column=column)
    if turns[-1]["role"] != ASSISTANT or not turns[-1]["content"].strip():
        raise _Unusable("no_answer", f"The column “{column}” does not end in an answer.")
    return [{"role": REJECTED, "content": turns[-1]["content"]}]


def _turns(given: object, *, column: str) -> list[Message]:
    if isinstance(given, str) and _LIST.match(given):
        try:
            given = mended(json.loads(given))
        except (ValueError, RecursionError) as error:
            raise _Unusable("bad_messages", f"The column “{column}” holds a list that is not JSON.") from error
    elif isinstance(given, str):
        return _talk(given, column=column)
    if not isinstance(given, list):
        raise _Unusable("bad_messages", f"The column “{column}” holds no list of messages.")
    if not given:
        raise _Unusable("empty", f"The column “{column}” holds an empty list of messages.")
    return [_turn(turn, number=number) for number, turn in enumerate(given, start=1)]


def _talk(text: str, *, column: str) -> list[Message]:
    """The turns of a transcript. Names that say no role: who speaks first is the user, all others answer."""
    turns = parse_transcript(text)
    if not turns:
        raise _Unusable("bad_messages", f"The column “{column}” holds no list of messages and no names before colons.")
    if not any(speaker_role(name) in (USER, ASSISTANT) for name, _said in turns):
        posts = [Post(str(place), None, name, said) for place, (name, said) in enumerate(turns)]
        return next(conversations(posts, in_a_row=True))
    found: list[Message] = []
    for number, (name, said) in enumerate(turns, start=1):
        role = speaker_role(name)
        if role is None:
            raise _Unusable("unknown_role", _unknown(number))
        calls_tool = role == ASSISTANT and said == "None"  # how transcripts write a turn that only calls a tool
        if found and found[-1]["role"] == role != "tool":
            found[-1]["content"] = f"{found[-1]['content']}\n{'' if calls_tool else said}".strip()
        else:
            found.append({"role": role, "content": "" if calls_tool else said})
    return found


def _unknown(number: int) -> str:
    return f"Message {number} has a role that is not known. Use system, user or assistant."


def _turn(turn: object, *, number: int) -> Message:
    if isinstance(turn, list) and len(turn) == 2 and all(isinstance(part, str) for part in turn):
        turn = {"role": turn[0], "content": turn[1]}
    if not isinstance(turn, dict):
        raise _Unusable("bad_messages", f"Message {number} is no object with a role and a content.")
    name = str(turn.get("role", turn.get("from", ""))).strip().lower()
    if name not in ROLES:
        raise _Unusable("unknown_role", _unknown(number))
    if ROLES[name] == ASSISTANT and turn.get("weight", 1) not in (None, 1):
        raise _Unusable("unlearned_turn", _UNLEARNED.format(number=number))
    content = _content(turn.get("content", turn.get("value")), number=number)
    calls = tool_calls(turn)
    return {"role": ROLES[name], "content": "\n".join(part for part in (content, *calls) if part)}


def _content(content: object, *, number: int) -> str:
    """Text as it is, nothing (a tool call) as the empty text, text parts joined; pictures and the like are refused."""
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    if isinstance(content, list) and all(
        isinstance(part, dict) and isinstance(part.get("text"), str) for part in content
    ):
        return "\n".join(part["text"] for part in content)
    raise _Unusable("not_text", f"Message {number} holds something other than text. Only text can be learned here.")


def _plain(value: object, *, column: str) -> str:
    if value is None:
        return ""
    if isinstance(value, list | dict | bytes):
        raise _Unusable("not_text", f"The column “{column}” holds something other than text.")
    return value if isinstance(value, str) else str(value)


def _label(values: Mapping[str, object], mapping: ColumnMap) -> str | None:
    if not mapping.label:
        return None
    return label_of(_plain(values.get(mapping.label), column=mapping.label))


def label_of(text: str) -> str | None:
    """A label as it is counted: its words, one space between."""
    return " ".join(text.split()) or None


def _with_system(
    messages: list[Message], values: Mapping[str, object], mapping: ColumnMap, system_prompt: str
) -> list[Message]:
    given = _plain(values.get(mapping.system), column=mapping.system) if mapping.system else ""
    text = given.strip() or system_prompt.strip()
    if not text or any(message["role"] == SYSTEM for message in messages):
        return messages
    return [{"role": SYSTEM, "content": text}, *messages]


def _with_tools(messages: list[Message], values: Mapping[str, object], mapping: ColumnMap) -> list[Message]:
    """The tools of a row in its system prompt: calls of what the model was never shown would teach it to make them up."""
    column = mapping.tools or mapping.prompt or ""
    given = values.get(column)
    if not mapping.tools:  # as OpenAI writes pairs of answers
        given = given.get("tools") if isinstance(given, dict) else None
    try:
        text = shown_tools(given)
    except ValueError as error:
        detail = f"The column “{column}” holds no list of functions, each with a name."
        raise _Unusable("bad_tools", detail) from error
    if not text:
        return messages
    if messages and messages[0]["role"] == SYSTEM:
        said, messages = messages[0]["content"].rstrip(), messages[1:]
        text = f"{said}\n\n{text}" if said else text
    return [{"role": SYSTEM, "content": text}, *messages]


def _ending_in_an_answer(messages: list[Message]) -> list[Message]:
    """Cut what follows the last answer: nobody learns from a question that nobody answered."""
    if not any(message["content"].strip() for message in messages):
        raise _Unusable("empty", "The conversation has no text.")
    answers = [i for i, message in enumerate(messages) if message["role"] == ASSISTANT and message["content"].strip()]
    if not answers:
        raise _Unusable(
            "no_answer", "The conversation has no turn of the assistant, so there is nothing to learn from."
        )
    if not any(message["role"] == USER and message["content"].strip() for message in messages[: answers[-1]]):
        raise _Unusable("no_question", "No turn of the user comes before the answer.")
    return messages[: answers[-1] + 1]
