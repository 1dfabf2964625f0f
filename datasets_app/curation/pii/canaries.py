"""Planted rows: made-up values in sentences of our own, to measure how much a version's own step hides. None goes into it.

The values come from Faker in several countries, the sentences from the list below; the tagger is trained on others. They
go through the step as any row does, with its turns, lists, policy and decisions. A canary counts as hidden when its row is
left out, or when what was hidden covers at least half of its characters.
"""

from __future__ import annotations

import random
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from datasets_app.curation.layouts import ColumnMap
from datasets_app.curation.pii.keys import Keys
from datasets_app.curation.rows import Conversation, Message, Record, Rejection
from datasets_app.curation.steps import Candidate, RowStep

if TYPE_CHECKING:
    from faker import Faker

PLANTED = 175  # five of each sentence
IN_ANSWERS = 0.2  # of those that are no answer to a question themselves
COUNTRIES = ("en_US", "en_GB", "en_IN", "de_DE", "fr_FR", "es_ES", "it_IT", "nl_NL")
_SLOT = re.compile(r"\{(\w+)\}")
# A bar separates turns; the last one holds the value.
_SENTENCES = (
    "{PERSON} from the second floor still has my charger.",
    "Could somebody let {PERSON} know that the meeting moved?",
    "Kind regards,\n{PERSON}",
    "The ticket was opened by {PERSON} and nobody touched it since.",
    "hey its {PERSON} again, any news on my refund",
    "I spoke with {PERSON} yesterday and was told to write here.",
    "Whose name is on the booking?|{PERSON}",
    "who is the account holder|{PERSON}",
    "Parcel for {PERSON}: please ring twice.",
    "We moved, from now on send everything to {ADDRESS}, thank you.",
    "The courier should come to {ADDRESS} between nine and ten.",
    "my place is {ADDRESS} if the driver gets lost",
    "Where shall we deliver it?|{ADDRESS}",
    "Invoice address: {ADDRESS}",
    "Text me on {PHONE_NUMBER} once the technician is on the way.",
    "My mobile changed, the new one is {PHONE_NUMBER}.",
    "How can we reach you?|{PHONE_NUMBER} after six",
    "Tel. {PHONE_NUMBER}",
    "The receipt never reached {EMAIL_ADDRESS}, could you send it once more?",
    "login is {EMAIL_ADDRESS} and the reset link is dead",
    "You can write to {EMAIL_ADDRESS} (my private one).",
    "Somebody bought shoes with {CREDIT_CARD}, that was not me!",
    "the card {CREDIT_CARD} got swallowed by the machine",
    "Which card do you want to remove?|{CREDIT_CARD}",
    "Wire the deposit back to {IBAN_CODE} please.",
    "IBAN {IBAN_CODE}, same bank as before",
    "For the form you will need my social security number, {US_SSN}.",
    "what's your ssn?|{US_SSN}",
    "ssn on file should read {US_SSN}",
    "The failed logins all came from {IP_ADDRESS} last night.",
    "whitelist {IP_ADDRESS} for the build server",
    "The rental desk wants my driver's license: {US_DRIVER_LICENSE}.",
    "driving licence no. {US_DRIVER_LICENSE}, valid until next spring",
    "Please close account {ACCOUNT_NUMBER} at the end of the month.",
    "Can you tell me the account number?|sure, {ACCOUNT_NUMBER}",
)


@dataclass(frozen=True, slots=True)
class Canary:
    """A text with a value of a type from `start` to `end`, who says it, and the turns before it."""

    text: str
    start: int
    end: int
    entity_type: str
    earlier: tuple[str, ...]
    role: str = "user"

    def row(self, number: int) -> Candidate:
        """The canary as the row of that number; its text is the last turn."""
        others = "user" if self.role == "assistant" else "assistant"
        turns = [(others, text) for text in self.earlier] + [(self.role, self.text)]
        found = Conversation(tuple(Message(role=role, content=text) for role, text in turns))
        return Candidate("", found, Record(number, None, {}), ColumnMap())

    def is_within(self, hits: Sequence[Mapping[str, Any]]) -> bool:
        """Whether these stretches of the text cover at least half of the value."""
        places = {place for hit in hits for place in range(hit["start"], hit["end"])}
        return 2 * len(places.intersection(range(self.start, self.end))) >= self.end - self.start


