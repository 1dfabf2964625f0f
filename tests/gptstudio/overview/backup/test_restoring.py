"""A studio with one of everything, backed up here and restored by the real command into a home and database of its own."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from gptstudio.core.digests import file_digest
from gptstudio.core.errors import Conflict, Invalid, Unavailable
from gptstudio.overview.backup import database, files, manifest
from gptstudio.overview.backup.making import make
from gptstudio.overview.backup.restoring import restore
from tests.s3 import new_bucket
from tests.worlds import World
from training_app.models import LanguageModel

ROOT = Path(__file__).resolve().parents[4]
pytestmark = pytest.mark.django_db(transaction=True)


@dataclass(frozen=True)
class Empty:
    """A home and a database that nobody has used."""

    home: Path
    env: dict[str, str]

    def manage(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "manage.py", *arguments]
        return subprocess.run(command, cwd=ROOT, env=self.env, capture_output=True, text=True, check=False, timeout=300)


@pytest.fixture
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Empty]:
    home = tmp_path_factory.mktemp("restored") / "home"
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG")}
    env = {**kept, "STUDIO_HOME": str(home), "SECRET_KEY": settings.SECRET_KEY}
    env["DJANGO_SETTINGS_MODULE"] = "gptstudio.settings.local"
    if connection.vendor == "sqlite":
        yield Empty(home, env)
        return
    name = f"studio_restored_{uuid.uuid4().hex[:10]}"
    at = connection.settings_dict
    with connection.cursor() as cursor:
        cursor.execute(f"create database {name}")
    yield Empty(
        home, {**env, "DATABASE_URL": f"postgres://{at['USER']}:{at['PASSWORD']}@{at['HOST']}:{at['PORT']}/{name}"}
    )
    with connection.cursor() as cursor:
        cursor.execute(f"drop database {name} with (force)")


@pytest.fixture
def world(world: World) -> World:
    """As in a real studio, every model has a folder."""
    for model in LanguageModel.objects.all():
        model.path.mkdir(parents=True, exist_ok=True)
        (model.path / "config.json").touch()
    return world


@pytest.fixture
def backup(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder, _found = make(tmp_path_factory.mktemp("backups"), with_secrets=True)
    return folder


def rewritten(folder: Path, **changed: object) -> None:
    """The manifest as another studio would have written it."""
    manifest.write(folder, replace(manifest.read(folder), **changed))


def test_a_restored_studio_has_every_file_by_its_digest_every_row_and_a_whole_audit_log(
    world: World, starter, backup: Path, empty: Empty
) -> None:
    outcome = empty.manage("restore", "--from", str(backup))
    assert outcome.returncode == 0, outcome.stderr
    assert "audit log is whole" in outcome.stdout
    home = Path(settings.STUDIO_HOME)
    before = {path.relative_to(home): (file_digest(path), path.stat().st_mode) for path in files.lasting(home)}
    after = {
        path.relative_to(empty.home): (file_digest(path), path.stat().st_mode) for path in files.lasting(empty.home)
    }
    assert after == before and world.file.path.relative_to(home) in after
    assert empty.manage("verify_audit").returncode == 0
    verified = empty.manage("verify_model", starter.id)
    assert verified.returncode == 0, verified.stderr
    again = empty.manage("backup", "--to", str(empty.home.parent / "again"))
    assert again.returncode == 0, again.stderr
    assert rows_of(next((empty.home.parent / "again").iterdir()), empty) == rows_of(backup, empty)


def test_with_a_bucket_what_this_machine_has_not_is_in_the_backup_and_in_the_bucket_it_is_restored_to(
    bucket, world: World, starter, empty: Empty, tmp_path_factory: pytest.TempPathFactory
) -> None:
    home = Path(settings.STUDIO_HOME)
    file, model = world.file.path.relative_to(home), starter.path.relative_to(home)
    shutil.rmtree(home / "uploads")
    shutil.rmtree(home / model)
    folder, found = make(tmp_path_factory.mktemp("backups"), with_secrets=True)
    assert f"home/{file}" in {each.path for each in found.files} and not (home / file).exists()

    other = new_bucket(bucket.server, settings)
    empty.env.update(other.environment())
    outcome = empty.manage("restore", "--from", str(folder))
    assert outcome.returncode == 0, outcome.stderr
    assert str(file) in other.held() and f"{model}.json" in other.held()
    shutil.rmtree(empty.home / "artifacts")
    verified = empty.manage("verify_model", starter.id)
    assert verified.returncode == 0, verified.stderr + verified.stdout


def rows_of(folder: Path, empty: Empty) -> list[str]:
    """Every row of a backup's database, as text in an order of its own."""
    if connection.vendor == "postgresql":
        command = ["pg_restore", "--data-only", "--file=-", str(folder / "database.dump")]
        text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        return sorted(line for line in text.splitlines() if not line.startswith(("--", "\\")))
    import sqlite3

    with sqlite3.connect(folder / "database.sqlite3") as opened:
        return sorted(opened.iterdump())


