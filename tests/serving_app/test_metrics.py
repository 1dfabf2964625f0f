"""/metrics: who may read it, and that what it says is what happened."""

from __future__ import annotations

from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import httpx
import openai
import pytest
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from datasets_app import services as datasets
from gptstudio.core import heartbeats
from serving_app.engine.machine import Gpu, Machine
from serving_app.engine.metrics import Metrics
from serving_app.models import EngineReplica, ResourceSample
from serving_app.services.reaping import drift_of
from serving_app.services.sampling import CpuShares, EngineLoad, engine_load, record_sample

HELLO = [{"role": "user", "content": "Hello"}]


@pytest.fixture
def read(studio, settings):
    """The figures by name and labels."""
    settings.METRICS_TOKEN = "tell"

    def ask() -> dict[tuple, float]:
        answer = httpx.get(f"{studio}/metrics", headers={"Authorization": "Bearer tell"}, timeout=120)
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
    assert after["engine_memory_bytes", "embedded"] > 10_000_000
    assert after["engine_cpu_seconds_total", "embedded"] > 0
    assert 0 <= after["engine_host_cpu_percent", "embedded"] <= 100


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
        Thread(target=server.serve_forever, args=(0.01,)).start()
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
    assert sample.engine_memory_bytes > 10_000_000 and sample.gpu_memory_percent is None


def test_the_load_of_an_engine_is_summed_over_its_models() -> None:
    text = (
        "# TYPE vllm:num_requests_running gauge\n"
        'vllm:num_requests_running{model_name="a"} 3\nvllm:num_requests_running{model_name="b"} 4\n'
        "# TYPE vllm:kv_cache_usage_perc gauge\n"
        'vllm:kv_cache_usage_perc{model_name="a"} 0.25\nvllm:kv_cache_usage_perc{model_name="b"} 0.5\n'
    )
    assert engine_load(text) == EngineLoad(running=7, cache=0.5)


def test_an_engine_tells_of_its_process_its_machine_and_its_graphics_processors() -> None:
    cards = [Gpu(0, used=6 * 2**30, size=8 * 2**30, busy=40.0), Gpu(1, used=0, size=8 * 2**30, busy=None)]
    load = engine_load(Metrics(Machine(lambda: cards)).text().decode())
    assert load.memory > 10_000_000 and load.cpu_seconds > 0
    assert (load.gpu_memory, load.gpu_size, load.gpu_busy) == (6 * 2**30, 16 * 2**30, 40.0)
    without = engine_load(Metrics(Machine(list)).text().decode())
    assert without.memory and without.gpu_size is without.gpu_busy is None


def test_a_process_share_is_what_it_spent_since_the_look_before() -> None:
    shares = CpuShares()
    assert shares.of("a", 10.0, now=100.0) is None
    assert shares.of("a", 25.0, now=110.0) == 150.0
    assert shares.of("a", 1.0, now=120.0) is None, "it was started again"
    assert shares.of("a", 2.0, now=130.0) == 10.0
    assert shares.of("b", None) is None


def test_a_sample_says_what_engines_tell_and_nothing_where_none_does(db) -> None:
    shares = CpuShares()
    record_sample({"other": EngineLoad(running=2)}, shares)
    none = ResourceSample.objects.get()
    assert (
        none.engine_memory_bytes is none.engine_cpu_percent is none.gpu_busy_percent is none.gpu_memory_percent is None
    )
    for spent in (1.0, 2.0):
        told = EngineLoad(cpu_seconds=spent, memory=2**30, gpu_memory=2.0, gpu_size=8.0, gpu_busy=30.0)
        record_sample({"ours": told, "other": EngineLoad()}, shares)
    last = ResourceSample.objects.order_by("-at").first()
    assert (last.engine_memory_bytes, last.gpu_memory_percent, last.gpu_busy_percent) == (2**30, 25.0, 30.0)
    assert last.engine_cpu_percent > 0


@pytest.mark.django_db(transaction=True)
def test_silent_parts_waiting_work_and_the_disk_are_told(read, as_bob, workspace) -> None:
    heartbeats.beat("worker-cpu")
    dataset = datasets.create_dataset(as_bob, workspace_id=workspace.id, name="Tickets")
    file = datasets.add_file(as_bob, dataset=dataset, name="tickets.csv", chunks=[b"question,answer\nWhere?,There.\n"])
    type(file).objects.update(created_at=timezone.now() - timedelta(minutes=20))
    told = read()
    assert told["studio_heartbeat_age_seconds", "cpu", "worker"] < 60
    assert ("studio_heartbeat_age_seconds", "gpu", "worker") not in told, "none ever was here"
    assert told["studio_oldest_waiting_seconds", "files"] > 1100
    assert told["studio_oldest_waiting_seconds", "versions"] == told["studio_oldest_waiting_seconds", "fine_tunes"] == 0
    assert 0 < told["studio_disk_free_bytes",] <= told["studio_disk_size_bytes",]
    type(file).objects.update(attempt=1)
    assert read()["studio_oldest_waiting_seconds", "files"] == 0, "somebody has begun it"
