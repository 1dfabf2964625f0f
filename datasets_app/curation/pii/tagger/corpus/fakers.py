"""Faker in one country, with only the parts that are drawn from, so that many countries start in a second."""

from __future__ import annotations

from functools import cache
from typing import Any

from faker import Faker

_PARTS = (
    "person",
    "address",
    "company",
    "phone_number",
    "bank",
    "credit_card",
    "job",
    "internet",
    "lorem",
    "date_time",
)


@cache
def _faker(locale: str) -> Faker:
    return Faker(locale, providers=[f"faker.providers.{part}" for part in _PARTS])


def seeded(locale: str, seed: int) -> Any:
    """Faker of a locale, at the beginning of what the seed gives. Shared: draw what is needed before asking again."""
    fake = _faker(locale)
    fake.seed_instance(seed)
    return fake
