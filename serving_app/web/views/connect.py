"""How programs ask a model of this studio: one page, filled in for the chosen name."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render

from gptstudio.core.errors import NotFound
from gptstudio.web.access import MemberRequest, member_page
from gptstudio.web.model_names import names_of
from serving_app.web.snippets import KEY_VARIABLE, snippets


@member_page("models.view")
def connect(request: MemberRequest) -> HttpResponse:
    """The page; `?model=` chooses the model or deployment."""
    wanted = request.GET.get("model", "")
    names = names_of(request.actor.workspace_id, also=[wanted])
    name = wanted or next(iter(names), "")
    if name and name not in names:
        raise NotFound(
            f"There is no model or deployment {name[:200]!r} that programs can call.",
            fix="A fine-tune can be called once it is released.",
        )
    base = request.build_absolute_uri("/v1")
    context = {"names": names, "name": name, "base": base, "variable": KEY_VARIABLE}
    return render(request, "serving/connect.html", context | {"snippets": snippets(base=base, name=name)})
