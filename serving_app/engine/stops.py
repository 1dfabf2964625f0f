"""Stop strings over text that comes in pieces. Knows no tokens."""

from __future__ import annotations


class StopFilter:
    """Lets text through up to the first stop string, and holds back what might be the beginning of one.

    Behind the text `until`, if one is given, nothing stops, nor in an answer that begins with the character `unless`: an
    answer's function calls are not cut.
    """

    def __init__(self, stops: tuple[str, ...], *, until: str = "", unless: str = "") -> None:
        self._stops = stops
        self._unless = unless
        self._until = until
        self._held = ""

    def push(self, text: str) -> tuple[str, bool]:
        """`(text that may be shown, whether a stop string was met)`; after a hit nothing more may be pushed."""
        if self._unless and text:
            self._stops = () if text.startswith(self._unless) else self._stops
            self._unless = ""
        if not self._stops:
            return text, False
        buffer = self._held + text
        found = [at for at in (buffer.find(stop) for stop in self._stops) if at >= 0]
        last = buffer.find(self._until) if self._until else -1
        if last >= 0 and (not found or last <= min(found)):
            self._stops, self._held = (), ""
            return buffer, False
        if found:
            self._held = ""
            return buffer[: min(found)], True
        keep = max(overlap(buffer, each) for each in (*self._stops, self._until))
        self._held = buffer[len(buffer) - keep :]
        return buffer[: len(buffer) - keep], False

    def flush(self) -> str:
        """What was held back and turned out to be plain text, at the end of the sequence."""
        held, self._held = self._held, ""
        return held


def overlap(buffer: str, stop: str) -> int:
    """Length of the longest end of `buffer` that is a proper beginning of `stop`."""
    for size in range(min(len(stop) - 1, len(buffer)), 0, -1):
        if buffer.endswith(stop[:size]):
            return size
    return 0
