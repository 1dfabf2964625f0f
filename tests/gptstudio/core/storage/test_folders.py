"""Files and folders in a bucket of a real S3 server: whole or not there, verified, one of many who fetch."""

from __future__ import annotations

import stat
import threading
from pathlib import Path

import pytest

from gptstudio.core import artifacts, storage
from gptstudio.core.storage import StorageTrouble


@pytest.fixture
def folder(bucket) -> Path:
    made = storage.place("versions/one")
    (made / "deep").mkdir(parents=True)
    (made / "rows").write_bytes(b"rows" * 100)
    (made / "deep" / "weights").write_bytes(b"\x00" * 100)
    (made / "deep" / "weights").chmod(0o444)
    return made


def contents(folder: Path) -> dict[str, bytes]:
    return {each.relative_to(folder).as_posix(): each.read_bytes() for each in folder.rglob("*") if each.is_file()}


def hidden(base: Path) -> list[str]:
    return [path.name for path in base.iterdir() if path.name.startswith(".")]


def test_a_folder_is_fetched_on_another_machine_as_it_was(bucket, folder, tmp_path) -> None:
    storage.keep("versions/one")
    before = contents(folder)
    bucket.on(tmp_path / "b")
    found = storage.fetched("versions/one")
    assert found == tmp_path / "b" / "versions" / "one" and contents(found) == before
    assert stat.S_IMODE((found / "deep" / "weights").stat().st_mode) == 0o444 and not hidden(found.parent)
    assert not storage.fetched("versions/another").exists()


def test_without_a_bucket_nothing_is_asked(studio_home, settings) -> None:
    assert settings.STORAGE is None and not storage.is_set()
    storage.keep("versions/one")
    storage.check()
    assert storage.fetched("versions/one") == studio_home / "versions" / "one"
    assert not list(studio_home.iterdir())


def test_what_was_written_anew_is_read_whole_and_the_old_is_gone(bucket, folder, tmp_path) -> None:
    storage.keep("versions/one")
    (folder / "rows").write_bytes(b"newer")
    storage.keep("versions/one")
    assert len([key for key in bucket.held() if key.endswith("/rows")]) == 1
    bucket.on(tmp_path / "b")
    assert (storage.fetched("versions/one") / "rows").read_bytes() == b"newer"


def test_what_no_list_names_is_not_there(bucket, folder, tmp_path) -> None:
    storage.keep("versions/one")
    bucket.server.client().delete_object(Bucket=bucket.name, Key=f"{bucket.prefix}versions/one.json")
    bucket.on(tmp_path / "b")
    assert not storage.fetched("versions/one").exists()


def test_an_object_that_is_not_what_was_written_is_refused(bucket, folder, tmp_path) -> None:
    digest, _size, _path = artifacts.store_stream([b"question,answer\n"], folder="uploads", limit=100)
    storage.keep("versions/one")
    key = next(key for key in bucket.held("versions/") if key.endswith("/rows"))
    bucket.damage(key)
    bucket.damage(f"uploads/{digest}")
    bucket.on(tmp_path / "b")
    for name in ("versions/one", f"uploads/{digest}"):
        with pytest.raises(
            StorageTrouble, match=rf"studio/{name}.* in the bucket {bucket.name} is not what was written"
        ):
            storage.fetched(name)
        assert not storage.place(name).exists() and not hidden(storage.place(name).parent)


def test_a_list_that_names_a_place_outside_is_refused(bucket, folder, tmp_path) -> None:
    storage.keep("versions/one")
    key = f"{bucket.prefix}versions/one.json"
    body = bucket.bytes_of("versions/one.json").replace(b'"rows"', b'"../rows"')
    bucket.server.client().put_object(Bucket=bucket.name, Key=key, Body=body)
    bucket.on(tmp_path / "b")
    with pytest.raises(StorageTrouble, match=r"names \.\./rows, which lies outside"):
        storage.fetched("versions/one")


def test_many_who_fetch_at_once_all_find_it_whole(bucket, folder, tmp_path) -> None:
    storage.keep("versions/one")
    before, found, beats = contents(folder), [], []
    bucket.on(tmp_path / "b")

    def fetch() -> None:
        with storage.beating(lambda: beats.append(1)):
            found.append(contents(storage.fetched("versions/one")))

    threads = [threading.Thread(target=fetch) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [before] * 8 and not hidden(tmp_path / "b" / "versions")


def test_removed_means_here_and_every_version_in_the_bucket(bucket, folder) -> None:
    storage.keep("versions/one")
    storage.keep("versions/one")
    (storage.place("versions/one-more")).mkdir()
    (storage.place("versions/one-more") / "rows").write_bytes(b"others")
    storage.keep("versions/one-more")
    storage.remove("versions/one")
    storage.remove("versions/one")
    assert not folder.exists()
    assert {key.partition("/@")[0].removesuffix(".json") for key in bucket.held()} == {"versions/one-more"}


def test_files_that_are_dropped_leave_the_others(bucket, folder, tmp_path) -> None:
    storage.keep("versions/one")
    storage.drop("versions/one", suffix="weights")
    bucket.on(tmp_path / "b")
    assert list(contents(storage.fetched("versions/one"))) == ["rows"]
    assert not [key for key in bucket.held() if "weights" in key]


def test_a_bucket_that_is_away_is_a_sentence_and_leaves_nothing_half(bucket, folder, tmp_path) -> None:
    bucket.server.stop()
    for step in (
        lambda: storage.keep("versions/one"),
        lambda: artifacts.store_stream([b"rows"], folder="uploads", limit=100),
        lambda: storage.fetched("versions/two"),
        storage.check,
    ):
        with pytest.raises(StorageTrouble, match=f"The bucket {bucket.name} at {bucket.server.url} does not answer"):
            step()
    assert not list(storage.place("uploads").iterdir()) and not hidden(storage.place("versions"))
    storage.let_go("versions/one")  # no error: the reconciler goes on trying
    assert not folder.exists()
    bucket.server.start()
    storage.check()
    assert bucket.held() == []
