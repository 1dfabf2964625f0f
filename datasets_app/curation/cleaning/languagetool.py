"""Grammar by a LanguageTool server, over its HTTP API (`POST /v2/check`). It is asked only where its address is given.

Only matches of the chosen categories are taken, each with its first replacement. What the built-in rules may not touch,
it may not either. The server's offsets count UTF-16 units, as Java does.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Collection, Iterator, Mapping
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from itertools import accumulate
from typing import Any
from urllib.parse import urlencode, urlsplit

from datasets_app.curation.cleaning.edits import Edit, apply, is_free, protected
from datasets_app.curation.errors import Refusal

CATEGORIES = ("CASING", "COMPOUNDING", "CONFUSED_WORDS", "GRAMMAR", "PUNCTUATION", "REPETITIONS", "TYPOGRAPHY", "TYPOS")
TIMEOUT = 20.0
MOST_CHARACTERS = 20_000  # what the public server takes; a text beyond that is left alone
MOST_ANSWER = 8 << 20


def server_for(options: Mapping[str, Any], url: str | None) -> LanguageTool | None:
    """The server that the step grammar wants, or None where it wants none. Raises Refusal where no address is given."""
    if not options["languagetool"]:
        return None
    if not url:
        raise Refusal(
            code="languagetool",
            message="The step grammar wants LanguageTool, but no server is named.",
            fix="Set LANGUAGETOOL_URL, or take LanguageTool's categories out of the step.",
        )
    return LanguageTool(url, categories=options["languagetool"], language=options["language"] or "en-US")


class LanguageTool:
    """One server, asked text by text over one connection that is kept open. `language` as LanguageTool writes it."""

    def __init__(
        self, url: str, *, categories: Collection[str], language: str = "en-US", timeout: float = TIMEOUT
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise Refusal(
                code="languagetool",
                message=f"The address of the LanguageTool server, “{url}”, is no http address.",
                fix="Set LANGUAGETOOL_URL to something like http://127.0.0.1:8081, or leave it unset.",
            )
        kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        self.connection = kind(parts.hostname, parts.port, timeout=timeout)
        self.place = f"{parts.scheme}://{parts.netloc}"
        self.path = parts.path.rstrip("/").removesuffix("/v2") + "/v2/check"
        self.categories, self.language = frozenset(categories), language

    def correct(self, text: str) -> tuple[str, int]:
        """The text as the server would have it, and how many edits. Raises Refusal where it does not answer."""
        if not text.strip() or len(text) > MOST_CHARACTERS:
            return text, 0
        stretches = protected(text)
        edits = [edit for edit in self._edits(text) if is_free(edit, stretches)]
        return apply(text, edits), len(edits)

    def _edits(self, text: str) -> Iterator[Edit]:
        units = list(accumulate((1 + (letter > "\uffff") for letter in text), initial=0))
        for match in self._matches(text):
            start, end = match["offset"], match["offset"] + match["length"]
            if match["category"] in self.categories and 0 <= start <= end <= units[-1]:
                yield Edit(bisect_left(units, start), bisect_left(units, end), match["new"])

    def _matches(self, text: str) -> list[dict[str, Any]]:
        try:
            return [
                {
                    "offset": int(match["offset"]),
                    "length": int(match["length"]),
                    "new": str(match["replacements"][0]["value"]),
                    "category": str(match["rule"]["category"]["id"]),
                }
                for match in self._asked(text)["matches"]
                if match["replacements"]
            ]
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise self._refusal(f"gave an answer that is not of its API ({type(error).__name__}).") from error

    def _asked(self, text: str) -> Any:
        body = urlencode({"text": text, "language": self.language})
        try:
            self.connection.request("POST", self.path, body, {"Content-Type": "application/x-www-form-urlencoded"})
            response = self.connection.getresponse()
            content = response.read(MOST_ANSWER)
        except (OSError, HTTPException) as error:
            self.connection.close()
            raise self._refusal(f"does not answer ({error or type(error).__name__}).") from error
        if response.status != 200:
            self.connection.close()
            raise self._refusal(f"answered {response.status}: {content[:200].decode('utf-8', 'replace').strip()}")
        return json.loads(content)

    def _refusal(self, what: str) -> Refusal:
        return Refusal(
            code="languagetool",
            message=f"The LanguageTool server at {self.place} {what}",
            fix="Start it and run again, or take its categories out of the step grammar.",
        )
