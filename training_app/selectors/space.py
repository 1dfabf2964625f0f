"""What of a workspace takes room and could be put away: weights of its models, checkpoints of its runs."""

from __future__ import annotations

from collections.abc import Collection

from gptstudio.core.disk import size_of
from training_app.models import ENDED, FineTuningJob, LanguageModel

LOOKED_AT = 500  # of models and of runs, the newest


def shares_weights(model: LanguageModel) -> bool:
    """Whether another model that is kept has the same weights."""
    same = LanguageModel.objects.filter(digest=model.digest, weights_deleted_at__isnull=True).exclude(id=model.id)
    return same.exists()


def spare_bytes(model: LanguageModel) -> int:
    """How many bytes nobody needs once this model is put away."""
    return 0 if shares_weights(model) else sum(model.weights.values())


def put_away(digests: Collection[str]) -> set[str]:
    """Those of them whose weights no model needs any more."""
    found = LanguageModel.objects.filter(digest__in=digests)
    kept = set(found.filter(weights_deleted_at__isnull=True).values_list("digest", flat=True))
    return set(found.filter(weights_deleted_at__isnull=False).values_list("digest", flat=True)) - kept


def models_by_size(workspace_id: str) -> list[tuple[LanguageModel, int]]:
    """The workspace's own models with the bytes of their weights, the largest first."""
    own = LanguageModel.objects.filter(workspace_id=workspace_id, archived_at__isnull=True).order_by(
        "-created_at", "-id"
    )
    found = [(each, sum(each.weights.values())) for each in own[:LOOKED_AT]]
    return sorted(found, key=lambda pair: -pair[1])


def ended_by_size(workspace_id: str) -> list[tuple[FineTuningJob, int]]:
    """Fine-tunes that are over and still keep checkpoints, with their bytes, the largest first."""
    own = FineTuningJob.objects.filter(workspace_id=workspace_id, study=None, archived_at__isnull=True)
    over = own.filter(state__in=ENDED).only("id", "name", "state", "created_at")
    found = [(each, size) for each in over[:LOOKED_AT] if (size := size_of(each.weights))]
    return sorted(found, key=lambda pair: -pair[1])
