"""Last pass: rows counted in tokens and written into their splits, in order. Decides no split."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from datasets_app.curation.balance import Plan, effective_classes, imbalance, plan
from datasets_app.curation.errors import Refusal
from datasets_app.curation.grouping import Grouping
from datasets_app.curation.identity import COPY_WHEN_SHORT, told
from datasets_app.curation.ledger import Losses
from datasets_app.curation.parts import parts
from datasets_app.curation.recipe import Recipe, Step, number_option
from datasets_app.curation.rows import REJECTED, Rejection, spoken
from datasets_app.curation.splits import NAMES, TRAIN
from datasets_app.curation.table import Writer, batches, origins
from datasets_app.curation.tokens import Histogram, TokenCounter, truncated

ODD_ROLES = Rejection("chat_template", "The model's chat template refuses this order of roles.")
IN_VALIDATION = Rejection("in_validation_file", "A near-copy is among the validation or test rows that were given.")
COPY_NOW = Rejection(COPY_WHEN_SHORT, "Shortened to the limit of tokens, it is nearly the same as a training row.")
TOO_MANY = Rejection("balanced_out", "Its class has more training rows than the recipe keeps.")


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    return (row for batch in batches(path) for row in batch)


def _repeats(file: str, row: int) -> Rejection:
    return Rejection("near_duplicate", f"Nearly the same as {file}, row {row + 1:,}, which was kept.")


def planned(step: Step, labelled: Sequence[tuple[int, str]]) -> Plan:
    """What the step `balance` does to training rows, given as (row, label)."""
    return plan(
        labelled,
        method=str(step.options["method"]),
        cap=int(number_option(step, "cap")),
        ratio=number_option(step, "ratio"),
        seed=int(number_option(step, "seed")),
    )


def balanced(
    step: Step, done: Plan, *, before: Mapping[str, int], after: Mapping[str, int], repeated: int
) -> dict[str, Any]:
    """What balancing did, as the report has it: rows of each class before and after."""
    return {
        "method": step.options["method"],
        "before": dict(sorted(before.items())),
        "after": dict(sorted(after.items())),
        "imbalance": {"before": imbalance(before), "after": imbalance(after)},
        "effective_classes": {"before": effective_classes(before), "after": effective_classes(after)},
        "repeated": repeated,
        "weights": dict(done.weights),
    }


class Writing:
    """Writes train, validation and test.parquet; counts rows, classes and tokens, and digests what it writes."""

    def __init__(self, recipe: Recipe, *, tokenizer: Path | None, ledger: Losses) -> None:
        self.step, self.ledger = recipe.step("tokens"), ledger
        self.limit = int(number_option(self.step, "limit")) if self.step else None
        self.counter = TokenCounter(tokenizer) if self.step and tokenizer else None
        self.histogram, self.digest, self.over, self.shortened = Histogram(), hashlib.sha256(), 0, 0
        self.shortable = 0
        self.divisible, self.pieces = 0, 0
        self.counts = dict.fromkeys(NAMES, 0)
        self.pairs = dict.fromkeys(NAMES, 0)
        self._classes: dict[str, Counter[str]] = {name: Counter() for name in NAMES}
        self._repeats: Counter[str] = Counter()
        self.before: Counter[str] = Counter()
        self.balancing = recipe.step("balance")
        self.plan = Plan()

    def write(self, rows: Path, grouping: Grouping, out: Path, *, progress: Callable[[int, int], None]) -> None:
        """Raises Refusal where a row is too long and the policy is to refuse."""
        groups, place = grouping.together.labels(), 0
        kept_for = origins(rows, set(grouping.repeated.values()))
        self._weigh(grouping)
        with ExitStack() as stack:
            writers = [stack.enter_context(Writer(out / f"{name}.parquet")) for name in NAMES]
            for batch in batches(rows):
                for row, count in zip(batch, self._token_counts(batch), strict=True):
                    row.update(tokens=count, cluster=grouping.clusters.find(place), group=str(groups[place]))
                    if place in grouping.left_out:
                        self._drop(row, "split", IN_VALIDATION)
                    elif place in grouping.repeated:
                        file, at = kept_for[grouping.repeated[place]]
                        self._drop(row, "near_duplicates", _repeats(file, at))
                    elif place in self.plan.gone:
                        self._drop(row, "balance", TOO_MANY)
                    elif kept := self._fitted(row):
                        self._keep(kept, grouping.splits[place], writers, more=self.plan.again.get(place, 0))
                    place += 1
                progress(place, len(groups))

    def leave_out(self, path: Path, *, split: str, places: Collection[int]) -> None:
        """Take rows out of a split's file, those at `places` with all their parts, and put them into the ledger."""
        leaving: dict[tuple[str, int], dict[str, Any]] = {}
        for at, row in enumerate(_rows(path)):
            if at in places:
                leaving.setdefault((row["file"], row["row"]), {**row, "line": None})
        rest = path.with_suffix(".rest")
        with Writer(rest) as writer:
            for row in _rows(path):
                if (row["file"], row["row"]) not in leaving:
                    writer.add(row)
        rest.replace(path)
        for (file, number), row in leaving.items():
            self._drop(row, "tokens", COPY_NOW)
            self.digest.update(json.dumps(["left out", split, file, number]).encode())
            self._classes[split].subtract([row["label"]] if row["label"] else [])
        self._classes[split] = +self._classes[split]  # without labels that are gone
        self.counts[split] -= len(leaving)
        self.pairs[split] -= sum(row["messages"][-1]["role"] == REJECTED for row in leaving.values())

    def _weigh(self, grouping: Grouping) -> None:
        """Plan what balancing does to the training rows that are left."""
        gone = grouping.left_out | grouping.repeated.keys()
        labelled = [
            (row, label)
            for row, (label, split) in enumerate(zip(grouping.gathered.labels, grouping.splits, strict=True))
            if label and split == TRAIN and row not in gone
        ]
        self.before = Counter(label for _row, label in labelled)
        if self.balancing is not None:
            self.plan = planned(self.balancing, labelled)

    def balance(self) -> dict[str, Any]:
        """What balancing did, for the report; nothing where the recipe does not balance."""
        if self.balancing is None:
            return {}
        after = self._classes["train"] + self._repeats
        return balanced(self.balancing, self.plan, before=self.before, after=after, repeated=self._repeats.total())

    def would(self) -> dict[str, dict[str, int]]:
        """What each policy would make of the rows that are too long; `refuse` refuses the run where there is one."""
        return {
            "drop": {"shortened": 0, "dropped": self.over},
            "truncate": {"shortened": self.shortable, "dropped": self.over - self.shortable},
            "split": {"split": self.divisible, "parts": self.pieces, "dropped": self.over - self.divisible},
            "refuse": {"refused": self.over},
        }

    def tokens(self) -> dict[str, Any]:
        """Rows by length in tokens, and how many are over the limit, for the report."""
        told = {"limit": self.limit, "over": self.over, "would": self.would()}
        return {**told, "histogram": self.histogram.as_json()}

    def classes(self) -> dict[str, dict[str, int]]:
        """Rows by split and label; empty where no row has a label."""
        labelled = {name: dict(sorted(found.items())) for name, found in self._classes.items()}
        return labelled if any(labelled.values()) else {}

    def _token_counts(self, batch: list[dict[str, Any]]) -> list[int | None]:
        return self.counter.counts([row["messages"] for row in batch]) if self.counter else [None] * len(batch)

    def _keep(self, kept: list[dict[str, Any]], split: int, writers: list[Writer], *, more: int) -> None:
        """Write a row, or its parts; they count as the one row that they were."""
        name, row = NAMES[split], kept[0]
        for part in kept:
            stored = {column: value for column, value in part.items() if column != "line"}
            for repeat in range(1 + more):
                writers[split].add({**stored, "repeat": repeat})
            self.digest.update(told(split, part, more=more))
        self._repeats[row["label"]] += more
        self.counts[name] += 1
        self.pairs[name] += row["messages"][-1]["role"] == REJECTED
        if row["label"]:
            self._classes[name][row["label"]] += 1

    def _fitted(self, row: dict[str, Any]) -> list[dict[str, Any]]:
        """The row as it is written: whole, shortened or in parts; empty where it is left out."""
        row["part"] = 0
        if self.counter is None:
            return [row]
        if row["tokens"] is None:
            return self._drop(row, "tokens", ODD_ROLES)
        self.histogram.add(row["tokens"])
        if row["tokens"] <= (self.limit or row["tokens"]):
            return [row]
        return self._fit(row, self.counter, self.limit or 0)

    def _fit(self, row: dict[str, Any], counter: TokenCounter, limit: int) -> list[dict[str, Any]]:
        """By the policy. What the others would make of it is counted, too."""
        policy = self.step.options["policy"] if self.step else "drop"
        sentence = f"The row has {row['tokens']:,} tokens; the limit is {limit:,}."
        self.over += 1
        if policy == "refuse":
            raise Refusal(
                code="too_long",
                message=f"{row['file']}, row {row['row'] + 1:,}: {sentence}",
                fix="Raise the limit, or choose to drop, split or truncate such rows.",
            )
        shorter, divided = (
            truncated(counter, row["messages"], limit=limit),
            parts(counter, row["messages"], limit=limit),
        )
        self.shortable += shorter is not None
        self.divisible += divided is not None
        self.pieces += len(divided or ())
        found = divided if policy == "split" else [shorter] if policy == "truncate" and shorter else None
        if not found:
            return self._drop(row, "tokens", Rejection("too_long", sentence))
        self.shortened += 1
        numbers = range(1, len(found) + 1) if policy == "split" else (0,)
        return [
            {**row, "messages": messages, "tokens": tokens, "part": number}
            for number, (messages, tokens) in zip(numbers, found, strict=True)
        ]

    def _drop(self, row: dict[str, Any], step: str, why: Rejection) -> list[dict[str, Any]]:
        at = {part: row[part] for part in ("file", "row", "line")}
        self.ledger.drop(**at, step=step, reason=why.reason, detail=why.detail, text=spoken(row["messages"]))
        return []
