"""`{% csrf_token %}` says with each form of which workspace its page was (`gptstudio.web.tabs`)."""

from __future__ import annotations

from typing import Any

from django import template
from django.template.base import Parser, Token
from django.template.context import Context
from django.template.defaulttags import CsrfTokenNode
from django.utils.html import format_html
from django.utils.safestring import SafeString

from gptstudio.web.tabs import FIELD

register = template.Library()


class _Said(CsrfTokenNode):
    def render(self, context: Context) -> SafeString | str:
        token = super().render(context)
        membership: Any = context.get("membership")
        if not token or membership is None:
            return token
        return format_html('{}<input type="hidden" name="{}" value="{}">', token, FIELD, membership.workspace_id)


@register.tag
def csrf_token(_parser: Parser, _token: Token) -> CsrfTokenNode:
    """Django's, and that."""
    return _Said()
