"""Files and folders of STUDIO_HOME in the bucket: kept there, fetched from there. It knows names, and no rows.

A name is a path below STUDIO_HOME: `uploads/<digest>`, `versions/<id>`. A file is one object of that name with its SHA-256
beside it. A folder is many objects below `<name>/@<mark>/` and a list, `<name>.json`, with the size and SHA-256 of each, which
is written last: what no list names is not there. Written again it gets another mark, so nobody ever reads half of each.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import logging
import secrets
import shutil
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath

from django.conf import settings

from gptstudio.core.digests import file_digest
from gptstudio.core.disk import check_room, room_for
from gptstudio.core.storage import bucket
from gptstudio.core.storage.bucket import StorageTrouble
from gptstudio.core.storage.heartbeat import carried

logger = logging.getLogger(__name__)
FORM = 1
UNDER_WAY = ".incoming-"  # leftovers.py removes what is left of them
SMALL = 4 << 20  # bytes
TRIES = 3  # of a folder that is written anew while it is fetched


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of a folder: bytes, SHA-256, rights in octal."""

    size: int
    sha256: str
    mode: str


@dataclass(frozen=True, slots=True)
class Listed:
    """What a folder in the bucket holds, by path, and the mark that it lies under."""

    mark: str
    files: dict[str, Entry]


def is_set() -> bool:
    """Whether there is a bucket. Without one, what lies under STUDIO_HOME is all there is."""
    return settings.STORAGE is not None


def place(name: str) -> Path:
    """Where it lies on this machine, if it does."""
    return Path(settings.STUDIO_HOME) / name


def files_below(folder: Path) -> dict[str, Path]:
    """The files of a folder by their paths in it."""
    return {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}


def keep(name: str, source: Path | None = None, *, files: Collection[Path] | None = None) -> str:
    """Copy a file or folder to the bucket; returns once all of it is there, with a folder's mark. Nothing is done without a
    bucket.

    It lies at `source`, or in its place; `files` are those of a folder that count, all unless said. StorageTrouble, with a
    sentence, where the bucket does not take it: what was there before is there still.
    """
    if not is_set():
        return ""
    path = source or place(name)
    if path.is_file():
        carried(lambda: bucket.put_file(path, name, sha256=file_digest(path)))
        return ""
    found = sorted(files if files is not None else files_below(path).values())
    return carried(lambda: _keep_folder(name, path, found))


def _keep_folder(name: str, folder: Path, files: Collection[Path]) -> str:
    before, mark = listed(name), secrets.token_hex(8)
    entries: dict[str, Entry] = {}
    try:
        for path in files:
            inner = path.relative_to(folder).as_posix()
            entries[inner] = _put(path, f"{name}/@{mark}/{inner}")
    except FileNotFoundError:  # taken away meanwhile, as checkpoints are
        bucket.purge(f"{name}/@{mark}")
        raise
    _write_list(name, Listed(mark, entries))
    if before is not None:
        bucket.purge(f"{name}/@{before.mark}")
    return mark


def _put(path: Path, key: str) -> Entry:
    """A small file is read once: one that is written anew at this moment is copied as it was or as it is."""
    state = path.stat()
    mode = f"{state.st_mode & 0o777:03o}"
    if state.st_size <= SMALL:
        content = path.read_bytes()
        bucket.put_bytes(key, content)
        return Entry(len(content), hashlib.sha256(content).hexdigest(), mode)
    entry = Entry(state.st_size, file_digest(path), mode)
    bucket.put_file(path, key, sha256=entry.sha256)
    return entry


def _write_list(name: str, found: Listed) -> None:
    body = {"form": FORM, "mark": found.mark, "files": {path: asdict(entry) for path, entry in found.files.items()}}
    bucket.put_bytes(f"{name}.json", json.dumps(body).encode())


def listed(name: str) -> Listed | None:
    """What a folder in the bucket holds; None where it is not there."""
    try:
        body = json.loads(bucket.get_bytes(f"{name}.json"))
        files = {path: Entry(**entry) for path, entry in body["files"].items()}
        found = Listed(body["mark"], files)
    except bucket.Missing:
        return None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise damaged(f"{name}.json", "is not the list that was written") from error
    for path in found.files:
        if PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts:
            raise damaged(f"{name}.json", f"names {path}, which lies outside")
    return found


