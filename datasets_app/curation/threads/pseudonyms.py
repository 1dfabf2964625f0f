"""Names of the people of one thread, replaced: User 1, Agent 1 and so on, the same each time. Finds no other names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

TITLES = {"user": "User", "assistant": "Agent", "system": "System", "tool": "Tool"}
SHORTEST = 3
_GREETING = re.compile(
    r"^[^\w\n]{0,20}(?:(?:hi|hello|hey|dear|thanks|thank you|cheers|best|regards|kind regards|best regards|yours|hallo|liebe[r]?|"
    r"bonjour|hola|merci)\b[^\n]{0,60}|[^\n]{0,40})$",
    re.IGNORECASE | re.MULTILINE,
)


class Pseudonyms:
    """`hidden(text)` gives a text in which the thread's people are called by their pseudonyms.

    Whole names, addresses and @handles are replaced wherever they stand; single first names only in a line that greets
    or signs, for many are ordinary words as well.
    """

    def __init__(self, authors: Iterable[tuple[str, tuple[str, ...]]], roles: Mapping[str, str]) -> None:
        self._roles = dict(roles)
        self._names: dict[str, str] = {}
        aliases: dict[str, str] = {}
        numbers: dict[str, int] = {}
        for author, others in authors:
            if author not in self._names:
                role = self._roles.get(author, "assistant")
                numbers[role] = numbers.get(role, 0) + 1
                self._names[author] = f"{TITLES.get(role, 'User')} {numbers[role]}"
            for name in (author, *others):
                if len(name.strip()) >= SHORTEST:
                    aliases.setdefault(name.strip().lower(), self._names[author])
        self._aliases = aliases
        self._whole = _either(_spelled(name) for name in aliases)
        first = {name.split()[0]: pseudonym for name, pseudonym in aliases.items() if len(name.split()) > 1}
        first |= {name: pseudonym for name, pseudonym in aliases.items() if name.isalpha()}
        self._first_names = {name: pseudonym for name, pseudonym in first.items() if len(name) >= SHORTEST}
        self._first = _either(rf"\b{re.escape(name)}\b" for name in self._first_names)

    def of(self, author: str) -> str:
        """An author's pseudonym."""
        return self._names[author]

    def role(self, author: str) -> str:
        """An author's role."""
        return self._roles.get(author, "assistant")

    def hidden(self, text: str) -> str:
        """The text with pseudonyms in place of names."""
        if self._whole:
            text = self._whole.sub(lambda found: self._aliases[_bare(found.group())], text)
        if self._first:
            text = _GREETING.sub(lambda line: self._in_greeting(line.group()), text)
        return text

    def _in_greeting(self, line: str) -> str:
        if self._first is None:
            return line
        return self._first.sub(
            lambda found: self._first_names[found.group().lower()] if found.group()[0].isupper() else found.group(),
            line,
        )


def _bare(found: str) -> str:
    return found.lower().removeprefix("<").removesuffix(">").removeprefix("@").removeprefix("u/")


def _spelled(name: str) -> str:
    """Single words count as names behind an @ only; longer names, addresses and names with digits in any place."""
    plain = re.escape(name)
    if name.isalpha():
        return rf"<?@{plain}\b>?"
    return rf"<@{plain}>|@{plain}(?!\w)|(?<![\w@]){plain}(?!\w)"


def _either(patterns: Iterable[str]) -> re.Pattern[str] | None:
    found = sorted(patterns, key=len, reverse=True)
    return re.compile("|".join(found), re.IGNORECASE) if found else None
