"""`{% csrf_token %}` says with each form of which workspace its page was (`gptstudio.web.tabs`), and which form it is, so that it
is done once (`gptstudio.web.once`).
"""

from __future__ import annotations

import secrets
from typing import Any

from django import template
from django.template.base import Parser, Token
from django.template.context import Context
from django.template.defaulttags import CsrfTokenNode
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from gptstudio.web import once, tabs

register = template.Library()


class _Said(CsrfTokenNode):
    def render(self, context: Context) -> SafeString | str:
        token = super().render(context)
        membership: Any = context.get("membership")
        if not token:
            return token
        said = [
            (once.FIELD, secrets.token_urlsafe(9)),
            *([(tabs.FIELD, membership.workspace_id)] if membership else []),
        ]
        return token + format_html_join("", '<input type="hidden" name="{}" value="{}">', said)


@register.tag
def csrf_token(_parser: Parser, _token: Token) -> CsrfTokenNode:
    """Django's, and these."""
    return _Said()
