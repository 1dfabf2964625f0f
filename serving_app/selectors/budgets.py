"""Budgets with what was spent: of the workspace, its members and its keys, ever and in this calendar month."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet
from django.utils import timezone

from gptstudio.accounts.models import ApiKey, Membership, Workspace
from serving_app.models import Balance
from serving_app.months import month_after, month_of
from serving_app.selectors.usage import member_account

HAS_SOFT = Q(soft_budget_micro__isnull=False) | Q(soft_monthly_budget_micro__isnull=False)
HAS_ONE = HAS_SOFT | Q(budget_micro__isnull=False) | Q(monthly_budget_micro__isnull=False)


@dataclass(frozen=True, slots=True)
class Allowance:
    """What may be spent, and what was. `limit_micro` is hard, at `soft_micro` people are told; None: there is none.

    `alerted_micro` is the soft amount that was told of. `renews_at` is when a month's begins anew.
    """

    limit_micro: int | None
    soft_micro: int | None
    spent_micro: int
    alerted_micro: int | None
    renews_at: datetime | None = None

    @property
    def is_spent(self) -> bool:
        return self.limit_micro is not None and self.spent_micro >= self.limit_micro

    @property
    def is_soft_spent(self) -> bool:
        return self.soft_micro is not None and self.spent_micro >= self.soft_micro

    @property
    def is_untold(self) -> bool:
        """Whether the soft amount was reached and nobody was told."""
        return self.is_soft_spent and self.alerted_micro != self.soft_micro

    @property
    def share(self) -> int | None:
        """Spent percent of the limit, or of what people are told at."""
        whole = self.limit_micro if self.limit_micro is not None else self.soft_micro
        return None if whole is None else 100 if whole == 0 else min(100, round(100 * self.spent_micro / whole))


@dataclass(frozen=True, slots=True)
class Budget:
    """Whose budget it is, with both spans: `ever`, and `month`, the calendar month that runs."""

    account: str
    workspace_id: str
    noun: str
    subject_id: str
    name: str
    ever: Allowance
    month: Allowance

    @property
    def spans(self) -> tuple[Allowance, Allowance]:
        return self.ever, self.month


@dataclass(frozen=True, slots=True)
class Reached:
    """A budget of which one span is used up, or reached the amount to tell at."""

    noun: str
    name: str
    span: Allowance


Owner = Workspace | Membership | ApiKey


def _named(row: Owner) -> tuple[str, str, str, str, str]:
    """Account, workspace, noun, id and name."""
    if isinstance(row, Workspace):
        return row.id, row.id, "workspace", row.id, row.name
    if isinstance(row, Membership):
        return member_account(row.workspace_id, row.user_id), row.workspace_id, "member", row.user_id, str(row.user)
    return row.id, row.workspace_id, "key", row.id, row.name


def _with_spent(rows: Iterable[Owner]) -> list[Budget]:
    found = [(row, _named(row)) for row in rows]
    balances = {row.id: row for row in Balance.objects.filter(id__in=[named[0] for _row, named in found])}
    month = month_of(timezone.now())
    return [Budget(*named, *_spans(row, balances.get(named[0]) or Balance(), month)) for row, named in found]


def _spans(row: Owner, balance: Balance, month: int) -> tuple[Allowance, Allowance]:
    ever = Allowance(row.budget_micro, row.soft_budget_micro, balance.spent_micro, balance.alerted_micro)
    runs = balance.month >= month  # else nothing was asked in this month yet
    month = max(balance.month, month)
    return ever, Allowance(
        row.monthly_budget_micro,
        row.soft_monthly_budget_micro,
        balance.month_spent_micro if runs else 0,
        balance.month_alerted_micro if runs else None,
        renews_at=month_after(month),
    )


def budgets_of(workspace_id: str) -> list[Budget]:
    """The workspace's budget, each member's, and those of live keys that have one; with what was spent."""
    return _with_spent([*Workspace.objects.filter(id=workspace_id), *_members(workspace_id), *_keys(workspace_id)])


def _members(workspace_id: str) -> QuerySet[Membership]:
    return Membership.objects.filter(workspace_id=workspace_id).select_related("user").order_by("user__email")


def _keys(workspace_id: str) -> QuerySet[ApiKey]:
    live = ApiKey.objects.filter(workspace_id=workspace_id, revoked_at__isnull=True)
    return live.filter(HAS_ONE).order_by("name", "id")


def reached_of(workspace_id: str) -> list[Reached]:
    """Budgets of the workspace that people should know of."""
    owners: list[Owner] = [*Workspace.objects.filter(HAS_ONE, id=workspace_id)]
    owners += [*_members(workspace_id).filter(HAS_ONE), *_keys(workspace_id)]
    return [
        Reached(each.noun, each.name, span)
        for each in _with_spent(owners)
        for span in each.spans
        if span.is_spent or span.is_soft_spent
    ]


def to_be_told() -> Sequence[tuple[Budget, Allowance]]:
    """Budgets of all workspaces of which a soft amount was reached and not told yet."""
    found: list[Owner] = [
        *Workspace.objects.filter(HAS_SOFT),
        *Membership.objects.filter(HAS_SOFT).select_related("user"),
        *ApiKey.objects.filter(HAS_SOFT, revoked_at__isnull=True),
    ]
    return [(each, span) for each in _with_spent(found) for span in each.spans if span.is_untold]
