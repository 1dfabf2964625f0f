"""The grammar of an answer that may hold function calls, in llguidance's Lark. Pure text; it knows no tokenizer.

Arguments fit the function's schema, names are names of functions, and the marks stand where the template puts them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from serving_app.engine.call_syntax import CallSyntax

# A model that goes on calling is stopped here.
MOST_CALLS = 16
# Text cut at its special tokens, which are given by their ids.
Split = Callable[[str], Sequence[str | int]]


def call_grammar(
    syntax: CallSyntax,
    functions: Mapping[str, dict[str, Any]],
    *,
    must: bool,
    parallel: bool,
    answer: dict[str, Any] | None,
    split: Split,
) -> str:
    """The grammar. `functions` are schemas by name; `answer` is the schema of an answer that calls nothing, if any,
    which bare calls cannot be told from;
    `must`: the answer has to be calls. Schemas carry their own style."""
    opening, closing = _items(syntax.opening, split), _items(syntax.closing, split)
    more = ""
    if parallel and syntax.between is not None:
        more = f" ({_items(syntax.between, split)} call){{0,{MOST_CALLS - 1}}}"
    before = _quoted('{"name": "')
    called = " | ".join(_called(syntax, *each) for each in functions.items())
    rules = [
        "%llguidance {}",
        f"calls: {opening} rest",
        f"rest: call{more} {closing}",
        f"call: {before} ({called}) {_quoted('}')}",
    ]
    if must:
        rules.append("start: calls")
    elif syntax.is_bare:
        rules += ["start: calls | PLAIN", r"PLAIN: /([^{](.|\n)*)?/"]
    elif answer is not None:
        rules.append(f"start: calls | %json {json.dumps(answer)}")
    else:
        rules += [*_after_text(syntax, split), "start: text_and_calls | TEXT", r"TEXT: /(.|\n)*/"]
    return "\n".join(rules)


def _after_text(syntax: CallSyntax, split: Split) -> list[str]:
    """Text ends where the mark does: as soon as it was written, a call has to follow."""
    first, *others = split(syntax.mark)
    behind = syntax.opening[syntax.opening.index(syntax.mark) + len(syntax.mark) :]
    if isinstance(first, int):
        left = " ".join(_item(item) for item in [*others, *split(behind)])
        return [f"text_and_calls: TEXT {_item(first)} {left} rest"]
    return [f"text_and_calls: head {_items(behind, split)} rest", f"head[lazy]: TEXT {_quoted(syntax.mark)}"]


def _called(syntax: CallSyntax, name: str, schema: dict[str, Any]) -> str:
    before = _quoted(f'{name}", {json.dumps(syntax.key)}: ')
    return f"{before} %json {json.dumps(schema)}"


def _items(text: str, split: Split) -> str:
    return " ".join(_item(item) for item in split(text)) if text else ""


def _item(item: str | int) -> str:
    return f"<[{item}]>" if isinstance(item, int) else _quoted(item)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
