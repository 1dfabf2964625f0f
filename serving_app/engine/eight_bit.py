"""Linear layers with weights of eight bits: half the memory of bfloat16, answers that differ a little.

Each row of a weight matrix has a scale of its own; inputs are rounded to eight bits at every call, by their own range, and
products are summed as whole numbers. The layer that writes the logits and the embeddings stay as they are: they are few,
and rounding shows there most. Knows the dynamic linear operator of the pinned torch.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from serving_app.engine.errors import EngineError

LARGEST = 127
SMALLEST_SCALE = 1e-12  # of a row of zeros


class EightBitLinear(nn.Module):
    """y = x W^T + b with W as whole numbers of eight bits and a scale for each output; `weight` is [out, in]."""

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        super().__init__()
        self.out_features, self.in_features = weight.shape
        plain = weight.detach().float().contiguous()
        scales = (plain.abs().amax(dim=1) / LARGEST).clamp(min=SMALLEST_SCALE).double()
        zeros = torch.zeros(self.out_features, dtype=torch.long)
        rounded = torch.quantize_per_channel(plain, scales, zeros, axis=0, dtype=torch.qint8)
        self._packed = torch.ops.quantized.linear_prepack(rounded, None if bias is None else bias.detach().float())

    def forward(self, inputs: Tensor) -> Tensor:
        """`inputs` [..., in] to [..., out], in the type of the inputs."""
        # One bit of the inputs is given up: the sums of processors without VNNI would overflow with all of them.
        product: Tensor = torch.ops.quantized.linear_dynamic(inputs.float(), self._packed, True)
        return product.to(inputs.dtype)


def take_eight_bits(model: PreTrainedModel) -> int:
    """Replace a model's plain linear layers in place but the one that writes the logits; returns how many.

    Errors: EngineError where this machine cannot.
    """
    if model.device.type != "cpu" or torch.backends.quantized.engine == "none":
        raise EngineError(
            "Weights of eight bits are for CPUs that torch has such products for.", code="unsupported_dtype"
        )
    logits = model.get_output_embeddings()
    places = [
        (parent, name, layer)
        for parent in model.modules()
        for name, layer in parent.named_children()
        # Exact types: subclasses may compute something else.
        if type(layer) in (nn.Linear, Conv1D) and layer is not logits
    ]
    with torch.inference_mode():
        for parent, name, layer in places:
            weight = layer.weight.t() if isinstance(layer, Conv1D) else layer.weight
            setattr(parent, name, EightBitLinear(weight, layer.bias))
    return len(places)
