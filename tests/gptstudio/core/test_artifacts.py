"""Content-addressed storage: named by content, read-only, nothing half-written left behind."""

from __future__ import annotations

import hashlib
import stat
from pathlib import Path

import pytest

from gptstudio.core import artifacts


@pytest.fixture
def folder(tmp_path_factory) -> Path:
    made = tmp_path_factory.mktemp("model")
    (made / "config.json").write_text("{}")
    (made / "deep").mkdir()
    (made / "deep" / "weights").write_bytes(b"\x00" * 100)
    return made


def hidden(base: Path) -> list[str]:
    return [path.name for path in base.iterdir() if path.name.startswith(".")]


def test_a_folder_is_stored_under_the_digest_of_its_contents(studio_home, folder) -> None:
    digest, target = artifacts.store_folder(folder)
    assert target == studio_home / "artifacts" / digest
    assert digest == artifacts.folder_digest(folder) == artifacts.folder_digest(target)
    assert (target / "deep" / "weights").read_bytes() == b"\x00" * 100


def test_names_and_contents_both_count_for_the_digest(folder) -> None:
    before = artifacts.folder_digest(folder)
    (folder / "config.json").rename(folder / "other.json")
    renamed = artifacts.folder_digest(folder)
    (folder / "other.json").write_text("{ }")
    assert len({before, renamed, artifacts.folder_digest(folder)}) == 3


def test_the_same_content_twice_is_kept_once(studio_home, folder) -> None:
    first = artifacts.store_folder(folder)
    assert artifacts.store_folder(folder) == first
    assert len(list((studio_home / "artifacts").iterdir())) == 1


def test_who_stores_a_folder_hears_of_each_piece_that_is_hashed_and_copied(studio_home, folder, monkeypatch) -> None:
    monkeypatch.setattr(artifacts, "CHUNK", 30)
    heard: list[None] = []
    _digest, target = artifacts.store_folder(folder, on_chunk=lambda: heard.append(None))
    assert len(heard) == 2 * (4 + 1), "a hundred bytes in four pieces, two bytes in one; hashed, then copied"
    assert (target / "deep" / "weights").read_bytes() == b"\x00" * 100


def test_stored_files_are_read_only(studio_home, folder) -> None:
    _digest, target = artifacts.store_folder(folder)
    modes = {stat.S_IMODE(path.stat().st_mode) for path in target.rglob("*")}
    assert modes == {0o444, 0o555}


def test_a_copy_that_fails_leaves_nothing_behind(studio_home, folder, monkeypatch) -> None:
    def full(*_arguments: object, **_options: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(artifacts.shutil, "copytree", full)
    with pytest.raises(OSError, match="No space"):
        artifacts.store_folder(folder)
    assert list((studio_home / "artifacts").iterdir()) == []


def test_a_stream_is_stored_under_its_digest(studio_home) -> None:
    digest, size, path = artifacts.store_stream([b"one,", b"two\n"], folder="uploads", limit=8)
    assert (digest, size) == (hashlib.sha256(b"one,two\n").hexdigest(), 8)
    assert path.read_bytes() == b"one,two\n"
    assert hidden(studio_home / "uploads") == []


def test_over_the_limit_nothing_is_left_and_the_rest_is_not_read(studio_home) -> None:
    asked = []

    def endless():
        while True:
            asked.append(1)
            yield b"x" * 10

    with pytest.raises(ValueError, match="more than 25 bytes"):
        artifacts.store_stream(endless(), folder="uploads", limit=25)
    assert len(asked) == 3
    assert list((studio_home / "uploads").iterdir()) == []


def test_an_upload_that_breaks_off_leaves_nothing(studio_home) -> None:
    def broken():
        yield b"some"
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        artifacts.store_stream(broken(), folder="uploads", limit=100)
    assert list((studio_home / "uploads").iterdir()) == []


def test_a_link_out_of_the_folder_is_not_inside(tmp_path) -> None:
    (tmp_path / "base").mkdir()
    (tmp_path / "base" / "out").symlink_to("/etc")
    assert artifacts.inside(tmp_path / "base" / "model", tmp_path / "base")
    assert not artifacts.inside(tmp_path / "base" / "out", tmp_path / "base")
    assert not artifacts.inside(tmp_path / "base" / ".." / "else", tmp_path / "base")
