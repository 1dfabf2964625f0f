"""The step `personal_data`: what was found is hidden, or its row dropped. All texts of a batch are searched at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from datasets_app.curation.pii.finder import finder
from datasets_app.curation.pii.masking import hide, policy_of
from datasets_app.curation.pii.patterns import Span
from datasets_app.curation.rows import Message, Rejection
from datasets_app.curation.steps import Candidate, Known, Outcome, RowStep


class PersonalData(RowStep):
    """Masks or drops by the policy in its options; with `turns` = user, the other turns stay as they are."""

    def __init__(self, options: Mapping[str, Any], known: Known) -> None:
        super().__init__(options, known)
        self.policy = policy_of(options)

    def run(self, rows: Sequence[Candidate], counts: Counter[str]) -> list[Outcome]:
        only_user = self.options["turns"] == "user"
        wanted = [[not only_user or each["role"] == "user" for each in row.conversation.messages] for row in rows]
        texts: list[str] = []
        earlier: list[list[str]] = []
        for row, flags in zip(rows, wanted, strict=True):
            turns = [message["content"] for message in row.conversation.messages]
            texts += [turn for turn, flag in zip(turns, flags, strict=True) if flag]
            earlier += [turns[:place] for place, flag in enumerate(flags) if flag]
        spans = iter(finder().find(texts, earlier))
        found = [[next(spans) if flag else [] for flag in flags] for flags in wanted]
        return [self._hidden(row, each, counts) for row, each in zip(rows, found, strict=True)]

    def _hidden(self, row: Candidate, found: Sequence[Sequence[Span]], counts: Counter[str]) -> Outcome:
        messages, hidden = [], Counter[str]()
        for message, spans in zip(row.conversation.messages, found, strict=True):
            content, masked, drops = hide(message["content"], spans, self.policy)
            if drops:
                return Rejection("personal_data", f"The row holds {drops}, and the recipe drops such rows.")
            hidden += masked
            messages.append(Message(role=message["role"], content=content))
        counts.update(hidden)
        return replace(row.conversation, messages=tuple(messages))
