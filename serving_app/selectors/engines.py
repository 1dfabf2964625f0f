"""Reading engines: which are up, what they hold, what they should hold."""

from __future__ import annotations

import random

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone

from gptstudio.core.statements import Reading
from serving_app.models import EngineReplica, Preview
from serving_app.selectors.deployments import in_force
from training_app.models import LanguageModel
from training_app.selectors import released_models

_UP = Reading(
    lambda: (
        EngineReplica.objects.filter(is_up=True)
        .only("name", "url", "loaded", "contexts", "has_journal", "is_vllm")
        .order_by("name")
    )
)


def replicas() -> QuerySet[EngineReplica]:
    """All known engines, by name."""
    return EngineReplica.objects.order_by("name")


def engine_is_ready() -> bool:
    """Whether some engine is up and answers for at least one model, or may let go of all of them."""
    return any(replica.loaded or settings.ENGINE_IDLE_MINUTES for replica in replicas().filter(is_up=True))


def name_on(replica: EngineReplica, model: LanguageModel) -> str | None:
    """What an engine that answers for the model calls it; None where none of its names is the model's.

    That is the immutable name, or what ENGINE_MODELS says of servers with names of their own.
    """
    names = (model.engine_name, settings.ENGINE_MODELS.get(model.id))
    return next((name for name in names if name in replica.loaded), None)


def answers_on(model: LanguageModel) -> EngineReplica | None:
    """An engine that answers for the model now; one of them by chance when there are several."""
    holding = [each for each in _UP.objects() if name_on(each, model)]
    return random.choice(holding) if holding else None


def journal_read(name: str) -> int:
    """How far an engine's journal was read: the sequence number of the last row."""
    return EngineReplica.objects.filter(name=name).values_list("usage_seq", flat=True).first() or 0


def answers(model: LanguageModel) -> bool:
    """Whether some engine answers for the model now."""
    return answers_on(model) is not None


def problem_of(model: LanguageModel) -> str:
    """Why no engine could load the model; empty when none said so."""
    return next((each.problems[model.engine_name] for each in replicas() if model.engine_name in each.problems), "")


def pinned_models() -> set[str]:
    """Ids of the models that engines hold whether somebody asks or not: those in deployments, and previews."""
    deployed = {target["model"] for revision in in_force() for target in revision.targets}
    previewed = Preview.objects.filter(wanted_until__gt=timezone.now()).values_list("model_id", flat=True)
    return deployed | set(previewed)


def desired_models() -> list[LanguageModel]:
    """What every engine shall hold: released models, and those that somebody previews. Base models come first, also
    archived ones that an adapter stands on.
    """
    previewed = Preview.objects.filter(wanted_until__gt=timezone.now()).values("model_id")
    wanted = LanguageModel.objects.filter(
        Q(id__in=released_models().values("id")) | Q(id__in=previewed), archived_at__isnull=True
    )
    found = list(wanted.select_related("base").order_by("kind", "created_at", "id"))
    held = {model.id for model in found}
    under = {model.base.id: model.base for model in found if model.is_adapter and model.base is not None}
    return [*(base for base in under.values() if base.id not in held), *found]
