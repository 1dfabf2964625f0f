"""Tools and their calls in OpenAI's messages, as text: a training row holds texts alone. Knows no file.

Both are written as Hermes and Qwen models have them, so that what is learned is what their templates show of a request.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from datasets_app.curation.rows import Record

_SHOWN = """# Tools

You may call one or more functions to assist with the user query.

You are provided with function signatures within <tools></tools> XML tags:
<tools>
{tools}
</tools>

For each function call, return a json object with function name and arguments within <tool_call></tool_call> XML tags:
<tool_call>
{{"name": <function-name>, "arguments": <args-json-object>}}
</tool_call>"""


def shown_tools(given: object) -> str:
    """What a system prompt says of a row's `tools` (or OpenAI's older `functions`), a list or its JSON; empty where there
    are none. Raises ValueError for what is no list of functions."""
    if isinstance(given, str) and given.strip():
        try:
            given = json.loads(given)
        except RecursionError as error:
            raise ValueError("nested too deeply") from error
    if given is None or given in ("", [], {}) or (isinstance(given, str) and not given.strip()):
        return ""
    if not isinstance(given, list):
        raise ValueError("no list")
    return _SHOWN.format(tools="\n".join(json.dumps(_tool(each), ensure_ascii=False) for each in given))


def hold_tools(sample: Sequence[Record], column: str) -> bool:
    """Whether a column of these records holds lists of functions."""
    try:
        return any(list(map(shown_tools, (record.values.get(column) for record in sample))))
    except ValueError:
        return False


def _tool(given: object) -> Mapping[str, object]:
    function = given.get("function", given) if isinstance(given, Mapping) else None
    if not isinstance(given, Mapping) or not isinstance(function, Mapping) or not isinstance(function.get("name"), str):
        raise ValueError("no function with a name")
    return given if "function" in given else {"type": "function", "function": dict(given)}


def tool_calls(message: Mapping[str, object]) -> list[str]:
    """The calls of a message, each as `<tool_call>`, `{"name": …, "arguments": …}` and `</tool_call>` in lines of their own."""
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
    return f"<tool_call>\n{said}\n</tool_call>"
