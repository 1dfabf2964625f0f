"""All that lies beside a version's rows for those who look into it: index, vocabulary and words, made in one go."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import duckdb

from datasets_app.curation.browsing.index import write_index
from datasets_app.curation.browsing.vocabulary import write_vocabulary
from datasets_app.curation.browsing.words import write_words

SPILLED = "max_temp_directory_size"  # DuckDB's word for a disk without room for what memory cannot hold
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def write_beside(folder: Path) -> None:
    """Make them. Raises OSError with its number where the disk is full, which DuckDB says in words alone."""
    try:
        write_index(folder)
        write_vocabulary(folder)
        write_words(folder)
    except duckdb.Error as error:
        said = str(error).replace(SPILLED, os.strerror(errno.ENOSPC))
        number = next((each for each in FULL if os.strerror(each) in said), None)
        if number is None:
            raise
        raise OSError(number, str(error)) from error
