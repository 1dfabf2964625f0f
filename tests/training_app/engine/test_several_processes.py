"""Two processes that train one model behind `torchrun`: the same run as one, with one log, one folder, one end."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from gptstudio.core.child import Result
from tests.training_app.engine.conftest import patient_engine
from training_app.endings import Kills, how_ended
from training_app.engine.__main__ import _ranks as ranks_of_start
from training_app.engine.arguments import share_of_step
from training_app.engine.command import execute
from training_app.engine.errors import EngineError
from training_app.engine.ranks import Follower, Ranks
from training_app.engine.spec import parse_train
from training_app.engine.stopping import StopRequest

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[3]
ENGINE = ["-m", "training_app.engine"]
TORCHRUN = [
    sys.executable,
    "-m",
    "torch.distributed.run",
    "--standalone",
    "--local-addr",
    "127.0.0.1",
    "--nproc-per-node",
    "2",
]
Run = Callable[..., tuple[int, list[dict[str, Any]]]]
Write = Callable[..., Path]


def run_together(
    spec: Path, *, engine: Sequence[str] = ENGINE, at: int | None = None, act: Callable[[int], None] = lambda _pid: None
) -> int:
    """To the end; at the metric of step `at`, `act` gets the process id of torchrun."""
    with (spec.parent / "stderr").open("a") as stderr:
        running = subprocess.Popen(
            [*TORCHRUN, *engine, "train", str(spec)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)},
        )
    assert running.stdout is not None
    for line in running.stdout:
        event = json.loads(line)
        if event["kind"] == "metric" and event["data"]["step"] == at:
            act(running.pid)
    return running.wait(timeout=240)


def changed_engine(folder: Path, change: str) -> list[str]:
    """The engine after some lines of Python; `trainer` is its module of that name, `rank` the process's number."""
    script = folder / "engine.py"
    script.write_text(
        "import os, sys\nfrom training_app.engine import trainer\nfrom training_app.engine.__main__ import main\n"
        f"rank = int(os.environ['RANK'])\n{change}\nsys.exit(main(sys.argv[1:]))\n"
    )
    return [str(script)]


def events_of(spec: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (spec.parent / "events.jsonl").read_text().splitlines()]


def curve(events: list[dict[str, Any]]) -> list[float]:
    """Training losses and gradient norms, validation losses and scores, in their order."""
    names = ("loss", "grad_norm", "accuracy")
    return [
        each["data"][name]
        for each in events
        if each["kind"] in ("metric", "evaluation")
        for name in names
        if name in each["data"]
    ]


def kinds(events: list[dict[str, Any]]) -> list[str]:
    """In their order; how many sample answers are taken after the first hangs on the time that they take."""
    found = [each["kind"] for each in events]
    first = found.index("sample")
    return [kind for place, kind in enumerate(found) if kind != "sample" or place == first]


def preferring_short(count: int) -> list[list[tuple[str, str]]]:
    return [
        [("user", f"Please do {index}" + "!" * (index % 4)), ("assistant", "ok"), ("rejected", "no, no")]
        for index in range(count)
    ]


def follower(torchrun: int) -> int:
    """The process id of the rank that does not lead."""
    found = {}
    for child in Path(f"/proc/{torchrun}/task/{torchrun}/children").read_text().split():
        environment = dict(
            pair.split("=", 1) for pair in Path(f"/proc/{child}/environ").read_text().split("\0") if "=" in pair
        )
        found[environment.get("RANK")] = int(child)
    return found["1"]


@pytest.fixture
def content(train_content: dict[str, Any], still_model: Path) -> dict[str, Any]:
    """46 rows in steps of 8: the last step of each pass has 6, and the last rows suffice for one process alone."""
    train_content["base_model"]["path"] = str(still_model)
    train_content["hyperparameters"] |= {"precision": "float32", "micro_batch_size": 2, "label_smoothing": 0.0}
    return train_content


@pytest.mark.parametrize("kind", ["adapter", "full, few logits at once", "pairs, few logits at once"])
def test_two_processes_learn_what_one_learns(
    kind: str,
    content: dict[str, Any],
    make_split: Callable[..., Path],
    write_run: Write,
    run_engine: Run,
    tmp_path: Path,
) -> None:
    content["method"] = "lora" if kind == "adapter" else "full"
    content["hyperparameters"]["lora"]["dropout"] = 0.0
    if kind.startswith("full"):
        content["hyperparameters"]["label_smoothing"] = 0.1
    if kind.startswith("pairs"):
        content["data"] = {
            name: str(make_split(name, preferring_short(count))) for name, count in (("train", 41), ("validation", 7))
        }
        content["hyperparameters"] |= {"objective": "dpo", "learning_rate": 0.002}
    alone, both = write_run("alone", content), write_run("both", content)
    code, expected = run_engine("train", alone)
    assert code == 0
    few = changed_engine(tmp_path, "trainer.MOST_LOGITS = 3 * 261")

    code = run_together(both, engine=few if "few" in kind else ENGINE)

    assert code == 0, (both.parent / "stderr").read_text()[-3000:]
    found = events_of(both)
    assert curve(found) == pytest.approx(curve(expected), rel=2e-3, abs=1e-4)
    assert [event["seq"] for event in found] == list(range(1, len(found) + 1)), "one log"
    assert kinds(found) == kinds(expected)
    plans = [each["data"] for each in (*found, *expected) if each["kind"] == "plan"]
    assert [each["processes"] for each in plans] == [2, 1]
    ended = [each["data"] for each in (*found, *expected) if each["kind"] == "finished"]
    assert ended[0]["trained_tokens"] == ended[1]["trained_tokens"]
    assert {path.name for path in both.parent.iterdir()} - {"stderr"} == {path.name for path in alone.parent.iterdir()}


