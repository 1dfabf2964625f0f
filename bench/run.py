"""Every benchmark, one after the other: `make bench`. `FULL=1` adds the long ones."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from bars import table

HERE = Path(__file__).parent
ALWAYS = (
    ("engine_throughput.py", "--rounds", "3"),
    ("gateway.py", "--rounds", "2"),
    ("litellm_peer.py",),
    ("memory_growth.py",),
    ("banking.py", "--draws", "1"),
    ("personal_data.py",),
    ("personal_data_speed.py", "--rounds", "3"),
    ("ordinary_texts.py",),
    ("cleaning.py",),
    ("near_duplicates.py",),
    ("templated.py",),
    ("leaks.py",),
    ("curation_scale.py",),
    ("row_browser.py",),
    ("slow_upload.py",),
    ("verdicts.py",),
    ("training_speed.py",),
    ("estimates.py",),
)
ON_REAL_DATA = (
    "banking.py",
    "personal_data.py",
    "personal_data_speed.py",
    "ordinary_texts.py",
    "cleaning.py",
    "leaks.py",
)
MILLION = (
    "curation_scale.py", "--rows", "1000000", "--no-names",
    "--results", str(HERE / "results" / "curation_million.json"),
)  # fmt: skip
PAGES = (
    "pages.py", "--rows", "100000", "--runs", "1000", "--events", "100000", "--databases", "sqlite",
    "--results", str(HERE / "results" / "pages_tenth.json"),
)  # fmt: skip
LONG = (
    ("by_document.py", "--draws", "20"),
    ("banking.py", "--draws", "5"),
    ("kills.py",),
    ("kill_trials.py",),
    ("ledger_trials.py",),
    ("memory_growth.py", "--requests", "100000"),
    MILLION,
    ("pages.py",),
)


def main() -> int:
    """Run them; a failed one does not stop the rest."""
    failed = []
    chosen = [*ALWAYS, PAGES, *(LONG if os.environ.get("FULL") == "1" else ())]
    for name, *arguments in chosen:
        if name in ON_REAL_DATA and not os.environ.get("REAL_DATA_DIR"):
            print(f"== {name} is left out: REAL_DATA_DIR is not set")
            continue
        print(f"== {name} {' '.join(arguments)}", flush=True)
        if subprocess.run([sys.executable, str(HERE / name), *arguments], check=False).returncode:
            failed.append(name)
    print(f"\n{table()}\n\nresults: {HERE / 'results'}" + (f"; failed: {', '.join(failed)}" if failed else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
