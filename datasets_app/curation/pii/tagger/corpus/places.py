"""Places and postal addresses: streets and towns of many countries, mixed, reordered, over one line or several."""

from __future__ import annotations

import random
from collections.abc import Sequence
from importlib import import_module
from typing import Any

from datasets_app.curation.pii.tagger.corpus.fakers import seeded
from datasets_app.curation.pii.tagger.corpus.lexicon import Spelling
from datasets_app.curation.pii.tagger.corpus.lists import LISTS, pick

LOCALES = (
    "en_US", "en_GB", "en_AU", "en_CA", "en_IN", "en_NZ", "en_IE", "de_DE", "de_AT", "de_CH", "fr_FR", "es_ES",
    "es_MX", "es_CO", "it_IT", "pt_BR", "pt_PT", "nl_NL", "nl_BE", "sv_SE", "da_DK", "no_NO", "fi_FI", "pl_PL",
    "cs_CZ", "hu_HU", "ro_RO", "hr_HR", "sl_SI", "sk_SK", "id_ID", "el_GR",
)  # fmt: skip
UNORDERED = ("it_IT",)
"""Locales whose towns Faker keeps in a set, which each process orders anew."""
GEODATA = 29
"""Files of place names by dialling prefix in the phonenumbers package (Apache 2.0)."""


def known_towns() -> list[str]:
    """Names of towns of the whole world, without the region behind the comma, from phonenumbers' geographic data."""
    found: set[str] = set()
    for number in range(GEODATA):
        data = import_module(f"phonenumbers.geodata.data{number}").data
        found.update(entry["en"] for entry in data.values() if "en" in entry)
    towns = {name.partition(",")[0].partition(" - ")[0].partition("(")[0].strip() for name in found if "/" not in name}
    return sorted(town for town in towns if town and len(town) < 26 and not any(letter.isdigit() for letter in town))


def _cities(fake: Any, locale: str, draws: int) -> list[str]:
    """Towns of one locale, in an order that is the same in every process."""
    if locale not in UNORDERED:
        return [fake.city() for _ in range(draws)]
    known = sorted(next(each.cities for each in fake.get_providers() if hasattr(each, "cities")))
    return [fake.random_element(known) for _ in range(draws)]


