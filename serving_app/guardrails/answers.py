"""Answers on their way out: a choice that breaks a rule ends there, with OpenAI's `content_filter`.

Works on OpenAI's bodies, whole or in chunks, of chat and text completions. Counts of tokens are left as they are: what
the engine wrote is billed, whether it was let through or not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

from serving_app.guardrails.guard import Guard
from serving_app.guardrails.watch import Breach, Watch, first_breach

FILTERED = "content_filter"
LABELS = frozenset({"role", "id", "type"})
Path = tuple[Any, ...]  # names of fields and numbers of calls, from the message to a text


def answers_wanted(body: Mapping[str, Any]) -> int:
    """How many answers a request asks for."""
    wanted, prompt = body.get("n"), body.get("prompt")
    prompts = len(prompt) if isinstance(prompt, list) and prompt and not isinstance(prompt[0], int) else 1
    return prompts * (wanted if isinstance(wanted, int) and wanted > 0 else 1)


class _Choice:
    """One answer: each text of it, and the arguments of each call, watched apart. `is_chat`: it comes as deltas."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._watches: dict[Path, Watch] = {}
        self.is_over = self.is_chat = False
        self.breach: Breach | None = None

    def let(self, channel: Path, piece: str) -> str:
        if channel[-1] == "name":  # comes in one piece, and clients want it so
            found = first_breach(piece, self._guard.answers)
            self.breach = self.breach or found
            return "" if found else piece
        watch = self._watches.setdefault(channel, Watch(self._guard.answers))
        return self._noted(watch, watch.feed(piece))

    def rests(self) -> Iterator[tuple[Path, str]]:
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
            passed = [(holder, name, at, watched.let(at, holder[name])) for holder, name, at in _texts(choice)]
            rests = dict(watched.rests())
            watched.is_over = True
            if watched.breach is None:
                continue
            for holder, name, at, text in passed:
                holder[name] = text + rests.get(at, "")
            choice["finish_reason"] = FILTERED
            if isinstance(choice.get("message"), dict):
                for calls in ("tool_calls", "function_call"):
                    choice["message"].pop(calls, None)

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

    def rest(self, body: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """The last chunks of a stream that is over though nobody said why an answer ended."""
        for index, watched in self._choices.items():
            if watched.is_over:
                continue
            choice = {"index": index, "delta": {}} if watched.is_chat else {"index": index, "text": ""}
            if rests := dict(watched.rests()):
                yield {**body, "choices": [_of_rests(choice, rests)]}
            if watched.breach:
                yield {**body, "choices": self._end(choice, watched)}
            watched.is_over = True

    def _watched(self, choice: Mapping[str, Any]) -> _Choice:
        found = self._choices.setdefault(int(choice.get("index") or 0), _Choice(self._guard))
        found.is_chat = "delta" in choice
        return found

    def _piece(self, choice: dict[str, Any], watched: _Choice) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """The choice with as much of its text as may go out, without its end; and what other texts of it held back."""
        texts = list(_texts(choice))
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


def _texts(choice: Mapping[str, Any]) -> Iterator[tuple[Any, str, Path]]:
    """Where a choice's texts stand: object, name of the field, and which text of the answer goes on there."""
    if isinstance(choice.get("text"), str):
        yield choice, "text", ("text",)
    yield from _texts_below(choice.get("message") or choice.get("delta") or {}, ())


def _texts_below(holder: Mapping[str, Any], path: Path) -> Iterator[tuple[Any, str, Path]]:
    for name, value in holder.items():
        if isinstance(value, str) and name not in LABELS:
            yield holder, name, (*path, name)
        elif isinstance(value, dict):
            yield from _texts_below(value, (*path, name))
        elif isinstance(value, list):
            for at, each in enumerate(value):
                if isinstance(each, dict):
                    yield from _texts_below(each, (*path, name, each.get("index", at)))


def _opens(choice: Mapping[str, Any]) -> bool:
    """Whether a chunk says something beside texts: who speaks, or which function is called."""
    delta = choice.get("delta") or {}
    return "role" in delta or any(call.get("id") for call in delta.get("tool_calls") or [])


def _of_rests(choice: Mapping[str, Any], rests: Mapping[Path, str]) -> dict[str, Any]:
    """A piece of the choice with what was held back."""
    head = {"index": choice["index"], "logprobs": None, "finish_reason": None}
    if "delta" not in choice:
        return {**head, "text": rests["text",]}
    delta: dict[str, Any] = {}
    for path, text in rests.items():
        _put(delta, path, text)
    return {**head, "delta": delta}


def _put(delta: dict[str, Any], path: Path, text: str) -> None:
    """Set a text below a delta; what stands in lists has its number beside it."""
    here = delta
    for name, after in pairwise(path):
        if isinstance(after, int):
            listed = here.setdefault(name, [])
            known = next((each for each in listed if each["index"] == after), None)
            if known is None:
                listed.append(known := {"index": after})
            here = known
        elif isinstance(name, str):
            here = here.setdefault(name, {})
    here[path[-1]] = text
