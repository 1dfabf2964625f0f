"""Studies: several runs looked at together. Their list, their page, what people do with them."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models.functions import Lower
from django.http import HttpResponse
from django.shortcuts import redirect, render

from gptstudio.web import live
from gptstudio.web.access import ACT, MemberRequest, member_page
from gptstudio.web.lists import Sorts, by_field, listed
from gptstudio.web.once import made_once
from training_app import selectors, services
from training_app.models import FineTuningJob, Study, StudyKind, StudyState
from training_app.selectors.studies import losses_of, runs_of, stopped_behind, studies_of, study_of
from training_app.web import more_data, sweeps

WIDTHS = (1080, 400)
SORTS: Sorts = {
    "name": Lower("name"),
    "data": Lower("version__dataset__name"),
    "base": "base_model__name",
    "runs": "ended",
    "made": "created_at",
}
FOUND_IN = ("name", "version__dataset__name", "base_model__name")
CHOICES = (by_field("kind", "Asks", StudyKind.choices), by_field("state", "State", StudyState.choices))


@member_page("training.view")
def studies(request: MemberRequest) -> HttpResponse:
    """All of them, newest first."""
    rows = studies_of(request.actor.workspace_id)
    listing = listed(request, rows, sorts=SORTS, usual="-made", find=FOUND_IN, choices=CHOICES)
    return render(request, "training/studies.html", {"listing": listing})


def _shown(study: Study) -> dict[str, Any]:
    runs = runs_of(study)
    seen = [(run.id, run.state, run.wanted, run.progress) for run in runs]
    return {
        "study": study,
        "is_busy": study.state == StudyState.RUNNING,
        "mark": live.mark_of(study.state, seen),
        **(_sweep(study, runs) if study.kind == StudyKind.SWEEP else _curve(study, runs)),
    }


def _curve(study: Study, runs: list[FineTuningJob]) -> dict[str, Any]:
    found = more_data.lines(study, runs)
    wide, narrow = (more_data.chart(found, width=width) for width in WIDTHS)
    reading = more_data.reading(study.result) if study.result else None
    return {"lines": found, "wide": wide, "narrow": narrow, "reading": reading}


def _sweep(study: Study, runs: list[FineTuningJob]) -> dict[str, Any]:
    found = sweeps.lines(study, runs, looks=losses_of(runs), behind=stopped_behind(study))
    wide, narrow = (sweeps.chart(study, found, width=width) for width in WIDTHS)
    return {
        "lines": found,
        "wide": wide,
        "narrow": narrow,
        "reading": sweeps.reading(study, found),
        "heads": sweeps.heads(study),
        "best": next((line for line in found if line.is_best), None),
        "any_behind": any(line.is_behind for line in found),
    }


@member_page("training.view")
def study(request: MemberRequest, study_id: str) -> HttpResponse:
    """All its runs on one page, live while they run."""
    found = study_of(request.actor.workspace_id, study_id)
    return render(request, "training/study.html", _shown(found))


@member_page("training.view")
def live_study(request: MemberRequest, study_id: str) -> HttpResponse:
    """The live part by itself; the page is loaded again when the study is over."""
    shown = _shown(study_of(request.actor.workspace_id, study_id))
    return live.part(request, "training/parts/study.html", shown, mark=shown["mark"], is_over=not shown["is_busy"])


@member_page("training.edit", ACT)
@made_once()
def more_data_of(request: MemberRequest, job_id: str) -> HttpResponse:
    """Would more data help? With the settings of a fine-tune."""
    job = selectors.job_of(request.actor.workspace_id, job_id)
    made = services.create_learning_curve_of(request.actor, job=job)
    return redirect("training:study", made.id)


@member_page("training.edit", ACT)
def cancel(request: MemberRequest, study_id: str) -> HttpResponse:
    """Begin no further run."""
    services.cancel_study(request.actor, study=study_of(request.actor.workspace_id, study_id))
    messages.success(request, "No further run begins. What the ended ones have measured stays.")
    return redirect("training:study", study_id)


@member_page("training.edit", ACT)
def resume(request: MemberRequest, study_id: str) -> HttpResponse:
    """Go on with a failed study."""
    services.resume_study(request.actor, study=study_of(request.actor.workspace_id, study_id))
    messages.success(request, "It goes on where it stood as soon as a worker is free.")
    return redirect("training:study", study_id)