class Places:
    """Draws towns, regions and addresses."""

    def __init__(self, seed: int, draws: int) -> None:
        self.towns = known_towns()
        self._cities: list[Sequence[str]] = []
        self._streets: list[Sequence[str]] = []
        self._codes: list[Sequence[str]] = []
        self._regions: list[str] = []
        self._military: list[str] = []
        for locale in LOCALES:
            fake = seeded(locale, seed)
            self._cities.append(_cities(fake, locale, draws))
            self._streets.append([fake.street_name() for _ in range(draws)])
            self._codes.append([fake.postcode() for _ in range(draws)])
            region = next(
                (kind for kind in ("state", "administrative_unit", "region", "county") if hasattr(fake, kind)), None
            )
            self._regions += sorted({getattr(fake, region)() for _ in range(60)}) if region else []
            if locale == "en_US":
                self._military = [f"{fake.military_ship()} {fake.last_name()}" for _ in range(draws)]
        fake = seeded("en_US", seed)
        self.countries = sorted({fake.country() for _ in range(1500)})
        self._town = Spelling(self.towns)
        self._street = Spelling(
            {word for streets in self._streets for name in streets for word in name.split() if len(word) > 3}
        )

    def parts(self) -> set[str]:
        """Every word of the well-known towns and every other town of one word, lower-case."""
        known = {word for town in LISTS["well-known town"] for word in town.lower().split()}
        return known | {town.lower() for town in self.towns if " " not in town}

    def town(self, rng: random.Random) -> str:
        """A town: of the world's list, of Faker, or invented."""
        chance = rng.random()
        if chance < 0.2:
            return pick(rng, "well-known town")
        if chance < 0.45:
            return rng.choice(self.towns)
        if chance < 0.85:
            return rng.choice(rng.choice(self._cities))
        return self._town.invent(rng, 4, 14).title()

    def region(self, rng: random.Random) -> str:
        return pick(rng, "state") if rng.random() < 0.6 else rng.choice(self._regions)

    def postcode(self, rng: random.Random) -> str:
        """A code of some country; half are five digits, a few with the four behind."""
        chance = rng.random()
        if chance < 0.4:
            return f"{rng.randrange(100000):05}"
        if chance < 0.46:
            return f"{rng.randrange(100000):05}-{rng.randrange(10000):04}"
        return rng.choice(rng.choice(self._codes))

    def street(self, rng: random.Random) -> str:
        """The name of a street, without its number."""
        chance = rng.random()
        if chance < 0.5:
            return rng.choice(rng.choice(self._streets))
        if chance < 0.58:
            number = rng.randrange(1, 190)
            end = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
            return f"{pick(rng, 'direction') if rng.random() < 0.6 else ''} {number}{end} {pick(rng, 'street', 12)}".strip()
        stem = self._street.invent(rng, 3, 12).title() if rng.random() < 0.5 else rng.choice(self.towns)
        if chance < 0.82:
            side = f"{pick(rng, 'direction')} " if rng.random() < 0.15 else ""
            return f"{side}{stem} {pick(rng, 'street', 20 if rng.random() < 0.7 else None)}"
        if chance < 0.92:
            return f"{pick(rng, 'street in front')} {stem}"
        return stem + pick(rng, "street tail")

    def number(self, rng: random.Random) -> str:
        """A house number."""
        digits = str(rng.randrange(1, 10 ** rng.choice((1, 2, 2, 3, 3, 4, 4, 5))))
        chance = rng.random()
        if chance < 0.05:
            return digits + rng.choice("abcdABC")
        return f"{digits}{rng.choice('-/')}{rng.randrange(1, 40)}" if chance < 0.08 else digits

    def _unit(self, rng: random.Random) -> str:
        name = pick(rng, "unit")
        value = rng.choice(
            (str(rng.randrange(1, 999)), f"{rng.randrange(1, 999):03}", f"{rng.randrange(1, 30)}{rng.choice('ABCD')}")
        )
        return f"{name}{value}" if name == "#" else f"{name} {value}"

    def street_line(self, rng: random.Random) -> str:
        """Street and number in either order, sometimes with a unit or a box instead."""
        chance = rng.random()
        if chance < 0.06:
            box = rng.choice(
                ("P.O. Box", "PO Box", "P O Box", "Post Box", "Postfach", "Box", "Postbus", "Apartado", "Casilla")
            )
            return f"{box} {rng.randrange(1, 99999)}"
        street, number = self.street(rng), self.number(rng)
        if chance < 0.66:
            line = f"{number} {street}"
        elif chance < 0.9:
            line = f"{street}{rng.choice((' ', ' ', ', ', ' Nr. '))}{number}"
        else:
            line = f"{number} {street} {self.number(rng)}"
        if rng.random() < 0.28:
            line += rng.choice((" ", ", ", "\n", ", ", " ")) + self._unit(rng)
        return line

    def german_street(self, rng: random.Random) -> str:
        """A street as it stands behind an article: "Lindenstraße 5"."""
        street = self._street.invent(rng, 3, 10).title() + rng.choice(("straße", "gasse", "allee", "straße", "strasse"))
        return f"{street} {self.number(rng)}" if rng.random() < 0.6 else street

    def corner(self, rng: random.Random) -> str:
        """Where two streets meet."""
        start = rng.choice(("corner of ", "the corner of ", "the crossing of ", "the intersection of "))
        return f"{start}{self.street(rng)} {rng.choice(('and', '&', 'and'))} {self.street(rng)}"

    def military(self, rng: random.Random) -> str:
        """Addresses of the United States' forces abroad."""
        post = f"{rng.choice(('APO', 'FPO', 'DPO'))} {rng.choice(('AE', 'AP', 'AA'))} {rng.randrange(100000):05}"
        start = rng.choice(
            (
                f"Unit {rng.randrange(10000):04} Box {rng.randrange(10000):04}",
                f"PSC {rng.randrange(10000):04}, Box {rng.randrange(10000):04}",
                rng.choice(self._military),
            )
        )
        return start + rng.choice(("\n", ", ", " ")) + post

    def town_line(self, rng: random.Random) -> str:
        """Town with any of region, code and country, in the orders of several countries."""
        town, code, country = self.town(rng), self.postcode(rng), rng.choice(self.countries)
        region = self.region(rng)
        forms = (
            f"{town}, {region} {code}", f"{town} {region} {code}", f"{town}, {region}, {code}", f"{code} {town}",
            f"{town} {code}", f"{town}, {country}", f"{town}, {code} {country}", f"{code} {town}, {country}",
            f"{town}, {region} {code}, {country}", f"{town}\n{country} {code}", f"{town} {country} {code}",
            f"{region} {code}", f"{town}, {region}", f"{town}\n{code}\n{country}", f"{code} {town}\n{country}",
            f"{town}", f"{town} {region} {country}", f"{country} {code}", f"{town}\n{region} {code}", f"{town},{region},{code}",
        )  # fmt: skip
        return rng.choice(forms)

    def address(self, rng: random.Random) -> str:
        """An address as people write it, in one line or several."""
        chance = rng.random()
        if chance < 0.035:
            return self.military(rng)
        if chance < 0.06:
            return self.corner(rng)
        line = self.street_line(rng)
        if chance < 0.3:
            return line
        breaks = (", ", ", ", ", ", " ", " ", "\n", "\n", ",\n", "\n ", " , ", "; ", "\n, ")
        return f"{line}{rng.choice(breaks)}{self.town_line(rng)}"
