"""A run looked over before it starts: what tokenizer and template make of its rows. Loads no weights, trains nothing.

It writes `<run>/inspection.json`. Whatever would end the run at its start is no failure here but its finding, under
`problem`: {code, message, fix}.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from transformers import GenerationConfig, PreTrainedTokenizerBase

from training_app.engine.data import IGNORED, Row, build_examples, read_rows
from training_app.engine.device import pick_device
from training_app.engine.errors import EngineError
from training_app.engine.events import EventLog
from training_app.engine.machine import memory_bytes
from training_app.engine.model import count_parameters, load_tokenizer, read_config, stored_dtype
from training_app.engine.reports import write_report
from training_app.engine.shares import share_of
from training_app.engine.spec import TrainSpec
from training_app.engine.stopping import StopRequest
from training_app.engine.templates import GENERATION_MARK, default_template

REPORT = "inspection.json"
WHOLE = 1 << 40  # longer than any row: what is cut is counted here, not cut


def inspect_run(spec: TrainSpec, events: EventLog, stop: StopRequest) -> None:
    """Look the run over and write inspection.json."""
    began = time.monotonic()
    found: dict[str, Any] = {"version": 1, "problem": None}
    try:
        found |= _look(spec, stop)
    except EngineError as error:
        found["problem"] = {"code": error.code, "message": error.message, "fix": error.fix}
    found["seconds"] = round(time.monotonic() - began, 2)
    write_report(spec.common.run / REPORT, found)
    events.write("saved", path=REPORT)
    events.write("finished", reason="completed")


def _look(spec: TrainSpec, stop: StopRequest) -> dict[str, Any]:
    folder = spec.base_model.whole
    tokenizer = load_tokenizer(spec.base_model.path)
    config = read_config(folder)
    context = int(getattr(config, "max_position_embeddings", None) or 2048)
    limit = min(spec.hyperparameters.max_length, context)
    total, free = memory_bytes(pick_device(spec.common.device, spec.common.threads))
    stops = _stop_tokens(folder, tokenizer)
    rows = share_of(read_rows(spec.train), share=spec.train_share, seed=spec.hyperparameters.seed)
    stop.check()
    validation = read_rows(spec.validation) if spec.validation is not None and spec.validation.exists() else []
    return {
        "template": {
            "is_own": tokenizer.chat_template != default_template(tokenizer),
            "has_marks": bool(GENERATION_MARK.search(str(tokenizer.get_chat_template()))),
            "stop_tokens": [str(tokenizer.convert_ids_to_tokens(token)) for token in sorted(stops)],
        },
        "context": context,
        "limit": limit,
        "parameters": count_parameters(folder),
        "dtype": str(stored_dtype(folder)).removeprefix("torch."),
        "memory": {"total": total, "free": free},
        "answers": _answers(rows),
        "pairs": sum(row.rejected is not None for row in rows),
        "train": _lengths(rows, tokenizer, stops, limit, vocabulary=int(config.get_text_config().vocab_size)),
        "validation": _lengths(validation, tokenizer, stops, limit) if validation else None,
    }


def _lengths(
    rows: Sequence[Row],
    tokenizer: PreTrainedTokenizerBase,
    stops: frozenset[int],
    limit: int,
    *,
    vocabulary: int | None = None,
) -> dict[str, int]:
    """How long rows are in tokens, how many lose their end at `limit`, and how many have nothing to learn then."""
    examples = build_examples(rows, tokenizer, stops, max_length=WHOLE)
    highest = max((max(item.input_ids) for item in examples.items), default=0)
    if vocabulary is not None and highest >= vocabulary:
        raise EngineError(
            "tokenizer_unfit",
            f"The tokenizer writes token {highest:,}, and the model knows only {vocabulary:,}: they do not belong "
            "together.",
            fix="Register the base model again with its own tokenizer files.",
        )
    sizes = sorted(len(item.input_ids) for item in examples.items)
    lost = sum(all(label == IGNORED for label in item.labels[1:limit]) for item in examples.items)
    return {
        "rows": len(rows),
        "tokens": sum(min(size, limit) for size in sizes),
        "learned": sum(sum(label != IGNORED for label in item.labels[1:limit]) for item in examples.items),
        "median": sizes[len(sizes) // 2] if sizes else 0,
        "p95": sizes[min(len(sizes) - 1, int(len(sizes) * 0.95))] if sizes else 0,
        "longest": sizes[-1] if sizes else 0,
        "cut": sum(size > limit for size in sizes),
        "without_answer": examples.nothing_to_learn,
        "lost_answer": lost,
    }


def _answers(rows: Sequence[Row]) -> dict[str, Any]:
    """How alike the answers are: the share of the most common one, and how many are different."""
    texts = Counter(
        message["content"].strip().lower() for row in rows for message in row.messages if message["role"] == "assistant"
    )
    total = sum(texts.values())
    most = texts.most_common(1)[0][1] if texts else 0
    return {"count": total, "different": len(texts), "commonest_share": round(most / total, 4) if total else 0.0}


def _stop_tokens(folder: Path, tokenizer: PreTrainedTokenizerBase) -> frozenset[int]:
    """The tokens at which generation would end, as `model.stop_tokens` finds them with the weights loaded."""
    try:
        declared = GenerationConfig.from_pretrained(folder, local_files_only=True).eos_token_id
    except OSError:
        declared = getattr(read_config(folder), "eos_token_id", None)
    ids = declared if isinstance(declared, list) else [declared]
    return frozenset([tokenizer.eos_token_id, *(token for token in ids if token is not None)])
