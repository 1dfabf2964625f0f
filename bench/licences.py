"""Fail when a package that we install carries a licence that an on-premises product cannot live with."""

from __future__ import annotations

import json
import subprocess
import sys

REFUSED = ("AGPL", "GNU Affero", "SSPL", "Commons Clause", "Non-Commercial")


def main() -> int:
    found = subprocess.run(
        [sys.executable, "-m", "piplicenses", "--format=json"], check=True, capture_output=True, text=True
    )
    packages = json.loads(found.stdout)
    bad = [f"{each['Name']}: {each['License']}" for each in packages if any(no in each["License"] for no in REFUSED)]
    print("\n".join(bad) if bad else f"{len(packages)} packages, no licence that is refused.")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
