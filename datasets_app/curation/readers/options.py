"""How a person wants a file read where the guess was wrong: encoding, delimiter, header line, sheet. Reads no file."""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from dataclasses import dataclass

from datasets_app.curation.errors import Refusal

PARTS = ("encoding", "delimiter", "header", "sheet")
NAMED_DELIMITERS = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "pipe": "|", "space": " "}


@dataclass(frozen=True, slots=True)
class Reading:
    """One file's corrections; None leaves a part to the guess.

    ``header`` is the number of the line (of a sheet: the row) that names the columns, from 1; 0: no line does.
    """

    encoding: str | None = None
    delimiter: str | None = None
    header: int | None = None
    sheet: str | None = None

    def as_json(self) -> dict[str, object]:
        """The parts that were set."""
        return {part: value for part in PARTS if (value := getattr(self, part)) is not None}


AS_FOUND = Reading()


def _bad(message: str, fix: str) -> Refusal:
    return Refusal(code="bad_reading", message=message, fix=fix)


def encoding_name(given: object) -> str:
    """The name Python has for an encoding that a person wrote. Raises Refusal where there is none such for text."""
    try:
        found = codecs.lookup(str(given).strip())
        "a".encode(found.name)
    except (LookupError, TypeError, ValueError) as error:
        fix = "Use a name such as utf-8, cp1252, big5 or shift_jis."
        raise _bad(f"The encoding “{str(given)[:40]}” is not known.", fix) from error
    return found.name


def _delimiter(given: object) -> str:
    sign = NAMED_DELIMITERS.get(str(given).lower(), given)
    if not isinstance(sign, str) or len(sign) != 1 or sign in '"\r\n\0':
        fix = "Use one sign, such as a comma, a semicolon or a tab."
        raise _bad(f"The delimiter {str(given)[:20]!r} divides no columns.", fix)
    return sign


def _header(given: object) -> int:
    if isinstance(given, bool) or not isinstance(given, int) or not 0 <= given <= 1000:
        fix = "Give the number of the line with the names, at most 1000, or 0 where no line has them."
        raise _bad(f"The header {str(given)[:20]!r} is no line number.", fix)
    return given


def reading_from_json(given: object) -> Reading:
    """Check what a recipe or a command line says about one file. Raises Refusal."""
    if not isinstance(given, Mapping):
        raise _bad("How a file is read is given as an object.", f"Its parts are {', '.join(PARTS)}.")
    strange = sorted(set(given) - set(PARTS))
    if strange:
        raise _bad(f"A file is not read by “{str(strange[0])[:40]}”.", f"The parts are {', '.join(PARTS)}.")
    told = {part: value for part, value in given.items() if value is not None and value != ""}
    return Reading(
        encoding=encoding_name(told["encoding"]) if "encoding" in told else None,
        delimiter=_delimiter(told["delimiter"]) if "delimiter" in told else None,
        header=_header(told["header"]) if "header" in told else None,
        sheet=str(told["sheet"]) if "sheet" in told else None,
    )


def readings_from_json(given: object) -> dict[str, Reading]:
    """A recipe's ``reading``: file name to its parts. Raises Refusal."""
    if not isinstance(given, Mapping):
        raise _bad("The reading of a recipe is an object.", 'Write it as {"tickets.csv": {"encoding": "cp1252"}}.')
    return {str(name): reading_from_json(parts) for name, parts in given.items()}
