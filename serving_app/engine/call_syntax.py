"""How one model writes function calls: read off its chat template by rendering a call that is known.

Templates that write each call as a JSON object of a name and arguments are understood: behind a mark, as Qwen's and Hermes'
`<tool_call>` and their kin, or bare, as Llama 3's, where the object is the whole answer. A template that leaves tools out, or
writes calls in another way, has no syntax here and takes no tools. Knows text and templates; refuses to know tokens and
requests.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from jinja2 import TemplateError

from serving_app.engine.errors import EngineError

# A template that refuses a probe, never ends with it, or writes something else than was thought.
UNREADABLE = (TemplateError, EngineError, ValueError)
# Messages, tools (None: none) and whether the assistant's turn is opened at the end, to text.
Render = Callable[[list[dict[str, Any]], list[dict[str, Any]] | None, bool], str]

NAMES = ("probe_alpha", "probe_beta")
ARGUMENTS = {"probe_key": "probe value"}
ANSWER = "probe answer"
ASKED = {"role": "user", "content": "probe question"}
TOOLS = [
    {"type": "function", "function": {"name": name, "description": "probe", "parameters": {"type": "object"}}}
    for name in NAMES
]


@dataclass(frozen=True, slots=True)
class CallSyntax:
    """`opening`, the calls with `between` among them, `closing`; a call is `{"name": …, key: {…}}`.

    `between` None: the template takes one call a message. `mark` is what tells a call from text. Without an opening calls
    are bare: an answer that begins with a brace is calls, any other is text to its end.
    """

    opening: str
    between: str | None
    closing: str
    key: str

    @property
    def is_bare(self) -> bool:
        return not self.opening

    @property
    def mark(self) -> str:
        """The text that a call begins with, and no plain answer may hold."""
        return self.opening.strip()


def find_syntax(render: Render) -> CallSyntax | None:
    """The template's syntax, or None where it has none that is understood."""
    try:
        if not _shows_tools(render):
            return None
        head, tail = render([ASKED, {"role": "assistant", "content": ANSWER}], TOOLS, False).split(ANSWER)
        single = _split(_written(render, NAMES[:1], head, tail), 1)
    except UNREADABLE:
        return None
    if single is None or single[0].isspace():
        return None
    opening, closing, key = single[0], single[-2], single[-1]
    return CallSyntax(opening, _between(render, head, tail, single), closing, key)


def _shows_tools(render: Render) -> bool:
    shown = render([ASKED], TOOLS, True)
    return shown != render([ASKED], None, True) and all(name in shown for name in NAMES)


def _written(render: Render, names: tuple[str, ...], head: str, tail: str) -> str:
    """An assistant's turn of calls alone. Errors: ValueError where it is not framed as a plain answer is."""
    calls = [
        {"id": f"probe{at:04}", "type": "function", "function": {"name": name, "arguments": ARGUMENTS}}
        for at, name in enumerate(names)
    ]
    text = render([ASKED, {"role": "assistant", "content": "", "tool_calls": calls}], TOOLS, False)
    if not (text.startswith(head) and text.endswith(tail)):
        raise ValueError("a turn of calls is framed in another way than an answer")
    return text[len(head) : len(text) - len(tail)]


def _split(text: str, count: int) -> tuple[str, ...] | None:
    """The texts around each of `count` calls, and the key of the arguments; None where no such calls are found."""
    around, key, at = [], "", 0
    for name in NAMES[:count]:
        start = text.find(f'{{"name": "{name}"', at)
        if start < 0:
            return None
        call, end = json.JSONDecoder().raw_decode(text, start)
        others = [other for other in call if other != "name"]
        if len(others) != 1 or call[others[0]] != ARGUMENTS or text[start:end] != json.dumps(call):
            return None
        around.append(text[at:start])
        key, at = others[0], end
    return (*around, text[at:], key)


def _between(render: Render, head: str, tail: str, single: tuple[str, ...]) -> str | None:
    try:
        double = _split(_written(render, NAMES, head, tail), 2)
    except UNREADABLE:
        return None
    if double is None or (double[0], double[-2], double[-1]) != (single[0], single[-2], single[-1]):
        return None
    return double[1]
