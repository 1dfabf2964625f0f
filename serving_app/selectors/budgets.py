"""Budgets with what was spent: of the workspace, its members and its keys."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gptstudio.accounts.models import ApiKey, Membership, Workspace
from serving_app.models import Balance
from serving_app.selectors.usage import member_account


@dataclass(frozen=True, slots=True)
class Budget:
    """One budget. `limit_micro` is hard, at `soft_micro` people are told; None: there is none."""

    account: str
    workspace_id: str
    noun: str
    subject_id: str
    name: str
    limit_micro: int | None
    soft_micro: int | None
    spent_micro: int = 0
    alerted_micro: int | None = None

    @property
    def is_spent(self) -> bool:
        return self.limit_micro is not None and self.spent_micro >= self.limit_micro

    @property
    def is_soft_spent(self) -> bool:
        return self.soft_micro is not None and self.spent_micro >= self.soft_micro

    @property
    def share(self) -> int | None:
        """Spent percent of the limit, or of what people are told at."""
        whole = self.limit_micro if self.limit_micro is not None else self.soft_micro
        return None if whole is None else 100 if whole == 0 else min(100, round(100 * self.spent_micro / whole))


def _with_spent(budgets: Iterable[Budget]) -> list[Budget]:
    found = list(budgets)
    balances = {row.id: row for row in Balance.objects.filter(id__in=[each.account for each in found])}
    filled = []
    for each in found:
        row = balances.get(each.account) or Balance()
        values = {name: getattr(each, name) for name in Budget.__slots__}
        filled.append(Budget(**values | {"spent_micro": row.spent_micro, "alerted_micro": row.alerted_micro}))
    return filled


def _of_workspaces(rows: Iterable[Workspace]) -> list[Budget]:
    return [
        Budget(row.id, row.id, "workspace", row.id, row.name, row.budget_micro, row.soft_budget_micro) for row in rows
    ]


def _of_members(rows: Iterable[Membership]) -> list[Budget]:
    return [
        Budget(
            member_account(row.workspace_id, row.user_id), row.workspace_id, "member", row.user_id, str(row.user),
            row.budget_micro, row.soft_budget_micro,
        )
        for row in rows
    ]  # fmt: skip


def _of_keys(rows: Iterable[ApiKey]) -> list[Budget]:
    return [
        Budget(row.id, row.workspace_id, "key", row.id, row.name, row.budget_micro, row.soft_budget_micro)
        for row in rows
    ]


def budgets_of(workspace_id: str) -> list[Budget]:
    """The workspace's budget, each member's, and those of live keys that have one; with what was spent."""
    members = Membership.objects.filter(workspace_id=workspace_id).select_related("user").order_by("user__email")
    keys = ApiKey.objects.filter(workspace_id=workspace_id, revoked_at__isnull=True).order_by("name", "id")
    limited = [each for each in _of_keys(keys) if each.limit_micro is not None or each.soft_micro is not None]
    return _with_spent([*_of_workspaces(Workspace.objects.filter(id=workspace_id)), *_of_members(members), *limited])


def to_be_told() -> list[Budget]:
    """Budgets of all workspaces whose soft limit was reached and not told yet."""
    has_soft = {"soft_budget_micro__isnull": False}
    found = [
        *_of_workspaces(Workspace.objects.filter(**has_soft)),
        *_of_members(Membership.objects.filter(**has_soft).select_related("user")),
        *_of_keys(ApiKey.objects.filter(**has_soft, revoked_at__isnull=True)),
    ]
    return [each for each in _with_spent(found) if each.is_soft_spent and each.alerted_micro != each.soft_micro]
