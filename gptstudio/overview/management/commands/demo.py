"""`manage.py demo`: the whole road, from a messy file to an answer and its bill."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error as DatabaseError

from gptstudio.core.errors import StudioError
from gptstudio.overview.demo import answer, road, studio
from gptstudio.overview.demo_data.files import write_all
from gptstudio.overview.sign_in import link
from training_app import selectors as training


class Command(BaseCommand):
    help = "Upload, curate, train, evaluate, release, deploy, ask, pay: on the project's own data or on --data FILE."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--data", help="a file of your own instead of the generated set")
        parser.add_argument("--keep", action="store_true", help="leave the studio running")

    def handle(self, *_args: Any, **options: Any) -> None:
        self.seconds: dict[str, float] = {}
        self.is_generated = not options["data"]
        self.began = time.monotonic()
        folder = Path(settings.STUDIO_HOME) / "demo"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with self.step("data"):
                files, canaries = self.files(options["data"], folder)
            studio.choose_ports()
            call_command("prepare", stdout=StringIO())
            with self.step("start"):
                running = studio.Studio(keep=options["keep"]).__enter__()
            with _closing(running):
                self.travel(files, canaries, folder)
        except StudioError as error:
            raise CommandError(f"The demo stopped: {error}") from error
        except OSError as error:
            where = f" ({error.filename})" if error.filename else ""
            raise CommandError(f"The demo stopped: {error.strerror or error}{where}.") from error
        except DatabaseError as error:
            raise CommandError(f"The demo stopped: the database does not answer. {error}") from error
        if options["keep"]:
            self.stdout.write(f"\nThe studio is still running: {settings.PUBLIC_URL}")

    def files(self, own: str | None, folder: Path) -> tuple[list[Path], list[str]]:
        """The file(s) to upload, and the canaries planted in them."""
        if own:
            path = Path(own).expanduser()
            if not path.is_file():
                raise CommandError(f"There is no file {path}. Give DATA the path of a CSV, JSON or JSONL file.")
            return [path], []
        shutil.rmtree(folder / "data", ignore_errors=True)
        manifest = write_all(folder / "data", 0)
        return [folder / "data" / name for name in manifest["files"]], list(manifest["canaries"])

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Print a step's name, and its time when it is done."""
        self.stdout.write(f"\n[{time.monotonic() - self.began:5.0f} s] {name}")
        self.stdout.flush()
        start = time.monotonic()
        yield
        self.seconds[name] = round(time.monotonic() - start, 2)

    def say(self, line: str) -> None:
        self.stdout.write(f"          {line}")
        self.stdout.flush()

    def travel(self, files: list[Path], canaries: list[str], folder: Path) -> None:
        """All the steps, then summary.json."""
        here = road.begin(self.say)
        here.canaries = canaries
        with self.step("upload"):
            road.upload(here, files, name="Demo support data" if canaries else files[0].stem)
        steps: list[tuple[str, Callable[[road.Road], None]]] = [
            ("detect", road.detect),
            ("curate", road.curate),
            ("train", road.train),
            ("evaluate", road.evaluate),
            ("release", road.release),
            ("deploy", road.deploy),
        ]
        for name, take in steps:
            with self.step(name):
                take(here)
        with self.step("answer"):
            messages, reference = road.question(here)
            given = answer.ask(here, messages)
            paid, counted = answer.bill(here, given)
        self.seconds["total"] = round(time.monotonic() - self.began, 2)
        self.conclude(here, folder, messages, reference, given, paid, counted)

    def conclude(
        self,
        here: road.Road,
        folder: Path,
        messages: list[dict[str, str]],
        reference: str,
        given: answer.Answer,
        paid: dict[str, Any],
        counted: dict[str, int],
    ) -> None:
        """Write summary.json, check its sums, say goodbye."""
        assert here.version is not None and here.model is not None  # noqa: S101 - the road was travelled
        verdict = training.evaluation_of(here.model)
        assert verdict is not None  # noqa: S101 - the evaluate step made sure
        report = here.version.report
        scores = ("perplexity", "bleu", "rougeL")
        summary = {
            "version": 1,
            "rows": {name: report["rows"][name] for name in ("in", "kept", "dropped")},
            "splits": {name: report["splits"][name] for name in ("train", "validation", "test", "leaks")},
            "base": {name: verdict.base_scores[name] for name in scores},
            "tuned": {name: verdict.tuned_scores[name] for name in scores},
            "question": messages[-1]["content"],
            "answer": given.text,
            "usage": paid,
            "engine_usage": counted,
            "seconds": self.seconds,
        }
        staging = folder / ".summary.json"
        staging.write_text(json.dumps(summary, indent=2, ensure_ascii=False), encoding="utf-8")
        staging.replace(folder / "summary.json")
        self.stdout.write(f"\n  Question   {messages[-1]['content']}")
        self.stdout.write(f"  Answer     {given.text}")
        self.stdout.write(f"  Reference  {reference}")
        tokens = f"{paid['prompt_tokens']} + {paid['completion_tokens']} tokens"
        self.stdout.write(f"  Bill       {tokens}, {paid['cost_micro'] / 1e6:.6f} ({paid['request_id']})")
        self.stdout.write(f"  Dashboard  {link(here.user)}")
        self.stdout.write(f"  Summary    {folder / 'summary.json'}")
        self.check_promises(summary)

    def check_promises(self, summary: dict[str, Any]) -> None:
        """The promises of the road; a broken one is a failed demo."""
        rows, splits, usage = summary["rows"], summary["splits"], summary["usage"]
        promises = {
            "rows in = kept + dropped": rows["in"] == rows["kept"] + sum(rows["dropped"].values()),
            "kept = train + validation + test": rows["kept"] == splits["train"] + splits["validation"] + splits["test"],
            "no test row has a near-copy in training": splits["leaks"] == 0,
            "the bill equals the engine's count": all(
                usage[name] == summary["engine_usage"][name] for name in ("prompt_tokens", "completion_tokens")
            ),
        }
        if self.is_generated:  # on a file of one's own a fine-tune may learn less, and that is no failure of the road
            base, tuned = summary["base"], summary["tuned"]
            promises["perplexity is at most half of the base model's"] = tuned["perplexity"] <= base["perplexity"] / 2
            promises["ROUGE-L is at least twice the base model's"] = tuned["rougeL"] >= 2 * base["rougeL"]
        broken = [name for name, kept in promises.items() if not kept]
        if broken:
            raise CommandError(f"The demo ended, but these do not hold: {'; '.join(broken)}.")


@contextmanager
def _closing(running: studio.Studio) -> Iterator[None]:
    """Stop the studio at the end, also when a step failed."""
    try:
        yield
    except BaseException as error:
        running.__exit__(type(error), error, error.__traceback__)
        raise
    running.__exit__(None, None, None)
