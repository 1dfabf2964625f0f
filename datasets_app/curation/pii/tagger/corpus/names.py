"""People's names: Faker's in many countries, names put together across countries, and names that nobody has yet."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from datasets_app.curation.pii.tagger.corpus.fakers import seeded
from datasets_app.curation.pii.tagger.corpus.lexicon import Spelling
from datasets_app.curation.pii.tagger.corpus.lists import LISTS, pick

LOCALES = (
    "en_US", "en_GB", "en_AU", "en_IN", "en_NZ", "en_PK", "en_NG", "en_KE", "de_DE", "de_AT", "fr_FR", "es_ES",
    "es_MX", "it_IT", "pt_BR", "nl_NL", "sv_SE", "da_DK", "no_NO", "fi_FI", "pl_PL", "cs_CZ", "hu_HU", "ro_RO",
    "tr_TR", "hr_HR", "sl_SI", "et_EE", "lt_LT", "is_IS", "id_ID", "vi_VN", "zu_ZA", "uz_UZ", "el_GR", "ru_RU",
    "ja_JP", "zh_CN",
)  # fmt: skip
COMMON = ("en_US", "en_GB", "en_IN", "es_MX")
"""Drawn as often as all the others together."""
WIDE = ("en_US", "en_GB", "en_IN", "en_AU", "en_NZ", "es_MX", "es_ES", "de_DE", "fr_FR", "it_IT")
MORE = 5
"""Of these so many times as many first names are drawn: rare ones would count as plain English words."""


@dataclass(frozen=True, slots=True)
class Country:
    """First and last names of one locale."""

    first: Sequence[str]
    last: Sequence[str]


class Names:
    """Draws names of people as they are written: whole, first alone, with initials, titles, turned round."""

    def __init__(self, seed: int, draws: int) -> None:
        self.countries: dict[str, Country] = {}
        towns = set(LISTS["well-known town"])  # Paris is asked for oftener than called
        for locale in LOCALES:
            fake = seeded(locale, seed)
            first_name = getattr(fake, "first_romanized_name", fake.first_name)
            last_name = getattr(fake, "last_romanized_name", fake.last_name)
            more = MORE if locale in WIDE else 1
            first = [name for name in (first_name() for _ in range(more * draws)) if name not in towns]
            last = [name for name in (last_name() for _ in range(draws)) if name not in towns]
            self.countries[locale] = Country(first, last)
        latin = [country for locale, country in self.countries.items() if locale not in ("el_GR", "ru_RU")]
        self._first = Spelling({name for country in latin for name in country.first})
        self._last = Spelling({name for country in latin for name in country.last})

    def parts(self) -> set[str]:
        """Every word of every name, lower-case."""
        names = (name for country in self.countries.values() for name in (*country.first, *country.last))
        known = {name.lower() for name in LISTS["well-known first name"]}
        return known | {word for name in names for word in name.lower().replace("-", " ").split()}

    def _country(self, rng: random.Random) -> Country:
        return self.countries[rng.choice(COMMON if rng.random() < 0.4 else LOCALES)]

    def first(self, rng: random.Random) -> str:
        """A first name; one in five is invented, one in ten well known."""
        chance = rng.random()
        if chance < 0.2:
            return self._first.invent(rng, 3, 11).title()
        if chance < 0.3:
            return pick(rng, "well-known first name")
        name = rng.choice(self._country(rng).first)
        return f"{name}-{rng.choice(self._country(rng).first)}" if rng.random() < 0.01 else name

    def last(self, rng: random.Random) -> str:
        """A last name; one in four is invented, one in twenty double or with a particle."""
        chance = rng.random()
        name = self._last.invent(rng, 3, 13).title() if chance < 0.26 else rng.choice(self._country(rng).last)
        if chance > 0.98:
            return f"{name}-{rng.choice(self._country(rng).last)}"
        if chance > 0.96:
            return f"{pick(rng, 'particle')} {name}"
        if chance > 0.95:
            return rng.choice(("O'", "Mc", "Mac", "D'")) + name
        return name

    def whole(self, rng: random.Random) -> str:
        """First and last name, half of the time of one country."""
        if rng.random() < 0.5:
            country = self._country(rng)
            return f"{rng.choice(country.first)} {rng.choice(country.last)}"
        return f"{self.first(rng)} {self.last(rng)}"

    def titled(self, rng: random.Random) -> str:
        """`Mrs. Miller`, `Dr Ada Miller`; the title is part of it."""
        title = pick(rng, "title", 9 if rng.random() < 0.8 else None)
        return f"{title} {self.last(rng) if rng.random() < 0.6 else self.whole(rng)}"

    def person(self, rng: random.Random) -> str:
        """Any way to write a person."""
        chance = rng.random()
        if chance < 0.5:
            return self.whole(rng)
        if chance < 0.7:
            return self.first(rng)
        if chance < 0.74:
            return self.last(rng)
        if chance < 0.82:
            return self.titled(rng)
        return self.unusual(rng)

    def unusual(self, rng: random.Random) -> str:
        """Middle names, initials, last name first, two last names, suffixes."""
        first, last, initial = self.first(rng), self.last(rng), rng.choice("ABCDEFGHIJKLMNOPRSTVW")
        forms = (
            f"{first} {initial}. {last}",
            f"{first} {initial} {last}",
            f"{initial}. {last}",
            f"{initial} {last}",
            f"{initial}.{rng.choice('ABCDEFGHJKLM')}. {last}",
            f"{last}, {first}",
            f"{last} {first}",
            f"{first} {self.first(rng)} {last}",
            f"{first} {self.last(rng)} {last}",
            f"{first} {last}{pick(rng, 'suffix')}",
            f'{first} "{self.first(rng)}" {last}',
            f"{first} {initial}.",
        )
        return rng.choice(forms)
