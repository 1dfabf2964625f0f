"""The words of a version's training rows with how often each stands there, beside the index. Made with it, or when first
asked for; test rows are not looked at, for what they say shall not show.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from datasets_app.curation.browsing.database import database
from datasets_app.curation.browsing.index import index_of

VOCABULARY = "vocabulary.json"
KNOWN = 5_000
_WORDS = """
    SELECT word, count(*) AS often
    FROM (SELECT unnest(regexp_extract_all(text, '[\\p{L}][\\p{L}\\p{M}]+')) AS word
          FROM read_parquet(?) WHERE split = 'train')
    GROUP BY word ORDER BY often DESC, word LIMIT ?
"""


def vocabulary_of(folder: Path) -> dict[str, int]:
    """The KNOWN commonest words of two letters or more, in lower case, with their counts."""
    path = folder / VOCABULARY
    if not path.exists():
        write_vocabulary(folder)
    found: dict[str, int] = json.loads(path.read_text(encoding="utf-8"))
    return found


def write_vocabulary(folder: Path) -> None:
    """Count the words; the file appears whole or not at all."""
    with database() as connection:
        words = dict(connection.execute(_WORDS, [str(index_of(folder)), KNOWN]).fetchall())
    target = folder / f".{VOCABULARY}.{os.getpid()}"
    target.write_text(json.dumps(words, ensure_ascii=False), encoding="utf-8")
    os.replace(target, folder / VOCABULARY)
