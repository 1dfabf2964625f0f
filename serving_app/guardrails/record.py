"""What was answered, gathered from the bodies that went out, and made fit to be kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from serving_app.guardrails.personal import Personal, storable
from serving_app.guardrails.prompts import asked_texts, changed, hidden


class Record:
    """The answers of one request by choice, whole or from chunks."""

    def __init__(self) -> None:
        self._answers: dict[int, dict[str, Any]] = {}

    def add(self, body: Mapping[str, Any]) -> None:
        """Take in a whole body, or the next chunk."""
        for choice in body.get("choices") or []:
            said = choice.get("message") or choice.get("delta") or {}
            answer = self._answers.setdefault(int(choice.get("index") or 0), {"content": "", "calls": {}})
            answer["content"] += said.get("content") or choice.get("text") or ""
            for at, call in enumerate(said.get("tool_calls") or []):
                function = call.get("function") or {}
                kept = answer["calls"].setdefault(call.get("index", at), {"name": "", "arguments": ""})
                kept["name"] += function.get("name") or ""
                kept["arguments"] += function.get("arguments") or ""
            answer["finish_reason"] = choice.get("finish_reason") or answer.get("finish_reason", "")

    @property
    def answers(self) -> list[dict[str, Any]]:
        """`content`, `finish_reason` and `calls` (name, arguments) of each choice, in order."""
        return [{**each, "calls": list(each["calls"].values())} for _, each in sorted(self._answers.items())]


def scrubbed_texts(
    body: Mapping[str, Any], answers: list[dict[str, Any]], personal: Personal
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Question and answers with every personal thing that can be found behind its mask."""
    question, turns = hidden(body, personal), list(asked_texts(body))
    found = [
        {
            "content": personal.scrubbed(each["content"], turns),
            "finish_reason": each["finish_reason"],
            "calls": [{**call, "arguments": personal.scrubbed(call["arguments"])} for call in each["calls"]],
        }
        for each in answers
    ]
    return changed(question, storable), changed(found, storable)
