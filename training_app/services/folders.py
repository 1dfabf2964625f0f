"""What may become a base model: a folder is looked through, and copied into the store. It knows no rows."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from datasets_app.services import check_template
from gptstudio.core import artifacts
from gptstudio.core.errors import Invalid

FORBIDDEN = {".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".py", ".so"}
CODE_IN = ("config.json", "tokenizer_config.json")
# transformers' names of classes that write on from a text; some that see pictures are the last, the pre-flight list looks closer.
WRITES_ON = ("ForCausalLM", "LMHeadModel", "ForConditionalGeneration")


@dataclass(frozen=True, slots=True)
class Stored:
    """A model folder that was checked and lies in the store; `context` in tokens."""

    digest: str
    parameters: int
    context: int


def _json(folder: Path, name: str) -> dict[str, Any]:
    try:
        found = json.loads((folder / name).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Invalid(f"{folder.name} has no readable {name}.", fix="Use a whole transformers folder.") from error
    if not isinstance(found, dict):
        raise Invalid(f"{folder.name}/{name} is not an object.", fix="Use a whole transformers folder.")
    return found


def _elements(header: dict[str, Any], *, size: int) -> int:
    """Elements of all tensors of one file. ValueError when its `size` bytes of data are not what the header says."""
    tensors = [tensor for name, tensor in header.items() if name != "__metadata__"]
    if max((tensor["data_offsets"][1] for tensor in tensors), default=0) != size:
        raise ValueError("cut short")
    return sum(math.prod(tensor["shape"]) for tensor in tensors)


def _parameters(folder: Path) -> int:
    """Parameters of all safetensors files, read from their headers (8 bytes of length, then JSON)."""
    total = 0
    for path in sorted(folder.glob("*.safetensors")):
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if not 0 < length < 100_000_000:
                raise Invalid(f"{path.name} is not a safetensors file.", fix="Save the model again as safetensors.")
            try:
                header = json.loads(file.read(length))
                total += _elements(header, size=path.stat().st_size - 8 - length)
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise Invalid(f"{path.name} is damaged.", fix="Copy the model folder again.") from error
    if total == 0:
        raise Invalid(f"{folder.name} holds no safetensors weights.", fix="Save the model as safetensors first.")
    return total


def _check_folder(folder: Path) -> None:
    """Every level of it: nothing that runs when it is opened, nothing that lies elsewhere."""
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink() and (path.is_dir() or not artifacts.inside(path, folder)):
            raise Invalid(
                f"{folder.name} holds {name}, a link to somewhere else.", fix="Copy the files themselves (cp -L)."
            )
        if path.suffix.lower() in FORBIDDEN:
            raise Invalid(
                f"{folder.name} holds {name}: pickled weights and code are refused.",
                fix="Keep the safetensors, tokenizer and configuration files only.",
            )
        if not path.is_file() and not path.is_dir():
            raise Invalid(f"{folder.name} holds {name}, which is no file.", fix="Copy the model folder again.")
    if not (folder / "tokenizer.json").exists():
        raise Invalid(f"{folder.name} has no tokenizer.json.", fix="Save the tokenizer into the same folder.")
    for name in CODE_IN:
        if (folder / name).exists() and "auto_map" in _json(folder, name):
            raise Invalid(
                f"{folder.name} needs code of its own to be run ({name} names it), which the studio never executes.",
                fix="Choose a model of a standard transformers class.",
            )


def _check_writes_on(folder: Path, config: dict[str, Any]) -> None:
    """Chats are learnt by models that write on from what they read, in one piece; others could not even be loaded."""
    named = config.get("architectures") or []
    named = [str(each) for each in named] if isinstance(named, list) else [str(named)]
    writes_on = not named or any(each.endswith(WRITES_ON) for each in named)
    if config.get("is_encoder_decoder") or not writes_on:
        what = ", ".join(named) or str(config.get("model_type", "an encoder with a decoder"))
        raise Invalid(
            f"{folder.name} holds a model of another kind ({what}): it does not write on from a text.",
            fix="Choose a model of a class that ends in ForCausalLM.",
        )


def _context(config: dict[str, Any]) -> int:
    found = config.get("max_position_embeddings") or config.get("n_positions") or 512
    if not isinstance(found, int) or not 0 < found < 2**31:
        raise Invalid(f"config.json gives the context length as {found!r}.", fix="Use a whole transformers folder.")
    return found


def take_in(folder: Path, *, on_chunk: Callable[[], None] = artifacts.unwatched) -> Stored:
    """Check a folder and copy it. The copy may take minutes, so no transaction may be open around it, and `on_chunk` is
    called all along."""
    _check_folder(folder)
    config = _json(folder, "config.json")
    _check_writes_on(folder, config)
    context, parameters = _context(config), _parameters(folder)
    digest, path = artifacts.store_folder(folder, on_chunk=on_chunk)
    check_template(path)
    return Stored(digest, parameters, context)
