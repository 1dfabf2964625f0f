"""Model folders to models in memory: safetensors only, nothing from the network, no code from the folder.

A LoRA adapter is merged into a copy of its base model here, in float32 before rounding to the base's own type: every
adapter costs the memory of a whole model. Knows files and transformers; refuses to know requests.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from serving_app.engine.codec import TextCodec
from serving_app.engine.errors import EngineError
from serving_app.engine.grammar import Grammars
from serving_app.engine.probe import check_model

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}
LOAD_ERRORS = (OSError, ValueError, RuntimeError, KeyError, TypeError, ImportError, AttributeError)


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model ready to serve. `context` is the most tokens of prompt and answer together."""

    model: PreTrainedModel
    codec: TextCodec
    grammars: Grammars
    end_tokens: frozenset[int]
    context: int
    vocabulary: int


def load_model(folder: Path, *, dtype: str, max_context: int) -> LoadedModel:
    """Load a full model from its folder. Errors: EngineError with a sentence."""
    _need(folder, "config.json", "This is not a model folder")
    try:
        model = _read_weights(folder, dtype)
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except LOAD_ERRORS as error:
        raise _unreadable(folder, error) from error
    return _ready(model, tokenizer, max_context=max_context)


def load_adapter(base: Path, adapter: Path, *, dtype: str, max_context: int) -> LoadedModel:
    """Load a base model and merge a PEFT adapter into this copy of it. Errors: EngineError with a sentence."""
    _need(adapter, "adapter_config.json", "This is not an adapter folder")
    _need(adapter, "adapter_model.safetensors", "This is not an adapter folder")
    own_tokenizer = (adapter / "tokenizer_config.json").is_file()
    try:
        wanted = _wanted_dtype(base, dtype)
        plain = _read_weights(base, "float32")
        tuned = PeftModel.from_pretrained(plain, str(adapter), local_files_only=True)
        model = tuned.merge_and_unload().to(wanted)
        tokenizer = AutoTokenizer.from_pretrained(
            adapter if own_tokenizer else base, local_files_only=True, trust_remote_code=False
        )
    except LOAD_ERRORS as error:
        raise _unreadable(adapter, error) from error
    return _ready(model, tokenizer, max_context=max_context)


def _read_weights(folder: Path, dtype: str) -> PreTrainedModel:
    model: PreTrainedModel = AutoModelForCausalLM.from_pretrained(
        folder,
        dtype=_wanted_dtype(folder, dtype),
        attn_implementation="sdpa",
        use_safetensors=True,
        local_files_only=True,
        trust_remote_code=False,
    )
    return model


def _wanted_dtype(folder: Path, dtype: str) -> torch.dtype:
    """The type to compute in: the one asked for, else the stored one, but never float16, which CPUs are bad at."""
    if dtype in DTYPES:
        return DTYPES[dtype]
    config = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    stored = getattr(config, "dtype", None)
    return torch.bfloat16 if stored == torch.bfloat16 else torch.float32


def _ready(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, *, max_context: int) -> LoadedModel:
    model = model.eval().requires_grad_(False)
    check_model(model)
    config = model.config.get_text_config()
    ends, vocabulary = _end_tokens(model, tokenizer), model.get_input_embeddings().weight.shape[0]
    return LoadedModel(
        model=model,
        codec=TextCodec(tokenizer),
        grammars=Grammars(tokenizer, vocabulary=vocabulary, end_tokens=ends),
        end_tokens=ends,
        context=_context(config, max_context),
        vocabulary=vocabulary,
    )


def _end_tokens(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> frozenset[int]:
    """Every token that ends an answer: the generation config's and the tokenizer's."""
    configured = getattr(model.generation_config, "eos_token_id", None)
    ids = configured if isinstance(configured, list) else [configured]
    return frozenset(int(token) for token in [*ids, tokenizer.eos_token_id] if token is not None)


def _context(config: Any, max_context: int) -> int:
    """The smallest of the engine's limit, the model's positions and its sliding window.

    Within the window sliding attention is plain attention, so such models are served exactly, only shorter.
    """
    limits = [max_context, getattr(config, "max_position_embeddings", None) or max_context]
    windowed = getattr(config, "use_sliding_window", True) and getattr(config, "sliding_window", None)
    if windowed:
        limits.append(int(windowed))
    return int(min(limits))


def _need(folder: Path, name: str, complaint: str) -> None:
    if not (folder / name).is_file():
        raise EngineError(f"{complaint}: '{folder.name}' has no {name}.", code="invalid_model_folder")


def _unreadable(folder: Path, error: Exception) -> EngineError:
    reason = " ".join(str(error).split())[:300]
    return EngineError(f"The model folder '{folder.name}' cannot be loaded: {reason}", code="invalid_model_folder")
