"""The road's steps through the real services, with two accounts: one makes, the other releases."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from datasets_app import selectors as data
from datasets_app import services as data_services
from datasets_app.models import Dataset, DatasetFile, DatasetVersion, FileState, VersionState
from datasets_app.recipes import recipe, step
from gptstudio.accounts import policies
from gptstudio.accounts import selectors as people
from gptstudio.accounts import services as people_services
from gptstudio.accounts.models import ReleasePolicy, Role, User, Workspace
from gptstudio.accounts.policies import Actor
from gptstudio.core.errors import Conflict, Unavailable
from gptstudio.review.services import decide
from serving_app import selectors as serving
from serving_app import services as serving_services
from training_app import selectors as training
from training_app import services as training_services
from training_app.models import FineTuningJob, JobState, LanguageModel

MAKER, REVIEWER, WORKSPACE = "maker@demo.example", "reviewer@demo.example", "Demo"
DEPLOYMENT = "support"
CHUNK = 1 << 20
Say = Callable[[str], None]


@dataclass(slots=True)
class Road:
    """Where the demo stands; each step fills in what it made."""

    say: Say
    maker: Actor
    reviewer: Actor
    workspace: Workspace
    user: User
    dataset: Dataset | None = None
    version: DatasetVersion | None = None
    job: FineTuningJob | None = None
    model: LanguageModel | None = None
    secret: str = ""
    canaries: list[str] = field(default_factory=list)
    shown: set[str] = field(default_factory=set)


def begin(say: Say) -> Road:
    """Two accounts in a workspace where whoever trains cannot release."""
    ready = people_services.bootstrap(email=MAKER, workspace_name=WORKSPACE, release_policy=ReleasePolicy.TWO_PERSON)
    reviewer = people.user_by_email(REVIEWER) or people_services.create_user(email=REVIEWER)
    if reviewer.has_usable_password():
        raise Conflict(f"Somebody signed up as {REVIEWER}.", fix="Close that account: the demo needs the address.")
    studio = policies.system(ready.workspace.id, label="demo")
    second = people_services.add_member(studio, workspace_id=ready.workspace.id, user=reviewer, role=Role.REVIEWER)
    training_services.ensure_starter()
    return Road(
        say=say,
        maker=people.actor_of_member(ready.membership),
        reviewer=people.actor_of_member(second),
        workspace=ready.workspace,
        user=ready.user,
    )


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk


def upload(road: Road, files: list[Path], *, name: str) -> None:
    """Step 1: the files as they are."""
    road.dataset = data_services.create_dataset(road.maker, workspace_id=road.workspace.id, name=name)
    for path in files:
        data_services.add_file(road.maker, dataset=road.dataset, name=path.name, chunks=_chunks(path))
        road.say(f"{path.name}, {path.stat().st_size / 1024:,.0f} KB")


def _wait(what: str, look: Callable[[], str | None], *, seconds: float) -> None:
    """Look every half second until `look` returns None; a stuck step ends with a sentence."""
    deadline = time.monotonic() + seconds
    while (waiting_for := look()) is not None:
        if time.monotonic() > deadline:
            raise Unavailable(f"{what} took more than {seconds / 60:.0f} minutes ({waiting_for}).", fix="See the log.")
        time.sleep(0.5)


def detect(road: Road) -> None:
    """Step 2: what is in them."""
    assert road.dataset is not None  # noqa: S101 - the steps run in order
    dataset = road.dataset

    def look() -> str | None:
        waiting = [file.name for file in data.live_files(dataset) if file.state == FileState.UPLOADED]
        return ", ".join(waiting) or None

    _wait("Reading the files", look, seconds=300)
    for file in data.live_files(dataset):
        _tell_file(road, file)


def _tell_file(road: Road, file: DatasetFile) -> None:
    if file.state == FileState.ERROR:
        raise Conflict(f"{file.name} cannot be read: {file.error}", fix="Use another file.")
    found = file.detection
    road.say(f"{file.name}: {found.get('rows', 0):,} rows, {found.get('format')}, {found.get('encoding')}")
    for finding in found.get("findings", [])[:3]:
        road.say(f"  {finding['message']}")


def curate(road: Road) -> None:
    """Step 3: cleaned, personal data hidden, duplicates handled, split without leaks, within the token limit."""
    assert road.dataset is not None  # noqa: S101
    body = recipe(train=0.8, validation=0.1, test=0.1)
    step(body, "tokens")["options"].update(model="studio-starter-1", limit=512)
    body["canaries"] = road.canaries
    version = data_services.create_version(road.maker, dataset=road.dataset, recipe=body)

    def look() -> str | None:
        version.refresh_from_db()
        done = version.state in (VersionState.READY, VersionState.FAILED, VersionState.CANCELLED)
        return None if done else str(version.progress.get("step") or version.state)

    _wait("Curating", look, seconds=900)
    if version.state != VersionState.READY:
        raise Conflict(f"Curating failed: {version.error.get('message')}", fix=version.error.get("fix", ""))
    road.version = version
    rows, splits = version.report["rows"], version.report["splits"]
    road.say(f"{rows['kept']:,} of {rows['in']:,} rows kept; left out: {rows['dropped']}")
    road.say(f"personal data hidden: {version.report['personal_data']}")
    road.say(
        f"train {splits['train']}, validation {splits['validation']}, test {splits['test']}, leaks {splits['leaks']}"
    )


def train(road: Road) -> None:
    """Step 4: a fine-tune of the starter, with the preset for a quick look."""
    assert road.version is not None  # noqa: S101
    road.job = training_services.create_job(
        road.maker,
        workspace_id=road.workspace.id,
        base_model=training.start_named(road.workspace.id, "studio-starter-1"),
        version=road.version,
        preset="quick",
        name="Demo fine-tune",
        suffix="demo",
    )
    _follow(road, until=("evaluate", "safety", "release"))


def evaluate(road: Road) -> None:
    """Step 5: base and fine-tune on the test rows, and the safety checks."""
    _follow(road, until=())
    assert road.job is not None  # noqa: S101
    road.model = training.model_of_job(road.job)
    if road.model is None or (verdict := training.evaluation_of(road.model)) is None:
        raise Conflict("The fine-tune left no model behind.", fix="See its log on the dashboard.")
    for name in ("perplexity", "bleu", "rougeL"):
        base, tuned = verdict.base_scores.get(name), verdict.tuned_scores.get(name)
        road.say(f"{name}: base {base:,.2f}, fine-tune {tuned:,.2f}")
    road.say("safety checks passed" if verdict.is_safe else "a safety check failed: the reviewer sees which")


def _follow(road: Road, *, until: tuple[str, ...]) -> None:
    assert road.job is not None  # noqa: S101
    job, shown = road.job, road.shown

    def look() -> str | None:
        job.refresh_from_db()
        for event in training.events_of(job):
            if event.id not in shown and event.kind not in ("metric", "checkpoint"):
                road.say(event.message)
            shown.add(event.id)
        over = job.state in (JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED, JobState.PAUSED)
        return None if over or job.phase in until else f"{job.phase} {job.progress}"

    _wait("The fine-tune", look, seconds=3600)
    if job.state not in (JobState.SUCCEEDED, JobState.RUNNING):
        raise Conflict(f"The fine-tune is {job.state}: {job.error.get('message', '')}", fix=job.error.get("fix", ""))


def release(road: Road) -> None:
    """Step 6: the maker asks, the reviewer decides with a reason."""
    assert road.model is not None  # noqa: S101
    item = training_services.request_release(road.maker, model=road.model)
    decide(road.reviewer, item=item, verdict="approved", reason="Scores beat the base model; safety report read.")
    road.say(f"{REVIEWER} approved {road.model.name}")


def deploy(road: Road) -> None:
    """Step 7: a stable name for it, answered by an engine."""
    assert road.model is not None  # noqa: S101
    model = road.model
    targets = [{"model": model.id, "weight": 100}]
    deployment = serving.deployment_named(road.workspace.id, DEPLOYMENT)
    if deployment is None:
        serving_services.create_deployment(road.maker, workspace_id=road.workspace.id, name=DEPLOYMENT, targets=targets)
    else:
        serving_services.update_deployment(road.maker, deployment=deployment, targets=targets)
    _wait(
        "Loading the model",
        lambda: None if serving.answers(model) else "no engine answers for it yet",
        seconds=180,
    )
    road.say(f"{DEPLOYMENT} answers with {model.name}")
    _key, road.secret = people_services.issue_key(
        road.maker, workspace_id=road.workspace.id, name="demo", scopes=["chat", "models:read", "usage:read"]
    )


def question(road: Road) -> tuple[list[dict[str, str]], str]:
    """A test row that the model never saw: its messages up to the last answer, and that answer."""
    assert road.version is not None  # noqa: S101
    rows, _total = data.rows_page(road.version, split="test", limit=20)
    if not rows:
        raise Conflict("No row is left for the test split, so there is nothing to ask.", fix="Use a larger file.")
    messages: list[dict[str, Any]] = min(rows, key=lambda row: abs(len(row["messages"][-1]["content"]) - 120))[
        "messages"
    ]
    return [{"role": each["role"], "content": each["content"]} for each in messages[:-1]], messages[-1]["content"]
