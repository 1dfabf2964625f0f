"""`manifest.json`: what a backup holds, each file with its SHA-256. It knows no database and no home.

It carries its own digest, over everything else in it, so that a changed list is told from a whole one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from gptstudio.core.errors import Invalid

NAME = "manifest.json"
FORM = 1


@dataclass(frozen=True, slots=True)
class Kept:
    """One file of a backup. `path` is relative to its folder, with slashes; `mode` the file's rights in octal."""

    path: str
    size: int
    sha256: str
    mode: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """`migrations` are `app.name`, sorted. `secret` tells one SECRET_KEY from another and does not tell what it is."""

    studio: str
    made_at: str
    database: str
    migrations: tuple[str, ...]
    secret: str
    files: tuple[Kept, ...]

    @property
    def size(self) -> int:
        """Bytes of all files together."""
        return sum(each.size for each in self.files)


def missing(manifest: Manifest, named: Iterable[tuple[str, str]]) -> list[str]:
    """What rows name, as (path below the home, what it is), and the backup does not hold: a sentence for each."""
    held: set[str] = set()
    for each in manifest.files:
        parts = PurePosixPath(each.path).parts
        held.add("/".join(parts[1:3]))  # home/uploads/<digest>, home/versions/<id>/…
    return [f"{what} should lie at {path} and does not." for path, what in named if path not in held]


def _digest(body: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def write(folder: Path, manifest: Manifest) -> None:
    """Write the list into `folder`; a backup is one only when this is there."""
    body = {"form": FORM, **asdict(manifest)}
    body = json.loads(json.dumps(body))  # tuples are lists where it is read
    text = json.dumps({**body, "sha256": _digest(body)}, indent=1, ensure_ascii=False)
    (folder / NAME).write_text(text, encoding="utf-8")


def read(folder: Path) -> Manifest:
    """Raise Invalid, with the file's name, where the list is missing, damaged or of a form that is not known."""
    path = folder / NAME
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        fix = "Name the folder that `make backup` printed; one that ends in .partial was never finished."
        raise Invalid(f"{folder} is no backup: it has no {NAME}.", fix=fix) from error
    except ValueError as error:
        raise _damaged(path) from error
    if not isinstance(body, dict) or body.pop("sha256", "") != _digest(body):
        raise _damaged(path)
    if (form := body.pop("form", None)) != FORM:
        raise Invalid(
            f"{path} has form {form}, and this studio reads {FORM}.", fix="Restore with the studio that made it."
        )
    files = tuple(Kept(**each) for each in body.pop("files"))
    _check_places(path, (each.path for each in files))
    return Manifest(**{**body, "migrations": tuple(body["migrations"])}, files=files)


def _damaged(path: Path) -> Invalid:
    return Invalid(f"{path} is damaged: it is not what was written.", fix="Take another copy of this backup.")


def _check_places(path: Path, names: Iterable[str]) -> None:
    """Nobody who writes a list of their own gets a file out of the folder."""
    for name in names:
        place = PurePosixPath(name)
        if place.is_absolute() or ".." in place.parts:
            raise Invalid(f"{path} names {name}, which lies outside of the backup.", fix="Do not use this backup.")
