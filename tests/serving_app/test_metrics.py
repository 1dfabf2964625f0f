"""/metrics: who may read it, and that what it says is what happened."""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import httpx
import openai
import pytest
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from serving_app.models import EngineReplica, ResourceSample
from serving_app.services.reaping import drift_of
from serving_app.services.sampling import engine_load

HELLO = [{"role": "user", "content": "Hello"}]


@pytest.fixture
def read(studio, settings):
    """The figures by name and labels."""
    settings.METRICS_TOKEN = "tell"

    def ask() -> dict[tuple, float]:
        answer = httpx.get(f"{studio}/metrics", headers={"Authorization": "Bearer tell"}, timeout=20)
        assert answer.status_code == 200 and answer.headers["Content-Type"].startswith("text/plain")
        return {
            (sample.name, *sorted(sample.labels.values())): sample.value
            for family in text_string_to_metric_families(answer.text)
            for sample in family.samples
        }

    return ask


def test_only_the_token_or_a_superuser_reads_them(db, settings, alice, workspace) -> None:
    member, nobody = Client(), Client()
    member.force_login(alice)
    for token in ("", "tell"):
        settings.METRICS_TOKEN = token
        for client in (member, nobody):
            for headers in ({}, {"Authorization": "Bearer "}, {"Authorization": "Bearer wrong"}):
                answer = client.get("/metrics", headers=headers)
                assert answer.status_code == 401 and b"METRICS_TOKEN" in answer.content
    assert nobody.get("/metrics", headers={"Authorization": "Bearer tell"}).status_code == 200
    alice.is_superuser = True
    alice.save()
    assert member.get("/metrics").status_code == 200
    assert member.post("/metrics").status_code == 405


def test_requests_errors_times_and_tokens_are_counted(read, client, base_model, reconciler) -> None:
    before, name = read(), base_model.name
    client.chat.completions.create(model=name, messages=HELLO, max_tokens=3)
    for _ in client.chat.completions.create(model=name, messages=HELLO, max_tokens=5, stream=True):
        pass
    with pytest.raises(openai.NotFoundError):
        client.chat.completions.create(model="none", messages=HELLO)
    reconciler.run_pass()
    after = read()

    def more(*key: str) -> float:
        return after.get(key, 0) - before.get(key, 0)

    assert more("studio_requests_total", "200", "chat_completions") == 2
    assert more("studio_requests_total", "404", "chat_completions") == 1
    assert more("studio_errors_total", "model_not_found") == 1
    assert more("studio_ledger_tokens", "completion", name) == 8
    assert more("studio_time_to_first_token_seconds_count", name) == more("studio_inter_token_seconds_count", name) == 1
    for part in ("before", "after"):
        assert more("studio_gateway_overhead_seconds_count", part) == 2
    whole, engine = more("studio_request_seconds_sum", name), more("studio_engine_seconds_sum", name)
    own = sum(more("studio_gateway_overhead_seconds_sum", part) for part in ("before", "after"))
    assert 0 < engine < whole and whole == pytest.approx(engine + own, abs=1e-6)
    assert after["studio_open_reservations",] == 0
    assert after["studio_engine_up", "embedded"] == 1
    assert more("studio_engine_minus_ledger_tokens", "completion", "embedded") == 0
    passed_on = [key for key in after if key[0] == "vllm:generation_tokens_total" and "embedded" in key]
    assert passed_on and after["process_resident_memory_bytes",] > 10_000_000
    assert any(key[0] == "vllm:kv_cache_usage_perc" for key in after)


def test_what_the_ledger_lacks_of_an_engines_journal_shows(read, client, base_model, reconciler) -> None:
    from serving_app.models import UsageEvent

    key = ("studio_engine_minus_ledger_tokens", "completion", "embedded")
    reconciler.run_pass()
    before = read()[key]  # the engine is shared, and the ledger of other tests is gone
    client.chat.completions.create(model=base_model.name, messages=HELLO, max_tokens=4)
    UsageEvent.objects.filter(kind="settle").update(completion_tokens=1)
    reconciler.run_pass()
    assert read()[key] - before == 3
    EngineReplica.objects.update(usage_mark="another journal", usage_seq=10**6)
    reconciler.run_pass()  # reads anew, and does not add to what it had found
    assert read()[key] - before == 3


def test_no_closing_row_is_no_difference(db) -> None:
    assert drift_of([]) == (0, 0)


def test_an_engine_that_is_away_is_left_out(read, engine, base_model) -> None:
    EngineReplica.objects.update(url="http://127.0.0.1:1")
    assert not any(key[0].startswith("vllm:") for key in read())


@pytest.mark.parametrize("page", ["<html><body>Welcome</body></html>", '{"status": "ok"}', "# TYPE vllm:a b\nvllm:a 1"])
def test_an_engine_that_answers_something_else_is_left_out_alone(read, engine, base_model, page) -> None:
    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(page.encode())

        def log_message(self, *_arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        Thread(target=server.serve_forever).start()
        EngineReplica.objects.create(name="odd", url=f"http://127.0.0.1:{server.server_port}", is_up=True)
        try:
            found = read()
        finally:
            server.shutdown()
    engines = {key[1] for key in found if key[0] == "vllm:num_requests_running"}
    assert engines == {"embedded"} and found["studio_engine_up", "odd"] == 1


def test_the_reconciler_samples_machine_and_engines(base_model) -> None:
    sample = ResourceSample.objects.get()
    assert sample.memory_bytes > 10_000_000 and 0 < sample.memory_percent <= 100


def test_the_load_of_an_engine_is_summed_over_its_models() -> None:
    text = (
        "# TYPE vllm:num_requests_running gauge\n"
        'vllm:num_requests_running{model_name="a"} 3\nvllm:num_requests_running{model_name="b"} 4\n'
        "# TYPE vllm:kv_cache_usage_perc gauge\n"
        'vllm:kv_cache_usage_perc{model_name="a"} 0.25\nvllm:kv_cache_usage_perc{model_name="b"} 0.5\n'
    )
    assert engine_load(text) == {"running": 7, "waiting": 0, "cache": 0.5}
