"""The step `personal_data`: what is found is hidden by policy, or its row dropped. A batch is searched at once.

`names` is on unless a recipe says otherwise; without the tagger people and addresses stay unless a word before gives them
away.
Beside what the finder finds, a column's name tells of its values and of where they stand in the row's turns, and the
workspace's list names texts that are always personal.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property

from datasets_app.curation.pii.columns import spoken, typed_values
from datasets_app.curation.pii.finder import finder
from datasets_app.curation.pii.lists import Phrases, denied
from datasets_app.curation.pii.masking import Place, Policy, applied, drops, hidden, policy_of
from datasets_app.curation.pii.overlaps import settle
from datasets_app.curation.pii.patterns import Span
from datasets_app.curation.pii.traces import traces
from datasets_app.curation.rows import Message, Rejection
from datasets_app.curation.steps import Candidate, Outcome, RowStep

EARLIER_TURNS = 8


class PersonalData(RowStep):
    """With `turns` = user, the other turns stay as they are; so does an answer that is a class label."""

    @cached_property
    def policy(self) -> Policy:
        """What happens to each type, under the workspace's secret."""
        return policy_of(self.options, self.known.secret)

    @cached_property
    def denied(self) -> Phrases:
        """The workspace's texts that are always personal."""
        return denied(self.options["deny"])

    def run(self, rows: Sequence[Candidate], counts: Counter[str]) -> list[Outcome]:
        wanted = [self._turns(row) for row in rows]
        texts, earlier = [], []
        for row, places in zip(rows, wanted, strict=True):
            turns = [message["content"] for message in row.conversation.messages]
            texts += [turns[place] for place in places]
            earlier += [turns[max(0, place - EARLIER_TURNS) : place] for place in places]
        found = iter(finder(names=self.options["names"]).find(texts, earlier))
        return [
            self._hidden(row, {place: next(found) for place in places}, counts)
            for row, places in zip(rows, wanted, strict=True)
        ]

    def _turns(self, row: Candidate) -> list[int]:
        """Places of the turns that are looked at."""
        messages = row.conversation.messages
        count = len(messages) - row.conversation.answer_is_label
        only_user = self.options["turns"] == "user"
        return [place for place in range(count) if not only_user or messages[place]["role"] == "user"]

    def _hidden(self, row: Candidate, found: dict[int, list[Span]], counts: Counter[str]) -> Outcome:
        by_column = Phrases(typed_values(spoken(row.record.values, row.mapping)))
        messages, sums, dropped = list(row.conversation.messages), Counter[str](), None
        for place, spans in found.items():
            role, text = messages[place]["role"], messages[place]["content"]
            at = Place(row.file, row.record.row, place)
            hits = self.policy.judged(text, self._all(text, spans, by_column), at)
            self.notes += traces(text, role, hits, at)
            gone = [(text[hit.span.start : hit.span.end], hit.span.entity_type) for hit in hits if hit.action != "keep"]
            self.values[row.record.row] = (*self.values.get(row.record.row, ()), *gone)
            dropped = dropped or drops(hits)
            messages[place] = Message(role=role, content=applied(text, hits))
            sums += hidden(hits)
        if dropped:
            return Rejection("personal_data", f"The row holds {dropped}, and the recipe drops such rows.")
        counts.update(sums)
        return replace(row.conversation, messages=tuple(messages))

    def _all(self, text: str, spans: list[Span], by_column: Phrases) -> list[Span]:
        more = [*by_column.find(text, "column"), *self.denied.find(text, "list")]
        return settle(text, [*spans, *more]) if more else spans
