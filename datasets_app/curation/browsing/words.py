"""The words of a version's training rows: which row says which, when it is asked and when it answers. Made once, beside
the index, so that the rows most like a text are found within a second. Test and validation rows are not in it.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
from pathlib import Path

from datasets_app.curation.browsing.database import spilling_database
from datasets_app.curation.browsing.index import ROW_GROUP, SEARCHED, quoted

WORDS, SAYING = "words.parquet", "words-rows.parquet"
ASKED, ANSWERED = 0, 1
# Scripts without spaces between words are taken letter by letter; RE2 reads it here and in DuckDB alike.
WORD = r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]|[\p{L}\p{N}][\p{L}\p{M}\p{N}]*"
# What makes a word telling: how few rows say it (inverse document frequency). Words of every row count a little, too.
WEIGHT = "ln(1 + rows_in_all / (rows + 0.5))"

_TURNS = """
    list_aggregate(list_transform(list_filter(messages, lambda m: m.role = '{role}'), lambda m: coalesce(m.content, '')),
                   'string_agg', chr(10))
"""
_SAID = f"""
    CREATE TEMP TABLE said AS
    SELECT place, side, unnest(list_distinct(regexp_extract_all(lower(left(text, {SEARCHED})), ?))) AS word FROM (
        SELECT file_row_number AS place, unnest([{ASKED}, {ANSWERED}])::TINYINT AS side,
               unnest([{_TURNS.format(role="user")}, {_TURNS.format(role="assistant")}]) AS text
        FROM read_parquet(?, file_row_number = true) {{condition}}
    )
"""  # noqa: S608 - constants
_WORDS = f"""
    CREATE TEMP TABLE words AS
    SELECT *, ({WEIGHT})::FLOAT AS weight
    FROM (SELECT side, word, count(*) AS rows, ?::BIGINT AS rows_in_all FROM said GROUP BY side, word)
"""  # noqa: S608 - constants
_NORMS = """
    CREATE TEMP TABLE norms AS
    SELECT side, place, sqrt(sum(weight * weight))::FLOAT AS norm FROM said JOIN words USING (side, word)
    GROUP BY side, place
"""
_SAYING = "SELECT side, word, place::INTEGER AS place, norm FROM said JOIN norms USING (side, place) ORDER BY 1, 2, 3"
_FORMAT = f"FORMAT parquet, COMPRESSION lz4_raw, ROW_GROUP_SIZE {4 * ROW_GROUP}"


def words_of(folder: Path) -> tuple[Path, Path]:
    """The files of words and of the rows that say them; made now where they are missing."""
    found = folder / WORDS, folder / SAYING
    if not all(each.exists() for each in found):
        held = os.open(folder, os.O_RDONLY)
        try:
            fcntl.flock(held, fcntl.LOCK_EX)  # of many who ask at once, one makes them
            if not all(each.exists() for each in found):
                write_words(folder)
        finally:
            os.close(held)
    return found


def write_words(folder: Path) -> None:
    """Make both files from train.parquet; each appears whole.

    WORDS: side, word, rows (that say it), weight. SAYING: side, word, place, norm (of the row's side).
    """
    import pyarrow.parquet as pq  # late: most requests never look into a version

    train = folder / "train.parquet"
    has_repeats = "repeat" in pq.read_schema(train).names
    condition = 'WHERE coalesce("repeat", 0) = 0' if has_repeats else ""  # what balancing wrote again counts once
    with tempfile.TemporaryDirectory(prefix=".words-", dir=folder) as name:
        made = Path(name)
        with spilling_database(made / "spill") as connection:
            connection.execute(_SAID.format(condition=condition), [WORD, str(train)])
            connection.execute(_WORDS, [pq.read_metadata(train).num_rows])
            connection.execute(_NORMS)
            ordered = "SELECT side, word, rows, weight FROM words ORDER BY side, word"
            for statement, target in ((ordered, WORDS), (_SAYING, SAYING)):
                connection.execute(f"COPY ({statement}) TO {quoted(made / target)} ({_FORMAT})")
        for each in (SAYING, WORDS):
            os.replace(made / each, folder / each)
