"""Makes a backup of the studio, which may go on working meanwhile.

The database is read first, at one moment, and the files after it. A file is on disk before the row that names it is
written, and is never changed afterwards, so all that the rows of that moment name is found; what was made since lies
beside it and harms nothing. What only grows (a run's events, the engine's journal) is read from where the rows stopped.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from django.conf import settings
from django.utils import timezone
from django.utils.crypto import salted_hmac

from gptstudio.core import storage
from gptstudio.core.artifacts import inside
from gptstudio.core.disk import check_room
from gptstudio.core.errors import Conflict, Invalid
from gptstudio.overview.backup import database, files, manifest
from gptstudio.overview.backup.manifest import Kept, Manifest


def secret_mark(secret: str) -> str:
    """Tells one SECRET_KEY from another."""
    return salted_hmac("gptstudio.backup", "secret", secret=secret, algorithm="sha256").hexdigest()


def kept_secrets(home: Path) -> list[Path]:
    """The files of the secrets that the studio made for itself and uses; none for those that the environment gives."""
    used = {"secret_key": settings.SECRET_KEY, "engine_token": settings.ENGINE_TOKEN}
    paths = [(home / name, value) for name, value in used.items()]
    return [path for path, value in paths if path.is_file() and path.read_text(encoding="ascii").strip() == value]


def make(into: Path, *, with_secrets: bool) -> tuple[Path, Manifest]:
    """Write a backup to a new folder below `into`, and return both. The folder has its name only once it is whole.

    Raises Invalid where `into` lies in the studio's home, DiskFull, and Unavailable where the database cannot be read.
    """
    home = Path(settings.STUDIO_HOME)
    if inside(into, home):
        raise Invalid(
            f"{into} lies in STUDIO_HOME, which is what is backed up.", fix="Choose a folder elsewhere (TO=…)."
        )
    made_at = timezone.now()
    target = into / f"studio-{made_at:%Y-%m-%dT%H-%M-%S}"
    work = target.with_name(f"{target.name}.partial")
    if target.exists() or work.exists():
        raise Conflict(f"{target} is there already.", fix="Wait a second and try again.")
    sources = list(files.lasting(home))
    check_room(into, sum(path.stat().st_size for path in sources if path.exists()), what="the backup")
    work.mkdir(mode=0o700)
    try:
        found = Manifest(
            studio=settings.VERSION,
            made_at=made_at.isoformat(timespec="seconds"),
            database=database.kind(),
            migrations=database.migrations(),
            secret=secret_mark(settings.SECRET_KEY),
            files=tuple(_written(home, work, with_secrets=with_secrets)),
        )
        manifest.write(work, found)
        os.sync()
        work.rename(target)
    except BaseException:
        shutil.rmtree(work, ignore_errors=True)
        raise
    return target, found


def _written(home: Path, work: Path, *, with_secrets: bool) -> list[Kept]:
    name = database.FILES[database.kind()]
    database.dump(work / name)
    found = [files.made(work, name)]
    for job in storage.names("runs"):
        storage.current(f"runs/{job}")
    for path in files.lasting(home):
        try:
            found.append(files.kept(path, work, f"home/{path.relative_to(home).as_posix()}"))
        except FileNotFoundError:
            continue  # erased since the database was read, or a checkpoint that a newer one took the place of
    for name in storage.elsewhere():
        path = storage.fetched(name, work / "home" / name)
        inner = storage.files_below(path).values() if path.is_dir() else [path]
        found += [files.fetched(each, work) for each in inner if each.exists()]
    for path in kept_secrets(home) if with_secrets else []:
        files.copy(path, work / "secrets" / path.name)
        found.append(files.made(work, f"secrets/{path.name}"))
    return found
