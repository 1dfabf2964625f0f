"""Names of organisations, and well-known brands and products, which are nobody's personal data."""

from __future__ import annotations

import random

from datasets_app.curation.pii.tagger.corpus.fakers import seeded
from datasets_app.curation.pii.tagger.corpus.lexicon import Lexicon
from datasets_app.curation.pii.tagger.corpus.lists import pick
from datasets_app.curation.pii.tagger.corpus.names import Names
from datasets_app.curation.pii.tagger.corpus.places import Places

LOCALES = ("en_US", "en_GB", "de_DE", "fr_FR", "es_ES", "it_IT", "nl_NL", "sv_SE", "pl_PL", "pt_BR", "da_DK", "fi_FI")
PER_LOCALE = 400


class Companies:
    """Draws organisations."""

    def __init__(self, seed: int, names: Names, places: Places, lexicon: Lexicon) -> None:
        self._names, self._places, self._lexicon = names, places, lexicon
        self._known: list[str] = []
        for locale in LOCALES:
            fake = seeded(locale, seed)
            self._known += [fake.company() for _ in range(PER_LOCALE)]

    def company(self, rng: random.Random) -> str:
        """A company, school, hospital, paper or club."""
        names, chance = self._names, rng.random()
        if chance < 0.35:
            return rng.choice(self._known)
        if chance < 0.5:
            lasts = [names.last(rng) for _ in range(3)]
            forms = (
                f"{lasts[0]}-{lasts[1]}",
                f"{lasts[0]}, {lasts[1]} and {lasts[2]}",
                f"{lasts[0]} & {lasts[1]}",
                f"{lasts[0]} {pick(rng, 'legal form')}",
                f"{lasts[0]} {pick(rng, 'trade')}",
            )
            return rng.choice(forms)
        if chance < 0.62:
            return pick(rng, "house").format(self._places.town(rng))
        if chance < 0.72:
            return self._shop(rng)
        first, second = self._lexicon.rare(rng).capitalize(), self._lexicon.word(rng).capitalize()
        invented = (
            f"{first}{second}",
            f"{first} {pick(rng, 'trade')}",
            f"{first} {second} {pick(rng, 'legal form')}",
            f"{first} {pick(rng, 'legal form')}",
            f"{first}{second} {pick(rng, 'legal form')}",
            f"{first} {second} {pick(rng, 'trade')}",
            f"{names.last(rng)} {pick(rng, 'trade')} {pick(rng, 'legal form')}",
        )
        return rng.choice(invented)

    def _shop(self, rng: random.Random) -> str:
        """A hotel, a restaurant or a shop: "Hotel Turin", "Ada's Diner", "Bella Plaisance Grill"."""
        name, kind = self._lexicon.coined(rng).capitalize(), pick(rng, "shop")
        forms = (
            f"{self._names.first(rng)}'s {kind}",
            f"{self._names.last(rng)} {kind}",
            f"{name} {kind}",
            f"{name} {self._lexicon.coined(rng).capitalize()} {kind}",
            f"{kind} {name}",
            f"{kind} {self._places.town(rng)}",
            f"{name} {kind} {self._places.town(rng)}",
            f"{self._lexicon.rare(rng).capitalize()} {kind}",
        )
        return rng.choice(forms)
