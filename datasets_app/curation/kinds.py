"""The one table of steps: what each is called, where it may stand, and which options it takes. Loads no step.

A recipe is checked against it, pages and REST documents are drawn from it, and the first pass finds its steps through
it. The order of the table is the order of the steps that may not move; the cleaning steps stand together in it.
"""

from __future__ import annotations

from collections.abc import Mapping

from datasets_app.curation.balance import METHODS as BALANCING
from datasets_app.curation.cleaning.kinds import CLEANING
from datasets_app.curation.erasure import fault
from datasets_app.curation.filters.kinds import FILTERS
from datasets_app.curation.kind import STEPS, Kind
from datasets_app.curation.options import Option

TURNS = Option("turns", "choice", "all", choices=("all", "user"))


def _shares(options: Mapping[str, object]) -> str | None:
    shares = [float(str(options[name])) for name in ("train", "validation", "test")]
    if shares[0] <= 0 or abs(sum(shares) - 1) > 1e-6:
        return "The shares of train, validation and test add up to 1; none is negative, and train is more than 0."
    return None


def _edits(options: Mapping[str, object]) -> str | None:
    rows = options["rows"]
    places = isinstance(rows, list) and all(
        isinstance(each, dict) and isinstance(each.get("file"), str) and isinstance(each.get("row"), int)
        for each in rows
    )
    if not places:
        return "The rows of edits are a list of objects that name a file and a row."
    return fault(options["erased"])


POLICIES = ("mask", "pseudonym", "hash", "drop_row", "keep")

KINDS = (
    Kind(
        "edits", (Option("rows", "tree", []), Option("erased", "tree", [])), step=f"{STEPS}.edits:Edits", check=_edits
    ),
    *CLEANING,
    Kind(
        "personal_data",
        (
            TURNS,
            Option("names", "bool", True),
            Option("policy", "map", {"URL": "keep"}, choices=POLICIES),
            Option("default", "choice", "mask", choices=POLICIES),
            Option("allow", "texts", []),
            Option("deny", "texts", []),
            Option("decisions", "map", {}, choices=("accept", "reject")),
        ),
        moves=True,
        step=f"{STEPS}.personal_data:PersonalData",
    ),
    *FILTERS,
    Kind("exact_duplicates"),
    Kind(
        "near_duplicates",
        (
            Option("threshold", "float", 0.7, least=0.3, most=1.0),
            Option("keep", "choice", "all", choices=("all", "best", "first")),
        ),
    ),
    Kind(
        "split",
        (
            Option("train", "float", 0.8, least=0, most=1),
            Option("validation", "float", 0.1, least=0, most=1),
            Option("test", "float", 0.1, least=0, most=1),
            Option("seed", "int", 0),
            Option("stratify", "bool", True),
            Option("validation_files", "texts", []),
            Option("given", "choice", "keep", choices=("keep", "ignore")),
            Option("openings", "bool", True),
        ),
        check=_shares,
    ),
    Kind(
        "balance",
        (
            Option("method", "choice", "none", choices=BALANCING),
            Option("cap", "int", 1000, least=1),
            Option("ratio", "float", 1.0, least=1),
            Option("seed", "int", 0),
        ),
    ),
    Kind(
        "tokens",
        (
            Option("tokenizer", "text"),
            Option("limit", "int", 512, least=8),
            Option("policy", "choice", "drop", choices=("drop", "truncate", "split", "refuse")),
        ),
    ),
)
BY_NAME = {kind.name: kind for kind in KINDS}
HIDING, TIDYING = "personal_data", "normalize"
MOVING = frozenset(kind.name for kind in KINDS if kind.moves)


def order_fault(names: list[str]) -> str | None:
    """What is wrong with the order of known steps, as a sentence, or None."""
    if len(set(names)) < len(names):
        return "Every step may stand in a recipe once."
    table = list(BY_NAME)
    cleaning = min(map(table.index, MOVING))
    places = [cleaning if name in MOVING else table.index(name) for name in names]
    if places != sorted(places):
        order = ", ".join(kind.name for kind in KINDS if not kind.moves)
        return f"Only the cleaning steps can change places; the order of the others is {order}."
    return None


def uncovering_fault(names: list[str]) -> str | None:
    """Why steps that are all on may not run in this order, as a sentence, or None: what is spelled as `&#64;` is found
    by nobody until the text is tidied."""
    if not {HIDING, TIDYING} <= set(names) or names.index(TIDYING) < names.index(HIDING):
        return None
    return f"The step {HIDING} stands before {TIDYING}, which would uncover what it could not see. Put {TIDYING} first."
