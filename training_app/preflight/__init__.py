"""The list that is gone through before a run: what would go wrong, and what to do about it. Reads only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings

from datasets_app.models import DatasetVersion, VersionState
from training_app import selectors
from training_app.estimates import measurement_key
from training_app.launching import processes_for
from training_app.models import LanguageModel, Measurement, MeasurementKind, MeasurementState
from training_app.preflight import ancestors, data, machine, rows
from training_app.preflight.finding import ORDER, Act, Finding

__all__ = ["Act", "Finding", "Look", "look_up", "preflight", "question"]


@dataclass(frozen=True, slots=True)
class Look:
    """What workers have measured of a run so far; None where nobody has asked."""

    inspection: Measurement | None = None
    estimate: Measurement | None = None

    @property
    def seen(self) -> dict[str, Any]:
        """inspection.json, empty until it is there."""
        return _result(self.inspection)

    @property
    def tried(self) -> dict[str, Any]:
        """estimate.json, empty until it is there."""
        return _result(self.estimate)

    @property
    def is_under_way(self) -> bool:
        """Whether there is more to come."""
        states = [each.state for each in (self.inspection, self.estimate) if each is not None]
        return bool({MeasurementState.QUEUED, MeasurementState.RUNNING} & set(states))


def _result(measurement: Measurement | None) -> dict[str, Any]:
    found = measurement is not None and measurement.state == MeasurementState.READY
    return dict(measurement.result) if found and measurement else {}


def question(
    *,
    kind: MeasurementKind,
    version: DatasetVersion,
    base_model: LanguageModel,
    method: str,
    hyperparameters: dict[str, Any],
) -> str:
    """The key under which a measurement of this run on this machine is kept."""
    return measurement_key(
        kind=kind,
        version_id=version.id,
        base_digest=base_model.digest,
        method=method,
        hyperparameters=hyperparameters,
        machine={
            "device": settings.TRAINING_DEVICE,
            "threads": settings.TRAINING_THREADS,
            "processes": processes_for({"kind": kind, "hyperparameters": hyperparameters}),
        },
    )


def look_up(
    *, version: DatasetVersion, base_model: LanguageModel, method: str, hyperparameters: dict[str, Any]
) -> Look:
    """What is known of this very run."""
    run: dict[str, Any] = {"version": version, "base_model": base_model, "method": method}
    found = [
        selectors.measurement_by(
            version.dataset.workspace_id, kind=kind, key=question(kind=kind, hyperparameters=hyperparameters, **run)
        )
        for kind in (MeasurementKind.INSPECT, MeasurementKind.ESTIMATE)
    ]
    return Look(*found)


def preflight(
    *,
    version: DatasetVersion,
    base_model: LanguageModel,
    hyperparameters: dict[str, Any],
    method: str = "full",
    look: Look | None = None,
) -> list[Finding]:
    """Everything that is looked at, the worst first. `hyperparameters` is the whole, resolved set."""
    if version.state != VersionState.READY:
        room = machine.disk(base_model, method=method, hyperparameters=hyperparameters)
        return sorted([data.frozen(version), machine.licence(base_model), room], key=_rank)
    if look is None:
        look = look_up(version=version, base_model=base_model, method=method, hyperparameters=hyperparameters)
    seen, tried = look.seen, look.tried
    found = [
        data.frozen(version),
        data.cleared(version),
        data.validation(version),
        data.test(version),
        ancestors.exam(version, base_model),
        data.batch(version, hyperparameters),
        *rows.looked_over(look.inspection, seen, hyperparameters),
        rows.counted_with(version, base_model, seen),
        machine.disk(base_model, method=method, hyperparameters=hyperparameters),
        machine.memory(base_model, method=method, hyperparameters=hyperparameters, seen=seen, tried=tried),
        machine.number_format(seen, method=method, hyperparameters=hyperparameters),
        machine.licence(base_model),
    ]
    return sorted([each for each in found if each is not None], key=_rank)


def _rank(finding: Finding) -> int:
    return ORDER[finding.severity]
