"""Decisions about personal data that was found: made singly or in bulk, followed by every version asked for later."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from datasets_app.models import Dataset, FindingDecision, Verdict
from gptstudio.accounts.policies import Actor, require
from gptstudio.audit.services import record
from gptstudio.core.errors import Invalid

MOST = 20_000


@transaction.atomic
def decide_findings(actor: Actor, *, dataset: Dataset, found: Sequence[tuple[str, str]], verdict: str) -> int:
    """Give the hits or values in `found`, pairs of key and type, a verdict; an empty one takes it back.

    Returns how many were decided. The version that they were seen in stays as it is.
    """
    require(actor, "datasets.edit", workspace_id=dataset.workspace_id)
    if verdict and verdict not in Verdict.values:
        raise Invalid(f"There is no verdict {verdict[:20]!r}.", fix="Say accept or reject.", param="verdict")
    if not found:
        raise Invalid("Nothing was chosen.", fix="Tick at least one piece.", param="hit")
    keys = [key for key, _kind in found]
    FindingDecision.objects.filter(dataset=dataset, key__in=keys).delete()
    if verdict:
        if FindingDecision.objects.filter(dataset=dataset).count() + len(found) > MOST:
            raise Invalid(
                f"A data set takes {MOST:,} decisions.", fix="Change what the recipe does with the whole type instead."
            )
        FindingDecision.objects.bulk_create(
            FindingDecision(dataset=dataset, key=key, verdict=verdict, entity_type=kind, made_by_id=actor.user_id)
            for key, kind in dict(found).items()
        )
    record(
        actor,
        workspace_id=dataset.workspace_id,
        action="findings.decided",
        subject_kind="dataset",
        subject_id=dataset.id,
        subject_label=dataset.name,
        data={"verdict": verdict or "taken back", "count": len(found)},
    )
    return len(found)
