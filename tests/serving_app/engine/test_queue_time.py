"""How long a request waited for its row of the cache is measured once a prompt."""

from __future__ import annotations

from pathlib import Path

from transformers import PreTrainedModel

from serving_app.engine.accounts import Accounts
from serving_app.engine.forward import ForwardPass
from serving_app.engine.journal import Journal
from serving_app.engine.metrics import Metrics
from serving_app.engine.scheduler import Scheduler
from tests.serving_app.engine.test_greedy_equality import make_request, run_to_end


def test_who_waits_for_a_row_is_seen_to_wait(tiny_model: PreTrainedModel, tmp_path: Path) -> None:
    metrics = Metrics()
    accounts = Accounts(Journal(tmp_path), metrics)
    scheduler = Scheduler(ForwardPass(tiny_model), accounts=accounts, slots=1, prefill_tokens=40)
    first, second = (make_request([1, 2, 3], max_tokens=3, name=name, choices=2) for name in ("a", "b"))
    second.accepted = first.accepted - 7  # seven seconds older, and served behind the first
    scheduler.submit(first)
    scheduler.submit(second)
    run_to_end(scheduler)
    labels = {"model_name": "m"}
    found = metrics.registry.get_sample_value
    assert found("vllm:request_queue_time_seconds_count", labels) == 2, "not four: choices wait for their prompt"
    assert 7 <= (found("vllm:request_queue_time_seconds_sum", labels) or 0) < 37
    assert found("vllm:request_queue_time_seconds_bucket", {**labels, "le": "5.0"}) == 1
