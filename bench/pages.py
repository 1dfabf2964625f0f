"""Every page that an admin may open, in a workspace that was used for three months (`big_studio.py`): how long the server
takes for it, on SQLite and on PostgreSQL, and in Chromium how much script it loads and when it is first seen.

Addresses come from the URL table, lists also with words to search for and far behind. Each is asked ten times after one
that is not counted, in this process, through the whole of Django; 95 of 100 are faster than the figure (of ten: the
slowest). Processor time of this process stands beside it, which other work on the machine does not stretch as much.
"""

from __future__ import annotations

import argparse
import gc
import json
import math
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from postgres import Postgres

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
RESULT = HERE / "results" / "pages.json"
TIMES = 10
BARS = {"page_ms": 100, "search_ms": 1000, "script_kb": 200, "first_paint_ms": 1000}
LISTS = (
    "/datasets/", "/fine-tunes/", "/models/", "/activity/", "/usage/requests", "/settings/members/", "/keys/",
    "/deployments/", "/feedback/", "/datasets/recipes/", "/blind/", "/notices/",
)  # fmt: skip
PARTS = (
    "tokens", "bill", "contents", "imports", "progress", "live", "running", "preflight", "preview", "taught", "export", "exports",
    "evidence.html", "card.md",
)  # fmt: skip
PASSWORD = "correct horse battery"  # see `big_studio.people`
SEARCHED = ("/datasets/", "/fine-tunes/", "/models/", "/activity/", "/settings/members/")
NOT_ALONE = ("/accounts/", "/admin/login/", "/admin/logout/", "/admin/r/", "/admin/jsi18n/")


def addresses(ids: dict[str, str], workspace_id: str) -> dict[str, str]:
    """Address by the route's own words. Filled with what the workspace has; console pages with a row of their table."""
    from django.contrib import admin

    from gptstudio.overview.routes import Kind, routes
    from tests.pages import filled

    ids = ids | {"app_label": "review", "item_id": ids["review_id"], "content_type_id": "1", "url": "nothing"}
    found: dict[str, str] = {}
    for route in routes():
        if route.kind not in (Kind.PAGE, Kind.CONSOLE) or route.method != "GET" or route.answer_to("admin") != 200:
            continue
        if route.path.startswith(NOT_ALONE) or route.path.endswith(("/decide/", "/claim/", "/release/", "/escalate/")):
            continue
        for model, shown in admin.site._registry.items():
            if f"/{model._meta.app_label}/{model._meta.model_name}/" in route.path:
                mine = model._default_manager.filter(**{shown.workspace_lookup: workspace_id})
                ids["object_id"] = str(getattr(mine.first(), "pk", "1"))
        found[route.path] = filled(route.path, ids)
    found |= {f"{each}, page 20": f"{each}?page=20" for each in LISTS}
    found |= {f"{each}, searched": f"{each}?q=refund" for each in SEARCHED}
    rows = f"/datasets/versions/{ids['version_id']}/rows"
    found |= {f"search of rows: {said}": f"{rows}?text={said}" for said in ("a", "zzqx nothing", "[email]")}
    found |= {f"rows by {order}": f"{rows}?sort={order}" for order in ("longest", "shortest")}
    found |= {f"monitoring of {span}": f"/monitoring/?span={span}" for span in ("hour", "day", "week", "month")}
    found["usage of 90 days"] = "/usage/?days=90"
    return found


def timed(browser: Any, address: str) -> dict[str, Any]:
    """Milliseconds and database queries of one address; `status` where it did not open."""
    from django.db import connection

    asked = []

    def note(execute: Any, *what: Any) -> Any:
        asked.append(what)
        return execute(*what)

    with connection.execute_wrapper(note):
        first = browser.get(address)
    kind = first.headers.get("Content-Type", "").partition(";")[0]
    if first.status_code not in (200, 204):
        return {"status": first.status_code}
    spans, worked = [], []
    for _ in range(TIMES):
        start, processor = time.perf_counter(), time.process_time()
        browser.get(address)
        spans.append(1000 * (time.perf_counter() - start))
        worked.append(1000 * (time.process_time() - processor))
    spans.sort()
    return {
        "median_ms": round(statistics.median(spans), 1),
        "p95_ms": round(spans[math.ceil(0.95 * TIMES) - 1], 1),
        "processor_median_ms": round(statistics.median(worked), 1),
        "queries": len(asked),
        **({} if kind == "text/html" else {"kind": kind}),
    }


def fill(*, size: Any, home: Path) -> tuple[Any, Any, dict[str, Any]]:
    """Alice, her world and what was made."""
    import big_studio
    from django.core.management import call_command

    from gptstudio.accounts.selectors import actor_of_member, membership
    from tests.worlds import make_world
    from training_app.services import ensure_starter

    start = time.perf_counter()
    call_command("migrate", verbosity=0)
    starter = ensure_starter()
    alice = big_studio.people()
    world = make_world(actor_of_member(membership(alice, None)), base=starter, folder=home / "made")
    big_studio.lengthen(world, rows=size.rows)
    made = big_studio.BigStudio(world, size=size).fill()
    return alice, world, {"seconds_to_make": round(time.perf_counter() - start), "made": made}


