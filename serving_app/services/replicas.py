"""What is known of engines: seeded from the settings, written down after every look."""

from __future__ import annotations

from collections.abc import Mapping

from django.conf import settings
from django.utils import timezone

from serving_app.engine_client import Served
from serving_app.models import EngineReplica, Preview


def seed_replicas() -> list[EngineReplica]:
    """Make the engines that ENGINE_URLS names, forget the others. Returns them by name."""
    wanted: Mapping[str, str] = settings.ENGINE_URLS
    EngineReplica.objects.exclude(name__in=wanted).delete()
    for name, url in wanted.items():
        EngineReplica.objects.update_or_create(name=name, defaults={"url": url.rstrip("/")})
    return list(EngineReplica.objects.order_by("name"))


def record_seen(replica: EngineReplica, *, is_up: bool, served: Served) -> None:
    """Write down what an engine answers for."""
    replica.is_up, replica.loaded, replica.is_vllm = is_up, sorted(served.names), served.is_vllm
    replica.contexts = served.contexts
    replica.last_seen_at = timezone.now() if is_up else replica.last_seen_at
    EngineReplica.objects.filter(name=replica.name).update(
        is_up=is_up,
        loaded=replica.loaded,
        is_vllm=replica.is_vllm,
        contexts=replica.contexts,
        last_seen_at=replica.last_seen_at,
    )


def record_away(replica: EngineReplica) -> None:
    """Write down that an engine does not answer, and so for nothing."""
    replica.is_up, replica.loaded = False, []
    EngineReplica.objects.filter(name=replica.name).update(is_up=False, loaded=[])


def forget_seen() -> None:
    """No engine answers for anything until it is looked at; for a start at which every process is new."""
    EngineReplica.objects.update(is_up=False, loaded=[])


def record_problems(replica: EngineReplica, problems: Mapping[str, str]) -> None:
    """Write down why models could not be loaded."""
    if replica.problems != problems:
        replica.problems = dict(problems)
        EngineReplica.objects.filter(name=replica.name).update(problems=replica.problems)


def record_journal(
    replica: EngineReplica, *, has_journal: bool, seq: int = 0, mark: str = "", drift: tuple[int, int] = (0, 0)
) -> None:
    """Write down how far an engine's journal was read, and by how much more of it differs from the ledger.

    At `seq` 0 it is read anew, so what was found before counts no more.
    """
    so_far = (replica.drift_prompt, replica.drift_completion) if seq else (0, 0)
    replica.drift_prompt, replica.drift_completion = so_far[0] + drift[0], so_far[1] + drift[1]
    replica.has_journal, replica.usage_seq, replica.usage_mark = has_journal, seq, mark[:240]
    EngineReplica.objects.filter(name=replica.name).update(
        has_journal=has_journal,
        usage_seq=seq,
        usage_mark=replica.usage_mark,
        drift_prompt=replica.drift_prompt,
        drift_completion=replica.drift_completion,
    )


def forget_old_previews() -> None:
    """Previews whose time is over are no longer held."""
    Preview.objects.filter(wanted_until__lte=timezone.now()).delete()
