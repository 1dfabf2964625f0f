"""A browser without scripts, for walks over several sites in real HTTP: it follows redirects and sends forms."""

from __future__ import annotations

from urllib.parse import urljoin

import httpx
import lxml.html


class Surfer:
    """Where it is, and what stands there."""

    def __init__(self, address: str) -> None:
        self.home = address
        self.http = httpx.Client(follow_redirects=True, trust_env=False, timeout=60)
        self.answer = self.http.get(address + "/accounts/login/")

    def open(self, path: str) -> Surfer:
        """Go to a page."""
        return self._at(self.http.get(urljoin(self.url, path)))

    def _at(self, answer: httpx.Response) -> Surfer:
        self.answer = answer
        if onward := self.page.xpath("//meta[@http-equiv='refresh']/@content"):
            return self.open(onward[0].partition("url=")[2])
        return self

    @property
    def url(self) -> str:
        return str(self.answer.url)

    @property
    def path(self) -> str:
        return self.answer.url.path

    @property
    def page(self) -> lxml.html.HtmlElement:
        return lxml.html.document_fromstring(self.answer.text or "<p></p>")

    @property
    def text(self) -> str:
        return " ".join(self.page.text_content().split())

    def press(self, button: str, **typed: str) -> Surfer:
        """Press the button with these words, with this typed into its form."""
        found = [each for each in self.page.xpath("//form//button") if " ".join(each.text_content().split()) == button]
        assert found, f"{self.url} has no button {button!r}: {self.text[:500]}"
        form = next(found[0].iterancestors("form"))
        fields: dict[str, list[str]] = {}
        for name, value in [*form.form_values(), (found[0].get("name"), found[0].get("value", ""))]:
            if name and name not in typed:
                fields.setdefault(name, []).append(value)
        assert form.method == "POST"
        return self._at(self.http.post(urljoin(self.url, form.get("action") or self.url), data=fields | typed))
