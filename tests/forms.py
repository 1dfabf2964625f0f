"""The forms that stand on pages, read as a browser reads them, and the names that links and searches ask with."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

import lxml.html
from django.test import Client

PLAUSIBLE = {"number": "1", "email": "dora@care.example", "url": "https://hooks.example/two", "password": "a long walk"}
TYPED = {"text", "search", "date", "datetime-local", "textarea", *PLAUSIBLE}


@dataclass(slots=True)
class Form:
    """One form: what is typed, with something that would do, and what is chosen or hidden."""

    address: str
    typed: dict[str, str] = field(default_factory=dict)
    chosen: list[tuple[str, str]] = field(default_factory=list)

    def with_text(self, text: str) -> list[tuple[str, str]]:
        """Its fields, with this text wherever one types."""
        return [*self.chosen, *((name, text) for name in self.typed)]

    @property
    def as_meant(self) -> list[tuple[str, str]]:
        """Its fields as somebody would send them."""
        return [*self.chosen, *self.typed.items()]


def _form(element: lxml.html.FormElement, page: str) -> Form:
    found = Form(element.get("action") or element.get("hx-post") or page)
    for each in element.inputs:
        name, kind = each.get("name"), each.get("type", "text" if each.tag == "input" else each.tag)
        if not name or name == "csrfmiddlewaretoken" or kind in ("file", "submit", "button"):
            continue
        if kind in TYPED:
            found.typed[name] = each.value or PLAUSIBLE.get(kind, "Twice")
        elif kind in ("radio", "checkbox"):
            found.chosen += [(name, each.get("value", "on"))] if each.get("checked") is not None else []
        else:
            values = list(each.value) if isinstance(each.value, lxml.html.MultipleSelectOptions) else [each.value]
            found.chosen += [(name, value) for value in values if value is not None]
    return found


class Site:
    """All pages at these addresses."""

    def __init__(self, client: Client, addresses: Iterable[str]) -> None:
        self.forms: dict[tuple[str, frozenset[str]], Form] = {}
        self.asked: dict[str, set[str]] = defaultdict(set)
        for address in addresses:
            answer = client.get(address)
            if answer.status_code == 200 and not answer.streaming and "html" in answer["Content-Type"]:
                self._read(lxml.html.document_fromstring(answer.content or b"<p></p>"), address)

    def _read(self, page: lxml.html.HtmlElement, address: str) -> None:
        for element in page.forms:
            form = _form(element, address)
            if form.address.startswith("/accounts/"):
                continue  # it is on every page, and signs out
            if element.method == "POST" or element.get("hx-post"):
                self.forms[urlsplit(form.address).path, frozenset(form.typed)] = form
            else:
                self.asked[urlsplit(form.address).path] |= {name for name, _ in form.as_meant}
        for link in page.xpath("//@href | //@hx-get"):
            to = urlsplit(str(link))
            self.asked[to.path] |= {name for name, _ in parse_qsl(to.query, keep_blank_values=True)}

    @property
    def names(self) -> list[str]:
        """Every name of a field of a form."""
        return sorted({name for form in self.forms.values() for name, _ in form.as_meant})
