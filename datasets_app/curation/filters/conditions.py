"""Conditions that people write as a JSON tree, over the columns of a file and what can be derived from a row.

    {"all": [{"column": "rating", "op": ">=", "value": 4}, {"not": {"derived": "language", "op": "in", "value": ["de"]}}]}

A tree is `all`, `any` (lists of trees), `not` (a tree) or a comparison. It becomes functions of `pyarrow.compute`;
nothing that people write is ever run as code. A row whose column is empty or cannot be read as the value's type does not
meet the comparison.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from datasets_app.curation.filters.patterns import compiled

DERIVED = ("words", "characters", "turns", "label", "language", "question", "answer")
NUMBER_OPS = ("==", "!=", ">", ">=", "<", "<=")
TEXT_OPS = ("contains", "starts_with", "ends_with", "matches")
OPS = (*NUMBER_OPS, "in", "not_in", *TEXT_OPS, "is_empty", "is_not_empty")
MOST_DEPTH, MOST_LEAVES = 20, 200
SHOWN = 60
Tree = Mapping[str, Any]
Values = Callable[[str, str], list[object]]
_FUNCTIONS = {"==": "equal", "!=": "not_equal", ">": "greater", ">=": "greater_equal", "<": "less", "<=": "less_equal"}


def fault(tree: object) -> str | None:
    """What is wrong with a tree, as a sentence, or None."""
    return _fault(tree, 1) or (
        f"The condition has more than {MOST_LEAVES} comparisons." if len(list(leaves(tree))) > MOST_LEAVES else None  # type: ignore[arg-type]
    )


def _fault(tree: object, depth: int) -> str | None:
    if depth > MOST_DEPTH:
        return f"The condition is nested more than {MOST_DEPTH} deep."
    if not isinstance(tree, Mapping):
        return "A condition is an object: all, any, not, or a comparison with column, op and value."
    for word in ("all", "any"):
        if word in tree:
            parts = tree[word]
            if len(tree) > 1 or not isinstance(parts, list) or not parts:
                return f"“{word}” stands alone and holds a list of conditions."
            return next((why for part in parts if (why := _fault(part, depth + 1))), None)
    if "not" in tree:
        return "“not” stands alone and holds one condition." if len(tree) > 1 else _fault(tree["not"], depth + 1)
    return _leaf_fault(tree)


def _leaf_fault(leaf: Tree) -> str | None:
    strange = set(leaf) - {"column", "derived", "op", "value"}
    if strange:
        return f"A condition has no part “{min(map(str, strange))[:SHOWN]}”."
    if ("column" in leaf) == ("derived" in leaf) or not isinstance(leaf.get("column", leaf.get("derived")), str):
        return "A comparison names one column of the file as “column”, or one derived value as “derived”."
    if "derived" in leaf and leaf["derived"] not in DERIVED:
        return f"“{leaf['derived'][:SHOWN]}” cannot be derived. Known are: {', '.join(DERIVED)}."
    op, value = leaf.get("op"), leaf.get("value")
    if op not in OPS:
        return f"“{str(op)[:SHOWN]}” is no comparison. Known are: {', '.join(OPS)}."
    if op in ("is_empty", "is_not_empty"):
        return f"“{op}” takes no value." if "value" in leaf else None
    if op in ("in", "not_in"):
        fits = isinstance(value, list) and value and all(isinstance(item, str | int | float) for item in value)
        return None if fits else f"“{op}” takes a list of texts or numbers."
    if op in TEXT_OPS:
        return _text_fault(str(op), value)
    fits = isinstance(value, str | int | float) and (op in ("==", "!=") or not isinstance(value, bool))
    return None if fits else f"“{op}” takes a number or a text."


def _text_fault(op: str, value: object) -> str | None:
    if not isinstance(value, str) or not value:
        return f"“{op}” takes a text."
    if op == "matches":
        try:
            compiled(value)
        except ValueError as error:
            return f"The pattern “{value[:SHOWN]}” cannot be used: {error}."
    return None


def _parts(tree: Tree) -> Sequence[Tree]:
    parts: Sequence[Tree] = tree["all"] if "all" in tree else tree["any"]
    return parts


def leaves(tree: Tree) -> Iterator[Tree]:
    """Every comparison of a tree."""
    if not isinstance(tree, Mapping):
        return
    if "not" in tree:
        yield from leaves(tree["not"])
    elif "all" in tree or "any" in tree:
        for part in _parts(tree):
            yield from leaves(part)
    else:
        yield tree


def _name(leaf: Tree) -> tuple[str, str]:
    return ("column", leaf["column"]) if "column" in leaf else ("derived", leaf["derived"])


class Condition:
    """A checked tree, ready for batches. `values(kind, name)` gives a column or derived value for each row of a batch."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree

    def failures(self, count: int, values: Values) -> list[str | None]:
        """For each row None where it meets the condition, else a sentence with the value that decided."""
        import pyarrow as pa

        columns = {name: values(*name) for name in {_name(leaf) for leaf in leaves(self.tree)}}
        masks: dict[int, Any] = {}
        met = _mask(self.tree, columns, masks, pa.array([True] * count)).to_pylist()
        lists = {key: mask.to_pylist() for key, mask in masks.items()}
        return [None if met[row] else self._why(row, columns, lists) for row in range(count)]

    def _why(self, row: int, columns: Mapping[tuple[str, str], list[object]], masks: Mapping[int, list[bool]]) -> str:
        decided = next(_deciding(self.tree, row, masks, wanted=True), None)
        if decided is None:
            return "The row does not meet the condition."
        leaf, wanted = decided
        value = columns[_name(leaf)][row]
        shown = "empty" if value is None or value == "" else f"“{str(value)[:SHOWN]}”"
        verb = "is not" if wanted else "is"
        return f"The {_called(leaf)} is {shown}: “{described(leaf)}” {verb} met."


