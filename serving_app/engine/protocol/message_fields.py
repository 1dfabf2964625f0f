"""The messages of a chat request, as chat templates want them. What cannot be honoured is refused by its field."""

from __future__ import annotations

from typing import Any

from serving_app.engine.errors import invalid, unsupported
from serving_app.engine.protocol import strict_json
from serving_app.engine.protocol.fields import Fields
from serving_app.engine.protocol.tool_fields import read_name

# `developer` is the newer word for `system`.
ROLES = {"developer": "system", "system": "system", "user": "user", "assistant": "assistant", "tool": "tool"}
TEXT_PARTS = {"text": "text", "refusal": "refusal"}
EMPTY = ("refusal", "function_call", "audio", "annotations", "reasoning", "reasoning_content")
NOTHING: tuple[Any, ...] = (None, "", [])
LONGEST_ID = 128


def read_messages(value: object) -> list[dict[str, Any]]:
    """A role and a text each; calls with their arguments as objects; results after the calls that they answer."""
    if not isinstance(value, list) or not value:
        raise invalid("'messages' must be a list with at least one message.", param="messages")
    messages = [_read_message(message, f"messages[{at}]") for at, message in enumerate(value)]
    _check_results(messages)
    return messages


def _read_message(value: object, path: str) -> dict[str, Any]:
    fields = Fields(value, path=path)
    role = fields.text("role")
    if role == "function":
        raise unsupported(f"{path}.role", "use 'tool'")
    if role not in ROLES:
        raise invalid(f"'{path}.role' must be one of {', '.join(ROLES)}.", param=f"{path}.role")
    calls = _read_calls(fields.take("tool_calls"), f"{path}.tool_calls") if role == "assistant" else []
    content = fields.take("content")
    empty = calls and content is None
    message: dict[str, Any] = {"role": ROLES[role], "content": "" if empty else _read_content(content, fields)}
    if calls:
        message["tool_calls"] = calls
    if role == "tool":
        message["tool_call_id"] = fields.need_text("tool_call_id")
    name = fields.text("name")
    if name is not None:
        message["name"] = name
    for empty_name in EMPTY:
        if fields.take(empty_name) not in NOTHING:
            raise unsupported(fields.at(empty_name), "only text and tool calls can be read back")
    fields.finish()
    return message


def _read_content(value: object, fields: Fields) -> str:
    """Text as it is, or the texts of text parts joined."""
    path = fields.at("content")
    if isinstance(value, str):
        return value
    if not isinstance(value, list) or not value:
        raise invalid(f"'{path}' must be a string or a list of text parts.", param=path)
    return "".join(_read_part(part, f"{path}[{at}]") for at, part in enumerate(value))


def _read_part(value: object, path: str) -> str:
    fields = Fields(value, path=path)
    kind = fields.text("type")
    if kind not in TEXT_PARTS:
        raise unsupported(f"{path}.type", "only text parts can be read")
    name = TEXT_PARTS[kind]
    text = fields.text(name)
    if text is None:
        raise invalid(f"'{fields.at(name)}' is required.", param=fields.at(name), code="missing_required_parameter")
    fields.finish()
    return text


def _read_calls(value: object, path: str) -> list[dict[str, Any]]:
    if value is None or value == []:
        return []
    if not isinstance(value, list):
        raise invalid(f"'{path}' must be a list.", param=path)
    return [_read_call(call, f"{path}[{at}]") for at, call in enumerate(value)]


def _read_call(value: object, path: str) -> dict[str, Any]:
    """A call as it was answered; templates want its arguments as an object, not as the text that spells it."""
    fields = Fields(value, path=path)
    if fields.need_text("type") != "function":
        raise unsupported(f"{path}.type", "only functions can be called")
    call_id = fields.need_text("id")
    if len(call_id) > LONGEST_ID:
        raise invalid(f"'{path}.id' may have at most {LONGEST_ID} characters.", param=f"{path}.id")
    inner = Fields(fields.take("function"), path=f"{path}.function")
    name, text, at = read_name(inner), inner.need_text("arguments"), inner.at("arguments")
    inner.finish()
    fields.finish()
    try:
        arguments = strict_json.read(text.encode(errors="replace"))
    except (ValueError, RecursionError) as error:
        raise invalid(f"'{at}' must spell a JSON object: {error}", param=at) from error
    if not isinstance(arguments, dict):
        raise invalid(f"'{at}' must spell a JSON object.", param=at)
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}


def _check_results(messages: list[dict[str, Any]]) -> None:
    """Each call is answered at once and once, as OpenAI wants it; else a model reads results of nothing."""
    open_calls: dict[str, str] = {}
    for at, message in enumerate(messages):
        if message["role"] == "tool":
            if open_calls.pop(message["tool_call_id"], None) is None:
                param = f"messages[{at}].tool_call_id"
                raise invalid(f"'{param}' answers no call of the assistant message before it.", param=param)
            continue
        _need_answered(open_calls, f"messages[{at}]")
        for call in message.get("tool_calls", []):
            if call["id"] in open_calls:
                raise invalid(f"Two calls have the id '{call['id']}'.", param=f"messages[{at}].tool_calls")
            open_calls[call["id"]] = call["function"]["name"]
    _need_answered(open_calls, "messages")


def _need_answered(open_calls: dict[str, str], param: str) -> None:
    if open_calls:
        raise invalid(
            "An assistant message with 'tool_calls' must be followed by a tool message for each of them; "
            f"there is none for '{next(iter(open_calls))}'.",
            param=param,
        )
