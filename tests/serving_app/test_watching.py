"""Grafana's dashboard and Prometheus' alerts ask for nothing but what /metrics has, by names and labels."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import httpx
import promql_parser
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from serving_app.engine.machine import Gpu, Machine

ROOT = Path(__file__).resolve().parents[2]
DASHBOARD = json.loads((ROOT / "deploy" / "grafana" / "gptstudio.json").read_text())
ALERTS = yaml.safe_load((ROOT / "deploy" / "prometheus" / "alerts.yml").read_text())
RULES = [rule for group in ALERTS["groups"] for rule in group["rules"]]
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
PROMETHEUS = {"up": {"job", "instance"}}  # what Prometheus itself says of what it scrapes
GIVEN = {"job", "instance"}  # labels that it gives every series
HELLO = [{"role": "user", "content": "Hello"}]


def expressions() -> list[tuple[str, str]]:
    asked = [(panel["title"], target["expr"]) for panel in PANELS for target in panel["targets"]]
    return [*asked, *((rule["alert"], rule["expr"]) for rule in RULES)]


def parsed(expression: str) -> Any:
    return promql_parser.parse(expression.replace("$__rate_interval", "5m"))


def selectors_in(node: Any) -> list[Any]:
    """Every series that an expression asks for."""
    if isinstance(node, promql_parser.VectorSelector):
        return [node]
    parts = [getattr(node, name, None) for name in ("lhs", "rhs", "expr", "vector_selector", "param")]
    return [found for part in (*parts, *getattr(node, "args", [])) if part is not None for found in selectors_in(part)]


@pytest.fixture
def told(studio, settings, client, base_model, reconciler) -> dict[str, set[str]]:
    """What a studio that has answered says at /metrics: names with their labels. GPUs as a machine with some tells them."""
    settings.METRICS_TOKEN = "tell"
    client.chat.completions.create(model=base_model.name, messages=HELLO, max_tokens=3)
    list(client.chat.completions.create(model=base_model.name, messages=HELLO, max_tokens=3, stream=True))
    with pytest.raises(Exception, match="does not exist|no model"):
        client.chat.completions.create(model="nobody", messages=HELLO)
    text = httpx.get(f"{studio}/metrics", headers={"Authorization": "Bearer tell"}, timeout=20).text
    found: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    for metric in Machine(lambda: [Gpu(0, 1, 2, 50.0)]).collect():
        for sample in metric.samples:
            found.setdefault(sample.name, set()).update({*sample.labels, "engine"})
    return found


@pytest.mark.django_db(transaction=True)
def test_every_series_that_is_asked_for_is_one_that_the_studio_tells(told: dict[str, set[str]]) -> None:
    known = {**told, **PROMETHEUS}
    for title, expression in expressions():
        selectors = selectors_in(parsed(expression))
        assert selectors, title
        for each in selectors:
            assert each.name in known, f"{title} asks for {each.name}"
            labels = {matcher.name for matcher in each.matchers.matchers}
            assert labels <= known[each.name] | GIVEN, f"{title} picks by {labels}"
        grouped = {name.strip() for by in re.findall(r"by \(([^)]*)\)", expression) for name in by.split(",")}
        assert grouped <= set().union(*(known[each.name] for each in selectors)) | GIVEN, f"{title} groups by {grouped}"


@pytest.mark.django_db(transaction=True)
def test_every_label_in_a_legend_or_a_sentence_is_one_of_its_series(told: dict[str, set[str]]) -> None:
    known = {**told, **PROMETHEUS}

    def labels_of(expression: str) -> set[str]:
        return set().union(*(known[each.name] for each in selectors_in(parsed(expression)))) | GIVEN

    for panel in PANELS:
        for target in panel["targets"]:
            assert set(re.findall(r"{{(\w+)}}", target["legendFormat"])) <= labels_of(target["expr"]), panel["title"]
    for rule in RULES:
        said = " ".join(rule["annotations"].values())
        assert set(re.findall(r"\$labels\.(\w+)", said)) <= labels_of(rule["expr"]), rule["alert"]


OF_ONE_PROCESS = re.compile(
    r"up|process_|studio_(requests|errors|time_to|inter_token|request_seconds|engine_seconds|gateway)"
)


def counted_often(node: Any, *, once: bool = False) -> list[str]:
    """Series that all web processes tell alike, and that two of them would double: no max or min takes them together."""
    if isinstance(node, promql_parser.VectorSelector):
        return [] if once or OF_ONE_PROCESS.match(node.name) else [node.name]
    if isinstance(node, promql_parser.AggregateExpr) and str(node.op) in ("max", "min"):
        how = node.modifier
        kept = how is not None and (str(how.type).endswith("By") == bool({"instance", "pod"} & set(how.labels)))
        once |= not kept
    parts = [getattr(node, name, None) for name in ("lhs", "rhs", "expr", "vector_selector", "param")]
    return [
        name
        for part in (*parts, *getattr(node, "args", []))
        if part is not None
        for name in counted_often(part, once=once)
    ]


def test_two_web_processes_tell_no_more_than_one() -> None:
    assert counted_often(parsed("sum by (engine) (vllm:num_requests_waiting)")) == ["vllm:num_requests_waiting"]
    assert counted_often(parsed("max by (instance) (studio_engine_up)")) == ["studio_engine_up"]
    for title, expression in expressions():
        assert counted_often(parsed(expression)) == [], title


def test_panels_have_room_and_words_of_their_own() -> None:
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
    assert len({panel["title"] for panel in PANELS}) == len(PANELS) and all(panel["description"] for panel in PANELS)
    taken = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken and place["x"] + place["w"] <= 24
        taken |= cells


def test_every_alert_says_how_long_how_bad_and_what_to_do() -> None:
    assert len({rule["alert"] for rule in RULES}) == len(RULES)
    for rule in RULES:
        assert re.fullmatch(r"\d+m", rule["for"]) and rule["labels"]["severity"] in ("critical", "warning")
        assert rule["annotations"]["summary"] and len(rule["annotations"]["description"]) > 40


def test_what_alerts_send_people_to_is_there() -> None:
    for rule in RULES:
        said = rule["annotations"]["description"]
        for page in re.findall(r"docs/\S+\.md", said):
            assert (ROOT / page).exists()
        for command in re.findall(r"manage\.py (\w+)", said):
            assert list(ROOT.glob(f"*/management/commands/{command}.py"))
