"""Form fields for the options of a step, drawn from the engine's one table of steps. It knows no step by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from datasets_app.curation.kind import Kind
from datasets_app.curation.options import Option
from datasets_app.web.step_words import OptionWords, choice_word, option_words
from gptstudio.web.forms import StudioForm
from gptstudio.web.wording import personal_title

LINES = 4


class TextsField(forms.CharField):
    """One text a line."""

    widget = forms.Textarea

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(map(str, value)) if isinstance(value, list | tuple) else value

    def clean(self, value: Any) -> list[str]:  # type: ignore[override]
        lines = [line.strip() for line in str(super().clean(value) or "").splitlines()]
        return [line for line in lines if line]


class PairsField(forms.CharField):
    """`name: text`, one a line."""

    widget = forms.Textarea

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(f"{name}: {text}" for name, text in value.items()) if isinstance(value, Mapping) else value

    def clean(self, value: Any) -> dict[str, str]:  # type: ignore[override]
        found: dict[str, str] = {}
        for line in str(super().clean(value) or "").splitlines():
            name, colon, text = line.partition(":")
            if line.strip() and not (colon and name.strip()):
                raise forms.ValidationError(f"“{line.strip()[:60]}” is no pair. Write name: text.", code="pair")
            if line.strip():
                found[name.strip()] = text.strip()
        return found


class TreeField(forms.JSONField):
    """JSON; nothing where nothing was said."""

    def prepare_value(self, value: Any) -> Any:
        return "" if value is None else super().prepare_value(value)


class TableWidget(forms.MultiWidget):
    """A name and a choice a line, for names that are known beforehand."""

    def __init__(self, rows: Sequence[tuple[str, str]], choices: Sequence[tuple[str, str]]) -> None:
        self.rows = rows
        super().__init__({name: forms.Select(choices=[("", "As the rest"), *choices]) for name, _title in rows})

    def decompress(self, value: Any) -> list[str]:
        given = value if isinstance(value, Mapping) else {}
        return [str(given.get(name, "")) for name, _title in self.rows]

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        context = self.get_context(name, value, attrs)["widget"]
        lines = (
            (each["attrs"]["id"], title, widget.render(each["name"], each["value"], each["attrs"], renderer))
            for (_row, title), widget, each in zip(self.rows, self.widgets, context["subwidgets"], strict=True)
        )
        inside = format_html_join("", '<label for="{}" class="small">{}</label>{}', lines)
        return format_html('<div class="table-field">{}</div>', inside)


class TableField(forms.MultiValueField):
    """`{name: choice}`; a name without a choice is left out."""

    def __init__(self, rows: Sequence[tuple[str, str]], choices: Sequence[tuple[str, str]], **options: Any) -> None:
        self.rows = rows
        fields = [forms.ChoiceField(choices=[("", ""), *choices], required=False) for _row in rows]
        widget = TableWidget(rows, choices)
        super().__init__(fields, widget=widget, require_all_fields=False, **options)

    def compress(self, data_list: Sequence[str]) -> dict[str, str]:
        return {name: choice for (name, _title), choice in zip(self.rows, data_list, strict=False) if choice}


def _number(option: Option, common: dict[str, Any]) -> forms.Field:
    bounds = {"min_value": option.least, "max_value": option.most, "required": option.default is not None}
    if option.type == "int":
        return forms.IntegerField(**common | bounds)
    return forms.FloatField(**common | bounds, widget=forms.NumberInput(attrs={"step": "any"}))


def _rows(option: Option, words: OptionWords) -> list[tuple[str, str]]:
    """The known names of a map, and those that its default speaks of."""
    known = dict(words.rows)
    default = option.default if isinstance(option.default, Mapping) else {}
    return [*known.items(), *[(name, personal_title(name)) for name in default if name not in known]]


def field_of(kind: Kind, option: Option, words: OptionWords) -> forms.Field:
    """The field of an option."""
    common: dict[str, Any] = {"label": words.title, "help_text": words.help, "required": False}
    choices = [(choice, choice_word(kind.name, option.name, choice)) for choice in option.choices]
    area = forms.Textarea(attrs={"rows": LINES})
    match option.type:
        case "bool":
            return forms.BooleanField(**common)
        case "int" | "float":
            return _number(option, common)
        case "choice":
            return forms.ChoiceField(choices=choices, **common)
        case "choices":
            return forms.MultipleChoiceField(choices=choices, widget=forms.CheckboxSelectMultiple, **common)
        case "text":
            return forms.CharField(**common)
        case "texts":
            return TextsField(**common | {"widget": area})
        case "map" if option.choices:
            return TableField(_rows(option, words), choices, **common)
        case "map":
            return PairsField(**common | {"widget": area})
        case _:
            return TreeField(widget=area, **common)


class OptionsForm(StudioForm):
    """The options of one step. `carried` are those that have no field: they are kept as they came."""

    def __init__(self, kind: Kind, *args: Any, carried: Mapping[str, Any] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, prefix=kind.name, **kwargs)
        self.kind, self.carried = kind, dict(carried or {})
        for option in kind.options:
            words = option_words(kind.name, option.name)
            if not words.is_hidden:
                self.fields[option.name] = field_of(kind, option, words)

    def keep(self, options: Mapping[str, Any]) -> None:
        """Remember of a step's options what has no field: whole options, and names of a table that has no such line."""
        for name, value in options.items():
            field = self.fields.get(name)
            if field is None:
                self.carried[name] = value
            elif isinstance(field, TableField) and isinstance(value, Mapping):
                known = {row for row, _title in field.rows}
                rest = {key: choice for key, choice in value.items() if key not in known}
                if rest:
                    self.carried[name] = rest

    def options(self) -> dict[str, Any]:
        """Every option as it was chosen; what has no field as it came."""
        found = self.kind.defaults() | {
            name: value for name, value in self.cleaned_data.items() if value not in (None, "")
        }
        for name, value in self.carried.items():
            mine = self.cleaned_data.get(name)
            found[name] = {**value, **mine} if isinstance(mine, dict) and isinstance(value, dict) else value
        return found
