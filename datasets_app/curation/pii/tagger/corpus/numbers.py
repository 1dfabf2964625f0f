"""Numbers that point at a person (phones, cards, accounts, papers) and numbers that do not (sums, dates, orders)."""

from __future__ import annotations

import random
import string

from datasets_app.curation.pii.tagger.corpus.fakers import seeded
from datasets_app.curation.pii.tagger.corpus.lists import pick

PHONE_LOCALES = (
    "en_US",
    "en_GB",
    "de_DE",
    "fr_FR",
    "es_ES",
    "it_IT",
    "pt_BR",
    "nl_NL",
    "sv_SE",
    "pl_PL",
    "en_IN",
    "en_AU",
)
PER_LOCALE = 400


def digits(rng: random.Random, count: int) -> str:
    return "".join(rng.choices(string.digits, k=count))


def letters(rng: random.Random, count: int) -> str:
    return "".join(rng.choices(string.ascii_uppercase, k=count))


class Numbers:
    """Draws numbers of every kind; method names are the slots of phrases."""

    def __init__(self, seed: int) -> None:
        self._phones: list[str] = []
        self._ibans: list[str] = []
        self._cards: list[str] = []
        for locale in PHONE_LOCALES:
            fake = seeded(locale, seed)
            self._phones += [fake.phone_number() for _ in range(PER_LOCALE)]
            self._ibans += [fake.iban() for _ in range(40)]
        for _ in range(2000):
            self._cards.append(fake.credit_card_number())

    def phone(self, rng: random.Random) -> str:
        """A phone number of some country, or digits in groups that are one only by what is said around them."""
        if rng.random() < 0.55:
            return rng.choice(self._phones)
        separator = rng.choice((" ", "-", ".", " ", "-", ""))
        groups = rng.choice(
            (
                (3, 3, 4),
                (3, 4),
                (2, 3, 2, 2),
                (4, 6),
                (5, 6),
                (3, 2, 2, 2),
                (2, 4, 4),
                (3, 3, 3),
                (2, 2, 2, 2, 2),
                (10,),
                (7,),
            )
        )
        text = separator.join(digits(rng, count) for count in groups)
        if rng.random() < 0.25:
            text = f"+{rng.randrange(1, 999)}{rng.choice((' ', '-', ''))}{text}"
        elif rng.random() < 0.2:
            text = f"({digits(rng, 3)}){rng.choice((' ', ''))}{digits(rng, 3)}-{digits(rng, 4)}"
        return (
            f"{text}{rng.choice(('x', ' ext. ', ' x'))}{digits(rng, rng.randrange(2, 6))}"
            if rng.random() < 0.08
            else text
        )

    def card(self, rng: random.Random) -> str:
        """A payment card: 12 to 19 digits, often in fours, not always with a right check digit."""
        number = (
            rng.choice(self._cards) if rng.random() < 0.6 else digits(rng, rng.choice((16, 16, 16, 15, 14, 13, 12, 19)))
        )
        if rng.random() < 0.45:
            separator = rng.choice((" ", "-", " "))
            return separator.join(number[place : place + 4] for place in range(0, len(number), 4))
        return number

    def ssn(self, rng: random.Random) -> str:
        """A United States social security number."""
        return rng.choice(("-", "-", " ", "")).join((digits(rng, 3), digits(rng, 2), digits(rng, 4)))

    def last_digits(self, rng: random.Random) -> str:
        """The end of a number, as people give it to an agent."""
        return digits(rng, rng.choice((4, 4, 4, 4, 4, 4, 3, 5, 6)))

    def account(self, rng: random.Random) -> str:
        """An account number."""
        text = digits(rng, rng.choice((4, 6, 7, 8, 8, 9, 10, 10, 11, 12, 14)))
        if rng.random() < 0.15:
            return letters(rng, rng.randrange(1, 4)) + text
        return f"{text[:3]}{rng.choice('- ')}{text[3:]}" if rng.random() < 0.12 else text

    def iban(self, rng: random.Random) -> str:
        number = rng.choice(self._ibans)
        return (
            " ".join(number[place : place + 4] for place in range(0, len(number), 4)) if rng.random() < 0.3 else number
        )

    def licence(self, rng: random.Random) -> str:
        """A driving licence, passport or identity card."""
        forms = (
            letters(rng, 1) + digits(rng, rng.randrange(6, 13)),
            letters(rng, 2) + digits(rng, rng.randrange(5, 8)),
            digits(rng, rng.randrange(7, 10)),
            f"{letters(rng, 1)}{digits(rng, 3)}-{digits(rng, 4)}-{digits(rng, 4)}",
            f"{digits(rng, rng.randrange(2, 5))}-{digits(rng, rng.randrange(2, 4))}-{digits(rng, rng.randrange(3, 5))}",
            f"{letters(rng, 2)}-{digits(rng, 2)}-{digits(rng, 4)}",
            letters(rng, 5) + digits(rng, 6) + letters(rng, 2) + digits(rng, 1) + letters(rng, 2),
        )
        return rng.choice(forms)

    def ip(self, rng: random.Random) -> str:
        if rng.random() < 0.8:
            return ".".join(str(rng.randrange(256)) for _ in range(4))
        return ":".join(f"{rng.randrange(65536):x}" for _ in range(8))

    def email(self, rng: random.Random, first: str, last: str) -> str:
        """An address made from a name."""
        first, last = first.lower().replace(" ", ""), last.lower().replace(" ", "")
        local = rng.choice(
            (
                f"{first}.{last}",
                f"{first[:1]}{last}",
                f"{first}{last}",
                f"{first}_{last}",
                f"{first}{rng.randrange(1, 2000)}",
            )
        )
        local = rng.choice((local, local, local.title()))
        return f"{local}@{pick(rng, 'host')}{rng.choice(('', str(rng.randrange(1, 99)), 'box'))}.{pick(rng, 'domain')}"

    def date(self, rng: random.Random) -> str:
        """A date or a part of one."""
        day, month, year = rng.randrange(1, 29), rng.randrange(1, 13), rng.randrange(1940, 2031)
        name = pick(rng, "month")
        forms = (
            f"{month}/{day}/{year}", f"{day:02}/{month:02}/{year}", f"{year}-{month:02}-{day:02}", f"{day}.{month}.{year}",
            f"{name} {day}, {year}", f"{name} {day}", f"{day} {name} {year}", f"{day} {name}", f"{name} {year}", str(year),
            f"{month:02}{day:02}{year}", f"{day}th of {name}", f"{name} {day}th", f"{month}/{day}", f"the {year // 10 * 10}s",
            f"{year}-{month:02}-{day:02} {rng.randrange(24):02}:{rng.randrange(60):02}:{rng.randrange(60):02}",
            f"{day} th {name}", f"{month:02}/{year % 100:02}",
        )  # fmt: skip
        return rng.choice(forms)

    def time(self, rng: random.Random) -> str:
        hour, minute = rng.randrange(1, 13), rng.randrange(60)
        half = rng.choice(("am", "pm", " am", " pm", "AM", " PM"))
        return rng.choice(
            (
                f"{hour}{half}",
                f"{hour}:{minute:02}{half}",
                f"{hour + 11}:{minute:02}",
                f"{hour} o'clock",
                f"{hour}{minute:02} {half.strip()}",
            )
        )

    def amount(self, rng: random.Random) -> str:
        """Money."""
        value = rng.choice(
            (rng.randrange(1, 100), rng.randrange(1, 1000), rng.randrange(10, 500) * 10, rng.randrange(1000, 2000000))
        )
        cents = f".{digits(rng, 2)}" if rng.random() < 0.25 else ""
        forms = (
            f"${value}{cents}", f"${value:,}{cents}", f"{value}{cents} dollars", f"£{value}{cents}", f"{value}{cents} €", f"€{value}",
            f"{value} euros", f"{value} usd", f"{value} pounds", f"{value} bucks", f"rs {value}", f"{value}k", f"{value}$",
            f"{value}{cents}",
        )  # fmt: skip
        return rng.choice(forms)

    def count(self, rng: random.Random) -> str:
        """A plain number."""
        one, two = rng.randrange(1, 10), rng.randrange(1, 100)
        forms = (
            str(rng.randrange(1, 20)), str(two), str(rng.randrange(1, 1000)), f"{two}.{rng.randrange(1, 100)}",
            f"{one}/{rng.randrange(1, 10)}", f"{rng.randrange(1000, 100000):,}", f"{two}%",
        )  # fmt: skip
        return rng.choice(forms)

    def order(self, rng: random.Random) -> str:
        """Orders, invoices, flights, versions, error codes: numbers of things."""
        forms = (
            f"#{digits(rng, rng.randrange(3, 9))}", f"{letters(rng, rng.randrange(2, 5))}-{digits(rng, rng.randrange(3, 7))}",
            f"{letters(rng, 2)}{digits(rng, rng.randrange(2, 5))}", f"v{rng.randrange(9)}.{rng.randrange(20)}.{rng.randrange(30)}",
            digits(rng, rng.randrange(4, 9)), f"{letters(rng, 3)}{digits(rng, 3)}", f"{rng.randrange(9)}.{rng.randrange(20)}",
            f"0x{rng.randrange(16**6):x}", f"{digits(rng, 3)}-{digits(rng, 7)}-{digits(rng, 7)}", f"{rng.randrange(16**10):x}",
        )  # fmt: skip
        return rng.choice(forms)

    def sum(self, rng: random.Random) -> str:
        """Something calculated."""
        one, two = rng.randrange(1, 500), rng.randrange(1, 60)
        return rng.choice(
            (
                f"{one} + {two} = {one + two}",
                f"{one}*{two}={one * two}",
                f"{one}-{two} = {one - two}",
                f"<<{one}*{two}={one * two}>>",
                f"{one}/{two}",
                f"({one} x {two})",
            )
        )
