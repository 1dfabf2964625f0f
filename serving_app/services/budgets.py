"""Soft budgets: when one is reached, a notice and a line in the log, once for each amount, and once in each month for those
of a month. Pages show it for as long as it holds.
"""

from __future__ import annotations

from django.db import transaction
from django.db.models import Q

from gptstudio.accounts.policies import system
from gptstudio.audit.services import record
from gptstudio.notify.services import tell
from serving_app.models import Balance
from serving_app.selectors import Allowance, Budget, to_be_told


def alert_budgets() -> int:
    """Tell of every soft budget that was reached since the last look; how many."""
    return sum(_tell(budget, span) for budget, span in to_be_told())


@transaction.atomic
def _tell(budget: Budget, span: Allowance) -> bool:
    start = "" if span is budget.ever else "month_"
    told = f"{start}alerted_micro"
    fresh = Q(**{f"{told}__isnull": True}) | ~Q(**{told: span.soft_micro})
    reached = Q(**{f"{start}spent_micro__gte": span.soft_micro})  # the month may have turned since the look
    if not Balance.objects.filter(fresh, reached, id=budget.account).update(**{told: span.soft_micro}):
        return False
    when = "" if span.renews_at is None else " for this month"
    title = f"The {budget.noun} {budget.name} has reached the amount to tell at{when}"
    amounts = {"soft_budget_micro": span.soft_micro, "spent_micro": span.spent_micro}
    data = {
        "kind": budget.noun,
        "id": budget.subject_id,
        "span": "ever" if span.renews_at is None else "month",
        "renews_at": None if span.renews_at is None else span.renews_at.isoformat(),
        "budget_micro": span.limit_micro,
        **amounts,
    }
    tell(workspace_id=budget.workspace_id, event="budget.reached", title=title, data=data)
    record(
        system(budget.workspace_id),
        workspace_id=budget.workspace_id,
        action="budget.reached",
        subject_kind=budget.noun,
        subject_id=budget.subject_id,
        subject_label=budget.name,
        data={"span": data["span"], **amounts},
    )
    return True
