"""The workspace's own words: what is spelled right, what is never and what is always personal data."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render

from datasets_app import selectors, services
from datasets_app.models import WordKind
from gptstudio.core.errors import Invalid
from gptstudio.web.access import FORM, MemberRequest, member_page

MEANINGS = {
    WordKind.DICTIONARY: (
        "Words that are spelled right",
        "Product names, codes, words of your trade. The spelling step leaves them alone.",
    ),
    WordKind.ALLOW: (
        "Never personal data",
        "Your company, your street, your support address. They are not hidden, though they look like somebody's.",
    ),
    WordKind.DENY: (
        "Always personal data",
        "Code names, account names, anything that must not reach a model. They are hidden wherever they stand.",
    ),
}


@member_page("datasets.view", FORM, to_post="datasets.edit")
def words(request: MemberRequest) -> HttpResponse:
    """See the three lists, and replace one."""
    typed: dict[str, str] = {}
    if request.method == "POST":
        kind, text = request.POST.get("kind", ""), request.POST.get("words", "")
        try:
            services.set_words(
                request.actor, workspace_id=request.actor.workspace_id, kind=kind, words=text.splitlines()
            )
        except Invalid as error:
            messages.error(request, str(error))
            typed = {kind: text}
        else:
            messages.success(request, "Saved. It holds for versions made from now on.")
            return redirect("datasets:words")
    kept = selectors.words_of(request.actor.workspace_id)
    lists = [
        (kind.value, *MEANINGS[kind], len(kept[kind]), typed.get(kind, "\n".join(kept[kind]))) for kind in WordKind
    ]
    return render(request, "datasets/words.html", {"lists": lists}, status=400 if typed else 200)
