"""A Llama-shaped model as one GGUF file, as llama.cpp reads it. Trains nothing, and knows no run.

Names come from the `gguf` package; the order of rows in query and key weights and the factors of Llama 3's positions follow
llama.cpp's `convert_hf_to_gguf.py`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from gguf import GGML_QUANT_VERSION, MODEL_ARCH, GGUFWriter, LlamaFileType, RopeScalingType, get_tensor_name_map

from training_app.engine.errors import EngineError
from training_app.engine.gguf_vocabulary import write_vocabulary
from training_app.engine.model import Speaker

SIXTEEN_BITS = {"f16": True, "f32": False}
POSITIONS = ("default", "linear", "llama3")
Tensor = np.ndarray[Any, np.dtype[Any]]


def write_gguf(speaker: Speaker, path: Path, *, numbers: str, licence: str, on_tensor: Callable[[], None]) -> None:
    """Write the model and its tokenizer to `path`. `numbers` is f16 (matrices; vectors stay f32) or f32.

    `on_tensor` is called before each tensor. EngineErrors `architecture_unfit`, `tokenizer_unfit`, `numbers_unfit`.
    """
    config = speaker.model.config
    _require_llama(speaker.name, config)
    writer = GGUFWriter(path, "llama")
    try:
        _write_header(writer, speaker, numbers, licence)
        state = dict(_named(speaker.model.state_dict(), config))
        for name, tensor in state.items():
            kind = _kind(tensor, numbers)
            writer.add_tensor_info(name, tuple(tensor.shape), kind, tensor.numel() * kind.itemsize)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_ti_data_to_file()
        for name, tensor in state.items():
            on_tensor()
            writer.write_tensor_data(_array(name, tensor, config, _kind(tensor, numbers)))
    finally:
        writer.close()


def _require_llama(name: str, config: Any) -> None:
    """The shape that the architecture `llama` of GGUF describes; what it cannot say must not be there."""
    unfit = ""
    if config.model_type != "llama":
        unfit = (
            f"it is of the architecture {config.model_type}, and only llama (Llama, SmolLM and their kin) is supported"
        )
    elif config.hidden_act != "silu":
        unfit = f"its activation is {config.hidden_act} instead of silu"
    elif (positions := config.rope_parameters["rope_type"]) not in POSITIONS:
        unfit = f"its positions are scaled as {positions!r}, and only {', '.join(POSITIONS)} are supported"
    elif config.rope_parameters.get("partial_rotary_factor", 1.0) != 1.0:
        unfit = "its positions turn a part of each head alone"
    if unfit:
        raise EngineError(
            "architecture_unfit",
            f"{name} cannot be written as GGUF: {unfit}.",
            fix="Take the safetensors folder instead; other programs may convert it.",
        )


def _write_header(writer: GGUFWriter, speaker: Speaker, numbers: str, licence: str) -> None:
    config = speaker.model.config
    rope = config.rope_parameters
    writer.add_type("model")
    writer.add_name(speaker.name)
    writer.add_license(licence)
    writer.add_file_type(LlamaFileType.MOSTLY_F16 if SIXTEEN_BITS[numbers] else LlamaFileType.ALL_F32)
    writer.add_quantization_version(GGML_QUANT_VERSION)
    writer.add_vocab_size(config.vocab_size)
    writer.add_context_length(speaker.context)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_key_length(config.head_dim)
    writer.add_value_length(config.head_dim)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_dimension_count(config.head_dim)
    writer.add_rope_freq_base(rope["rope_theta"])
    if rope["rope_type"] == "linear":
        writer.add_rope_scaling_type(RopeScalingType.LINEAR)
        writer.add_rope_scaling_factor(rope["factor"])
    write_vocabulary(writer, speaker.tokenizer, rows=config.vocab_size, stops=speaker.stop_tokens)


def _named(state: dict[str, torch.Tensor], config: Any) -> Iterator[tuple[str, torch.Tensor]]:
    """Weights under GGUF's names. Tied ones once: llama.cpp reads the answer's weights from the embedding then."""
    names = get_tensor_name_map(MODEL_ARCH.LLAMA, config.num_hidden_layers)
    if config.rope_parameters["rope_type"] == "llama3":
        yield "rope_freqs.weight", _llama3_factors(config)
    for name, tensor in state.items():
        if name == "lm_head.weight" and config.tie_word_embeddings:
            continue
        found = names.get_name(name, try_suffixes=(".weight", ".bias"))
        if found is None:
            raise EngineError(
                "architecture_unfit",
                f"GGUF has no place for the weights {name}.",
                fix="Take the safetensors folder instead.",
            )
        yield found, tensor


def _kind(tensor: torch.Tensor, numbers: str) -> np.dtype[Any]:
    return np.dtype(np.float16 if SIXTEEN_BITS[numbers] and tensor.ndim > 1 else np.float32)


def _array(name: str, tensor: torch.Tensor, config: Any, kind: np.dtype[Any]) -> Tensor:
    """The tensor's numbers as they are written."""
    found: Tensor = tensor.detach().to(torch.float32).numpy()
    if ".attn_q." in name:
        found = paired(found, config.num_attention_heads)
    elif ".attn_k." in name:
        found = paired(found, config.num_key_value_heads)
    with np.errstate(over="ignore"):
        found = np.ascontiguousarray(found.astype(kind))
    if not np.isfinite(found).all():
        raise EngineError(
            "numbers_unfit",
            f"{name} holds numbers that do not fit into {kind.itemsize * 8} bits.",
            fix="Export it with 32 bits.",
        )
    return found


def paired(weights: Tensor, heads: int) -> Tensor:
    """Rows of a query or key matrix in llama.cpp's order: it turns neighbours, where transformers turns halves of a head."""
    half = weights.shape[0] // heads // 2
    return weights.reshape(heads, 2, half, *weights.shape[1:]).swapaxes(1, 2).reshape(weights.shape)


def _llama3_factors(config: Any) -> torch.Tensor:
    """By how much each pair of a head turns slower than without Llama 3's longer context; half a head of numbers."""
    rope = config.rope_parameters
    low, high, context = (
        rope[key] for key in ("low_freq_factor", "high_freq_factor", "original_max_position_embeddings")
    )
    factors = []
    for pair in range(0, config.head_dim, 2):
        wavelength = 2 * math.pi * rope["rope_theta"] ** (pair / config.head_dim)
        if wavelength < context / high:
            factors.append(1.0)
        elif wavelength > context / low:
            factors.append(rope["factor"])
        else:
            smooth = (context / wavelength - low) / (high - low)
            factors.append(1 / ((1 - smooth) / rope["factor"] + smooth))
    return torch.tensor(factors, dtype=torch.float32)
