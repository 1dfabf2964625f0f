"""Writes the demo data set: `python -m gptstudio.overview.demo_data --out DIR [--seed 0]`."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from gptstudio.overview.demo_data.files import write_all


def main() -> None:
    """Writes the files and prints the counts of the manifest as one JSON object."""
    parser = argparse.ArgumentParser(prog="gptstudio.overview.demo_data", description="Writes the demo data set.")
    parser.add_argument("--out", type=Path, required=True, help="folder to write the files to")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    manifest = write_all(arguments.out, arguments.seed)
    counts = {name: manifest[name] for name in ("files", "rows", "defects", "topics", "conversations", "personal_data")}
    print(json.dumps(counts, indent=1))


if __name__ == "__main__":
    main()