def measure(alice: Any, asked: dict[str, str]) -> dict[str, Any]:
    """Every address, in her browser."""
    from django.test import Client

    browser, found = Client(SERVER_NAME="127.0.0.1", raise_request_exception=False), {}
    browser.force_login(alice)
    gc.collect()
    gc.freeze()  # as the web process does
    for name, address in asked.items():
        found[name] = timed(browser, address)
        print(f"{name:70} {found[name]}", flush=True)
    return found


def is_whole(name: str, timing: dict[str, Any]) -> bool:
    """Whether it is a page of the dashboard: no part of one, no file, none of the console."""
    return (
        name.startswith("/")
        and "median_ms" in timing
        and "kind" not in timing
        and not name.startswith("/admin/")
        and ("," not in name and name.rsplit("/", 1)[-1] not in PARTS)
    )


def is_search(name: str) -> bool:
    """Whether words are looked for: through all rows of a version, or through all lines of a list."""
    return name.startswith("search of rows") or name.endswith(", searched")


def worst(pages: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The slowest page, the pages that miss the bar, and searches. Files are no pages: they are sent as they are made."""
    opened = {name: each["p95_ms"] for name, each in pages.items() if "p95_ms" in each and "kind" not in each}
    plain = {name: ms for name, ms in opened.items() if not is_search(name)}
    slowest = max(plain, key=lambda name: plain[name])
    return {
        "pages": len(plain), "slowest": slowest, "slowest_p95_ms": plain[slowest],
        "median_of_medians_ms": round(statistics.median(pages[name]["median_ms"] for name in plain), 1),
        "missed": {name: ms for name, ms in plain.items() if ms > BARS["page_ms"]},
        "missed_in_processor_time": {
            name: ms for name in plain if (ms := pages[name]["processor_median_ms"]) > BARS["page_ms"]
        },
        "not_opened": {name: each["status"] for name, each in pages.items() if each.get("status", 200) >= 400},
        "search_ms": {name: ms for name, ms in opened.items() if is_search(name)},
    }  # fmt: skip


def written(result: dict[str, Any]) -> str:
    """As JSON, one line a page."""
    return re.sub(
        r"\{\s+([^{}]*?)\s+\}", lambda found: "{" + re.sub(r"\s+", " ", found[1]) + "}", json.dumps(result, indent=1)
    )


@contextmanager
def databases(names: list[str]) -> Iterator[dict[str, str]]:
    """URL by name; PostgreSQL is a cluster of its own."""
    urls = {"SQLite": ""} if "sqlite" in names else {}
    if "postgresql" not in names:
        yield urls
        return
    with Postgres() as cluster:
        yield urls | {"PostgreSQL": cluster.url}


def child(options: argparse.Namespace) -> None:
    """One database, in a process of its own: settings are read once. Writes what it found to `--child`."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gptstudio.settings.local")
    sys.path.insert(0, str(ROOT))
    django.setup()
    from big_work import Size

    size = Size(options.rows, options.runs, options.events)
    alice, world, found = fill(size=size, home=Path(os.environ["STUDIO_HOME"]))
    asked = {
        name: each for name, each in addresses(world.ids, world.dataset.workspace_id).items() if options.only in name
    }
    found["pages"] = measure(alice, asked)
    if not options.only:
        import first_paint

        whole = {name: asked[name] for name, each in found["pages"].items() if is_whole(name, each)}
        found["browser"] = first_paint.measure(whole, email=alice.email, password=PASSWORD)
    options.child.write_text(json.dumps(found), encoding="utf-8")


def main() -> None:
    """Write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=10_000, help="Versions, and as many fine-tunes.")
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--databases", nargs="+", default=["sqlite", "postgresql"])
    parser.add_argument("--only", default="", help="Pages whose name holds this.")
    parser.add_argument("--results", type=Path, default=RESULT)
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        child(options)
        return
    size = {"rows": options.rows, "runs": options.runs, "events": options.events, "times": TIMES, "bars": BARS}
    earlier = json.loads(options.results.read_text(encoding="utf-8")) if options.results.exists() else {}
    is_alike = all(earlier.get(name) == value for name, value in size.items())
    result: dict[str, Any] = {**size, "on": earlier["on"] if is_alike else {}}  # of a database that is not asked for
    with databases(options.databases) as urls:
        for name, url in urls.items():
            with tempfile.TemporaryDirectory(prefix="studio-bench-pages-") as home:
                answer = Path(home) / "answer.json"
                env = {**os.environ, "STUDIO_HOME": home, **({"DATABASE_URL": url} if url else {})}
                argv = [sys.executable, __file__, *sys.argv[1:], "--child", str(answer)]
                subprocess.run(argv, check=True, env=env, cwd=ROOT)
                found = json.loads(answer.read_text(encoding="utf-8"))
            found["load_average"] = round(os.getloadavg()[1], 1)  # of the last five minutes: what else the machine did
            result["on"][name] = {"worst": worst(found["pages"]), **found}
    options.results.write_text(written(result) + "\n", encoding="utf-8")
    print(json.dumps({name: each["worst"] for name, each in result["on"].items()}, indent=1))


if __name__ == "__main__":
    main()
