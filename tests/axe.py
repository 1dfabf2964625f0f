"""axe-core, Deque's checks of pages for people who cannot see or point well. `make test` puts it beside Node's client."""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

INSTALLED = Path(sys.prefix) / "node_client" / "node_modules" / "axe-core" / "axe.min.js"
THEME = ("color-contrast", "link-in-text-block")  # what hangs on colours alone
WIDTH = ("target-size", "scrollable-region-focusable")  # what hangs on the room there is
RUN = """async (only) => {
  for (let frame = 0; frame < 2; frame++) await new Promise(requestAnimationFrame);  // what follows the width has followed
  const chosen = only.length ? {runOnly: {type: "rule", values: only}} : {};
  const found = await axe.run(document, {...chosen, rules: {"target-size": {enabled: true}}, resultTypes: ["violations"]});
  const serious = found.violations.filter((each) => ["serious", "critical"].includes(each.impact));
  const line = (rule, node) => `${rule}: ${node.target.join(" ")}: ${node.failureSummary.replace(/\\s+/g, " ")}`;
  return serious.flatMap((each) => each.nodes.map((node) => line(each.id, node)));
}"""


@cache
def _source() -> str:
    if not INSTALLED.is_file():
        pytest.fail("axe-core is not installed: run make test.")
    return INSTALLED.read_text(encoding="utf-8")


def findings(page: Any, *only: str) -> list[str]:
    """What is serious or critical on the open page, by these rules or by all, one line each."""
    if not page.evaluate("() => typeof axe === 'object'"):
        page.evaluate(_source())
    found: list[str] = page.evaluate(RUN, list(only))
    return found