@cache
def _fakes() -> list[Faker]:
    from faker import Faker  # late: only a run plants

    return [Faker(country) for country in COUNTRIES]


def planted(keys: Keys, digest: str, count: int = PLANTED) -> list[Canary]:
    """The canaries of a version: always the same under one secret and digest, other ones under others."""
    dice = keys.dice(f"canaries {digest}")
    fakes = _fakes()
    for fake in fakes:
        fake.seed_instance(dice.getrandbits(64))
    return [_canary(_SENTENCES[number % len(_SENTENCES)], dice.choice(fakes), dice) for number in range(count)]


def _canary(sentence: str, fake: Faker, dice: random.Random) -> Canary:
    *earlier, last = sentence.split("|")
    slot = _SLOT.search(last)
    assert slot is not None  # noqa: S101 - every sentence above has one
    value = _VALUES[slot.group(1)](fake, dice)
    text = f"{last[: slot.start()]}{value}{last[slot.end() :]}"
    if dice.random() < 0.2:
        text = text.lower() if len(text.lower()) == len(text) else text
    role = "assistant" if not earlier and dice.random() < IN_ANSWERS else "user"
    return Canary(text, slot.start(), slot.start() + len(value), slot.group(1), tuple(earlier), role)


def _address(fake: Faker, dice: random.Random) -> str:
    address: str = fake.address()
    return address if dice.random() < 0.5 else address.replace("\n", ", ")


def _license(fake: Faker, dice: random.Random) -> str:
    return str(fake.bothify(dice.choice(("?#######", "#########", "??######?"))).upper())


_VALUES: Mapping[str, Callable[[Faker, random.Random], str]] = {
    "PERSON": lambda fake, dice: (
        dice.choice((fake.name, fake.first_name))() if dice.random() < 0.9 else fake.last_name()
    ),
    "ADDRESS": _address,
    "PHONE_NUMBER": lambda fake, _dice: fake.phone_number(),
    "EMAIL_ADDRESS": lambda fake, _dice: fake.email(),
    "CREDIT_CARD": lambda fake, _dice: fake.credit_card_number(),
    "IBAN_CODE": lambda fake, _dice: fake.iban(),
    "US_SSN": lambda _fake, dice: f"{dice.randrange(100, 600)}-{dice.randrange(10, 99)}-{dice.randrange(1000, 9999)}",
    "IP_ADDRESS": lambda fake, dice: fake.ipv4() if dice.random() < 0.8 else fake.ipv6(),
    "US_DRIVER_LICENSE": _license,
    "ACCOUNT_NUMBER": lambda fake, dice: fake.numerify("#" * dice.choice((4, 8, 10))),
}


def recall(step: RowStep, canaries: Sequence[Canary]) -> dict[str, Any]:
    """`{planted, hidden, recall, by_type: {type: [hidden, planted]}}` of the step `personal_data` of a version."""
    outcomes = step.run([canary.row(number) for number, canary in enumerate(canaries)], Counter())
    hits = defaultdict(list)
    for trace in step.taken():
        if trace["action"] != "keep":
            hits[trace["row"], trace["turn"]].append(trace)
    sown, gone = Counter[str](), Counter[str]()
    for number, (canary, outcome) in enumerate(zip(canaries, outcomes, strict=True)):
        is_hidden = isinstance(outcome, Rejection) or canary.is_within(hits[number, len(canary.earlier)])
        sown[canary.entity_type] += 1
        gone[canary.entity_type] += is_hidden
    return {
        "planted": len(canaries),
        "hidden": gone.total(),
        "recall": round(gone.total() / len(canaries), 4),
        "by_type": {name: [gone[name], sown[name]] for name in sorted(sown)},
    }
