"""Makes an empty studio what a backup says. All that can be refused is refused before anything is written."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from django.conf import settings

from gptstudio.accounts.services import drop_lost_factors
from gptstudio.audit.selectors import broken_chains
from gptstudio.core import storage
from gptstudio.core.database import check_database
from gptstudio.core.disk import check_room
from gptstudio.core.errors import Conflict
from gptstudio.overview.backup import database, files, manifest
from gptstudio.overview.backup.making import kept_secrets, secret_mark
from gptstudio.overview.backup.manifest import Kept, Manifest
from gptstudio.overview.filling import fill_bucket

STAGING = ".staging-restore-"


def restore(folder: Path, *, other_secret: bool = False) -> Manifest:
    """Fill the studio of STUDIO_HOME and DATABASE_URL from the backup in `folder`, and check the audit log.

    `other_secret` lets it go on under another SECRET_KEY than the one that the backup was made under; second factors, which
    that one alone opens, are taken away then. Raises Invalid for
    a damaged or wrong backup, Conflict for a studio that is not empty, a newer backup or another secret, and for a database
    that is restored but cannot be taken through the steps that it lacks.
    """
    found = manifest.read(folder)
    home = Path(settings.STUDIO_HOME)
    check_database()
    storage.check()
    _check_target(home, found)
    database.check_known(found.migrations, studio=found.studio)
    secrets = [each for each in found.files if each.path.startswith("secrets/")]
    if not other_secret:
        _check_secret(home, found, brings=any(each.path == "secrets/secret_key" for each in secrets))
    check_room(home, found.size, what="what the backup holds")
    for each in found.files:
        files.check(folder, each)
    _take_secrets(folder, secrets, home)
    _put(folder, found, home)
    database.bring_up_to_date()
    fill_bucket()
    if other_secret:
        drop_lost_factors()
        return found  # the seals on the audit log are of a secret that is not here
    if broken := broken_chains():
        raise Conflict(f"All is restored as it was backed up, and the audit log was not whole then: {broken[0]}")
    return found


def _check_target(home: Path, found: Manifest) -> None:
    if found.database != database.kind():
        raise Conflict(
            f"This backup holds a {found.database} database, and DATABASE_URL names a {database.kind()} one.",
            fix="Set DATABASE_URL to an empty database of the same kind.",
        )
    database.check_empty()
    if present := next(files.lasting(home), None):
        raise Conflict(
            f"STUDIO_HOME is not empty: {present} is there.",
            fix="Set STUDIO_HOME to a new folder. Nothing was changed.",
        )


def _check_secret(home: Path, found: Manifest, *, brings: bool) -> None:
    replaceable = (home / "secret_key") in kept_secrets(home)
    known = {secret_mark(secret) for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)}
    if found.secret not in known and not (brings and replaceable):
        raise Conflict(
            "This backup was made under another SECRET_KEY, which signs webhooks and invitations, seals the audit log and "
            "draws the stand-ins for names.",
            fix="Set SECRET_KEY to that one, or name it in SECRET_KEY_FALLBACKS. Where it is lost: OTHER_SECRET=1.",
        )


def _take_secrets(folder: Path, secrets: list[Kept], home: Path) -> None:
    """Those that the studio keeps for itself become those of the backup, before anything is sealed or checked under them."""
    for each in secrets:
        path = home / Path(each.path).name
        if path in kept_secrets(home):
            files.put_back(folder, each, path)
            if path.name == "secret_key":
                settings.SECRET_KEY = path.read_text(encoding="ascii").strip()


def _put(folder: Path, found: Manifest, home: Path) -> None:
    """Files first, under a name of their own; then the database; what was put goes again where that fails."""
    for left in home.glob(f"{STAGING}*"):  # of a restore that was killed
        _remove(left)
    staging = Path(tempfile.mkdtemp(prefix=STAGING, dir=home))
    placed: list[Path] = []
    try:
        for each in found.files:
            if each.path.startswith("home/"):
                files.put_back(folder, each, staging / Path(each.path).relative_to("home"))
        for top in sorted(staging.iterdir()):
            placed.append(home / top.name)
            top.rename(home / top.name)
        database.load(folder / _database_of(found).path)
    except BaseException:
        for path in placed:
            _remove(path)
        raise
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _database_of(found: Manifest) -> Kept:
    return next(each for each in found.files if each.path == database.FILES[found.database])


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