def fetched(name: str, into: Path | None = None) -> Path:
    """Where it lies on this machine (`into`, or its place), fetched first where it does not. What is in the bucket neither is
    not there afterwards.

    StorageTrouble where the bucket does not answer or what it holds is not what was written, DiskFull.
    """
    path = into or place(name)
    if is_set() and not path.exists():
        carried(lambda: _fetch(name, path))
    return path


def _fetch(name: str, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with alone(path), room_for(f"{name} from the bucket"):
        if path.exists():
            return
        try:
            size, sha256 = bucket.sums(name)
            _fetch_file(name, path, Entry(size, sha256, "600"))
        except bucket.Missing:  # no file of this name, or none any more
            _fetch_folder(name, path)


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """One of all threads and processes fetches; the others find it there. Who comes past the lock only fetches it twice."""
    lock = path.with_name(f"{UNDER_WAY}{path.name}.lock")
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            lock.unlink(missing_ok=True)


def _fetch_file(name: str, path: Path, wanted: Entry) -> None:
    check_room(path.parent, wanted.size, what=f"{name} from the bucket")
    with tempfile.TemporaryDirectory(prefix=UNDER_WAY, dir=path.parent) as folder:
        staging = Path(folder) / "content"
        take(name, staging, wanted)
        staging.replace(path)


def _fetch_folder(name: str, path: Path) -> None:
    for _ in range(TRIES):
        found = listed(name)
        if found is None:
            return
        check_room(path.parent, sum(each.size for each in found.files.values()), what=f"{name} from the bucket")
        staging = Path(tempfile.mkdtemp(prefix=UNDER_WAY, dir=path.parent))
        try:
            for inner, entry in found.files.items():
                target = staging / inner
                target.parent.mkdir(parents=True, exist_ok=True)
                take(f"{name}/@{found.mark}/{inner}", target, entry)
            staging.chmod(0o755)
            staging.rename(path)
            return
        except bucket.Missing:
            continue  # written anew meanwhile: the list says where it lies now
        finally:
            shutil.rmtree(staging, ignore_errors=True)
    raise damaged(name, "lacks files that its list names")


def take(key: str, target: Path, wanted: Entry) -> None:
    bucket.get_file(key, target)
    if target.stat().st_size != wanted.size or file_digest(target) != wanted.sha256:
        raise damaged(key, "is not what was written: its SHA-256 differs")
    target.chmod(int(wanted.mode, 8))


def damaged(key: str, why: str) -> StorageTrouble:
    there = bucket.there()
    return StorageTrouble(
        f"{there.prefix}{key} in the bucket {there.bucket} {why}.",
        fix="Put it back from an earlier version or a copy of the bucket.",
        code="storage_damaged",
    )


def remove(name: str) -> None:
    """Delete it here and in the bucket, with all that the bucket keeps of it. What is not there is no error."""
    remove_here(place(name))
    if is_set():
        carried(lambda: bucket.purge(name))


def let_go(name: str, *, here: bool = True) -> None:
    """The same of what no row wants any more (`here`: on this machine, too). A bucket that is away is rid of it by the
    reconciler, as soon as it answers.
    """
    try:
        if here:
            remove(name)
        elif is_set():
            carried(lambda: bucket.purge(name))
    except StorageTrouble as error:
        logger.warning("%s stays in the bucket for now: %s", name, error)


def remove_here(path: Path) -> None:
    """Delete a file or folder of this machine."""
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def names(folder: str) -> set[str]:
    """The folders that lie whole in a folder of the bucket; none without a bucket."""
    found = carried(lambda: bucket.names(folder)) if is_set() else set()
    return {name.removesuffix(".json") for name in found if name.endswith(".json")}


def sizes(name: str) -> dict[str, int]:
    """The bytes of each file of a folder, by its path in it, wherever it lies; empty where it is nowhere."""
    here = place(name)
    if here.is_dir() or not is_set():
        return {inner: path.stat().st_size for inner, path in files_below(here).items()}
    entries = listed(name)
    return {path: entry.size for path, entry in entries.files.items()} if entries is not None else {}


def drop(name: str, *, suffix: str) -> None:
    """Delete files of a folder in the bucket, by their ending; the others stay. What lies on this machine is the caller's."""
    found = listed(name) if is_set() else None
    gone = [path for path in found.files if path.endswith(suffix)] if found is not None else []
    if found is None or not gone:
        return
    _write_list(name, Listed(found.mark, {path: entry for path, entry in found.files.items() if path not in gone}))
    for path in gone:
        bucket.purge(f"{name}/@{found.mark}/{path}")
