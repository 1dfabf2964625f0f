"""What a run could do without: trouble with it is told and ends nothing. Knows no trainer."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from training_app.engine.errors import EngineError, is_out_of_memory
from training_app.engine.events import EventLog


@contextmanager
def as_notice(events: EventLog, what: str) -> Iterator[None]:
    """Too little memory, a full disk or rows that cannot be read make a notice; `what` is left out, and the run goes on."""
    try:
        yield
    except (EngineError, OSError, MemoryError, RuntimeError, ValueError) as error:
        # Nothing of memory may stand at the end of a log: it would be read as what the run itself died of.
        trace = None if is_out_of_memory(error) else error
        logging.getLogger(__name__).warning("%s: left out.", what, exc_info=trace)
        why = _why(error)
        traceback.clear_frames(error.__traceback__)  # and with them what they hold of the memory
    else:
        return
    if torch.cuda.is_initialized():
        torch.cuda.empty_cache()
    events.notice(f"{what}: left out, because {why}. The run itself is not touched by this.", level="warning")


def _why(error: Exception) -> str:
    if is_out_of_memory(error):
        return "there was not enough memory"
    if isinstance(error, OSError):
        return f"the disk said: {error.strerror or error}"
    said = str(error).strip().splitlines()
    return f"of this: {said[0].rstrip('.') if said else type(error).__name__}"
