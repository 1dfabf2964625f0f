"""`tools`, `tool_choice` and `parallel_tool_calls` of a chat request. Knows no templates and no grammar."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from serving_app.engine.errors import invalid, unsupported
from serving_app.engine.protocol.fields import Fields

MOST_TOOLS = 128
NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
MODES = ("none", "auto", "required")
NO_ARGUMENTS: dict[str, Any] = {"type": "object", "properties": {}, "additionalProperties": False}


@dataclass(frozen=True, slots=True)
class Function:
    """A function that may be called; `at` is where its schema stands in the body."""

    name: str
    parameters: dict[str, Any]
    at: str


@dataclass(frozen=True, slots=True)
class ToolWish:
    """What the model is told of (`shown`, as the body had it) and may call now.

    `must`: it has to call; `parallel`: more than once, where the model's template can write that.
    """

    shown: list[dict[str, Any]]
    functions: list[Function]
    must: bool
    parallel: bool


def read_tools(fields: Fields) -> ToolWish | None:
    """The wish, or None where no tools were sent. No functions are left where none may be called. Errors: 400."""
    shown = fields.take("tools")
    choice = fields.take("tool_choice")
    parallel = fields.take("parallel_tool_calls")
    if not shown:
        _check_no_tools(shown, choice, parallel)
        return None
    if not isinstance(shown, list) or len(shown) > MOST_TOOLS:
        raise invalid(f"'tools' must be a list of at most {MOST_TOOLS} functions.", param="tools")
    if parallel is not None and not isinstance(parallel, bool):
        raise invalid("'parallel_tool_calls' must be true or false.", param="parallel_tool_calls")
    functions = {}
    for at, tool in enumerate(shown):
        function = _read_tool(tool, f"tools[{at}]")
        if function.name in functions:
            raise invalid(f"Two tools have the name '{function.name}'.", param=f"tools[{at}].function.name")
        functions[function.name] = function
    mode, names, only_one = _read_choice(choice, set(functions))
    allowed = [] if mode == "none" else [function for name, function in functions.items() if name in names]
    return ToolWish(shown, allowed, must=mode == "required", parallel=parallel is not False and not only_one)


def _check_no_tools(shown: object, choice: object, parallel: object) -> None:
    if shown is not None and shown != []:
        raise invalid("'tools' must be a list of functions.", param="tools")
    if choice not in (None, "none", "auto"):
        raise invalid("'tool_choice' is only allowed where 'tools' are given.", param="tool_choice")
    if parallel is not None:
        raise invalid("'parallel_tool_calls' is only allowed where 'tools' are given.", param="parallel_tool_calls")


def _read_tool(value: object, path: str) -> Function:
    tool = Fields(value, path=path)
    if tool.need_text("type") != "function":
        raise unsupported(f"{path}.type", "only functions can be called")
    inner = Fields(tool.take("function"), path=f"{path}.function")
    name = read_name(inner)
    inner.text("description")
    inner.flag("strict")
    parameters = inner.take("parameters")
    inner.finish()
    tool.finish()
    at = inner.at("parameters")
    if not parameters and parameters in (None, {}):
        return Function(name, NO_ARGUMENTS, at)
    if not isinstance(parameters, dict) or parameters.get("type") != "object":
        raise invalid(f"'{at}' must be a JSON schema of type 'object'.", param=at, code="invalid_function_parameters")
    return Function(name, parameters, at)


def read_name(inner: Fields) -> str:
    """A function's name."""
    name = inner.need_text("name")
    if not NAME.fullmatch(name):
        raise invalid(
            f"'{inner.at('name')}' must be 1 to 64 letters, digits, dashes or underscores.", param=inner.at("name")
        )
    return name


def _read_choice(value: Any, known: set[str]) -> tuple[str, set[str], bool]:
    """Mode, the names that may be called, and whether just one call is wanted."""
    if value is None or isinstance(value, str):
        mode = value or "auto"
        if mode not in MODES:
            raise invalid(f"'tool_choice' must be one of {', '.join(MODES)}, or name a tool.", param="tool_choice")
        return mode, known, False
    choice = Fields(value, path="tool_choice")
    kind = choice.need_text("type")
    if kind == "function":
        names, mode = {_read_chosen(choice.take("function"), "tool_choice.function", known)}, "required"
    elif kind == "allowed_tools":
        names, mode = _read_allowed(Fields(choice.take("allowed_tools"), path="tool_choice.allowed_tools"), known)
    else:
        raise unsupported("tool_choice.type", "only functions can be called")
    choice.finish()
    return mode, names, kind == "function"


def _read_allowed(allowed: Fields, known: set[str]) -> tuple[set[str], str]:
    mode = allowed.need_text("mode")
    if mode not in ("auto", "required"):
        raise invalid(f"'{allowed.at('mode')}' must be auto or required.", param=allowed.at("mode"))
    tools, at = allowed.take("tools"), allowed.at("tools")
    allowed.finish()
    if not isinstance(tools, list) or not tools:
        raise invalid(f"'{at}' must be a list of functions.", param=at)
    return {_read_reference(tool, f"{at}[{number}]", known) for number, tool in enumerate(tools)}, mode


def _read_reference(value: object, path: str, known: set[str]) -> str:
    tool = Fields(value, path=path)
    if tool.need_text("type") != "function":
        raise unsupported(f"{path}.type", "only functions can be called")
    name = _read_chosen(tool.take("function"), f"{path}.function", known)
    tool.finish()
    return name


def _read_chosen(value: object, path: str, known: set[str]) -> str:
    chosen = Fields(value, path=path)
    name = chosen.need_text("name")
    chosen.finish()
    if name not in known:
        raise invalid(f"'{path}.name' is '{name[:64]}', which is none of 'tools'.", param=f"{path}.name")
    return name
