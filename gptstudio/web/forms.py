"""What the studio's forms share: fields that say what is wrong beside themselves, and service errors shown there."""

from __future__ import annotations

from decimal import Decimal

from django import forms

from gptstudio.core.errors import NotAllowed, StudioError


class StudioForm(forms.Form):
    """A form without colons after labels; errors of services land on the field that they name."""

    use_required_attribute = True

    def __init__(self, *args: object, **kwargs: object) -> None:
        kwargs.setdefault("label_suffix", "")
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]

    def refuse(self, error: StudioError, *, fields: dict[str, str] | None = None) -> None:
        """Show a service's sentence beside the field it is about, or above the form. Who may not is turned away."""
        if isinstance(error, NotAllowed):
            raise error
        param = (fields or {}).get(error.param or "", error.param)
        self.add_error(param if param in self.fields else None, str(error))


def amount(micro: int | None) -> Decimal | None:
    """Millionths as a field of money shows them."""
    return None if micro is None else (Decimal(micro) / 1_000_000).normalize() + Decimal(0)


class Origins(forms.CharField):
    """Sites that may show a chat, one a line; the value is the list of them."""

    def __init__(self) -> None:
        super().__init__(
            label="Sites that may show it",
            widget=forms.Textarea(attrs={"rows": 2}),
            help_text="One a line, such as https://shop.example.org; no path behind it.",
        )

    def prepare_value(self, value: object) -> object:
        return "\n".join(value) if isinstance(value, list) else value

    def clean(self, value: object) -> list[str]:  # type: ignore[override]
        return str(super().clean(value)).split()


class WholeMoney(forms.DecimalField):
    """An amount in the currency unit; the value is in millionths, as the ledger counts."""

    def __init__(self, **options: object) -> None:
        super().__init__(min_value=0, max_digits=14, decimal_places=6, required=False, **options)  # type: ignore[arg-type]

    def clean(self, value: object) -> int | None:  # type: ignore[override]
        amount = super().clean(value)
        return None if amount is None else int(amount * 1_000_000)
