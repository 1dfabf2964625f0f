"""The bars and what the results say of them, as one table. `python bench/bars.py` prints it; `make bench` ends with it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).with_name("results")
HALF_A = ("synth_v2_halfA", "generated_large_halfA")
CHATS = ("multidogo_finance_train", "multidogo_finance_dev", "multidogo_finance_test")
LEAST_OF_CHATS = {"name": 0.9, "address": 0.85, "card_number": 0.9, "ssn": 0.85, "account_number": 0.85}


@dataclass(frozen=True, slots=True)
class Bar:
    """What was measured, and the value that it has to reach: at least, or at most where `is_most`."""

    what: str
    measured: float
    bar: float
    is_most: bool = False

    @property
    def is_met(self) -> bool:
        """Whether it was reached."""
        return self.measured <= self.bar if self.is_most else self.measured >= self.bar

    def __str__(self) -> str:
        sign = "≤" if self.is_most else "≥"
        return f"| {self.what} | {self.measured:g} | {sign} {self.bar:g} | {'met' if self.is_met else 'MISSED'} |"


def _engine(found: dict[str, Any]) -> Iterator[Bar]:
    yield Bar("engine against transformers serve --continuous-batching, 16 streams, times", found["ratio"], 1.3)


def _gateway(found: dict[str, Any]) -> Iterator[Bar]:
    for streams, ratio in found["against_transformers"].items():
        yield Bar(f"gateway against transformers serve --continuous-batching, {streams} streams, times", ratio, 1.7)
    for streams, ratio in found.get("against_plain", {}).items():
        yield Bar(f"gateway against plain transformers serve, {streams} streams, times", ratio, 8)
    for streams, ratio in found["against_engine"].items():
        yield Bar(f"gateway against the engine's own port, {streams} streams, times", ratio, 0.95)
    one = found["added"]["1"]
    yield Bar("the gateway adds at 1 stream: median in ms", one["p50_ms"], 6, is_most=True)
    yield Bar("the gateway adds at 1 stream: p95 in ms", one["p95_ms"], 20, is_most=True)
    yield Bar("first token with a known prefix of 512 tokens, share of cold", found["prefix"]["share"], 0.1, True)


def _banking(found: dict[str, Any]) -> Iterator[Bar]:
    yield Bar("eight banking77 classes: seconds, median", found["median_seconds"], 300, is_most=True)
    yield Bar("eight banking77 classes: right, median", found["median_right"], 0.8)


def _personal_data(found: dict[str, Any]) -> Iterator[Bar]:
    for name in HALF_A:
        yield Bar(f"personal data, {name}: recall", found[name]["recall"], 0.97)
        yield Bar(f"personal data, {name}: recall, structured", found[name]["recall_structured"], 0.99)
        yield Bar(f"personal data, {name}: precision", found[name]["precision"], 0.95)
        yield Bar(f"personal data, {name}: rows flagged for nothing", found[name]["flagged_without_labels"], 0.15, True)
    yield Bar("personal data, banking77: texts flagged", found["banking77"]["flagged_without_labels"], 0.02, True)
    for name in CHATS:
        yield Bar(f"personal data, {name}: precision", found[name]["precision"], 0.88)
        for label, least in LEAST_OF_CHATS.items():
            yield Bar(f"personal data, {name}: recall of {label}", found[name]["by_label"][label][2], least)


def _personal_data_speed(found: dict[str, Any]) -> Iterator[Bar]:
    against = found["studio_against"]
    yield Bar("personal data: texts a second and core", found["texts_a_second"]["studio"], 800)
    yield Bar("personal data against AnalyzerEngine, times", against["AnalyzerEngine"], 2.5)
    yield Bar("personal data against BatchAnalyzerEngine, times", against["BatchAnalyzerEngine"], 1.3)
    yield Bar("personal data: two processes against one, times", found["two_processes"], 1.7)


def _cleaning(found: dict[str, Any]) -> Iterator[Bar]:
    for rule in sorted({each["rule"] for each in found["rules"]}):
        least = min(each["precision"] for each in found["rules"] if each["rule"] == rule)
        yield Bar(f"cleaning, {rule}: precision in the worst set", least, 0.95)


def _near_duplicates(found: list[dict[str, Any]]) -> Iterator[Bar]:
    for part in ("recall", "precision"):
        yield Bar(f"near-duplicates: lowest {part}", min(each["ours"][part] for each in found), 0.95)


def _leaks(found: dict[str, Any]) -> Iterator[Bar]:
    for name, each in found.items():
        yield Bar(f"held-out rows that leak, {name}", each["studio"]["leaks"], 0, is_most=True)


def _scale(found: dict[str, Any]) -> Iterator[Bar]:
    least, most = found["runs"][0], found["runs"][-1]
    growth = (most["cpu_seconds"] / most["rows"]) / (least["cpu_seconds"] / least["rows"])
    yield Bar(f"curation of {most['rows']:,} rows: GiB", most["gib"], 1.5, is_most=True)
    yield Bar(f"the same: CPU a row against {least['rows']:,} rows, times", round(growth, 2), 1.2, is_most=True)
    yield Bar("the same: leaks", most["splits"]["leaks"], 0, is_most=True)


def _row_browser(found: dict[str, Any]) -> Iterator[Bar]:
    bars = found["bars_ms"]
    for question, times in found["asked"].items():
        bar = next(value for name, value in bars.items() if question.startswith(name))
        yield Bar(f"row browser, {question}: p95 in ms", times["p95_ms"], bar, is_most=True)


def _pages(found: dict[str, Any]) -> Iterator[Bar]:
    bars = found["bars"]
    for database, each in found["on"].items():
        worst = each["worst"]
        yield Bar(
            f"{worst['pages']} pages on {database}: slowest p95 in ms", worst["slowest_p95_ms"], bars["page_ms"], True
        )
        yield Bar("the same: pages over it", len(worst["missed"]), 0, is_most=True)
        searches = max(worst["search_ms"].values(), default=0)
        yield Bar("the same: slowest search of rows or of a list, p95 in ms", searches, bars["search_ms"], is_most=True)
        for name, unit in (("script_kb", "KiB of script"), ("first_paint_ms", "ms until first paint")):
            if seen := [page[name] for page in each.get("browser", {}).values()]:
                yield Bar(f"the same in Chromium: most {unit}", max(seen), bars[name], is_most=True)


def _kills(found: dict[str, Any]) -> Iterator[Bar]:
    trials = found["trials"]
    ended = sum(each["ended"] and bool(each["killed"]) and each["ledger_difference"] == 0 for each in trials)
    yield Bar(f"SIGKILL on the road ({found['rows']} rows): ended by itself, difference 0", ended, len(trials))


def _upload(found: dict[str, Any]) -> Iterator[Bar]:
    grown = found["web_peak_mb"] - found["web_before_mb"]
    yield Bar(f"upload of {found['megabytes']} MB, web killed: MB that web grew", grown, 150, is_most=True)


def _ledger(found: dict[str, Any]) -> Iterator[Bar]:
    for trial in found["trials"]:
        what = f"{trial['requests']:,} requests under SIGKILL, {trial['database']}"
        off = trial["prompt_tokens_difference"] + trial["completion_tokens_difference"]
        yield Bar(f"{what}: missing in the ledger", trial["missing"], 0, is_most=True)
        yield Bar(f"{what}: billed twice", trial["doubled"], 0, is_most=True)
        yield Bar(f"{what}: tokens that differ from the engine's journal", off, 0, is_most=True)
        yield Bar(f"200 racing requests, {trial['database']}: spent over the budget", trial["race"]["over"], 0, True)


def _memory(found: dict[str, Any]) -> Iterator[Bar]:
    requests = found["megabytes"][-1]["requests"]
    for name, growth in found["growth"].items():
        yield Bar(f"{name} after {requests:,} requests: share that it grew", growth, found["bar"], is_most=True)


def _estimates(found: dict[str, Any]) -> Iterator[Bar]:
    for each, worst in found["worst"].items():
        yield Bar(f"estimate before a start, {len(found['runs'])} runs: largest error in {each}", worst, 0.2, True)


def _litellm(found: dict[str, Any]) -> Iterator[Bar]:
    for kind in ("streams", "whole"):
        for at_once, each in found[kind].items():
            yield Bar(f"gateway against LiteLLM, {kind}, {at_once} at once: requests/s, times", each["speed_ratio"], 2)
            yield Bar("the same: added time, share of LiteLLM's", each["added_ratio"], 0.5, is_most=True)


def _verdicts(found: dict[str, Any]) -> Iterator[Bar]:
    labelled = found["labelled"]
    by_groups = {f"{name} by groups of {labelled['together']}": each for name, each in labelled["grouped_null"].items()}
    for name, each in (found["null"] | labelled["null"] | by_groups).items():
        yield Bar(f"verdict under an exact null, {name}: a difference said, share", each["share"], 0.07, is_most=True)
        yield Bar("the same, at least", each["share"], 0.03)
    yield Bar("verdict: planted gain of 5 points on 500 rows found, share", found["power"]["found"], 0.8)


def _kill_trials(found: dict[str, Any]) -> Iterator[Bar]:
    trials, asked = len(found["trials"]), found["trials_asked"]
    yield Bar("engine killed at random moments: trials", trials, asked)
    yield Bar("the same: resumed and ended with the same weights", found["resumed_and_equal"], trials)


def _training_speed(found: dict[str, Any]) -> Iterator[Bar]:
    for name, each in found["models"].items():
        yield Bar(f"training {name}, whole run: tokens/s against TRL by hand, times", each["against"]["trl"], 1)
        yield Bar("the same against a bare PyTorch loop, times", each["against"]["bare"], 0.95)
        yield Bar("the same: start to first step, of TRL's", each["first_step_against_trl"], 1.1, is_most=True)
        yield Bar("the same: padding, share of places", each["padding"], 0.05, is_most=True)


READERS = {
    "training_speed": _training_speed,
    "kill_trials": _kill_trials,
    "engine_throughput": _engine,
    "gateway": _gateway,
    "litellm_peer": _litellm,
    "ledger_trials": _ledger,
    "memory_growth": _memory,
    "banking": _banking,
    "personal_data": _personal_data,
    "personal_data_speed": _personal_data_speed,
    "cleaning": _cleaning,
    "near_duplicates": _near_duplicates,
    "leaks": _leaks,
    "curation_scale": _scale,
    "curation_million": _scale,
    "row_browser": _row_browser,
    "pages": _pages,
    "pages_tenth": _pages,
    "kills": _kills,
    "slow_upload": _upload,
    "verdicts": _verdicts,
    "estimates": _estimates,
}


def table() -> str:
    """Every bar of the results that are there, as a Markdown table."""
    lines = ["| what | measured | bar | |", "| --- | --- | --- | --- |"]
    for name, read in READERS.items():
        path = RESULTS / f"{name}.json"
        if path.exists():
            lines += map(str, read(json.loads(path.read_text(encoding="utf-8"))))  # type: ignore[operator]
        else:
            lines.append(f"| {name} | not measured | | |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
