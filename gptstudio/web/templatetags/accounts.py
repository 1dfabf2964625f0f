"""Accounts elsewhere that open one's account here, for its pages."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from allauth.socialaccount.models import SocialAccount
from django import template

from gptstudio.web import providers
from gptstudio.web.browsers import browser_name

register = template.Library()


@register.simple_tag
def has_providers() -> bool:
    """Whether any provider is set up."""
    return bool(providers.names())


@register.simple_tag
def connected(accounts: Iterable[SocialAccount]) -> list[dict[str, Any]]:
    """One's connected accounts as people know them, also those whose provider is not set up any more."""
    names = providers.names()
    return [
        {"account": each, "name": names.get(each.provider, each.provider), "label": providers.label_of(each)}
        for each in accounts
    ]


@register.filter
def browser(user_agent: str) -> str:
    """A browser as people call it."""
    return browser_name(user_agent)
