"""Budgets of a workspace and of its members. What was spent is not known here: the ledger is the serving app's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from gptstudio.accounts import policies
from gptstudio.accounts.models import Membership, Workspace
from gptstudio.accounts.policies import Actor
from gptstudio.audit.services import record
from gptstudio.core.errors import Invalid

MOST = 10**15
AMOUNTS = ("budget_micro", "soft_budget_micro", "monthly_budget_micro", "soft_monthly_budget_micro")


def check_budgets(given: Mapping[str, Any]) -> None:
    """Raise Invalid for an amount that cannot be."""
    for name in AMOUNTS:
        amount = given.get(name)
        if amount is not None and not 0 <= amount <= MOST:
            raise Invalid(f"A budget of {amount} millionths cannot be.", fix="Leave it empty for no limit.", param=name)


@transaction.atomic
def set_budget(actor: Actor, *, of: Workspace | Membership, **amounts: int | None) -> None:
    """What may be spent at most, and from when on people are told: ever, and in each calendar month; those of AMOUNTS that
    are given. None: no limit, nobody is told.
    """
    workspace_id = of.id if isinstance(of, Workspace) else of.workspace_id
    policies.require(actor, "budgets.edit", workspace_id=workspace_id)
    assert amounts.keys() <= set(AMOUNTS), amounts  # noqa: S101 - a caller's slip, not input
    check_budgets(amounts)
    wanted = {name: amount for name, amount in amounts.items() if getattr(of, name) != amount}
    if not wanted:
        return
    for name, amount in wanted.items():
        setattr(of, name, amount)
    of.save(update_fields=list(wanted))
    is_whole = isinstance(of, Workspace)
    record(
        actor,
        workspace_id=workspace_id,
        action="budget.set",
        subject_kind="workspace" if is_whole else "user",
        subject_id=workspace_id if is_whole else of.user_id,  # type: ignore[union-attr]
        subject_label=of.name if isinstance(of, Workspace) else of.user.email,
        data=wanted,
    )
