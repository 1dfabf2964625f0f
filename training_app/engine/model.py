"""Models and tokenizers from folders, ready to train or to answer. Never downloads, never runs a model's code."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from training_app.engine.device import SMALL_MODEL_PARAMETERS
from training_app.engine.errors import EngineError, is_out_of_memory
from training_app.engine.room import Room
from training_app.engine.spec import ModelFolder
from training_app.engine.templates import default_template


@dataclass(frozen=True, slots=True)
class Speaker:
    """A model with its tokenizer, the tokens that end an answer, and the room there is for rows beside it."""

    name: str
    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    stop_tokens: frozenset[int]
    room: Room = field(default_factory=Room)

    @property
    def context(self) -> int:
        """The longest sequence, in tokens, that the model was made for."""
        return context_of(self.model.config)


def load_speaker(folder: ModelFolder, *, dtype: torch.dtype, device: torch.device, quantization: Any = None) -> Speaker:
    """Load a model, or an adapter merged into its base, for training or answering. EngineError `model_unreadable`."""
    tokenizer = load_tokenizer(folder.path)
    weights = folder.path if folder.base_path is None else folder.base_path
    placed = {} if quantization is None else {"quantization_config": quantization, "device_map": {"": device}}
    model = _load_weights(weights, dtype=torch.float32 if folder.base_path else dtype, **placed)
    if folder.base_path is not None:
        # Merged in float32: in bfloat16 a small update would vanish in the rounding of a large weight.
        model = merge_adapter(model, folder.path).to(dtype)
    _require_match(folder.path, model, tokenizer)
    align_stop_tokens(model, tokenizer)
    return Speaker(
        name=folder.name,
        model=model if placed else model.to(device),
        tokenizer=tokenizer,
        stop_tokens=stop_tokens(model, tokenizer),
    )


def load_tokenizer(folder: Path) -> PreTrainedTokenizerBase:
    """The tokenizer of a model folder, with a chat template and a padding token whatever the folder lacks."""
    _require_folder(folder)
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except (OSError, ValueError) as error:
        raise _unreadable(folder, error) from error
    if not tokenizer.is_fast or tokenizer.eos_token_id is None:
        raise EngineError(
            "tokenizer_unfit",
            f"The tokenizer in {folder.name} has no fast form or no end-of-text token, so answers could not end.",
            fix="Choose another base model, or give its tokenizer_config.json an eos_token.",
        )
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    if not tokenizer.chat_template:
        tokenizer.chat_template = default_template(tokenizer)
    return tokenizer


def read_config(folder: Path) -> Any:
    """The model's configuration. EngineError `model_unreadable`."""
    _require_folder(folder)
    try:
        return AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except (OSError, ValueError) as error:
        raise _unreadable(folder, error) from error


def context_of(config: Any) -> int:
    """The longest sequence, in tokens, that a model of this configuration was made for."""
    return int(getattr(config, "max_position_embeddings", None) or 2048)


def stored_dtype(folder: Path) -> torch.dtype:
    """The number format a model folder declares for its weights; float32 when it declares none."""
    dtype = getattr(read_config(folder), "dtype", None)
    return dtype if isinstance(dtype, torch.dtype) else torch.float32


def merged_dtype(whole: Path) -> torch.dtype:
    """The format in which a model is kept that an adapter was merged into: float32 where it is small, for rounding to 16
    bits would lose a part of what it learnt that its scores show. Large ones are kept as their base is; so they are asked
    on the machines that they are for.
    """
    return torch.float32 if count_parameters(whole) < SMALL_MODEL_PARAMETERS else stored_dtype(whole)


def count_parameters(folder: Path) -> int:
    """The number of parameters of the model in a folder, tied ones once, without loading its weights. EngineError
    `model_unfit` where it is no model that writes on from a text.
    """
    config = read_config(folder)
    try:
        with torch.device("meta"):
            model = AutoModelForCausalLM.from_config(config, trust_remote_code=False)
    except (ValueError, KeyError) as error:
        raise EngineError(
            "model_unfit",
            f"The base model is of a kind that does not write on from a text ({config.model_type}), so it cannot learn chats.",
            fix="Choose a base model of a class that ends in ForCausalLM.",
        ) from error
    return sum(parameter.numel() for parameter in model.parameters())


def align_stop_tokens(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> None:
    """Make the model stop at the tokenizer's end-of-text token beside any stop token of its own."""
    ids = stop_tokens(model, tokenizer)
    model.config.eos_token_id = tokenizer.eos_token_id
    model.config.pad_token_id = tokenizer.pad_token_id
    generation = model.generation_config
    if generation is not None:
        generation.eos_token_id = sorted(ids) if len(ids) > 1 else tokenizer.eos_token_id
        generation.pad_token_id = tokenizer.pad_token_id


def stop_tokens(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> frozenset[int]:
    """Token ids at which generation ends."""
    declared = getattr(model.generation_config, "eos_token_id", None)
    ids = declared if isinstance(declared, list) else [declared]
    return frozenset([tokenizer.eos_token_id, *(token for token in ids if token is not None)])


def _load_weights(folder: Path, *, dtype: torch.dtype, **placed: Any) -> PreTrainedModel:
    _require_folder(folder)
    try:
        model, found = AutoModelForCausalLM.from_pretrained(
            folder,
            dtype=dtype,
            local_files_only=True,
            trust_remote_code=False,
            use_safetensors=True,
            output_loading_info=True,
            **placed,
        )
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        if is_out_of_memory(error):
            raise
        raise _unreadable(folder, error) from error
    missing = sorted(found["missing_keys"])
    if missing:  # the library would fill them with random numbers
        raise _unreadable(folder, ValueError(f"{len(missing)} weights are missing, {missing[0]} among them."))
    return model  # type: ignore[no-any-return]


def merge_adapter(model: PreTrainedModel, folder: Path) -> PreTrainedModel:
    """The model with what an adapter learnt in its own weights. EngineError `model_unreadable`."""
    from peft import PeftModel  # takes a second to import, and a full model has no use for it

    try:
        adapted = PeftModel.from_pretrained(model, folder, local_files_only=True)
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        raise _unreadable(folder, error) from error
    merged: PreTrainedModel = adapted.merge_and_unload()
    merged.requires_grad_(True)  # beneath an adapter nothing else learned
    return merged


def _require_match(folder: Path, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> None:
    """EngineError `tokenizer_unfit` where the tokenizer can write a token that the model has no row for."""
    highest, rows = max(tokenizer.get_vocab().values()), model.get_input_embeddings().num_embeddings
    if highest >= rows:
        raise EngineError(
            "tokenizer_unfit",
            f"The tokenizer in {folder.name} has {highest + 1:,} tokens, but the model was made for {rows:,}: "
            "they do not belong together.",
            fix="Import the model again, with the tokenizer files that came with it.",
        )


def _require_folder(folder: Path) -> None:
    if not folder.is_dir():
        raise EngineError(
            "model_missing", f"There is no model folder {folder.name}.", fix="Choose a base model that is registered."
        )


def _unreadable(folder: Path, error: Exception) -> EngineError:
    first_line = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return EngineError(
        "model_unreadable",
        f"The model in {folder.name} cannot be loaded: {first_line}",
        fix="Import the model again; it must hold config.json, safetensors weights and tokenizer files.",
    )
