"""What was answered, gathered from the bodies that went out, and made fit to be kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from serving_app.guardrails.personal import Personal, storable
from serving_app.guardrails.prompts import ASKED, asked_texts, changed
from serving_app.guardrails.scrubbing import Scrubber


class Record:
    """The answers of one request by choice, whole or from chunks. What has another shape than OpenAI's is left out: an
    answer that was billed goes out whatever it looks like.
    """

    def __init__(self) -> None:
        self._answers: dict[int, dict[str, Any]] = {}

    def add(self, body: Mapping[str, Any]) -> None:
        """Take in a whole body, or the next chunk."""
        for choice in _objects(body.get("choices")):
            said = _object(choice.get("message")) or _object(choice.get("delta"))
            answer = self._answers.setdefault(
                _number(choice.get("index"), 0), {"content": "", "finish_reason": "", "calls": {}}
            )
            answer["content"] += _string(said.get("content")) or _string(choice.get("text"))
            for at, call in enumerate(_objects(said.get("tool_calls"))):
                function = _object(call.get("function"))
                kept = answer["calls"].setdefault(_number(call.get("index"), at), {"name": "", "arguments": ""})
                kept["name"] += _string(function.get("name"))
                kept["arguments"] += _string(function.get("arguments"))
            answer["finish_reason"] = _string(choice.get("finish_reason")) or answer["finish_reason"]

    @property
    def answers(self) -> list[dict[str, Any]]:
        """`content`, `finish_reason` and `calls` (name, arguments) of each choice, in order."""
        return [{**each, "calls": list(each["calls"].values())} for _, each in sorted(self._answers.items())]


def scrubbed_texts(
    body: Mapping[str, Any], answers: list[dict[str, Any]], personal: Personal
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Question and answers with every personal thing that can be found behind its mask."""
    question = {name: _asked(body[name], personal) for name in ASKED if name in body}
    scrubber = Scrubber(personal, list(asked_texts(body)))
    found = [
        {
            "content": scrubber.text(each["content"]),
            "finish_reason": each["finish_reason"],
            "calls": [
                {"name": scrubber.text(call["name"]), "arguments": scrubber.arguments(call["arguments"])}
                for call in each["calls"]
            ],
        }
        for each in answers
    ]
    return changed(question, storable), changed(found, storable)


def _asked(value: Any, personal: Personal) -> Any:
    """What was asked, turn by turn: a bare number is an answer to the turn before it."""
    scrubber = Scrubber(personal)
    if not isinstance(value, list) or not all(isinstance(turn, str | list | dict) for turn in value):
        return scrubber.part(value)
    found = []
    for turn in value:
        found.append(scrubber.part(turn))
        scrubber.earlier.add("\n".join(asked_texts({"messages": turn})))
    return found


def _objects(value: Any) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _string(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _number(value: Any, default: int) -> int:
    return value if isinstance(value, int) else default