def test_what_runs_while_a_backup_is_made_does_not_reach_into_it(world: World, tmp_path_factory) -> None:
    for name in ("broker/queue", "heartbeats", "work/x", "uploading", "artifacts/.staging-1", "uploads"):
        (Path(settings.STUDIO_HOME) / name).mkdir(parents=True, exist_ok=True)
        (Path(settings.STUDIO_HOME) / name / ".incoming-1").write_text("half")
        if name != "uploads":
            (Path(settings.STUDIO_HOME) / name / "passing").write_text("passing")
    _folder, found = make(tmp_path_factory.mktemp("backups"), with_secrets=True)
    assert [each.path for each in found.files if "passing" in each.path or ".incoming" in each.path] == []


def test_files_that_are_erased_while_a_backup_is_made_are_left_out(world: World, tmp_path_factory, monkeypatch) -> None:
    erased = world.file.path
    dump = database.dump

    def erasing(target: Path) -> None:
        dump(target)
        erased.unlink()

    monkeypatch.setattr(database, "dump", erasing)
    listed = list(files.lasting(Path(settings.STUDIO_HOME)))
    monkeypatch.setattr(files, "lasting", lambda home: listed)
    _folder, found = make(tmp_path_factory.mktemp("backups"), with_secrets=True)
    assert f"home/uploads/{world.file.digest}" not in {each.path for each in found.files}
    assert len(found.files) > 5


def test_a_backup_that_could_not_be_finished_leaves_nothing(
    world: World, tmp_path: Path, tmp_path_factory, monkeypatch
):
    into = tmp_path_factory.mktemp("backups")
    monkeypatch.setattr(database, "dump", lambda target: (_ for _ in ()).throw(OSError(5, "input/output error")))
    with pytest.raises(OSError, match="input/output"):
        make(into, with_secrets=True)
    assert list(into.iterdir()) == []


def test_a_backup_is_not_made_inside_of_what_it_backs_up(world: World) -> None:
    with pytest.raises(Invalid, match="lies in STUDIO_HOME"):
        make(Path(settings.STUDIO_HOME) / "backups", with_secrets=True)


def test_secrets_that_the_studio_made_go_along_unless_told_not_to(world: World, tmp_path_factory) -> None:
    (Path(settings.STUDIO_HOME) / "secret_key").write_text(settings.SECRET_KEY)
    (Path(settings.STUDIO_HOME) / "engine_token").write_text("another one than the environment's")
    _, found = make(tmp_path_factory.mktemp("with"), with_secrets=True)
    assert [each.path for each in found.files if each.path.startswith("secrets/")] == ["secrets/secret_key"]
    _, found = make(tmp_path_factory.mktemp("without"), with_secrets=False)
    assert not any(each.path.startswith("secrets/") or "secret_key" in each.path for each in found.files)


