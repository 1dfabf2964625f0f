"""The evidence for a model as a page to print, and as one file that needs nothing else."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.http import content_disposition_header

from gptstudio.overview.evidence import evidence_of
from gptstudio.overview.evidence_wording import shown
from gptstudio.web.access import MemberRequest, member_page

# The file runs nothing and asks nobody, wherever it is opened; its own style is all it may use.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


@member_page("models.view")
def evidence(request: MemberRequest, model_id: str) -> HttpResponse:
    """The pack in the dashboard."""
    facts = evidence_of(request.actor, model_id=model_id)
    return render(request, "overview/evidence.html", {"facts": facts, "sections": shown(facts)})


@member_page("models.view")
def evidence_file(request: MemberRequest, model_id: str) -> HttpResponse:
    """The same as a file of its own."""
    facts = evidence_of(request.actor, model_id=model_id)
    context = {"facts": facts, "sections": shown(facts), "policy": POLICY}
    response = render(request, "overview/evidence_file.html", context)
    response["Content-Disposition"] = content_disposition_header(True, f"evidence-{facts['model']['id']}.html")
    response["Content-Security-Policy"] = f"{POLICY}; frame-ancestors 'none'; sandbox"
    return response
