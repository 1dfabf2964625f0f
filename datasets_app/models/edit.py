"""RowEdit: what a person wants of one row of a version. The version itself never changes; the next one follows it."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from datasets_app.models.dataset import DatasetFile
from datasets_app.models.version import DatasetVersion
from gptstudio.core.ids import PublicIdField


class EditAction(models.TextChoices):
    """What becomes of the row in the next version."""

    KEEP = "keep", "Stays as it is"
    REPLACE = "replace", "Changed"
    EXCLUDE = "exclude", "Left out"


class RowEdit(models.Model):
    """`split` and `place` say where the row lies in its version, `file` and `row` where it came from.

    A flag asks somebody to look and changes nothing. `applied_in` is the version that was made with the edit.
    """

    id = PublicIdField(prefix="edit_")
    version = models.ForeignKey(DatasetVersion, on_delete=models.CASCADE, related_name="edits")
    split = models.CharField(max_length=12)
    place = models.BigIntegerField()
    file = models.ForeignKey(DatasetFile, on_delete=models.PROTECT, related_name="+")
    part = models.CharField(max_length=300, blank=True, help_text="Which member or sheet of the file: `/may.csv`.")
    row = models.BigIntegerField()
    record = models.CharField(max_length=16, blank=True, help_text="A digest of the row as it came.")
    action = models.CharField(max_length=8, choices=EditAction, default=EditAction.KEEP)
    messages = models.JSONField(default=list, blank=True, help_text="The whole conversation as it shall be.")
    is_flagged = models.BooleanField(default=False)
    note = models.CharField(max_length=300, blank=True)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    made_at = models.DateTimeField(auto_now=True)
    applied_in = models.ForeignKey(
        DatasetVersion, on_delete=models.SET_NULL, null=True, blank=True, related_name="edits_applied"
    )

    class Meta:
        ordering = ("split", "place")
        constraints = [models.UniqueConstraint(fields=["version", "split", "place"], name="one_edit_a_row")]

    def __str__(self) -> str:
        return f"{self.get_action_display()}: {self.split} {self.place}"
