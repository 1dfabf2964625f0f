"""What a browser sends for a recipe's cards when nobody has touched them."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import QueryDict

from datasets_app.web.recipe_form import RecipeForm


def post_of(cards: RecipeForm, **more: Any) -> QueryDict:
    """The cards as a form post; `more` are further fields."""
    post = QueryDict(mutable=True)
    post["carried"] = cards.carried
    post.setlist("order", [card.name for card in cards.moving])
    post.setlist("on", [card.name for card in cards.cards if card.enabled])
    for card in cards.cards:
        for bound in card.form:
            _put(post, bound)
    for name, value in more.items():
        post.setlist(name, value if isinstance(value, list) else [value])
    return post


def _put(post: QueryDict, bound: Any) -> None:
    value = bound.value()
    if isinstance(bound.field, forms.MultiValueField):
        for number, part in enumerate(bound.field.widget.decompress(value)):
            post[f"{bound.html_name}_{bound.field.rows[number][0]}"] = part
    elif isinstance(bound.field, forms.BooleanField):
        if value:
            post[bound.html_name] = "on"
    elif isinstance(bound.field, forms.MultipleChoiceField):
        post.setlist(bound.html_name, list(value or []))
    else:
        post[bound.html_name] = "" if value is None else str(value)
