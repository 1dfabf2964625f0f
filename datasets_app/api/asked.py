"""Query parameters of rows, read strictly: a program that asks for something odd is told so."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from drf_spectacular.utils import OpenApiParameter

from datasets_app.contents.rows import SORTS, SPLITS, Wanted
from gptstudio.api.base import LIMIT
from gptstudio.core.errors import Invalid, NotAllowed

KNOWN = frozenset(
    {"split", "text", "label", "file", "mark", "group", "cluster", "least", "most", "near_copies", "sort", "after",
     "limit", "reveal_test"}
)  # fmt: skip
REVEAL = OpenApiParameter(
    "reveal_test", bool, description="Show test rows too. It is written into the audit log, with the key that asked."
)
PARAMETERS = [
    OpenApiParameter("split", str, enum=list(SPLITS), description="All but test when not given."),
    OpenApiParameter("text", str, description="Rows that hold these letters, whatever their case."),
    OpenApiParameter("label", str),
    OpenApiParameter("file", str),
    OpenApiParameter("mark", str, description="Rows in which data of this type is hidden, such as EMAIL."),
    OpenApiParameter("group", str),
    OpenApiParameter("cluster", int),
    OpenApiParameter("least", int, description="At least so many characters."),
    OpenApiParameter("most", int, description="At most so many characters."),
    OpenApiParameter("near_copies", bool),
    OpenApiParameter("sort", str, enum=list(SORTS)),
    OpenApiParameter("after", str, description="The `next` of the page before."),
    LIMIT,
    REVEAL,
]

ARCHIVED = OpenApiParameter("archived", bool, description="Those that were put away, instead of those in use.")


def number(asked: Mapping[str, str], name: str, *, least: int = 0, most: int = 10**15) -> int | None:
    """A whole number within bounds, None when it was not given; Invalid names the parameter."""
    text = asked.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) < 18 and least <= int(text) <= most):
        raise Invalid(f"{name} is {text[:40]!r}.", fix=f"Use a whole number from {least:,} to {most:,}.", param=name)
    return int(text)


def flag(asked: Mapping[str, str], name: str) -> bool:
    """`true` or `false`; false when it was not given."""
    text = asked.get(name, "false").lower()
    if text not in ("true", "false"):
        raise Invalid(f"{name} is {text[:40]!r}.", fix="Use true or false.", param=name)
    return text == "true"


def one_of(asked: Mapping[str, str], name: str, choices: Sequence[str]) -> str:
    """One of these words; empty when it was not given."""
    text = asked.get(name, "")
    if text and text not in choices:
        raise Invalid(f"{name} is {text[:40]!r}.", fix=f"Use one of {', '.join(choices)}.", param=name)
    return text


def check_known(asked: Mapping[str, str], known: Collection[str]) -> None:
    """Raise Invalid for a parameter that there is not."""
    strange = sorted(set(asked) - set(known))
    if strange:
        raise Invalid(
            f"The parameter {strange[0][:40]!r} is not known.",
            fix=f"Known: {', '.join(sorted(known))}.",
            param=strange[0],
        )


def check_revealed(split: str, *, revealed: bool) -> None:
    """Raise NotAllowed for test rows that nobody asked to see in so many words."""
    if split in ("test", "all") and not revealed:
        raise NotAllowed(
            "Test rows are kept shut: a model is examined on them.",
            fix="Add reveal_test=true; it is written into the audit log.",
            code="test_rows_shut",
        )


def wanted_of(asked: Mapping[str, str]) -> Wanted:
    """The rows that the query asks for."""
    check_known(asked, KNOWN)
    split = asked.get("split", "")
    if split and split not in SPLITS:
        raise Invalid(f"There is no split {split[:40]!r}.", fix=f"Use one of {', '.join(SPLITS)}.", param="split")
    return Wanted(
        splits=[split] if split else SPLITS,
        text=asked.get("text", "")[:500],
        label=asked.get("label", ""),
        file=asked.get("file", ""),
        mark=asked.get("mark", ""),
        group=asked.get("group", ""),
        cluster=number(asked, "cluster"),
        least=number(asked, "least"),
        most=number(asked, "most"),
        near_copies=flag(asked, "near_copies"),
    )
