"""BlindComparison: two models' stored answers to the same test rows, judged by people who do not see whose they are."""

from __future__ import annotations

import random
from dataclasses import dataclass

from django.conf import settings
from django.db import models

from gptstudio.core.ids import PublicIdField
from training_app.models.model import Evaluation


class Side(models.TextChoices):
    """Whose answers of an evaluation."""

    BASE = "base", "Base model"
    TUNED = "tuned", "Fine-tune"


class Choice(models.TextChoices):
    """What a judge preferred."""

    FIRST = "first", "The first model"
    SECOND = "second", "The second model"
    TIE = "tie", "Neither"


@dataclass(frozen=True, slots=True)
class Turn:
    """One row as a judge meets it: its number among the comparison's rows, and whether the second model stands left."""

    number: int
    is_swapped: bool

    def choice(self, shown: str) -> str:
        """What `left`, `right` or `tie` means here."""
        if shown == "tie":
            return Choice.TIE
        return Choice.SECOND if (shown == "left") == self.is_swapped else Choice.FIRST


class BlindComparison(models.Model):
    """`rows` are pairs of places in the answers of `first` and `second`; `groups` are numbers, one a row, alike for rows
    that belong together (empty in comparisons of earlier releases). Results are told once it has ended.
    """

    id = PublicIdField(prefix="blind_")
    workspace = models.ForeignKey("accounts.Workspace", on_delete=models.CASCADE, related_name="+")
    first = models.ForeignKey(Evaluation, on_delete=models.CASCADE, related_name="+")
    first_side = models.CharField(max_length=8, choices=Side)
    second = models.ForeignKey(Evaluation, on_delete=models.CASCADE, related_name="+")
    second_side = models.CharField(max_length=8, choices=Side)
    rows = models.JSONField(default=list)
    groups = models.JSONField(default=list)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-created_at", "-id")
        indexes = [models.Index(fields=["workspace", "-created_at"], name="blind_by_workspace")]

    def __str__(self) -> str:
        return f"{self.first_name} against {self.second_name}"

    @property
    def first_name(self) -> str:
        return _name(self.first, self.first_side)

    @property
    def second_name(self) -> str:
        return _name(self.second, self.second_side)

    def turns_of(self, user_id: str) -> list[Turn]:
        """The rows in this judge's own order, sides drawn by lot; the same each time."""
        lot = random.Random(f"{self.id}:{user_id}")
        numbers = list(range(len(self.rows)))
        lot.shuffle(numbers)
        return [Turn(number, lot.random() < 0.5) for number in numbers]


def _name(evaluation: Evaluation, side: str) -> str:
    model = evaluation.model
    if side == Side.TUNED:
        return str(model)
    return str(model.base or "base model")


class BlindJudgement(models.Model):
    """What one judge preferred for one row. It may be changed until the comparison has ended."""

    comparison = models.ForeignKey(BlindComparison, on_delete=models.CASCADE, related_name="judgements")
    judge = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    number = models.PositiveIntegerField(help_text="Which of the comparison's rows.")
    choice = models.CharField(max_length=8, choices=Choice)
    at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ("number", "id")
        constraints = [
            models.UniqueConstraint(fields=["comparison", "judge", "number"], name="one_judgement_a_judge_and_row")
        ]

    def __str__(self) -> str:
        return f"row {self.number}: {self.choice}"
