"""The rules of one workspace, ready to be run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from serving_app.guardrails.personal import Personal
from serving_app.guardrails.rules import Lexicon, Patterns, PersonalData, Rule, Words

ALLOW, MASK, REFUSE, STOP = "allow", "mask", "refuse", "stop"


@dataclass(frozen=True, slots=True)
class Guard:
    """What is looked for in prompts and in answers. `masks`: personal data in prompts is hidden from the model;
    `refuses`: it is no prompt at all; `keeps`: texts are kept, scrubbed. Without any of it there is no guard."""

    personal: Personal
    prompts: Sequence[Rule] = ()
    answers: Sequence[Rule] = ()
    masks: bool = False
    refuses: bool = False
    keeps: bool = False

    @property
    def reads_prompts(self) -> bool:
        return bool(self.prompts) or self.masks or self.refuses


def guard_of(
    prompts: Mapping[str, Any], answers: Mapping[str, Any], personal: Personal, *, keeps: bool = False
) -> Guard | None:
    """The guard for what a workspace has set for either side; None where that is nothing.

    A side has `personal_data`, `words`, `patterns` and `lexicon` (categories), each of which may be missing.
    """
    wanted = prompts.get("personal_data", ALLOW)
    stops = [PersonalData(personal)] if answers.get("personal_data", ALLOW) == STOP else []
    found = Guard(
        personal,
        prompts=_rules(prompts),
        answers=[*_rules(answers), *stops],
        masks=wanted == MASK,
        refuses=wanted == REFUSE,
        keeps=keeps,
    )
    return found if found.reads_prompts or found.answers or keeps else None


def _rules(side: Mapping[str, Any]) -> list[Rule]:
    rules: list[Rule] = []
    if side.get("words"):
        rules.append(Words(side["words"]))
    if side.get("patterns"):
        rules.append(Patterns(side["patterns"]))
    if side.get("lexicon"):
        rules.append(Lexicon(side["lexicon"]))
    return rules
