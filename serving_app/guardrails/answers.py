"""Answers on their way out: a choice that breaks a rule ends there, with OpenAI's `content_filter`.

Works on OpenAI's bodies, whole or in chunks, of chat and text completions. Counts of tokens are left as they are: what
the engine wrote is billed, whether it was let through or not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from serving_app.guardrails.guard import Guard
from serving_app.guardrails.watch import Breach, Watch

FILTERED = "content_filter"


def answers_wanted(body: Mapping[str, Any]) -> int:
    """How many answers a request asks for."""
    wanted, prompt = body.get("n"), body.get("prompt")
    prompts = len(prompt) if isinstance(prompt, list) and prompt and not isinstance(prompt[0], int) else 1
    return prompts * (wanted if isinstance(wanted, int) and wanted > 0 else 1)


class _Choice:
    """One answer: its text and the arguments of each call, watched apart."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._watches: dict[Any, Watch] = {}
        self.is_over = False
        self.breach: Breach | None = None

    def let(self, channel: Any, piece: str) -> str:
        watch = self._watches.setdefault(channel, Watch(self._guard.answers))
        return self._noted(watch, watch.feed(piece))

    def rests(self) -> Iterator[tuple[Any, str]]:
        """What was held back, by channel, now that the answer is over."""
        for channel, watch in self._watches.items():
            if self.breach is None and (rest := self._noted(watch, watch.finish())):
                yield channel, rest

    def _noted(self, watch: Watch, passed: str) -> str:
        self.breach = self.breach or watch.breach
        return passed


class AnswerGuard:
    """Watches the answers of one request."""

    def __init__(self, guard: Guard, *, wanted: int = 1) -> None:
        self._guard, self._wanted = guard, wanted
        self._choices: dict[int, _Choice] = {}
        self._told = 0

    @property
    def has_stopped(self) -> bool:
        """Whether every answer is over, one of them because of a rule: nothing that still comes will go out."""
        over = [each for each in self._choices.values() if each.is_over]
        return len(over) >= self._wanted and any(each.breach for each in over)

    @property
    def finish_reason(self) -> str:
        """`content_filter` where an answer was stopped, else nothing."""
        return FILTERED if any(each.breach for each in self._choices.values()) else ""

    def new_breaches(self) -> list[Breach]:
        """Those since the last time."""
        found = [each.breach for each in self._choices.values() if each.breach]
        self._told, fresh = len(found), found[self._told :]
        return fresh

    def whole(self, body: dict[str, Any]) -> None:
        """Cut each answer of a whole body where it breaks a rule."""
        for choice in body.get("choices") or []:
            watched = self._watched(choice)
            texts = _holders(choice)
            passed = [(holder, name, watched.let(at, holder[name])) for at, (holder, name) in enumerate(texts)]
            rests = dict(watched.rests())
            watched.is_over = True
            if watched.breach is None:
                continue
            for at, (holder, name, text) in enumerate(passed):
                holder[name] = text + rests.get(at, "")
            choice["finish_reason"] = FILTERED
            if isinstance(choice.get("message"), dict):
                choice["message"].pop("tool_calls", None)

    def chunks(self, body: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """The chunks that go out for one of the engine's; none where all of it is held back."""
        choices = body.get("choices")
        if not choices:
            yield body
            return
        pieces, rests, ends = [], [], []
        for choice in choices:
            watched = self._watched(choice)
            if not watched.is_over:
                piece, rest = self._piece(choice, watched)
                pieces += piece
                rests += rest
                ends += self._end(choice, watched)
        yield from ({**body, "choices": each} for each in (pieces, rests, ends) if each)

    def _watched(self, choice: Mapping[str, Any]) -> _Choice:
        return self._choices.setdefault(int(choice.get("index") or 0), _Choice(self._guard))

    def _piece(self, choice: dict[str, Any], watched: _Choice) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """The choice with as much of its text as may go out, without its end; and what other texts of it held back."""
        texts = [(holder, name, _channel(choice, holder, name)) for holder, name in _holders(choice)]
        for holder, name, channel in texts:
            holder[name] = watched.let(channel, holder[name])
        ended = choice.get("finish_reason") is not None or watched.breach is not None
        rests = dict(watched.rests()) if ended else {}
        for holder, name, channel in texts:
            holder[name] += rests.pop(channel, "")
        says = any(holder[name] for holder, name, _ in texts) or _opens(choice)
        piece = [{**choice, "finish_reason": None}] if says else []
        return piece, [_of_rests(choice, rests)] if rests else []

    def _end(self, choice: dict[str, Any], watched: _Choice) -> list[dict[str, Any]]:
        if watched.breach is None and choice.get("finish_reason") is None:
            return []
        watched.is_over = True
        reason = FILTERED if watched.breach else choice["finish_reason"]
        empty: dict[str, Any] = {"delta": {}} if "delta" in choice else {"text": ""}
        return [{"index": choice["index"], **empty, "logprobs": None, "finish_reason": reason}]


def _holders(choice: Mapping[str, Any]) -> list[tuple[dict[str, Any], str]]:
    """Where a choice's texts stand: (object, name of the field)."""
    found: list[tuple[dict[str, Any], str]] = []
    if isinstance(choice.get("text"), str):
        found.append((choice, "text"))  # type: ignore[arg-type]
    message = choice.get("message") or choice.get("delta") or {}
    found += [(message, name) for name in ("content", "refusal") if isinstance(message.get(name), str)]
    for call in message.get("tool_calls") or []:
        function = call.get("function") or {}
        if isinstance(function.get("arguments"), str):
            found.append((function, "arguments"))
    return found


def _channel(choice: Mapping[str, Any], holder: Mapping[str, Any], name: str) -> Any:
    """Which text of an answer goes on in this field: the number of a call, or the field's name."""
    calls = (choice.get("delta") or {}).get("tool_calls") or []
    return next((call.get("index", 0) for call in calls if call.get("function") is holder), name)


def _opens(choice: Mapping[str, Any]) -> bool:
    """Whether a chunk says something beside texts: who speaks, or which function is called."""
    delta = choice.get("delta") or {}
    return "role" in delta or any(call.get("id") for call in delta.get("tool_calls") or [])


def _of_rests(choice: Mapping[str, Any], rests: Mapping[Any, str]) -> dict[str, Any]:
    """A piece of the choice with what was held back."""
    head = {"index": choice["index"], "logprobs": None, "finish_reason": None}
    if "delta" not in choice:
        return {**head, "text": rests["text"]}
    said = {name: text for name, text in rests.items() if isinstance(name, str)}
    calls = [{"index": at, "function": {"arguments": text}} for at, text in rests.items() if isinstance(at, int)]
    return {**head, "delta": {**said, "tool_calls": calls} if calls else said}
