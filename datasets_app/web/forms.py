"""Forms of data sets: upload, and the recipe of a version in the words of people."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile

from datasets_app.models import DatasetFile, Tokenizer
from gptstudio.web.forms import StudioForm


class ManyFiles(forms.ClearableFileInput):
    """An input that takes several files."""

    allow_multiple_selected = True


class FilesField(forms.FileField):
    """All files of the input, in the order they were chosen."""

    widget = ManyFiles

    def clean(self, data: Any, initial: Any = None) -> list[UploadedFile]:
        files = data if isinstance(data, list | tuple) else [data] if data else []
        if not files and self.required:
            raise forms.ValidationError("Choose at least one file.", code="required")
        return list(files)


class UploadForm(StudioForm):
    """Files for a data set that stands."""

    files = FilesField(label="Files")  # type: ignore[assignment]


class AnnouncedFile(StudioForm):
    """What the uploading script says of a file before it sends it."""

    name = forms.CharField(max_length=255)
    bytes = forms.IntegerField(min_value=0)
    fingerprint = forms.CharField(max_length=64)
    dataset = forms.CharField(max_length=48, required=False)
    dataset_name = forms.CharField(max_length=120, required=False)


class DatasetForm(UploadForm):
    """A new data set, with its first files."""

    name = forms.CharField(label="Name", max_length=120, help_text="What is in it, such as “support-2026-10”.")
    field_order = ["name", "files"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["files"].required = False


FOUND = ("", "Found by itself")
DELIMITERS = (FOUND, (",", "Comma ,"), (";", "Semicolon ;"), ("\t", "Tab"), ("|", "Bar |"))
ENCODINGS = (
    *("utf-8", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "latin-1", "mac_roman", "cp1250", "iso8859-2", "cp1254"),
    *("cp1257", "cp1251", "koi8-r", "iso8859-7", "cp1255", "cp1256", "cp874", "big5", "gb18030", "shift_jis", "euc_jp"),
    "euc_kr",
)


class ReadingForm(StudioForm):
    """How a file is to be read where the guess went wrong. What is empty is found by itself."""

    encoding = forms.ChoiceField(
        label="Letters are written in", required=False, help_text="Choose another where accents or signs look broken."
    )
    delimiter = forms.ChoiceField(label="Between two cells", choices=DELIMITERS, required=False)
    header = forms.IntegerField(
        label="Line with the column names",
        min_value=0,
        max_value=1000,
        required=False,
        help_text="Counted from 1; 0 when no line has names.",
    )
    sheet = forms.CharField(label="Sheet", max_length=120, required=False)

    def __init__(self, *args: Any, detection: dict[str, Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        seen = [str(each["encoding"]) for each in detection.get("encodings", [])]
        chosen = str((self.initial or {}).get("encoding") or "")
        names = dict.fromkeys(name for name in (chosen, *seen, *ENCODINGS) if name)
        field = self.fields["encoding"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - the field above
        field.choices = [FOUND, *[(name, name) for name in names]]
        if not detection.get("sheet"):
            del self.fields["sheet"]

    def reading(self) -> dict[str, Any]:
        """What was said, nothing more."""
        return {name: value for name, value in self.cleaned_data.items() if value not in (None, "")}


class Planted(forms.CharField):
    """Made-up sentences that stand in the rows, one a line; the value is the list of them."""

    def __init__(self) -> None:
        super().__init__(
            label="Planted secrets",
            required=False,
            max_length=10_000,
            widget=forms.Textarea(attrs={"rows": 2}),
            help_text="Made-up sentences that you put into rows of your files, one a line. The safety report then tries "
            "whether a model recites them. Without any, that is not tried.",
        )

    def prepare_value(self, value: object) -> object:
        return "\n".join(value) if isinstance(value, list) else value

    def clean(self, value: object) -> list[str]:  # type: ignore[override]
        lines = (line.strip() for line in str(super().clean(value)).splitlines())
        return list(dict.fromkeys(line for line in lines if line))


class MakeForm(StudioForm):
    """What a recipe is used on: files, the model that is meant, what the model is told, a name to keep it under."""

    files = forms.MultipleChoiceField(label="Files", widget=forms.CheckboxSelectMultiple)  # type: ignore[assignment]
    base_model = forms.ChoiceField(
        label="Base model",
        required=False,
        help_text="Rows are measured with the tokenizer of the model you will train.",
    )
    system_prompt = forms.CharField(
        label="Instructions for the model",
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Put before every conversation that has none of its own.",
    )
    canaries = Planted()
    name = forms.CharField(
        label="Keep this recipe as", required=False, max_length=120, help_text="For other data sets of this workspace."
    )

    def __init__(
        self, *args: Any, dataset_files: Sequence[DatasetFile], tokenizers: Iterable[Tokenizer], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self._choices("files", [(file.id, file.name) for file in dataset_files])
        self._choices("base_model", [(each.name, each.name) for each in tokenizers])

    def _choices(self, name: str, choices: list[tuple[str, str]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - the fields above
        field.choices = choices


class KeepForm(StudioForm):
    """A recipe of the workspace: its name, and what it tells the model."""

    name = forms.CharField(label="Name", max_length=120)
    system_prompt = MakeForm.base_fields["system_prompt"]  # type: ignore[assignment]
    canaries = Planted()
