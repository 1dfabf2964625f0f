"""Checks at load that a model gives through the slot cache what it gives without it; refuses it otherwise.

Many architectures take a cache, positions and a mask of our own; some keep other state or build other masks. Trying it
on a few tokens is surer than a list of names.
"""

from __future__ import annotations

import torch
from transformers import PreTrainedModel

from serving_app.engine.errors import EngineError
from serving_app.engine.forward import ForwardPass, PromptPiece

PROBE_ERRORS = (RuntimeError, ValueError, TypeError, KeyError, IndexError, AttributeError)
# Largest difference of logits as a share of their spread: rounding stays far below, a wrong mask far above.
TOLERANCE = {torch.float32: 1e-3, torch.bfloat16: 0.1}


def check_model(model: PreTrainedModel) -> None:
    """Raise EngineError when the model cannot be batched exactly."""
    name = type(model).__name__
    try:
        difference = _difference(model)
    except PROBE_ERRORS as error:
        reason = " ".join(str(error).split())[:200]
        raise EngineError(f"{name} cannot be served by this engine: {reason}", code="unsupported_model") from error
    if not difference <= TOLERANCE[model.dtype]:
        raise EngineError(
            f"{name} cannot be served by this engine: batched answers would differ from single ones.",
            code="unsupported_model",
        )


@torch.inference_mode()
def _difference(model: PreTrainedModel) -> float:
    """Largest difference between batched and plain logits of two prompts, as a share of the plain logits' spread."""
    top = model.get_input_embeddings().weight.shape[0]
    prompts = [[(7 * at + shift) % top for at in range(1, size)] for shift, size in ((3, 12), (5, 8))]
    forward = ForwardPass(model)
    pieces = [PromptPiece(row, 0, prompt[:-2]) for row, prompt in enumerate(prompts)]
    forward.prefill(pieces)
    forward.prefill([PromptPiece(0, len(prompts[0]) - 2, prompts[0][-2:-1])])
    forward.prefill([PromptPiece(1, len(prompts[1]) - 2, prompts[1][-2:-1])])
    batched = forward.decode([prompt[-1] for prompt in prompts], [len(prompt) - 1 for prompt in prompts]).float()
    plain = torch.stack([_last_logits(model, prompt) for prompt in prompts])
    spread = float(plain.max() - plain.min()) or 1.0
    return float((batched - plain).abs().max()) / spread


def _last_logits(model: PreTrainedModel, prompt: list[int]) -> torch.Tensor:
    logits: torch.Tensor = model(input_ids=torch.tensor([prompt]), use_cache=False).logits
    return logits[0, -1].float()
