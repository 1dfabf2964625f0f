"""A generator with few values of each country, made once; it draws as the real one does."""

from __future__ import annotations

import pytest

from datasets_app.curation.pii.tagger.corpus.generator import Generator


@pytest.fixture(scope="session")
def generator() -> Generator:
    return Generator(seed=5, draws=12)
