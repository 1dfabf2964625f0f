"""The steps `symbols`, `case`, `spelling` and `grammar`: each text by itself, system prompts and class labels never."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from datasets_app.curation.cleaning.casing import recase
from datasets_app.curation.cleaning.grammar import correct
from datasets_app.curation.cleaning.languagetool import server_for
from datasets_app.curation.cleaning.spelling import OFTEN, Speller
from datasets_app.curation.cleaning.symbols import replace_symbols
from datasets_app.curation.cleaning.words import WORD
from datasets_app.curation.rows import REJECTED, Conversation, Message
from datasets_app.curation.steps import Known, TextStep
from datasets_app.curation.surveys import Survey

MOST_WORDS = 500_000  # that the survey remembers at once


class _SpokenStep(TextStep):
    """A TextStep for what people and assistants say: `turns` chooses whose; system prompts stay as they were written."""

    def _edited(self, found: Conversation, counts: Counter[str]) -> Conversation:
        wanted = {"user", "assistant"} if self.options["turns"] == "all" else {self.options["turns"]}
        wanted |= {REJECTED} if "assistant" in wanted else set()  # both answers of a pair, or their spelling would tell
        stop = len(found.messages) - found.answer_is_label
        messages = [
            Message(role=each["role"], content=self.edit(each["content"], counts))
            if place < stop and each["role"] in wanted
            else each
            for place, each in enumerate(found.messages)
        ]
        return replace(found, messages=tuple(messages))


class Symbols(_SpokenStep):
    """Emoji, URLs and handles by their policies."""

    def edit(self, text: str, counts: Counter[str]) -> str:
        return replace_symbols(
            text, emoji=self.options["emoji"], urls=self.options["urls"], handles=self.options["handles"]
        )


class Case(_SpokenStep):
    """Shouting repaired, or sentence case."""

    def edit(self, text: str, counts: Counter[str]) -> str:
        return recase(text, self.options["policy"])


class Spelling(_SpokenStep):
    """English spelling; counts `words`. Knows from its survey which words the data itself often uses."""

    def __init__(self, options: Mapping[str, Any], known: Known) -> None:
        super().__init__(options, known)
        self.speller = Speller(dictionary=options["dictionary"], counts=known.surveys.get("spelling"))

    def edit(self, text: str, counts: Counter[str]) -> str:
        corrected, words = self.speller.correct(text)
        if words:
            counts["words"] += words
        return corrected


class Words(Survey):
    """How often each word in lower case is written, over all turns: what is often is meant."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        super().__init__(options)
        self.counts: Counter[str] = Counter()

    def add(self, found: Conversation) -> None:
        for message in found.messages:
            self.counts.update(word for word in WORD.findall(message["content"]) if word.islower())
        if len(self.counts) > MOST_WORDS:
            self.counts = Counter({word: count for word, count in self.counts.items() if count > 1})

    def result(self) -> dict[str, int]:
        return {word: count for word, count in self.counts.items() if count >= OFTEN}


class Grammar(_SpokenStep):
    """The built-in rules and, where categories are chosen, a LanguageTool server; counts edits by rule."""

    def __init__(self, options: Mapping[str, Any], known: Known) -> None:
        super().__init__(options, known)
        self.tool = server_for(options, known.languagetool_url)

    def edit(self, text: str, counts: Counter[str]) -> str:
        text, made = correct(text, self.options["rules"])
        counts.update(made)
        if self.tool is not None:
            text, edits = self.tool.correct(text)
            if edits:
                counts["languagetool"] += edits
        return text
