"""Zip and gzip archives, and what comes in them to do harm."""

from __future__ import annotations

import errno
import gzip
import io
import tarfile
import zipfile

import pytest
from openpyxl import Workbook

from datasets_app.curation.errors import Refusal
from datasets_app.curation.readers import archive
from datasets_app.curation.readers.options import Reading
from datasets_app.curation.readers.upload import opened

TABLE = "prompt,completion\nWhere is it?,On its way.\n"


@pytest.fixture
def packed(tmp_path):
    def write(members: dict[str, bytes | str], name: str = "export.zip"):
        path = tmp_path / name
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
            for member, content in members.items():
                made.writestr(member, content)
        return path

    return write


def names(path, **options):
    with opened(path, **options) as upload:
        return [source.name for source in upload.sources], [(name, why.code) for name, why in upload.refused]


def test_members_are_files_of_their_own_name_whatever_their_format(packed):
    path = packed(
        {
            "2024/jan.csv": TABLE,
            "chat.jsonl": '{"prompt": "a", "completion": "b"}\n',
            "__MACOSX/._x": b"\0",
            "notes.txt": "One.\n\nTwo.\n",
        }
    )
    with opened(path) as upload:
        found = {source.name: [record.values for record in source.records()] for source in upload.sources}
        assert "hold no data" in upload.sources[0].findings[0].message
    assert list(found) == ["export.zip/2024/jan.csv", "export.zip/chat.jsonl", "export.zip/notes.txt"]
    assert found["export.zip/2024/jan.csv"] == [{"prompt": "Where is it?", "completion": "On its way."}]


def test_a_gzipped_file_is_read_under_its_own_name(tmp_path):
    path = tmp_path / "tickets.csv.gz"
    path.write_bytes(gzip.compress(TABLE.encode()))
    with opened(path) as upload:
        (source,) = upload.sources
        assert (source.name, source.upload, source.format) == ("tickets.csv", "tickets.csv.gz", "csv")
        assert len(list(source.records())) == 1


def test_what_a_person_said_of_a_member_is_used(packed):
    path = packed({"a.csv": "x;y\n1;2\n"})
    with opened(path, {"export.zip/a.csv": Reading(header=0, delimiter=";")}) as upload:
        assert upload.sources[0].table.columns == ("column_1", "column_2")


def test_no_name_leads_out_of_the_scratch_folder(packed, tmp_path):
    path = packed({"../../evil.csv": TABLE, "/etc/passwd.csv": TABLE, "..\\up.csv": TABLE})
    assert names(path) == (["export.zip/evil.csv", "export.zip/etc/passwd.csv", "export.zip/up.csv"], [])
    assert sorted(each.name for each in tmp_path.iterdir()) == ["export.zip"]


def test_a_bomb_is_refused_before_it_goes_off(packed, tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "FREE_BYTES", 1 << 16)
    with pytest.raises(Refusal) as refused:
        names(packed({"a.csv": b"a,b\n" + b"0" * (1 << 22)}))
    assert refused.value.code == "zip_bomb"
    path = tmp_path / "b.csv.gz"
    path.write_bytes(gzip.compress(b"0" * (1 << 22)))
    with pytest.raises(Refusal, match="times its size"):
        names(path)


def test_archives_inside_archives_are_refused_by_name_and_the_others_are_read(packed):
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as made:
        made.writestr("x.csv", TABLE)
    path = packed({"a.csv": TABLE, "inner.zip": inner.getvalue(), "b.csv.gz": gzip.compress(TABLE.encode())})
    assert names(path) == (
        ["export.zip/a.csv"],
        [("export.zip/inner.zip", "nested_archive"), ("export.zip/b.csv.gz", "nested_archive")],
    )


def test_a_workbook_in_a_zip_is_read(packed):
    made = io.BytesIO()
    book = Workbook()
    book.active.append(["prompt", "completion"])
    book.active.append(["a", "b"])
    book.save(made)
    with opened(packed({"tickets.xlsx": made.getvalue()})) as upload:
        (source,) = upload.sources
        assert source.name == "export.zip/tickets.xlsx"
        assert [record.values for record in source.records()] == [{"prompt": "a", "completion": "b"}]


def test_a_tar_in_gzip_is_refused(tmp_path):
    path = tmp_path / "a.tar.gz"
    with tarfile.open(path, "w:gz") as made:
        info = tarfile.TarInfo("a.csv")
        info.size = len(TABLE)
        made.addfile(info, io.BytesIO(TABLE.encode()))
    with pytest.raises(Refusal, match="tar archive"):
        names(path)


def test_a_locked_member_is_refused(packed):
    path = packed({"a.csv": TABLE})
    raw = bytearray(path.read_bytes())
    raw[6] |= 1  # the flag in the member's own header, and in the directory at the end
    raw[raw.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(bytes(raw))
    with pytest.raises(Refusal, match="password"):
        names(path)


@pytest.mark.parametrize("cut", [10, 60, -30])
def test_damaged_archives_are_refused(packed, tmp_path, cut):
    path = packed({"a.csv": TABLE * 50})
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(Refusal):
        names(path)
    path = tmp_path / "b.csv.gz"
    path.write_bytes(gzip.compress(TABLE.encode() * 50)[:cut])
    with pytest.raises(Refusal):
        names(path)


def test_too_many_members_and_none_are_refused(packed, monkeypatch):
    monkeypatch.setattr(archive, "MOST_MEMBERS", 2)
    with pytest.raises(Refusal, match="3 files"):
        names(packed({f"{n}.csv": TABLE for n in range(3)}))
    with pytest.raises(Refusal, match="holds no file"):
        names(packed({}))


def test_a_disk_that_fills_up_while_unpacking_is_said(packed, monkeypatch):
    def full(*_args):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(archive, "_copy", full)
    with pytest.raises(Refusal) as refused:
        names(packed({"a.csv": TABLE}))
    assert refused.value.code == "disk_full"


def test_the_scratch_folder_goes_when_the_reading_ends(packed):
    with opened(packed({"a.csv": TABLE})) as upload:
        path = upload.sources[0].path
        assert path.exists()
    assert not path.parent.exists()
