"""Schemathesis with the documents of /v1 and /api/v1 against a whole studio: every phase, many draws.

`python bench/by_document.py --draws 20` → bench/results/by_document.json: requests sent, and answers that were not as
the documents say (0 is right; a fit body may be refused, a breakdown or an undocumented status may not be). Ends with 1
where there were any. The tests send fewer of the same.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

from studio import ROOT, Studio

sys.path.insert(0, str(ROOT))

from tests import by_schema

RESULTS = Path(__file__).parent / "results" / "by_document.json"
COUNTS = re.compile(r"([\d,]+) generated(?:, ([\d,]+) found)?")


def fetched(url: str, kind: str) -> dict[str, Any]:
    """A document from the studio itself."""
    request = urllib.request.Request(url, headers={"Accept": kind})
    with urllib.request.urlopen(request, timeout=60) as answer:
        found: dict[str, Any] = json.load(answer)
    return found


def with_short_answers(document: dict[str, Any]) -> dict[str, Any]:
    """The same, with few tokens to write: what is measured here is the surface, not the model."""
    for name in ("ChatRequest", "CompletionRequest"):
        body = document["components"]["schemas"][name]
        body["properties"] |= {
            "model": {"const": "studio-starter-1"},
            "max_tokens": {"const": 2},
            "n": {"enum": [1, 2]},
        }
        body["properties"].pop("max_completion_tokens", None)
        body["required"].append("max_tokens")
    return document


def measured(document: dict[str, Any], *, url: str, secret: str, draws: int) -> dict[str, Any]:
    """One document's requests, faults and seconds."""
    with tempfile.TemporaryDirectory(prefix="studio-bench-") as folder:
        began = time.monotonic()
        ended = by_schema.run(
            document,
            url=url,
            secret=secret,
            folder=Path(folder),
            phases="coverage,fuzzing,stateful",
            examples=draws,
            options=(by_schema.ALL_HAVE_OWN_RULES,),
        )
    counts = COUNTS.findall(ended.stdout)
    if not counts:
        raise RuntimeError(ended.stdout[-3000:] + ended.stderr[-3000:])
    sent, faults = (int((each or "0").replace(",", "")) for each in counts[-1])
    if ended.returncode:
        print(ended.stdout[-30_000:])
    seconds = round(time.monotonic() - began)
    return {"requests": sent, "faults": faults or int(bool(ended.returncode)), "seconds": seconds}


def main() -> int:
    """Both documents, one after the other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=20)
    draws = parser.parse_args().draws
    with Studio() as studio:
        openai = with_short_answers(fetched(f"{studio.url}/v1/openapi.json", "application/json"))
        native = fetched(f"{studio.url}/api/v1/schema", "application/vnd.oai.openapi+json")
        found = {
            "/v1": measured(openai, url=f"{studio.url}/v1", secret=studio.key, draws=draws),
            "/api/v1": measured(native, url=studio.url, secret=studio.key, draws=draws),
        }
    RESULTS.write_text(json.dumps({"draws": draws, **found}, indent=2) + "\n", encoding="utf-8")
    for surface, row in found.items():
        print(f"{surface}: {row['requests']:,} requests, {row['faults']} faults, {row['seconds']} s")
    return int(any(row["faults"] for row in found.values()))


if __name__ == "__main__":
    sys.exit(main())
