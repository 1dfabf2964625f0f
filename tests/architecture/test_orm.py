"""What imports cannot show: ORM writes only in services, ORM reads only in selectors, services, models and admin."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("gptstudio", "datasets_app", "training_app", "serving_app")
WRITES = {"create", "bulk_create", "bulk_update", "update_or_create", "get_or_create", "save", "delete", "update"}
READS = {
    "filter",
    "exclude",
    "get",
    "all",
    "first",
    "count",
    "exists",
    "aggregate",
    "annotate",
    "values",
    "values_list",
}
NO_ORM = ("datasets_app/curation", "training_app/engine", "serving_app/engine", "gptstudio/overview/demo_data")
SAVES = {"save", "delete", "bulk_create", "bulk_update", "update_or_create", "get_or_create"}
RELATED = {
    "filter",
    "exclude",
    "order_by",
    "select_related",
    "prefetch_related",
    "values_list",
    "annotate",
    "aggregate",
}
RELATED_BARE = {"all", "first", "last", "count", "get"}
MAY_WRITE = ("gptstudio/core/leases.py", "gptstudio/accounts/models/user.py")
MAY_READ = ("selectors", "services", "models", "admin", "console")  # core/console.py is the base of all admin.py


def sources() -> list[Path]:
    found = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    return [
        path for path in found if "migrations" not in path.parts and not str(path.relative_to(ROOT)).startswith(NO_ORM)
    ]


def room(path: Path) -> set[str]:
    return {part.removesuffix(".py") for part in path.relative_to(ROOT).parts}


def managers(tree: ast.AST) -> list[tuple[int, str]]:
    """Calls that end a chain which starts at `.objects`: `Model.objects.filter(…).update(…)` gives both names."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            inner: ast.AST = node.func.value
            while isinstance(inner, ast.Call | ast.Attribute):
                if isinstance(inner, ast.Attribute) and inner.attr == "objects":
                    found.append((node.lineno, node.func.attr))
                    break
                inner = inner.func if isinstance(inner, ast.Call) else inner.value
    return found


def model_saves(tree: ast.AST) -> list[int]:
    """`.save()`, `.delete()` and the like on whatever: outside the services nothing else is called so."""
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in SAVES
    ]


def related_reads(tree: ast.AST) -> list[int]:
    """Chains that start at a related manager, such as `version.files.filter(…)` or `job.checkpoints.all()`.

    A view may narrow or sort what a selector gave it (`rows.filter(state=…)`): that begins at a name or a call.
    """
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            starts_at_related = isinstance(node.func.value, ast.Attribute) and node.func.value.attr != "objects"
            is_bare = node.func.attr in RELATED_BARE and not node.args and not node.keywords
            if starts_at_related and (node.func.attr in RELATED or is_bare):
                found.append(node.lineno)
    return found


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(ROOT)))
def test_the_orm_is_used_only_where_it_belongs(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    name = str(path.relative_to(ROOT))
    writes = [line for line, call in managers(tree) if call in WRITES] + model_saves(tree)
    reads = [line for line, call in managers(tree) if call in READS] + related_reads(tree)
    if name not in MAY_WRITE and "services" not in room(path):
        assert not writes, f"{name} writes at line {writes[0]}: move it into a service"
    if name not in MAY_WRITE and not room(path) & set(MAY_READ):
        assert not reads, f"{name} reads at line {reads[0]}: move it into a selector"


def test_the_check_sees_a_write_and_a_read() -> None:
    tree = ast.parse("Dataset.objects.filter(id=1).update(name='x')\nDataset.objects.get(id=1)")
    assert [call for _line, call in managers(tree)] == ["update", "get", "filter"]


def test_the_check_sees_a_plain_save_and_a_related_manager_and_lets_narrowing_pass() -> None:
    tree = ast.parse("job.save()\nversion.files.filter(name='x')\njob.checkpoints.all()\nrows.filter(state='x')")
    assert model_saves(tree) == [1]
    assert related_reads(tree) == [2, 3]
