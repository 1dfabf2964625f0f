"""Calls of tools in OpenAI's messages, as text: a training row holds texts alone. Knows no file."""

from __future__ import annotations

import json
from collections.abc import Mapping


def tool_calls(message: Mapping[str, object]) -> list[str]:
    """One line a call, `<tool_call>{"name": …, "arguments": …}</tool_call>`, as Hermes and Qwen models write them."""
    calls = message.get("tool_calls")
    found = [call.get("function") for call in calls if isinstance(call, Mapping)] if isinstance(calls, list) else []
    found.append(message.get("function_call"))
    return [_line(call) for call in found if isinstance(call, Mapping) and call.get("name")]


def _line(call: Mapping[str, object]) -> str:
    given = call.get("arguments")
    try:
        arguments = json.loads(given) if isinstance(given, str) else given
    except (ValueError, RecursionError):
        arguments = given  # what the model wrote, broken as it is
    said = json.dumps({"name": call["name"], "arguments": arguments}, ensure_ascii=False)
    return f"<tool_call>{said}</tool_call>"
