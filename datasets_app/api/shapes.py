"""The bodies of data sets, files, versions and rows: what programs send and get."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from datasets_app import selectors
from datasets_app.contents.rows import SPLITS
from datasets_app.models import Dataset, DatasetFile, DatasetVersion, FileState


class DatasetShape(serializers.ModelSerializer):
    """A data set. `mapping` says which column plays which part; null: guessed for each file."""

    mapping = serializers.JSONField(allow_null=True)

    class Meta:
        model = Dataset
        fields = ("id", "name", "mapping", "created_at")


class DatasetBody(serializers.Serializer):
    """A new data set."""

    name = serializers.CharField(max_length=120)


class DatasetChange(serializers.Serializer):
    """What can be changed of a data set."""

    mapping = serializers.JSONField(allow_null=True)


class FileShape(serializers.ModelSerializer):
    """One upload. `state` is uploaded (being read), processed or error; `error` says why it cannot be read."""

    class Meta:
        model = DatasetFile
        fields = ("id", "dataset_id", "name", "bytes", "digest", "state", "error", "created_at")


class DetectionShape(serializers.Serializer):
    """What was found in a file: format, encoding, columns, mapping, findings with row numbers, a preview."""

    file = serializers.CharField()
    state = serializers.ChoiceField(FileState.choices)
    error = serializers.CharField(allow_blank=True)
    detection = serializers.JSONField()


class ReadingBody(serializers.Serializer):
    """How the file shall be read where the guess was wrong. Parts that are left out are guessed."""

    encoding = serializers.CharField(required=False)
    delimiter = serializers.CharField(required=False, trim_whitespace=False)
    header = serializers.IntegerField(required=False, min_value=0, max_value=1000)
    sheet = serializers.CharField(required=False)


class VersionShape(serializers.ModelSerializer):
    """A frozen copy of the data, or one on its way."""

    number = serializers.IntegerField(read_only=True)  # its bounds would follow the database, the schema must not
    rows = serializers.SerializerMethodField(help_text="`{in, kept, dropped}`; null until it is ready.")
    splits = serializers.SerializerMethodField(help_text="`{train, validation, test, leaks}`; null until it is ready.")

    class Meta:
        model = DatasetVersion
        fields = (
            "id", "dataset_id", "number", "state", "origin", "parent_id", "digest", "rows", "splits", "progress",
            "error", "created_at", "finished_at",
        )  # fmt: skip

    def get_rows(self, version: DatasetVersion) -> dict[str, Any] | None:
        found: dict[str, Any] | None = version.report.get("rows")
        return found

    def get_splits(self, version: DatasetVersion) -> dict[str, Any] | None:
        found: dict[str, Any] | None = version.report.get("splits")
        return found


class VersionDetail(VersionShape):
    """A version with its recipe and files."""

    files = serializers.SerializerMethodField()

    class Meta(VersionShape.Meta):
        fields = (*VersionShape.Meta.fields, "recipe", "files")  # type: ignore[assignment]

    def get_files(self, version: DatasetVersion) -> list[str]:
        return [file.id for file in selectors.files_of_version(version)]


class VersionBody(serializers.Serializer):
    """A version to be made: of `files` (all when left out) by `recipe` (when left out the parent's, without one the
    default)."""

    recipe = serializers.JSONField(required=False)
    files = serializers.ListField(child=serializers.CharField(), required=False, allow_empty=False)
    parent = serializers.CharField(  # type: ignore[assignment]
        required=False, help_text="The version that it starts from, whose edits by hand are made again."
    )


class MessageShape(serializers.Serializer):
    """One turn."""

    role = serializers.CharField()
    content = serializers.CharField(allow_blank=True, trim_whitespace=False)


class RowShape(serializers.Serializer):
    """A row and where it lies: `place` counts from 0 within its split."""

    split = serializers.ChoiceField(SPLITS)
    place = serializers.IntegerField()
    file = serializers.CharField(help_text="The file, or part of it, that the row came from.")
    row = serializers.IntegerField(help_text="The record in it, from 0.")
    label = serializers.CharField(allow_null=True)  # type: ignore[assignment]
    group = serializers.CharField(allow_null=True)
    cluster = serializers.IntegerField()
    cluster_size = serializers.IntegerField(help_text="Near-copies of one another, this row among them.")
    tokens = serializers.IntegerField(allow_null=True)
    part = serializers.IntegerField(help_text="From 1 where a row that was too long became several; else 0.")
    turns = serializers.IntegerField()
    characters = serializers.IntegerField()
    marks = serializers.ListField(child=serializers.CharField(), help_text="Types of hidden data in the row.")
    messages = MessageShape(many=True)


class RowsPage(serializers.Serializer):
    """A page of rows; `total` stands on the first page."""

    data = RowShape(many=True)  # type: ignore[assignment]
    next = serializers.CharField(allow_null=True)
    total = serializers.IntegerField(allow_null=True)


class EditShape(serializers.Serializer):
    """What somebody wants of a row in the next version."""

    split = serializers.ChoiceField(SPLITS)
    place = serializers.IntegerField()
    action = serializers.ChoiceField(("keep", "replace", "exclude"))
    messages = MessageShape(many=True)
    is_flagged = serializers.BooleanField()
    note = serializers.CharField(allow_blank=True)
    made_at = serializers.DateTimeField()


class RowDetail(RowShape):
    """A row with the edit that waits for it."""

    edit = EditShape(allow_null=True)


class EditBody(serializers.Serializer):
    """The whole conversation as it shall be: as many turns, by the same speakers."""

    messages = MessageShape(many=True)
    note = serializers.CharField(required=False, allow_blank=True, max_length=300, default="")


class PlaceBody(serializers.Serializer):
    """Where a row lies."""

    split = serializers.ChoiceField(SPLITS)
    place = serializers.IntegerField(min_value=0)


class MarkBody(serializers.Serializer):
    """Leave rows out of the next version, flag them, or take both back."""

    act = serializers.ChoiceField(("exclude", "flag", "undo"))
    rows = PlaceBody(many=True, allow_empty=False)
    note = serializers.CharField(required=False, allow_blank=True, max_length=300, default="")
