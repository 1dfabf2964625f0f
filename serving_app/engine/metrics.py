"""Prometheus metrics under the names vLLM uses, so that one dashboard fits both engines."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from serving_app.engine.machine import Machine

LATENCY = (0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, 20.0, 40.0, 80.0)
# vLLM's word for a request that was cancelled.
REASONS = {"cancelled": "abort"}


class Metrics:
    """Counters, gauges and histograms of one engine process, each labelled with the model's name. Times in seconds.

    What the process and its machine are at stands beside them.
    """

    def __init__(self, machine: Machine | None = None) -> None:
        self.registry = CollectorRegistry()
        self.registry.register(machine or Machine())
        label = ["model_name"]
        self._running = self._gauge("vllm:num_requests_running", "Sequences that hold a cache row.")
        self._waiting = self._gauge("vllm:num_requests_waiting", "Sequences that wait for a cache row.")
        self._cache = self._gauge("vllm:kv_cache_usage_perc", "Used share of the key-value cache, 1 is full.")
        self._prompt = Counter("vllm:prompt_tokens", "Prompt tokens worked through.", label, registry=self.registry)
        self._generated = Counter("vllm:generation_tokens", "Tokens sampled.", label, registry=self.registry)
        self._success = Counter(
            "vllm:request_success", "Finished requests.", [*label, "finished_reason"], registry=self.registry
        )
        self._first = self._histogram("vllm:time_to_first_token_seconds", "From acceptance to the first token.")
        self._queued = self._histogram("vllm:request_queue_time_seconds", "From acceptance to a row of the cache.")
        self._between = self._histogram("vllm:inter_token_latency_seconds", "Between tokens of one sequence.")
        self._whole = self._histogram("vllm:e2e_request_latency_seconds", "From acceptance to the end.")

    def load(self, model: str, *, running: int, waiting: int, cache: float) -> None:
        """The state of one model's scheduler now."""
        self._running.labels(model).set(running)
        self._waiting.labels(model).set(waiting)
        self._cache.labels(model).set(cache)

    def prompt_tokens(self, model: str, count: int) -> None:
        """Prompt tokens computed or found in the prefix cache."""
        self._prompt.labels(model).inc(count)

    def generation_tokens(self, model: str, count: int) -> None:
        """Tokens sampled."""
        self._generated.labels(model).inc(count)

    def left_queue(self, model: str, seconds: float) -> None:
        """A sequence got its row."""
        self._queued.labels(model).observe(seconds)

    def first_token(self, model: str, seconds: float) -> None:
        """A sequence's first token came."""
        self._first.labels(model).observe(seconds)

    def next_token(self, model: str, seconds: float) -> None:
        """A later token came."""
        self._between.labels(model).observe(seconds)

    def finished(self, model: str, reason: str, seconds: float) -> None:
        """A request ended, for whatever reason."""
        self._success.labels(model, REASONS.get(reason, reason)).inc()
        self._whole.labels(model).observe(seconds)

    def text(self) -> bytes:
        """Everything in the Prometheus text format."""
        return generate_latest(self.registry)

    def _gauge(self, name: str, text: str) -> Gauge:
        return Gauge(name, text, ["model_name"], registry=self.registry)

    def _histogram(self, name: str, text: str) -> Histogram:
        return Histogram(name, text, ["model_name"], buckets=LATENCY, registry=self.registry)
