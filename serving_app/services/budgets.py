"""Soft budgets: when one is reached, a notice and a line in the log, once for each amount. Pages show it for as long as it holds."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Q

from gptstudio.accounts.policies import system
from gptstudio.audit.services import record
from gptstudio.notify.services import tell
from serving_app.models import Balance
from serving_app.selectors import Budget, to_be_told


def alert_budgets() -> int:
    """Tell of every soft budget that was reached since the last look; how many."""
    return sum(_tell(budget) for budget in to_be_told())


@transaction.atomic
def _tell(budget: Budget) -> bool:
    fresh = Q(alerted_micro__isnull=True) | ~Q(alerted_micro=budget.soft_micro)
    if not Balance.objects.filter(fresh, id=budget.account).update(alerted_micro=budget.soft_micro):
        return False
    title = f"The {budget.noun} {budget.name} has reached the amount to tell at"
    data = {
        "kind": budget.noun,
        "id": budget.subject_id,
        "soft_budget_micro": budget.soft_micro,
        "budget_micro": budget.limit_micro,
        "spent_micro": budget.spent_micro,
    }
    tell(workspace_id=budget.workspace_id, event="budget.reached", title=title, data=data)
    record(
        system(budget.workspace_id),
        workspace_id=budget.workspace_id,
        action="budget.reached",
        subject_kind=budget.noun,
        subject_id=budget.subject_id,
        subject_label=budget.name,
        data={"soft_budget_micro": budget.soft_micro, "spent_micro": budget.spent_micro},
    )
    return True
