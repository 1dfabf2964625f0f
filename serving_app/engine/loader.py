"""Model folders to models in memory: safetensors only, nothing from the network, no code from the folder.

A plain LoRA adapter stands beside its base model. One that is more than that is merged into a copy of it, in float32
before rounding to the base's own type, and costs the memory of a whole model. Knows files and transformers; refuses to
know requests.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from serving_app.engine.adapters import AdapterStack, fits, read_adapter
from serving_app.engine.codec import TextCodec
from serving_app.engine.errors import EngineError
from serving_app.engine.grammar import Grammars
from serving_app.engine.memory import check_room, weights_size
from serving_app.engine.probe import check_model
from serving_app.engine.settings import EngineSettings

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}
LOAD_ERRORS = (OSError, ValueError, RuntimeError, KeyError, TypeError, ImportError, AttributeError)


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model ready to serve. `context` is the most tokens of prompt and answer together.

    `adapter` is the number among `adapters` whose answers these are, 0 for the model's own.
    """

    model: PreTrainedModel
    adapters: AdapterStack
    codec: TextCodec
    grammars: Grammars
    end_tokens: frozenset[int]
    context: int
    vocabulary: int
    adapter: int = 0


def load_model(folder: Path, settings: EngineSettings) -> LoadedModel:
    """Load a full model from its folder. Errors: EngineError with a sentence."""
    _need(folder, "config.json", "This is not a model folder")
    try:
        check_room(
            folder.name, weights_size(folder, _wanted_dtype(folder, settings.dtype)), limit=settings.memory_limit
        )
        model = _read_weights(folder, settings.dtype)
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except LOAD_ERRORS as error:
        raise _unreadable(folder, error) from error
    return _ready(model, tokenizer, max_context=settings.max_context)


def load_adapter(base: LoadedModel, folder: Path) -> LoadedModel | None:
    """Put a PEFT adapter beside its base, with its own tokenizer if it has one. Errors: EngineError with a sentence.

    None when it is not a plain pair of matrices a layer, and has to be merged.
    """
    _need(folder, "adapter_config.json", "This is not an adapter folder")
    _need(folder, "adapter_model.safetensors", "This is not an adapter folder")
    try:
        adapter = read_adapter(folder)
        if adapter is None or not fits(adapter, base.model):
            return None
        changed: dict[str, Any] = {}
        if _has_tokenizer(folder):
            tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
            changed = _texts(base.model, tokenizer)
        return replace(base, **changed, adapter=base.adapters.attach(adapter))
    except LOAD_ERRORS as error:
        raise _unreadable(folder, error) from error


def _has_tokenizer(folder: Path) -> bool:
    return (folder / "tokenizer_config.json").is_file()


def load_merged(base: Path, adapter: Path, settings: EngineSettings) -> LoadedModel:
    """Load a base model and merge a PEFT adapter into this copy of it. Errors: EngineError with a sentence."""
    try:
        check_room(adapter.name, weights_size(base, torch.float32), limit=settings.memory_limit)
        wanted = _wanted_dtype(base, settings.dtype)
        plain = _read_weights(base, "float32")
        tuned = PeftModel.from_pretrained(plain, str(adapter), local_files_only=True)
        model = tuned.merge_and_unload().to(wanted)
        tokenizer = AutoTokenizer.from_pretrained(
            adapter if _has_tokenizer(adapter) else base, local_files_only=True, trust_remote_code=False
        )
    except LOAD_ERRORS as error:
        raise _unreadable(adapter, error) from error
    return _ready(model, tokenizer, max_context=settings.max_context)


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
    """The type to compute in: the one asked for, else (so with eight bits, too) the stored one, but never float16, which
    CPUs are bad at."""
    if dtype in DTYPES:
        return DTYPES[dtype]
    config = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    stored = getattr(config, "dtype", None)
    return torch.bfloat16 if stored == torch.bfloat16 else torch.float32


def _ready(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, *, max_context: int) -> LoadedModel:
    model = model.eval().requires_grad_(False)
    check_model(model)
    return LoadedModel(
        model=model,
        adapters=AdapterStack(model),
        context=_context(model.config.get_text_config(), max_context),
        vocabulary=_vocabulary(model),
        **_texts(model, tokenizer),
    )


def _texts(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> dict[str, Any]:
    """What a tokenizer decides of a loaded model."""
    ends = _end_tokens(model, tokenizer)
    grammars = Grammars(tokenizer, vocabulary=_vocabulary(model), end_tokens=ends)
    return {"codec": TextCodec(tokenizer), "grammars": grammars, "end_tokens": ends}


def _vocabulary(model: PreTrainedModel) -> int:
    return int(model.get_input_embeddings().weight.shape[0])


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