def test_two_processes_that_were_stopped_and_killed_end_with_the_same_weights(
    train_content: dict[str, Any], write_run: Write, tmp_path: Path
) -> None:
    """First both are asked to stop and save, then one is killed; attention has dropout, so random numbers count."""
    whole, torn = write_run("whole", train_content), write_run("torn", train_content)
    assert run_together(whole) == 0

    patient = patient_engine(tmp_path, step=3)
    assert run_together(torn, engine=[str(patient)], at=3, act=lambda torchrun: os.kill(torchrun, signal.SIGTERM)) != 0
    stopped = events_of(torn)
    assert [each["kind"] for each in stopped[-3:]] == ["checkpoint", "kept", "notice"]
    assert "can go on from it" in stopped[-1]["data"]["message"]

    def kill(torchrun: int) -> None:
        os.kill(follower(torchrun), signal.SIGKILL)
        patient.with_suffix(".told").touch()

    patient.with_suffix(".told").unlink()
    patient = patient_engine(tmp_path, step=8)
    assert run_together(torn, engine=[str(patient)], at=8, act=kill) != 0
    killed = events_of(torn)[len(stopped) :]
    assert killed[0]["data"]["resumed_from"] == stopped[-3]["data"]["step"]
    assert killed[-1]["data"]["message"].startswith("Another process of this run ended")
    report = (torn.parent / "stderr").read_text()[-4000:]
    assert how_ended(Result("failed", 1, report), Kills(), processes=2) == "killed"
    assert run_together(torn) == 0

    weights = [(spec.parent / "model" / "model.safetensors").read_bytes() for spec in (whole, torn)]
    assert weights[0] == weights[1]


def test_too_little_memory_in_one_of_two_processes_is_the_end_that_the_log_and_the_studio_see(
    train_content: dict[str, Any], write_run: Write, tmp_path: Path
) -> None:
    spec = write_run("memory", train_content)
    change = "def fail(*_, **__): raise MemoryError\nif rank == 1: trainer.AnswerTrainer._answers = fail"
    code = run_together(spec, engine=changed_engine(tmp_path, change))
    assert code != 0 and events_of(spec)[-1]["kind"] == "out_of_memory"
    report = (spec.parent / "stderr").read_text()[-4000:]
    assert how_ended(Result("failed", code, report), Kills(), processes=2) == "out_of_memory"


def test_a_lone_process_sees_one_gpu_and_several_see_all(monkeypatch: pytest.MonkeyPatch) -> None:
    for size, given, seen in (("1", None, "0"), ("1", "2,3", "2"), ("1", "", ""), ("2", "2,3", "2,3")):
        for name, value in (("WORLD_SIZE", size), ("RANK", "0"), ("LOCAL_RANK", "0"), ("CUDA_VISIBLE_DEVICES", given)):
            monkeypatch.setenv(name, value or "")
            if value is None:
                monkeypatch.delenv(name)
        assert ranks_of_start().size == int(size)
        assert os.environ["CUDA_VISIBLE_DEVICES"] == seen


def test_a_step_that_cannot_be_shared_evenly_is_refused(train_content: dict[str, Any], tmp_path: Path) -> None:
    parameters = parse_train(train_content, tmp_path).hyperparameters
    assert [share_of_step(parameters, count) for count in (1, 2, 4, 8)] == [(4, 2), (4, 1), (2, 1), (1, 1)]
    with pytest.raises(EngineError, match="8 rows .batch size 4 x accumulation 2., which 3 processes cannot share"):
        share_of_step(parameters, 3)


def test_what_is_no_training_is_refused_in_company(train_content: dict[str, Any], write_run: Write) -> None:
    mirror = io.StringIO()
    assert execute("evaluate", write_run("both", train_content), mirror, StopRequest(), Ranks(0, 2, "now")) == 1
    assert json.loads(mirror.getvalue())["data"]["code"] == "one_process"


def test_what_ended_another_process_is_heard_once_and_only_from_this_start(tmp_path: Path) -> None:
    leading, before = Ranks(0, 3, "now"), Ranks(2, 3, "before")
    Follower(before, tmp_path).write("failed", message="long ago")
    assert leading.told(tmp_path) is None
    follower = Follower(Ranks(2, 3, "now"), tmp_path)
    follower.write("metric", step=1)
    assert leading.told(tmp_path) is None
    follower.write("failed", message="no disk")
    assert leading.told(tmp_path) == ("failed", {"message": "no disk"})
    assert leading.told(tmp_path) is None
