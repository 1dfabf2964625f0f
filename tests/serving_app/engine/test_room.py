"""A request for which there is no memory ends by itself; those who have their rows go on, and so does the engine."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest
from transformers import PreTrainedModel

from serving_app.engine import cache
from serving_app.engine.forward import ForwardPass, PromptPiece
from serving_app.engine.requests import Closed
from tests.serving_app.engine.test_greedy_equality import make_request, make_scheduler, reference, run_to_end


@pytest.mark.parametrize("layers_that_fit", [0, 1])
def test_who_finds_no_memory_ends_and_nobody_else(
    tiny_model: PreTrainedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, layers_that_fit: int
) -> None:
    scheduler = make_scheduler(tiny_model, tmp_path)
    first, large, later = [5, 6, 7], list(range(200)) * 2, list(range(100)) * 4
    running = make_request(first, max_tokens=12, name="running")
    scheduler.submit(running)
    scheduler.step()
    grown, left = cache._grown, [2 * layers_that_fit]

    def ends(*args, **named):
        left[0] -= 1
        if left[0] < 0:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory")
        return grown(*args, **named)

    with monkeypatch.context() as short:
        short.setattr(cache, "_grown", ends)
        scheduler.submit(make_request(large, max_tokens=4, name="large", choices=2))
        scheduler.step()
    after = make_request(later, max_tokens=4, name="after")
    scheduler.submit(after)
    events = run_to_end(scheduler)
    closed = {request.attempt_id: event for request, event in events if isinstance(event, Closed)}
    assert closed["large"].reason == "error" and "no room" in str(closed["large"].problem)
    assert closed["running"].reason in ("stop", "length") and closed["after"].reason in ("stop", "length")
    for request, prompt, most in ((running, first, 12), (after, later, 4)):
        assert request.sequences[0].tokens[len(prompt) :] == reference(tiny_model, prompt, most)


def test_what_would_take_more_than_the_engine_may_is_refused_before_it_is_taken(
    tiny_model: PreTrainedModel, tmp_path: Path
) -> None:
    forward = ForwardPass(tiny_model, memory_limit=psutil.Process().memory_info().rss + (64 << 20))
    forward.prefill([PromptPiece(0, 0, [5, 6, 7])])
    rows, length = forward.cache.rows, forward.cache.length
    with pytest.raises(MemoryError, match=r"would take \d+\.\d\d GiB more"):
        forward.cache.reserve(rows=4096, length=8192)
    assert (forward.cache.rows, forward.cache.length) == (rows, length)
    forward.cache.reserve(rows=rows + 1, length=length + 1)
    assert forward.cache.rows > rows and forward.cache.length > length
