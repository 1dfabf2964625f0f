"""The process that runs one chat template: lengths and JSON in, lengths and JSON out. It knows Jinja and nothing else.

A template comes with a model and is a program, and messages may make it long: for each conversation the process allows
itself SECONDS of computing and a bounded memory, and is ended by the kernel where it takes more.
"""

from __future__ import annotations

import json
import resource
import struct
import sys
import time
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any, BinaryIO

from jinja2 import Template, TemplateError, nodes
from jinja2.exceptions import SecurityError
from jinja2.ext import Extension, loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace

if TYPE_CHECKING:
    from jinja2.parser import Parser

SECONDS = 2  # the kernel counts in whole ones: two to three
MEMORY_BYTES = 1 << 30
MOST_CHARACTERS = 16_000_000
LENGTH = struct.Struct(">Q")
# What a template may raise on messages that it was not written for.
TEMPLATE_ERRORS = (TemplateError, ValueError, TypeError, AttributeError, LookupError, ArithmeticError, RecursionError)


class _Generation(Extension):
    """`{% generation %}` marks say where answers lie; here they are only passed over."""

    tags = {"generation"}

    def parse(self, parser: Parser) -> nodes.Node:
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        return nodes.CallBlock(self.call_method("_marked"), [], [], body).set_lineno(line)

    def _marked(self, caller: Callable[[], str]) -> str:
        return caller()


class _Dict:
    """`dict` as templates may use it: to make one."""

    def __call__(self, *values: Any, **named: Any) -> dict[Any, Any]:
        return dict(*values, **named)

    def fromkeys(self, *values: Any) -> dict[Any, Any]:
        """As `dict.fromkeys`."""
        return dict.fromkeys(*values)


class _Namespace(Namespace):
    """Without names that begin with an underscore, which lead into Python."""

    def __init__(self, *values: Any, **named: Any) -> None:
        given = dict(*values, **named)
        for name in given:
            _check_name(name)
        Namespace.__init__(self, given)

    def __setitem__(self, name: str, value: Any) -> None:
        _check_name(name)
        Namespace.__setitem__(self, name, value)


def _check_name(name: object) -> None:
    if isinstance(name, str) and name.startswith("_"):
        raise SecurityError(f"a namespace takes no {name!r}")


def _refuse(message: str) -> None:
    raise TemplateError(message)


def _spelled(
    value: Any,
    ensure_ascii: bool = False,
    indent: int | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


def environment() -> ImmutableSandboxedEnvironment:
    """What templates are written for: the environment of `transformers`' `apply_chat_template`."""
    made = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[_Generation, loopcontrols])
    made.filters["tojson"] = _spelled
    made.globals |= {
        "raise_exception": _refuse,
        "strftime_now": lambda form: datetime.now().strftime(form),
        "dict": _Dict(),
        "namespace": _Namespace,
    }
    return made


def _written(template: Template, values: dict[str, Any]) -> str:
    pieces, size = [], 0
    for piece in template.generate(**values):
        pieces.append(piece)
        size += len(piece)
        if size > MOST_CHARACTERS:
            raise TemplateError(f"it writes more than {MOST_CHARACTERS:,} characters")
    return "".join(pieces)


def _answer(write: Callable[[], str]) -> dict[str, Any]:
    used = int(time.process_time())
    resource.setrlimit(resource.RLIMIT_CPU, (used + 1 + SECONDS, resource.RLIM_INFINITY))
    try:
        return {"text": write()}
    except TEMPLATE_ERRORS as error:
        return {"fault": str(error)[:500]}
    except MemoryError:
        return {"over": True}


def read_frame(stream: BinaryIO) -> Any:
    """The next value, or None where the other side is gone."""
    head = stream.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    (size,) = LENGTH.unpack(head)
    body = stream.read(size)
    return json.loads(body) if len(body) == size else None


def write_frame(stream: BinaryIO, value: Any) -> None:
    """Send a value. Errors: OSError where the other side is gone."""
    body = json.dumps(value).encode()
    stream.write(LENGTH.pack(len(body)) + body)
    stream.flush()


def main() -> None:
    """The first value is the template; then values in, texts out, until nobody asks any more."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    made: list[Template] = []
    source = read_frame(sys.stdin.buffer)
    opened = _answer(lambda: made.append(environment().from_string(source)) or "")  # type: ignore[func-returns-value]
    while (values := read_frame(sys.stdin.buffer)) is not None:
        write_frame(sys.stdout.buffer, _answer(lambda: _written(made[0], values)) if made else opened)


if __name__ == "__main__":
    main()
