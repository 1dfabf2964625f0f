"""English prose that ships with Python: the docstrings of the standard library and the language's help topics.

The text depends on the Python version; the model's card names the version it was made with.
"""

from __future__ import annotations

import ast
import re
import sysconfig
from collections.abc import Iterator
from functools import cache
from pathlib import Path

_LEFT_OUT = {"site-packages", "test", "tests", "idle_test", "lib2to3", "__pycache__"}
_PARAGRAPH = re.compile(r"\n\s*\n")
_CODE_MARKS = re.compile(r">>>|::|[{}=<>|\\^~@#_]|\.\.\.|--|\*\*|\(\)")
_SPACES = re.compile(r"\s+")
MIN_CHARACTERS = 60
MAX_CHARACTERS = 1200


@cache
def paragraphs(limit: int) -> tuple[str, ...]:
    """Distinct paragraphs of prose from the standard library, in a stable order, `limit` characters in all."""
    seen: dict[str, None] = {}
    room = limit
    for text in (*_topics(), *_docstrings()):
        for piece in _prose(text):
            if piece not in seen and room > 0:
                seen[piece] = None
                room -= len(piece)
    return tuple(seen)


def _prose(text: str) -> Iterator[str]:
    """Paragraphs that read as sentences: long enough, few marks of code."""
    for block in _PARAGRAPH.split(text):
        piece = _SPACES.sub(" ", block.replace('"', "").replace("`", "").replace("*", "")).strip()
        letters = sum(character.isalpha() or character == " " for character in piece)
        if (
            MIN_CHARACTERS <= len(piece) <= MAX_CHARACTERS
            and letters > 0.92 * len(piece)
            and not _CODE_MARKS.search(piece)
        ):
            yield piece


def _topics() -> Iterator[str]:
    from pydoc_data.topics import topics

    yield from (topics[name] for name in sorted(topics))


def _docstrings() -> Iterator[str]:
    root = Path(sysconfig.get_paths()["stdlib"])
    for path in sorted(root.rglob("*.py")):
        if _LEFT_OUT.isdisjoint(path.relative_to(root).parts):
            yield from _docstrings_of(path)


def _docstrings_of(path: Path) -> Iterator[str]:
    tree = ast.parse(path.read_text(encoding="utf-8", errors="replace"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield ast.get_docstring(node) or ""
