"""Edits to a text, and the stretches of it that no edit may touch. Knows no rule of any language."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

Stretch = tuple[int, int]


class Edit(NamedTuple):
    """Replace `text[start:end]` by `new`; `start == end` inserts."""

    start: int
    end: int
    new: str


PROTECTED = re.compile(
    r"""
      ```.*?(?:```|\Z) | `[^`\n]+`                               # code
    | \$\$.+?\$\$ | \\\(.+?\\\) | \\\[.+?\\\]                    # formulas
    | <<[^<>\n]*>> | <[A-Za-z/!|][^<>\n]{0,200}>                 # marks of a data set, tags, <|special|>
    | \{\{[^{}\n]*\}\} | \$?\{[^{}\n]{0,80}\} | %\(\w+\)[sdf]    # slots
    | \[[A-Z][A-Z0-9_ -]*\]                                      # masks such as [EMAIL]
    | [A-Za-z][A-Za-z0-9+.-]*://[^\s<>"]+ | www\.[^\s<>"]+       # URLs
    | [\w.+-]+@[\w-]+(?:\.[\w-]+)+ | (?<!\w)[@\#][\w-]+          # e-mail addresses, @handles, #tags
    | (?<![\w.])(?:[A-Za-z]:)?[\\/]?(?:[\w.-]+[\\/]){2,}[\w.-]*  # paths
    | (?<![\w.])[\w-]+(?:\.[a-z0-9]{1,5})+(?!\w)                 # hosts, file names, versions
    | \w*\d\w*(?:[.,:/'-]\d+\w*)*                                # numbers and words that hold one
    | \w*_\w* | \b[a-z]+[A-Z]\w*                                 # snake_case, camelCase
    | :[a-z_]+: | (?<!\S)[:;=8xX]'?-?[)(\]\[DdPpOo3*/\\|]+(?!\w) | <3   # emoji names, emoticons
    """,
    re.VERBOSE | re.DOTALL,
)
_CODE_LINE = re.compile(
    r"""
      ^[^\n]*[{};]\ *$
    | ^\ *(?:def|class|import|from\ [\w.]+\ import|\#include|public|private|static|const|let|var|function|elif)\b
      [^\n]*[(:;{=][^\n]*$
    | ^[^\n]*(?:=>|:=|[=!+]=|\w\[\w+\]|&&|\|\||::|->|\w\(\))[^\n]*$
    | ^\ *(?:while|for|if|let)\ [^\n]*(?:\bdo|:|\bthen|=[^\n]*)$
    | ^(?:\ {4}|\t)[^\n]*$ | ^\ *(?:\$|>>>)\ [^\n]*$
    """,
    re.VERBOSE | re.MULTILINE,
)
_CODE_SIGNS = ("{", "}", ";", "=", "()", "->", "::", "&&", "||", "def ", "import ", "class ", "    ", "\t", "$ ", ">>>")


def protected(text: str) -> list[Stretch]:
    """Where code, masks, slots, numbers, names of files, URLs and addresses stand: `(start, end)`, in order.

    Lines that read like program code are protected whole.
    """
    found = [match.span() for match in PROTECTED.finditer(text)]
    if any(sign in text for sign in _CODE_SIGNS):
        found += [match.span() for match in _CODE_LINE.finditer(text) if match.end() > match.start()]
        found.sort()
    return found


def is_free(edit: Edit, stretches: Sequence[Stretch]) -> bool:
    """Whether an edit touches none of the stretches. An insertion right before or behind one is free."""
    if edit.start == edit.end:
        return not any(start < edit.start < end for start, end in stretches)
    return not any(start < edit.end and edit.start < end for start, end in stretches)


def apply(text: str, edits: Iterable[Edit]) -> str:
    """The text with all edits made. They must not overlap; of two that do, the later is left out."""
    parts, at = [], 0
    for edit in sorted(edits):
        if edit.start < at:
            continue
        parts += [text[at : edit.start], edit.new]
        at = edit.end
    return "".join([*parts, text[at:]])
