"""A run looked over while its form is filled in: what is wrong, what it will take, what is still being measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings

from datasets_app.models import VersionState
from gptstudio.accounts.policies import Actor
from gptstudio.web import live
from training_app import estimates, presets, selectors, services
from training_app.models import Measurement, MeasurementKind, MeasurementState
from training_app.preflight import Look, look_up, preflight
from training_app.web.forms import JobForm

FAILED = MeasurementState.FAILED


@dataclass(frozen=True, slots=True)
class Asked:
    """A run as the form has it: all that decides what is measured."""

    version: Any
    base_model: Any
    method: str
    hyperparameters: dict[str, Any]

    @property
    def is_ready(self) -> bool:
        """Whether there are rows to look at."""
        return bool(self.version.state == VersionState.READY)

    def as_named(self) -> dict[str, Any]:
        """The same as keyword arguments."""
        names = ("version", "base_model", "method", "hyperparameters")
        return {name: getattr(self, name) for name in names}


def resolved_by(form: JobForm, preset: str) -> dict[str, Any]:
    """All settings of a valid form with this preset. Raises StudioError where one cannot be."""
    version, base_model = form.chosen_version, form.chosen_base_model
    return presets.resolve(
        preset_key=preset,
        method=form.cleaned_data["method"],
        requested=form.settings(),
        parameters=base_model.parameters,
        rows=version.report.get("splits", {}).get("train", 0),
        context_length=base_model.context_length,
        seed=form.cleaned_data["seed"] or 0,
        token_limit=version.token_limit,
    )


def asked_by(form: JobForm) -> Asked:
    """The run that a valid form describes. Raises StudioError where a setting cannot be."""
    chosen = form.cleaned_data
    return Asked(form.chosen_version, form.chosen_base_model, chosen["method"], resolved_by(form, chosen["preset"]))


@dataclass(frozen=True, slots=True)
class Taking:
    """What a preset's card says: time and cost. `is_rough` until a few steps were tried."""

    key: str
    estimate: estimates.Estimate
    is_rough: bool


def takings_of(form: JobForm, asked: Asked, look: Look) -> list[Taking]:
    """Of every preset with the other settings as they are. One try serves all: presets differ in how many steps there are."""
    report = asked.version.report
    splits, found = report.get("splits", {}), []
    rows, device = splits.get("train", 0), settings.TRAINING_DEVICE
    for each in presets.PRESETS if asked.is_ready else ():
        resolved = resolved_by(form, each["key"])
        plan = estimates.plan_of(rows=rows, hyperparameters=resolved, has_validation=splits.get("validation", 0) > 0)
        estimate = projected(look, plan, test_rows=splits.get("test", 0)) or estimates.rough(
            parameters=asked.base_model.parameters,
            row_tokens=mean_tokens(report, most=resolved["max_length"]),
            rows=rows,
            plan=plan,
            device=device,
            price_micro_an_hour=settings.PRICE_TRAINING_HOUR_MICRO,
        )
        found.append(Taking(each["key"], estimate, not look.tried))
    return found


def mean_tokens(report: dict[str, Any], *, most: int) -> float:
    """About how many tokens a row has, by the report's histogram of ends of ranges; 0 where none were counted."""
    histogram = report.get("tokens", {}).get("histogram", [])
    rows = sum(count for _end, count in histogram)
    return sum(min(0.75 * end, most) * count for end, count in histogram) / rows if rows else 0.0


def measure(actor: Actor, asked: Asked, *, wanted: str) -> Measurement:
    """Ask a worker to look the run over (`inspect`) or to try a few steps of it (`estimate`)."""
    return services.request_measurement(actor, kind=MeasurementKind(wanted), **asked.as_named())


def wants(asked: Asked, look: Look) -> str:
    """What to have measured without being told: the rows always, steps of small models while nothing else trains."""
    if not asked.is_ready:
        return ""
    if look.inspection is None:
        return str(MeasurementKind.INSPECT)
    is_small = asked.base_model.parameters <= estimates.SMALL_PARAMETERS
    is_sound = bool(look.seen) and not look.seen["problem"]
    is_missing = look.estimate is None or services.is_doubtful(look.estimate)
    if is_missing and is_small and is_sound and not selectors.running_count():
        return str(MeasurementKind.ESTIMATE)
    return ""


def context_of(form: JobForm, asked: Asked) -> dict[str, Any]:
    """All that the part beside the form shows."""
    look = look_up(**asked.as_named())
    findings = preflight(**asked.as_named(), look=look)
    splits = asked.version.report.get("splits", {})
    plan = estimates.plan_of(
        rows=splits.get("train", 0),
        hyperparameters=asked.hyperparameters,
        has_validation=splits.get("validation", 0) > 0,
    )
    states = [each.state if each else "" for each in (look.inspection, look.estimate)]
    return {
        "form": form,
        "findings": findings,
        "mendable": [each for each in findings if each.severity != "fine"],
        "fine": [each for each in findings if each.severity == "fine"],
        "is_stopped": any(each.severity == "stop" for each in findings),
        "settings": asked.hyperparameters,
        "rows": splits.get("train", 0),
        "plan": plan,
        "is_ready": asked.is_ready,
        "estimate": projected(look, plan, test_rows=splits.get("test", 0)),
        "takings": takings_of(form, asked, look),
        "has_price": bool(settings.PRICE_TRAINING_HOUR_MICRO),
        "tried": look.tried,
        "estimate_state": states[1],
        "estimate_error": look.estimate.error if look.estimate and look.estimate.state == FAILED else {},
        "is_doubtful": look.estimate is not None and services.is_doubtful(look.estimate),
        "is_under_way": look.is_under_way,
        "wants": wants(asked, look),
        "has_class_weights": bool(asked.version.class_weights),
        "version": asked.version,
        "mark": live.mark_of(asked.as_named(), states),
    }


def projected(look: Look, plan: estimates.Plan, *, test_rows: int) -> estimates.Estimate | None:
    """The whole run from what was tried; None before that."""
    if not look.tried:
        return None
    return estimates.project(
        look.tried,
        plan=plan,
        test_rows=test_rows,
        price_micro_an_hour=settings.PRICE_TRAINING_HOUR_MICRO,
    )
