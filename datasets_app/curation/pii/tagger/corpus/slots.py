"""The slots of phrases: which value is drawn for each, and under which label."""

from __future__ import annotations

import random
from collections.abc import Callable

from datasets_app.curation.pii.tagger.corpus.companies import Companies
from datasets_app.curation.pii.tagger.corpus.fakers import seeded
from datasets_app.curation.pii.tagger.corpus.grammar import Source
from datasets_app.curation.pii.tagger.corpus.lexicon import Lexicon
from datasets_app.curation.pii.tagger.corpus.lists import pick
from datasets_app.curation.pii.tagger.corpus.names import Names
from datasets_app.curation.pii.tagger.corpus.numbers import Numbers, digits, letters
from datasets_app.curation.pii.tagger.corpus.pieces import Piece
from datasets_app.curation.pii.tagger.corpus.places import Places

FOREIGN = ("de_DE", "fr_FR", "it_IT", "nl_NL", "pl_PL", "cs_CZ", "da_DK", "es_ES", "la")
"""Countries whose ordinary words Faker knows; a country that it has none of gives Latin."""
Draw = Callable[[random.Random], str]


def slots(
    seed: int, names: Names, places: Places, numbers: Numbers, companies: Companies, lexicon: Lexicon
) -> dict[str, Source]:
    """Every slot by name."""
    found: dict[str, Source] = {}
    for name, (label, draw) in _personal(names, places, numbers, companies).items():
        found[name] = _labelled(label, draw)
    for name, draw in _ordinary(seed, numbers, places, lexicon).items():
        found[name] = _labelled(None, draw)
    return found


def _labelled(label: str | None, draw: Draw) -> Source:
    return lambda rng: [Piece(draw(rng), label)]


def _personal(names: Names, places: Places, numbers: Numbers, companies: Companies) -> dict[str, tuple[str, Draw]]:
    def place(rng: random.Random) -> str:
        town = places.town(rng)
        return f"{town}, {places.region(rng)}" if rng.random() < 0.12 else town

    def venue(rng: random.Random) -> str:
        """A place that is called after somebody or something: "Ada Miller Bridge", "Turin Airport"."""
        called = rng.choice((places.town, places.town, names.last, names.last, names.whole, names.first))
        return f"{called(rng)} {pick(rng, 'venue')}"

    def short_address(rng: random.Random) -> str:
        parts = [
            f"{places.number(rng)} {places.street(rng)}",
            places.town(rng),
            places.region(rng),
            places.postcode(rng),
        ]
        return " ".join(part for part in parts if rng.random() < 0.75 or part is parts[0])

    def sheet(rng: random.Random) -> str:
        """A long number as a spreadsheet shows it."""
        return rng.choice(("{}.{}E+{}", "{}{} e {}", "{}.{}e{}", "{}{}e{}")).format(
            digits(rng, 1), digits(rng, 2), rng.choice((13, 14, 15, 15))
        )

    def account_end(rng: random.Random) -> str:
        return numbers.last_digits(rng) if rng.random() < 0.8 else numbers.account(rng)

    return {
        "person": ("PERSON", names.person),
        "first": ("PERSON", names.first),
        "FIRST": ("PERSON", lambda rng: names.first(rng).upper()),
        "agent": ("PERSON", names.first),
        "last": ("PERSON", names.last),
        "whole": ("PERSON", names.whole),
        "unusual": ("PERSON", names.unusual),
        "place": ("LOCATION", place),
        "town_only": ("LOCATION", places.town),
        "venue": ("LOCATION", venue),
        "company": ("ORGANIZATION", companies.company),
        "address": ("ADDRESS", places.address),
        "short_address": ("ADDRESS", short_address),
        "street": ("ADDRESS", places.street_line),
        "street_de": ("ADDRESS", places.german_street),
        "corner": ("ADDRESS", places.corner),
        "zip": ("ADDRESS", places.postcode),
        "phone": ("PHONE_NUMBER", numbers.phone),
        "card": ("CREDIT_CARD", numbers.card),
        "card_end": ("CREDIT_CARD", numbers.last_digits),
        "card_sheet": ("CREDIT_CARD", sheet),
        "ssn": ("US_SSN", numbers.ssn),
        "ssn_end": ("US_SSN", numbers.last_digits),
        "account": ("ACCOUNT_NUMBER", numbers.account),
        "account_end": ("ACCOUNT_NUMBER", account_end),
        "iban": ("IBAN_CODE", numbers.iban),
        "licence": ("ID_NUMBER", numbers.licence),
        "ip": ("IP_ADDRESS", numbers.ip),
        "email": ("EMAIL_ADDRESS", lambda rng: numbers.email(rng, names.first(rng), names.last(rng))),
    }