def _called(leaf: Tree) -> str:
    kind, name = _name(leaf)
    return f"column “{name[:SHOWN]}”" if kind == "column" else name


def described(leaf: Tree) -> str:
    """A comparison as people read it: `rating >= 4`."""
    value = f" {leaf['value']}" if "value" in leaf else ""
    return f"{_name(leaf)[1]} {str(leaf['op']).replace('_', ' ')}{value}"[: 2 * SHOWN]


def _deciding(tree: Tree, row: int, masks: Mapping[int, list[bool]], *, wanted: bool) -> Iterator[tuple[Tree, bool]]:
    """Comparisons that came out other than the tree above them needs, with what was needed of them."""
    if "not" in tree:
        yield from _deciding(tree["not"], row, masks, wanted=not wanted)
    elif "all" in tree or "any" in tree:
        for part in _parts(tree):
            yield from _deciding(part, row, masks, wanted=wanted)
    elif masks[id(tree)][row] != wanted:
        yield tree, wanted


def _mask(tree: Tree, columns: Mapping[tuple[str, str], list[object]], masks: dict[int, Any], true: Any) -> Any:
    import pyarrow.compute as pc

    if "not" in tree:
        return pc.invert(_mask(tree["not"], columns, masks, true))
    if "all" in tree or "any" in tree:
        join = pc.and_ if "all" in tree else pc.or_
        met = true if "all" in tree else pc.invert(true)
        for part in _parts(tree):
            met = join(met, _mask(part, columns, masks, true))
        return met
    masks[id(tree)] = met = pc.fill_null(_compared(tree, columns[_name(tree)]), False)
    return met


def _compared(leaf: Tree, given: Sequence[object]) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    op, value = leaf["op"], leaf.get("value")
    if op in ("is_empty", "is_not_empty"):
        empty = pa.array([item is None or (isinstance(item, str) and not item.strip()) for item in given], pa.bool_())
        return empty if op == "is_empty" else pc.invert(empty)
    if op in ("in", "not_in"):
        wanted = [_text(item) for item in leaf["value"]]
        held = pa.array([_text(item) for item in given], pa.string())
        inside = pc.is_in(held, pa.array(wanted, pa.string()))
        return inside if op == "in" else pc.and_(pc.invert(inside), pc.is_valid(held))
    if op in TEXT_OPS:
        return _text_compared(op, str(value), pa.array([_text(item) for item in given], pa.string()))
    compare = getattr(pc, _FUNCTIONS[op])
    if isinstance(value, bool):
        return compare(pa.array([_truth(item) for item in given], pa.bool_()), value)
    if isinstance(value, str):
        return compare(pa.array([_text(item) for item in given], pa.string()), value)
    return compare(pa.array([_number(item) for item in given], pa.float64()), float(leaf["value"]))


def _text_compared(op: str, value: str, texts: Any) -> Any:
    import pyarrow.compute as pc

    if op == "contains":
        return pc.match_substring(texts, value, ignore_case=True)
    if op == "matches":
        return pc.match_substring_regex(texts, value, ignore_case=True)
    return (pc.starts_with if op == "starts_with" else pc.ends_with)(texts, value, ignore_case=True)


def _text(item: object) -> str | None:
    if item is None:
        return None
    if isinstance(item, float) and item.is_integer():
        return str(int(item))
    return item if isinstance(item, str) else str(item)


def _number(item: object) -> float | None:
    """Numbers, true as 1, and texts that read as a number (`4`, ` 4.5 `, `1,200`)."""
    if isinstance(item, bool | int | float):
        return float(item)
    try:
        return float(str(item).strip().replace(",", "")) if item is not None else None
    except ValueError:
        return None


def _truth(item: object) -> bool | None:
    text = str(item).strip().lower()
    return True if text in ("true", "yes", "1") else False if text in ("false", "no", "0") else None