def test_a_backup_brings_its_secret_where_the_environment_gives_none(
    world: World, empty: Empty, tmp_path_factory
) -> None:
    (Path(settings.STUDIO_HOME) / "secret_key").write_text(settings.SECRET_KEY)
    folder, _ = make(tmp_path_factory.mktemp("with"), with_secrets=True)
    empty.env.pop("SECRET_KEY")
    outcome = empty.manage("restore", "--from", str(folder))
    assert outcome.returncode == 0, outcome.stderr
    assert (empty.home / "secret_key").read_text() == settings.SECRET_KEY
    assert (empty.home / "secret_key").stat().st_mode & 0o777 == 0o600


def test_a_backup_of_another_secret_says_so_and_can_be_restored_all_the_same(backup: Path, empty: Empty) -> None:
    empty.env["SECRET_KEY"] = "another one, of more than fifty signs, so that all is well"
    refused = empty.manage("restore", "--from", str(backup))
    assert refused.returncode == 1 and "another SECRET_KEY" in refused.stderr and "Traceback" not in refused.stderr
    outcome = empty.manage("restore", "--from", str(backup), "--other-secret")
    assert outcome.returncode == 0 and "audit log was not checked" in outcome.stdout


def test_a_secret_that_was_replaced_is_known_by_the_one_before(backup: Path, empty: Empty) -> None:
    empty.env["SECRET_KEY_FALLBACKS"] = empty.env["SECRET_KEY"]
    empty.env["SECRET_KEY"] = "another one, of more than fifty signs, so that all is well"
    outcome = empty.manage("restore", "--from", str(backup))
    assert outcome.returncode == 0 and "audit log is whole" in outcome.stdout, outcome.stderr


def test_nothing_is_restored_over_a_studio_that_is_not_empty(backup: Path, empty: Empty) -> None:
    with pytest.raises(Conflict, match="is not empty: it holds"):
        restore(backup)
    (empty.home / "uploads").mkdir(parents=True)
    (empty.home / "uploads" / "mine").write_text("mine")
    outcome = empty.manage("restore", "--from", str(backup))
    assert outcome.returncode == 1
    assert "STUDIO_HOME is not empty" in outcome.stderr and "uploads/mine" in outcome.stderr
    assert (empty.home / "uploads" / "mine").read_text() == "mine"


def test_a_damaged_backup_is_refused_by_the_name_of_the_file_before_anything_is_written(
    world: World, backup: Path, empty: Empty
) -> None:
    damaged = backup / "home" / "uploads" / world.file.digest
    damaged.chmod(0o600)
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"?")
    outcome = empty.manage("restore", "--from", str(backup))
    assert outcome.returncode == 1
    assert f"damaged: {damaged} is not what was written" in outcome.stderr
    damaged.unlink()
    assert f"{damaged} cannot be read" in empty.manage("restore", "--from", str(backup)).stderr
    assert list(files.lasting(empty.home)) == []
    shutil.copy(world.file.path, damaged)
    assert empty.manage("restore", "--from", str(backup)).returncode == 0, "and the same target takes the whole one"


def test_a_newer_backup_and_one_of_another_database_are_refused(backup: Path, empty: Empty) -> None:
    known = manifest.read(backup).migrations
    rewritten(backup, migrations=(*known, "serving.9999_of_next_year"), studio="9.0.0")
    outcome = empty.manage("restore", "--from", str(backup))
    assert outcome.returncode == 1
    assert "newer studio (9.0.0)" in outcome.stderr and "serving.9999_of_next_year" in outcome.stderr
    rewritten(backup, migrations=known, database="postgresql" if connection.vendor == "sqlite" else "sqlite")
    assert "DATABASE_URL names a" in empty.manage("restore", "--from", str(backup)).stderr