def _ordinary(seed: int, numbers: Numbers, places: Places, lexicon: Lexicon) -> dict[str, Draw]:
    fake = seeded("en_US", seed)
    jobs = [fake.job() for _ in range(800)]
    urls = [fake.url() for _ in range(100)]
    sentences: dict[str, list[str]] = {}
    for locale in FOREIGN:
        fake = seeded(locale, seed)
        sentences[locale] = [fake.sentence(nb_words=7) for _ in range(3000)]

    def chain(rng: random.Random) -> str:
        return lexicon.chain(rng, rng.choice((2, 3, 4, 5, 6, 8, 10, 13)))

    def product(rng: random.Random) -> str:
        name, model = lexicon.rare(rng).capitalize(), rng.choice(("Pro", "Max", "Plus", "One", "2", "X", "Mini"))
        return f"{name} {rng.choice((model, lexicon.word(rng).capitalize()))}" if rng.random() < 0.6 else name

    def thing(rng: random.Random) -> str:
        """A product or thing with capitals: "Heron 130 reflector", "Rescue-Kit", "Maple Desk"."""
        name, number = lexicon.rare(rng).capitalize(), str(rng.randrange(1, 10 ** rng.choice((1, 2, 3, 4))))
        unit = rng.choice(("", "", "x", "S", "L", "W", "mm", "cm", "-"))
        forms = (
            f"{name} {number}{unit}",
            f"{name} {number} {lexicon.word(rng)}",
            f"{name} {number}x{rng.randrange(2, 99)} {lexicon.word(rng)}",
            f"{name} {lexicon.word(rng)}",
            f"{name} {lexicon.word(rng)} {lexicon.rare(rng)}",
            f"{name}-{lexicon.word(rng).capitalize()}",
            f"{name} {lexicon.word(rng).capitalize()} {lexicon.rare(rng)}",
            name,
        )
        return rng.choice(forms)

    def uuid(rng: random.Random) -> str:
        """What machines call things: a UUID or a digest."""
        number = f"{rng.getrandbits(128):032x}"
        dashed = "-".join(number[start:end] for start, end in ((0, 8), (8, 12), (12, 16), (16, 20), (20, 32)))
        return rng.choice((dashed, dashed, number, number[: rng.choice((7, 8, 10, 12, 16))]))

    def foreign(rng: random.Random) -> str:
        return rng.choice(sentences[rng.choice(FOREIGN)])

    def reference(rng: random.Random) -> str:
        """What systems call their records: "TK-10231", "case_20331"."""
        start = rng.choice((letters(rng, rng.choice((2, 2, 3, 4))), lexicon.word(rng), lexicon.word(rng).upper()))
        return f"{start}{rng.choice('--_/ #')}{digits(rng, rng.choice((2, 3, 4, 5, 5, 6, 7)))}"

    def url(rng: random.Random) -> str:
        host = f"{lexicon.word(rng)}{rng.choice(('', '-', ''))}{lexicon.rare(rng)}.{pick(rng, 'domain')}"
        return rng.choice(
            (
                f"www.{host}",
                f"https://{host}/",
                f"http://www.{host.title()}",
                host,
                f"https://{host}/{lexicon.word(rng)}",
                rng.choice(urls),
            )
        )

    def html(rng: random.Random) -> str:
        tag = rng.choice(("p", "b", "div", "a", "li", "span", "br", "td"))
        return f"<{tag}>{chain(rng)}</{tag}>"

    return {
        "word": lexicon.word,
        "Word": lambda rng: lexicon.word(rng).capitalize(),
        "WORD": lambda rng: lexicon.rare(rng).upper(),
        "Ly": lambda rng: lexicon.ending(rng, "ly").capitalize(),
        "Coined": lambda rng: lexicon.coined(rng).capitalize(),
        "rare": lexicon.rare,
        "Rare": lambda rng: lexicon.rare(rng).capitalize(),
        "ing": lambda rng: lexicon.ending(rng, "ing"),
        "Ing": lambda rng: lexicon.ending(rng, "ing").capitalize(),
        "ed": lambda rng: lexicon.ending(rng, "ed"),
        "ly": lambda rng: lexicon.ending(rng, "ly"),
        "plural": lambda rng: lexicon.ending(rng, "s"),
        "tion": lambda rng: lexicon.ending(rng, "tion"),
        "er": lambda rng: lexicon.ending(rng, "er"),
        "able": lambda rng: lexicon.ending(rng, "able"),
        "chain": chain,
        "Chain": lambda rng: chain(rng).capitalize(),
        "CHAIN": lambda rng: chain(rng).upper(),
        "Product": product,
        "Thing": thing,
        "proper": lambda rng: pick(rng, "proper noun"),
        "accented": lambda rng: pick(rng, "accented word"),
        "Accented": lambda rng: pick(rng, "accented word").capitalize(),
        "Hail": lambda rng: pick(rng, "interjection").capitalize(),
        "slang": lambda rng: pick(rng, "slang"),
        "Slang": lambda rng: pick(rng, "slang").capitalize(),
        "Kin": lambda rng: pick(rng, "kin").capitalize(),
        "uuid": uuid,
        "kin": lambda rng: pick(rng, "kin"),
        "foreign": foreign,
        "reference": reference,
        "digits": lambda rng: digits(rng, rng.choice((2, 3, 4, 4, 4, 5, 6, 7))),
        "url": url,
        "html": html,
        "acronym": lambda rng: letters(rng, rng.choice((2, 3, 3, 3, 4, 5))),
        "country": lambda rng: rng.choice((rng.choice(places.countries), pick(rng, "country"))),
        "job": lambda rng: rng.choice(jobs),
        "date": numbers.date,
        "time": numbers.time,
        "amount": numbers.amount,
        "count": numbers.count,
        "order": numbers.order,
        "sum": numbers.sum,
    }
