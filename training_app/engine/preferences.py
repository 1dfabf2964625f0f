"""Learning from pairs of answers: direct preference optimisation on this engine's own trainer. Knows no specs.

TRL's DPOTrainer would bring a life cycle of its own; here only the loss differs, so checkpoints, exact resume, early
stopping and events are those of any run. What the base model makes of each answer is computed once, before training.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from training_app.engine.data import IGNORED, Pair
from training_app.engine.device import TrainingPlan
from training_app.engine.losses import answer_log_probabilities, answer_positions, preference_loss
from training_app.engine.model import Speaker
from training_app.engine.perplexity import answer_losses
from training_app.engine.stopping import StopRequest
from training_app.engine.trainer import NUMBER, AnswerTrainer, Score

OTHER_IDS, OTHER_LABELS, REFERENCE = "other_ids", "other_labels", "reference"


def pair_columns(pairs: Sequence[Pair], reference: Sequence[tuple[float, float]]) -> dict[str, Any]:
    """The columns of a data set of pairs; `reference` is what `base_log_probabilities` found for them."""
    return {
        "input_ids": [pair.preferred.input_ids for pair in pairs],
        "labels": [pair.preferred.labels for pair in pairs],
        OTHER_IDS: [pair.other.input_ids for pair in pairs],
        OTHER_LABELS: [pair.other.labels for pair in pairs],
        REFERENCE: [list(each) for each in reference],
        NUMBER: list(range(len(pairs))),
    }


def base_log_probabilities(
    speaker: Speaker, pairs: Sequence[Pair], *, plan: TrainingPlan, rows: int, stop: StopRequest
) -> list[tuple[float, float]]:
    """How likely the model, before it learns, finds both answers of each pair; `rows` answers at a time."""
    answers = [answer for pair in pairs for answer in (pair.preferred, pair.other)]
    speaker.model.eval()
    with torch.autocast(plan.device.type, dtype=torch.bfloat16, enabled=plan.autocast):
        losses = answer_losses(speaker, answers, on_progress=lambda _rows: stop.check(), most=rows)
    found = [-nats for nats, _tokens in losses]
    return list(zip(found[::2], found[1::2], strict=True))


class PairTrainer(AnswerTrainer):
    """Moves the model towards preferred answers and away from the others, as far as `beta` lets it."""

    columns = (OTHER_IDS, OTHER_LABELS, REFERENCE, NUMBER)

    def __init__(self, *, beta: float, **options: Any) -> None:
        super().__init__(**options)
        self._beta = beta

    def _collator(self, collate: Any) -> Any:
        return WithOthers(collate)

    def _get_num_items_in_batch(self, batch_samples: list[Any], device: torch.device) -> Any:
        """A step's loss is the mean over its pairs, however many tokens they have."""
        pairs = torch.tensor(sum(int(taught(batch["labels"]).sum()) for batch in batch_samples), device=device)
        return self.accelerator.gather(pairs).sum()  # of all processes, whose gradients are averaged

    def compute_loss(
        self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """The mean loss over pairs; `num_items_in_batch` counts those of the whole step."""
        losses, _ = self._preferences(model, inputs)
        return losses[taught(inputs["labels"])].sum() / num_items_in_batch * self.accelerator.num_processes

    def _preferences(self, model: Any, inputs: dict[str, Any]) -> tuple[torch.Tensor, torch.Tensor]:
        """Loss and margin of each pair; the batch holds the preferred answers first, then the others."""
        reference, positions = inputs[REFERENCE], answer_positions(inputs["labels"])
        if self._too_many(inputs["labels"], positions):
            found = self._log_probabilities(model, inputs).sum(dim=1)
        else:
            found = answer_log_probabilities(*self._answers(model, inputs, positions))
        preferred, other = found.chunk(2)
        return preference_loss(preferred, other, reference[:, 0], reference[:, 1], beta=self._beta)

    def _judge(self, model: Any, inputs: dict[str, Any]) -> Score:
        """Right is a pair whose preferred answer has gained on the other."""
        chosen = taught(inputs["labels"])
        losses, margins = (each[chosen] for each in self._preferences(model, inputs))
        return Score(float(losses.sum()), int((margins > 0).sum()), len(losses))


def taught(labels: torch.Tensor) -> torch.Tensor:
    """Which pairs of a batch have answers; one that stands in for none has no label."""
    return (labels.chunk(2)[0] != IGNORED).any(dim=1)


class WithOthers:
    """A collator that puts the other answers below the preferred ones, so that one pass of the model scores both."""

    def __init__(self, collate: Any) -> None:
        self._collate = collate

    def __call__(self, pairs: list[dict[str, Any]]) -> dict[str, Any]:
        preferred = [{"input_ids": pair["input_ids"], "labels": pair["labels"]} for pair in pairs]
        others = [{"input_ids": pair[OTHER_IDS], "labels": pair[OTHER_LABELS]} for pair in pairs]
        batch: dict[str, Any] = self._collate([*preferred, *others])
        batch[REFERENCE] = torch.tensor([pair[REFERENCE] for pair in pairs])
        batch[NUMBER] = torch.tensor([pair[NUMBER] for pair in pairs])
        return batch