@pytest.fixture
def out_of_step(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A backup of a database whose list of steps has a gap, which no step can be taken after."""
    step = MigrationRecorder.Migration.objects.get(app="contenttypes", name="0001_initial")
    MigrationRecorder.Migration.objects.filter(id=step.id).delete()
    folder, _found = make(tmp_path_factory.mktemp("backups"), with_secrets=True)
    yield folder
    step.save(force_insert=True)


def test_a_database_that_cannot_be_taken_further_keeps_its_rows_and_files_and_says_so(
    world: World, out_of_step: Path, empty: Empty
) -> None:
    outcome = empty.manage("restore", "--from", str(out_of_step))
    assert outcome.returncode == 1 and "Traceback" not in outcome.stderr
    assert "The backup is restored, files and database" in outcome.stderr and "contenttypes.0001" in outcome.stderr
    assert "manage.py prepare" in outcome.stderr
    home = Path(settings.STUDIO_HOME)
    assert {path.relative_to(empty.home) for path in files.lasting(empty.home)} == {
        path.relative_to(home) for path in files.lasting(home)
    }
    verified = empty.manage("verify_audit")
    assert verified.returncode == 0, verified.stderr


def test_what_is_no_backup_is_refused_with_a_sentence(backup: Path, empty: Empty, tmp_path: Path) -> None:
    assert f"{tmp_path} is no backup" in empty.manage("restore", "--from", str(tmp_path)).stderr
    listed = backup / "manifest.json"
    whole = listed.read_text()
    for text in (whole[:-20], whole.replace('"made_at": "2', '"made_at": "3'), "[]", '"x"', "{}"):
        listed.write_text(text)
        with pytest.raises(Invalid, match="manifest.json is damaged"):
            manifest.read(backup)
    body = json.loads(whole)
    assert body["form"] == 1
    listed.write_text(whole)
    first = manifest.read(backup).files[0]
    rewritten(backup, files=(replace(first, path="../outside"),))
    with pytest.raises(Invalid, match="lies outside"):
        manifest.read(backup)


def test_the_command_says_where_the_backup_is_and_whether_secrets_are_in_it(
    world: World, tmp_path_factory, capsys
) -> None:
    call_command("backup", to=tmp_path_factory.mktemp("one"))
    assert "are not in it" in capsys.readouterr().out
    (Path(settings.STUDIO_HOME) / "secret_key").write_text(settings.SECRET_KEY)
    call_command("backup", to=tmp_path_factory.mktemp("two"))
    assert "whoever has it has all of the studio" in capsys.readouterr().out


def test_what_a_live_row_names_and_nobody_has_is_told_with_the_backup_and_with_the_restore(
    world: World, tmp_path_factory, empty: Empty
) -> None:
    place = tmp_path_factory.mktemp("backups")
    world.file.path.unlink()
    type(world.file).objects.update(created_at=timezone.now() - timedelta(minutes=1))
    with pytest.raises(
        CommandError, match=rf"The backup is kept.*\n.*the upload {world.file.name} should lie at uploads/"
    ):
        call_command("backup", to=place)
    (folder,) = place.iterdir()
    outcome = empty.manage("restore", "--from", str(folder))
    assert outcome.returncode == 0 and f"uploads/{world.file.digest} and does not" in outcome.stderr, outcome.stderr


def test_a_folder_that_cannot_be_read_or_written_ends_it_with_a_sentence(
    world: World, tmp_path_factory, monkeypatch
) -> None:
    with pytest.raises(CommandError, match=r"No backup was made: /proc/backups cannot be read or written"):
        call_command("backup", to=Path("/proc/backups"))
    closed = str(Path(settings.STUDIO_HOME) / "uploads")
    listed = os.scandir

    def scandir(path: str) -> object:
        if str(path) == closed:
            raise PermissionError(errno.EACCES, "Permission denied", closed)
        return listed(path)

    monkeypatch.setattr(os, "scandir", scandir)
    with pytest.raises(CommandError, match=f"{closed} cannot be read"):
        call_command("backup", to=tmp_path_factory.mktemp("backups"))


def test_programs_older_than_the_server_are_named_with_the_way_to_later_ones(monkeypatch, tmp_path) -> None:
    said = "pg_dump: error: aborting because of server version mismatch\npg_dump: detail: server version: 17; pg_dump version: 15"
    program = tmp_path / "pg_dump"
    program.write_text(f"#!/bin/sh\necho '{said}' >&2; exit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(Unavailable, match=r"server version: 17.*PG_MAJOR"):
        database._run("pg_dump", [])
