"""The evidence for a model in the words of people: headings, sentences, tables. Pure; what is not good for is said here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from datasets_app.contents.card import Section
from gptstudio.web.charts import number_text
from gptstudio.web.wording import METRICS, compact, personal_title, sentence_of, size
from training_app.verdict_wording import OUTCOMES, SHORT, signed
from training_app.verdict_wording import limits_of as model_limits

Facts = dict[str, Any]
DECIDED = {"approved": "approved", "rejected": "rejected", "pending": "waits"}
NUMBER = re.compile(r"–|[+−]?[\d,.]+")


def sections_of(facts: Facts) -> list[Section]:
    """The whole pack, in the order in which somebody who must decide reads it."""
    found = [_model(facts), _limits(facts), _scores(facts), _safety(facts), _release(facts)]
    for data in facts["data"]:
        found += [_data(data), _personal(data), _recipe(data)]
    found += [_training(run) for run in facts["training"]]
    return [*found, _lineage(facts), _identity(facts)]


def shown(facts: Facts) -> list[tuple[Section, set[int]]]:
    """The same with the columns of each table that hold nothing but numbers, to stand on the right."""
    return [(section, _numeric(section)) for section in sections_of(facts)]


def _numeric(section: Section) -> set[int]:
    columns = list(zip(*section.rows, strict=True)) if any(section.head) else []
    return {place for place, cells in enumerate(columns) if place and all(map(NUMBER.fullmatch, cells))}


def when(text: str | None) -> str:
    """A moment as it stands on paper."""
    return f"{datetime.fromisoformat(text):%Y-%m-%d %H:%M} UTC" if text else "–"


def _model(facts: Facts) -> Section:
    model, verdict = facts["model"], (facts["evaluation"] or {}).get("verdict")
    sentences = [f"{verdict['title']} {verdict['detail']}"] if verdict else ["It was not evaluated here."]
    above = facts["lineage"]["above"]
    kind = f"Fine-tuned from {above[0]['name']}" if above else "Base model, as it was registered"
    rows = [
        ("Name", model["name"]),
        ("Kind", kind + (", a LoRA adapter" if model["is_adapter"] else "")),
        ("Parameters", compact(float(model["parameters"]))),
        ("Reads at most", f"{model['context_length']:,} tokens"),
        ("Licence", model["licence"] or "not said"),
        ("Made", f"{when(model['made_at'])}, by {model['made_by'] or 'the studio'}"),
        ("Released", "yes" if facts["release"]["released"] else "no"),
    ]
    return Section("The model", sentences, ("", ""), rows)


def _limits(facts: Facts) -> Section:
    return Section("What it is not good for", list(limits_of(facts)))


def limits_of(facts: Facts) -> Iterator[str]:
    """What the evidence does not cover, and what in it speaks against the model."""
    model, evaluation, safety = facts["model"], facts["evaluation"], facts["safety"]
    yield from model_limits(
        parameters=model["parameters"],
        context_length=model["context_length"],
        is_taught=bool(facts["data"]),
        said=evaluation["verdict"]["said"] if evaluation else None,
        rows=evaluation["rows"] if evaluation else 0,
        checks=(safety or {}).get("checks", []),
    )
    if evaluation is None:
        return
    for data in facts["data"]:
        if data["why_seen"]:
            yield f"The recipe of {data['name']} {data['why_seen']}."
        if data["state"] == "erased":
            yield f"The rows of {data['name']} were erased since: it should be trained again."


def _scores(facts: Facts) -> Section:
    found = facts["evaluation"]
    if found is None:
        return Section("Scores", ["None: it was not evaluated here."])
    decoding, interval = found["decoding"], found["interval"]
    sentences = [
        f"On {found['rows']:,} test rows that it never saw, beside its base model, {when(found['at'])}.",
        f"Decoding: {decoding.get('strategy', 'greedy')}, at most {decoding.get('max_new_tokens', '–')} tokens an answer.",
    ]
    if interval:
        sentences.append(
            f"Intervals: {interval.get('method')}, {interval.get('resamples', 0):,} resamples, "
            f"{100 * interval.get('confidence', 0):.0f} % confidence, seed {interval.get('seed')}."
        )
    sentences += [f"{name} is counted as {how}." for name, how in found["signatures"].items()]
    rows = [_score(name, found) for name in METRICS if name in found["tuned"]]
    return Section("Scores", sentences, ("Measure", "Base model", "This one", "Difference", "95 % between", ""), rows)


def _score(name: str, found: Facts) -> tuple[str, ...]:
    title, direction = METRICS[name]
    base, tuned, span = found["base"].get(name), found["tuned"].get(name), found["intervals"].get(name, {})
    numbers = (number_text(float(each)) if isinstance(each, int | float) else "–" for each in (base, tuned))
    both = isinstance(base, int | float) and isinstance(tuned, int | float)
    between = f"{signed(span['low'])} to {signed(span['high'])}" if span else "–"
    said = SHORT[span.get("said", "")] if span else ""
    return f"{title} ({direction})", *numbers, signed(tuned - base) if both else "–", between, said


def _safety(facts: Facts) -> Section:
    found = facts["safety"]
    if found is None:
        return Section("Safety", ["It was not checked."])
    whole = (
        "Every check that was tried is within its limit." if found["passed"] else "Not every check is within its limit."
    )
    rows = [
        (
            check["title"],
            f"{check.get('tried', 0):,}",
            f"{number_text(float(check.get('measured', check.get('failed', 0))))} {check.get('unit', '')}".strip(),
            number_text(float(check["limit"])) if "limit" in check else "–",
            OUTCOMES[check["outcome"]],
            check.get("detail", ""),
        )
        for check in found["checks"]
    ]
    return Section("Safety", [whole], ("Check", "Tried", "Measured", "Limit", "", "How"), rows)


POLICIES = {
    "two_person": "Somebody else than the makers must decide.",
    "self": "One person may decide, with a reason.",
    "automatic": "The policy releases what was evaluated and is within every limit; the rest goes to a reviewer.",
}


def _release(facts: Facts) -> Section:
    found = facts["release"]
    sentences = [POLICIES.get(found["policy"], found["policy"])]
    if not found["decisions"]:
        sentences.append(
            "Nobody has decided about it." if facts["training"] else "Base models are cleared by who registers them."
        )
    return Section("Who decided, and why", sentences, *_decisions(found))


def _decisions(found: Facts) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    rows: list[tuple[str, ...]] = [
        (when(each["at"]), DECIDED.get(each["verdict"], each["verdict"]), each["by"], each["reason"])
        for each in found["decisions"]
    ]
    head: tuple[str, ...] = ("When", "What", "Who", "Why") if rows else ()
    return head, rows


def _data(data: Facts) -> Section:
    splits, rows = data["splits"], data["rows"]
    held = splits["validation"] + splits["test"]
    leaks = "not measured" if data["leaks"] is None else f"{data['leaks']:,} of {held:,} held-out rows"
    table = [
        ("Version", data["id"]),
        ("SHA-256 of rows, recipe and ledger", data["digest"]),
        ("Made", f"{when(data['made_at'])}, by {data['made_by'] or 'a program'}"),
        *(
            (
                f"Upload {file['name']}, {size(file['bytes'])}",
                file["digest"] + (" (erased)" if file["erased_at"] else ""),
            )
            for file in data["files"]
        ),
        ("Rows that came in", f"{rows['in']:,}"),
        ("Rows kept", f"{rows['kept']:,}"),
        *((f"Left out: {sentence_of(why)}", f"{count:,}") for why, count in sorted(rows["left_out"].items())),
        ("Training, validation, test", f"{splits['train']:,}, {splits['validation']:,}, {splits['test']:,}"),
        ("Held-out rows with a copy or near-copy in training", leaks),
    ]
    return Section(f"Data: {data['name']}", (), ("", ""), table)


def _personal(data: Facts) -> Section:
    why = data["why_seen"]
    sentence = f"The recipe {why}; a reviewer had to allow it." if why else "What was found is hidden, names too."
    if data["is_made_up"]:
        sentence = "Its rows are a sample of the studio's own, made up: nobody's data is in them."
    said = [f"{each['by']} {DECIDED.get(each['verdict'])} it: “{each['reason']}”" for each in data["decisions"]]
    rows = [(personal_title(kind), f"{count:,}") for kind, count in sorted(data["personal_data"].items())]
    none = [] if rows else ["None was found."]
    return Section(
        f"Personal data in {data['name']}", [sentence, *said, *none], ("Type", "Times found") if rows else (), rows
    )


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return ", ".join(map(str, value)) if isinstance(value, list) else "–" if value is None else str(value)


def _recipe(data: Facts) -> Section:
    rows = [
        (
            step["title"],
            "on" if step["is_on"] else "off",
            f"{step['changed']:,}",
            f"{step['left_out']:,}",
            "; ".join(f"{name.replace('_', ' ')} {_said(value)}" for name, value in step["options"].items()),
        )
        for step in data["recipe"]
    ]
    return Section(f"Recipe of {data['name']}", (), ("Step", "", "Changed", "Left out", "Settings"), rows)


def _flat(settings: Facts) -> Iterator[tuple[str, str]]:
    for name, value in settings.items():
        if isinstance(value, dict):
            yield from ((f"{name} {inner}".replace("_", " "), _said(each)) for inner, each in value.items())
        else:
            yield name.replace("_", " "), _said(value)


def _training(run: Facts) -> Section:
    base = run["base_model"]
    rows = [
        ("Fine-tune", run["id"]),
        ("Base model", f"{base['name']} ({base['id']})"),
        ("SHA-256 of the base model's folder", base["digest"]),
        ("Base model's licence", base["licence"] or "not said"),
        ("Started", f"{when(run['started_at'])}, by {run['by'] or 'a program'}"),
        ("Finished", when(run["finished_at"])),
        ("Tokens trained on", compact(float(run["tokens"])) if run["tokens"] else "–"),
        ("method", run["method"]),
        *_flat(run["settings"]),
    ]
    return Section(f"Training: {run['name']}", (), ("", ""), rows)


def _lineage(facts: Facts) -> Section:
    line = facts["lineage"]
    rows = [
        *(("Tuned from", each["name"], each["digest"]) for each in line["above"]),
        *(("Tuned further into", each["name"], each["digest"]) for each in line["below"]),
        *(("Answers in the deployment", each["name"], each["id"]) for each in line["deployments"]),
    ]
    sentence = "" if line["deployments"] else "No deployment answers with it."
    return Section("Lineage", [sentence] if sentence else [], ("", "Name", "Digest or id") if rows else (), rows)


def _identity(facts: Facts) -> Section:
    made, model = facts["made"], facts["model"]
    rows = [
        ("Model", model["id"]),
        ("SHA-256 of the model's folder", model["digest"]),
        ("Workspace", facts["workspace"]),
        ("This page", f"made {when(made['at'])}, by {made['by']}"),
    ]
    sentence = f"manage.py verify_model {model['id']} takes every digest from the uploads to the weights again."
    return Section("Identity", [sentence], ("", ""), rows)
