"""The door to curation: complete specs in, outcomes out. Runs `python -m datasets_app.curation` as a child."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings

from datasets_app.curation.identity import digest_of
from datasets_app.curation.recipe import parse_recipe
from datasets_app.models import DatasetFile, DatasetVersion, RecipePreview, run_names
from datasets_app.reader_limits import LOOK, WHOLE, limits_for
from datasets_app.recipes import Recipe, for_engine, step
from datasets_app.selectors import curation_secret, files_of_preview, files_of_version, tokenizer
from gptstudio.core import child, storage
from gptstudio.core.disk import room_for
from gptstudio.core.errors import StudioError

CURATION = (sys.executable, "-m", "datasets_app.curation")
BROKEN = "Reading stopped without an answer."
TOO_LONG = "Reading took far longer than files of this size take, so it was stopped."


@dataclass(frozen=True, slots=True)
class Outcome:
    """What curation said: `report` and `digest` when `code` is empty, else a sentence and a fix."""

    code: str = ""
    message: str = ""
    fix: str = ""
    digest: str = ""
    report: dict[str, Any] = field(default_factory=dict)


def _link(files: list[DatasetFile], folder: Path) -> dict[str, str]:
    """Give uploads their own names again, so that readers and ledger see `tickets.csv`, and of two `tickets-2.csv`.

    Returns the paths by the files' ids, in order.
    """
    folder.mkdir(parents=True)
    linked: dict[str, str] = {}
    for file, name in zip(files, run_names(files), strict=True):
        (folder / name).symlink_to(file.path)
        linked[file.id] = str(folder / name)
    return linked


def _unpacked(name: str) -> str:
    """What rows call a file that is packed alone: `tickets.csv` for `tickets.csv.gz`."""
    return name[:-3] if name.lower().endswith(".gz") else name


def _named(body: Recipe, linked: dict[str, str]) -> Recipe:
    """Curation knows files by name; a recipe may name files by id, which no second upload shares."""

    def name(file: str) -> str:
        head, _, part = file.partition("/")  # a member of an archive or a sheet stands behind its file
        if head not in linked:
            return file
        return f"{Path(linked[head]).name}/{part}" if part else Path(linked[head]).name

    found = for_engine(body)
    for each in found["steps"]:
        options = each.get("options", {})
        if "validation_files" in options:
            options["validation_files"] = [name(file) for file in options["validation_files"]]
        if each["kind"] == "edits":
            for part in ("rows", "erased"):
                options[part] = [_renamed(each, name) for each in options.get(part, [])]
    reading = found.get("reading") or {}
    return {**found, "reading": {name(file): parts for file, parts in reading.items()}}


def _renamed(entry: dict[str, Any], name: Callable[[str], str]) -> dict[str, Any]:
    return {**entry, "file": _unpacked(name(entry["file"]))} if "file" in entry else entry


def _as_said(reading: dict[str, Any]) -> list[str]:
    """How a person wants a file read, as arguments of `detect`."""
    return [part for name, value in reading.items() for part in (f"--{name}", str(value))]


def _fresh(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def _last_line(path: Path) -> dict[str, Any]:
    lines = path.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    try:
        found = json.loads(lines[-1]) if lines else {}
    except json.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def detect(file: DatasetFile, *, on_tick: Callable[[], bool]) -> Outcome:
    """See what a file holds; `report` is the detection. `on_tick` is the heartbeat."""
    work = Path(settings.STUDIO_HOME) / "work" / file.id
    try:
        with room_for(f"what is needed to read {file.name}"), storage.beating(on_tick):
            return _detect(file, work=_fresh(work), on_tick=on_tick)
    except StudioError as error:  # no room, or a bucket that does not give it
        return Outcome(error.code, str(error))
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _detect(file: DatasetFile, *, work: Path, on_tick: Callable[[], bool]) -> Outcome:
    (linked,) = _link([file], work / "in").values()
    result = child.run(
        [*CURATION, "detect", *_as_said(file.reading), linked],
        stderr=work / "stderr",
        stdout=work / "stdout",
        cwd=settings.BASE_DIR,
        env={"TMPDIR": str(work)},
        on_tick=on_tick,
        limits=limits_for([file], seconds=LOOK),
    )
    said = _last_line(work / "stdout")
    if result.outcome == "finished":
        return Outcome(report=said)
    if result.outcome == "out_of_time":
        return Outcome("out_of_time", TOO_LONG)
    return Outcome(code=result.outcome, message=str(said.get("error") or BROKEN))


def preview(asked: RecipePreview, *, on_tick: Callable[[dict[str, Any]], bool]) -> Outcome:
    """Count what a recipe would do to a sample of the rows; `report` is the count. Nothing is left behind."""
    work = _fresh(Path(settings.STUDIO_HOME) / "work" / f"{asked.id}.{asked.attempt}")
    try:
        files = list(files_of_preview(asked))
        with storage.beating(lambda: on_tick({"step": "preview"})):
            linked = _link(files, work / "in")
        recipe = work / "recipe.json"
        recipe.write_text(json.dumps(_named(asked.recipe, linked)), encoding="utf-8")
        result = child.run(
            [
                *(*CURATION, "preview", "--recipe", str(recipe)),
                *(*_counting(asked.recipe, asked.dataset.workspace_id), "--in", *linked.values()),
            ],
            stderr=work / "stderr",
            stdout=work / "stdout",
            cwd=settings.BASE_DIR,
            env={"CURATION_SECRET": curation_secret(asked.dataset.workspace_id), "TMPDIR": str(work)},
            on_tick=lambda: on_tick({"step": "preview"}),
            limits=limits_for(files, seconds=LOOK),
        )
        said = _last_line(work / "stdout")
    except StudioError as error:
        return Outcome(error.code, error.message, error.fix)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    if result.outcome == "finished":
        return Outcome(report=said)
    if result.outcome == "out_of_time":
        return Outcome("out_of_time", TOO_LONG)
    code = "cancelled" if result.outcome == "stopped" else result.outcome
    return Outcome(code=code, message=str(said.get("error") or BROKEN))


class _Progress:
    """Reads the lines that curation has written since the last look."""

    def __init__(self, path: Path) -> None:
        self.path, self.offset = path, 0
        self.last: dict[str, Any] = {}
        self.final: dict[str, Any] = {}

    def read(self) -> dict[str, Any]:
        if not self.path.exists():
            return self.last
        with self.path.open("rb") as stream:
            stream.seek(self.offset)
            for line in stream:
                if not line.endswith(b"\n"):
                    break
                self.offset += len(line)
                self._take(json.loads(line))
        return self.last

    def _take(self, said: dict[str, Any]) -> None:
        if said.get("kind") == "progress":
            self.last = {"step": said.get("step"), "done": said.get("done"), "total": said.get("total")}
        else:
            self.final = said


def _argv(version: DatasetVersion, *, files: list[str], recipe: Path, out: Path) -> list[str]:
    argv = [*CURATION, "run", "--index", "--recipe", str(recipe), "--out", str(out)]
    return [*argv, *_counting(version.recipe, version.dataset.workspace_id), "--in", *files]


def _counting(body: Recipe, workspace_id: str) -> list[str]:
    """The tokenizer of the base model that a recipe counts for, as an argument."""
    try:
        options = step(body, "tokens").get("options", {})
    except KeyError:
        options = {}
    found = tokenizer(workspace_id, str(options.get("model", settings.STARTER_NAME)))
    return ["--tokenizer", str(found.path)] if found is not None else []


def build(version: DatasetVersion, *, on_tick: Callable[[dict[str, Any]], bool]) -> Outcome:
    """Build a version into its folder, and copy that to the bucket where there is one. `on_tick` gets the progress and says
    whether to go on.
    """
    work = Path(settings.STUDIO_HOME) / "work" / f"{version.id}.{version.attempt}"
    into = storage.place(version.stored)
    try:
        with room_for("the version"), storage.beating(lambda: on_tick(version.progress)):
            into.parent.mkdir(parents=True, exist_ok=True)
            outcome = _build(version, work=_fresh(work), on_tick=on_tick, into=into)
            if not outcome.code:
                storage.keep(version.stored)
            return outcome
    except StudioError as error:
        return Outcome(error.code, error.message, error.fix)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def rebuild(version: DatasetVersion) -> Outcome:
    """Build a version once more, to compare its digest; what it makes is thrown away."""
    work = _fresh(Path(settings.STUDIO_HOME) / "work" / f"{version.id}.again")
    try:
        return _build(version, work=work, on_tick=lambda _progress: True, into=None)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def stored_digest(version: DatasetVersion) -> str | None:
    """The digest of a version's files as they lie there; None where only making it again would tell.

    Raises OSError or pyarrow's ArrowException for files that cannot be read.
    """
    files = list(files_of_version(version))
    names = {file.id: name for file, name in zip(files, run_names(files), strict=True)}
    return digest_of(version.folder, parse_recipe(_named(version.recipe, names)))


def _build(
    version: DatasetVersion, *, work: Path, on_tick: Callable[[dict[str, Any]], bool], into: Path | None
) -> Outcome:
    read = list(files_of_version(version))
    linked = _link(read, work / "in")
    recipe = work / "recipe.json"
    recipe.write_text(json.dumps(_named(version.recipe, linked)), encoding="utf-8")
    progress = _Progress(work / "stdout")
    result = child.run(
        _argv(version, files=list(linked.values()), recipe=recipe, out=work / "out"),
        stderr=work / "stderr",
        stdout=work / "stdout",
        cwd=settings.BASE_DIR,
        env={"CURATION_SECRET": curation_secret(version.dataset.workspace_id), "TMPDIR": str(work)},
        on_tick=lambda: on_tick(progress.read()),
        limits=limits_for(read, seconds=WHOLE),
    )
    progress.read()
    if result.outcome == "finished" and on_tick(progress.last):  # a worker that lost its lease moves nothing any more
        report = json.loads((work / "out" / "report.json").read_text(encoding="utf-8"))
        if into is not None:
            shutil.rmtree(into, ignore_errors=True)
            os.replace(work / "out", into)
        return Outcome(report=report, digest=str(progress.final.get("digest", "")))
    if result.outcome in ("stopped", "finished"):
        return Outcome(code="cancelled", message="Stopped before it was ready.")
    if result.outcome == "out_of_memory":
        return Outcome("out_of_memory", "Curating took more memory than there is.", "Use smaller files.")
    if result.outcome == "out_of_time":
        return Outcome("out_of_time", TOO_LONG, "Use smaller files.")
    said = progress.final
    fix = str(said.get("fix", "")) or "The server's log has the details; the files are kept."
    return Outcome(str(said.get("code", "failed")), str(said.get("message", BROKEN)), fix)
