"""A conversation as a chat template writes it, and where its answers lie. Knows no tokenizer.

Templates come with models and are programs: they run in Jinja's sandbox, in a child process that may take SECONDS and
MEMORY_BYTES, so that one which never ends takes nothing else down.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import TemplateError, nodes
from jinja2.ext import Extension, loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment

from datasets_app.curation.errors import Refusal

if TYPE_CHECKING:
    from jinja2.parser import Parser

START, END = "\ue000", "\ue001"
SECONDS = 5
PATIENCE_SECONDS = 20  # on a busy machine the child waits for its turn
MEMORY_BYTES = 1 << 30
MOST_CHARACTERS = 2_000_000
OUT_OF_MEMORY = 4
FAULTS = (TemplateError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError, RecursionError)
Span = tuple[int, int]


def written(template: str, special: dict[str, str], messages: Sequence[dict[str, str]]) -> tuple[str, list[Span]]:
    """The text, and the places of its answers in characters, end exclusive. Refusal where the template accepts the
    conversation not, does not tell where answers lie, or does not come to an end."""
    asked = json.dumps({"template": template, "special": special, "messages": list(messages)})
    try:
        done = subprocess.run(
            [sys.executable, "-m", "datasets_app.curation.browsing.chattext"],
            input=asked.encode(),
            capture_output=True,
            timeout=PATIENCE_SECONDS,
            cwd=Path(__file__).parents[3],
            env={},  # a program that came with a model is told nothing
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise _endless() from error
    if done.returncode < 0 or done.returncode == OUT_OF_MEMORY:
        raise _endless()
    if done.returncode:
        raise Refusal(
            code="template_failed", message="The model's chat template cannot be run here.", fix="Choose another model."
        )
    said = json.loads(done.stdout)
    if "refusal" in said:
        raise Refusal(**said["refusal"])
    return said["text"], [(start, end) for start, end in said["answers"]]


def _endless() -> Refusal:
    return Refusal(
        code="template_endless",
        message=f"The model's chat template did not come to an end within {SECONDS} seconds and "
        f"{MEMORY_BYTES >> 30} GiB of memory.",
        fix="Choose another model, or mend its template.",
    )


class _Generation(Extension):
    """`{% generation %}` marks, as chat templates use them to say where answers lie."""

    tags = {"generation"}

    def parse(self, parser: Parser) -> nodes.Node:
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        return nodes.CallBlock(self.call_method("_marked"), [], [], body).set_lineno(line)

    def _marked(self, caller: Callable[[], str]) -> str:
        return START + caller() + END


def _refuse(message: str) -> None:
    raise TemplateError(message)


def _written(template: str, special: dict[str, str], messages: Sequence[dict[str, str]], *, asks: bool = False) -> str:
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[_Generation, loopcontrols]
    )
    environment.globals["raise_exception"] = _refuse
    environment.filters["tojson"] = lambda value, **how: json.dumps(value, ensure_ascii=False, **how)
    clean = [{**each, "content": each["content"].replace(START, "").replace(END, "")} for each in messages]
    text, size = [], 0
    try:
        for piece in environment.from_string(template).generate(messages=clean, add_generation_prompt=asks, **special):
            text.append(piece)
            size += len(piece)
            if size > MOST_CHARACTERS:
                raise TemplateError(f"it writes more than {MOST_CHARACTERS:,} characters")
        return "".join(text)
    except FAULTS as error:
        raise Refusal(
            code="template_refused",
            message=f"The model's chat template does not accept this row: {error}.",
            fix="Choose another model, or leave the row out.",
        ) from error


def _places(template: str, special: dict[str, str], messages: Sequence[dict[str, str]]) -> tuple[str, list[Span]]:
    """The text without marks, and where its answers lie. Without marks in the template, its prefixes tell."""
    marked = _written(template, special, messages)
    if START in marked:
        text, spans = "", []
        for number, part in enumerate(marked.split(START)):
            answer, _, rest = part.partition(END) if number else ("", "", part)
            if number:
                spans.append((len(text), len(text) + len(answer)))
            text += answer + rest
        return text, spans
    spans = []
    for place, message in enumerate(messages):
        if message["role"] == "assistant":
            before = _written(template, special, messages[:place], asks=True)
            until = _written(template, special, messages[: place + 1])
            if not (until.startswith(before) and marked.startswith(until)):
                raise Refusal(
                    code="template_unclear",
                    message="The model's chat template does not tell where answers begin and end.",
                    fix="Choose another model, or add {% generation %} marks to its template.",
                )
            spans.append((len(before), len(until)))
    return marked, spans


def main() -> None:
    """The child: what to write on standard input, what came of it on standard output, both JSON."""
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    asked = json.load(sys.stdin)
    try:
        text, answers = _places(asked["template"], asked["special"], asked["messages"])
    except Refusal as refusal:
        said = {"refusal": {"code": refusal.code, "message": refusal.message, "fix": refusal.fix}}
        sys.stdout.write(json.dumps(said))
        return
    except MemoryError:
        sys.exit(OUT_OF_MEMORY)
    sys.stdout.write(json.dumps({"text": text, "answers": answers}))


if __name__ == "__main__":
    main()
