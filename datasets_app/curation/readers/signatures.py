"""Files that are no text, told by their first bytes and their zero bytes. Decides nothing about encodings."""

from __future__ import annotations

import zipfile
from pathlib import Path

from datasets_app.curation.errors import Refusal
from datasets_app.curation.rows import Finding

SIGNATURES = (
    (b"PK\x03\x04", "a zip archive or an Office document"),
    (b"PK\x05\x06", "an empty zip archive"),
    (b"\xd0\xcf\x11\xe0", "an old Excel or Word document, or a locked workbook"),
    (b"%PDF", "a PDF"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ\x00", "an xz archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"\x28\xb5\x2f\xfd", "a zstd archive"),
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"SQLite format 3", "an SQLite database"),
    (b"\x7fELF", "a program"),
)
MARKUP = (("<?xml", "an XML file"), ("<!doctype", "a web page"), ("<html", "a web page"))
DOCUMENTS = (
    ("word/document.xml", "a Word document"),
    ("ppt/presentation.xml", "a presentation"),
    ("xl/workbook.bin", "a binary Excel workbook (.xlsb)"),
)
MOST_ZEROS = 0.1


def refuse_what_is_not_text(name: str, head: bytes) -> None:
    """Raises Refusal for an empty file and for a format that is no text."""
    if not head.strip():
        raise Refusal(
            code="empty_file",
            message=f"{name} is empty.",
            fix="Export it again and check that it holds at least a header and one row.",
        )
    for signature, kind in SIGNATURES:
        if head.startswith(signature):
            raise binary(name, f"{name} is {kind}, whatever its name says.")
    if head[257:262] == b"ustar":
        raise binary(name, f"{name} is a tar archive. Pack its files as a zip.")


def refuse_control_characters(name: str, head: bytes) -> None:
    """Raises Refusal where zero bytes and control characters are too many for a text in bytes."""
    odd = sum(byte < 32 and byte not in b"\0\t\n\v\f\r\x1a\x1b\x1f" for byte in head)
    if odd > len(head) * 0.03 and b"\x00" in head:
        raise binary(
            name, f"{name} holds zero bytes and control characters, so it is not a text file.", may_be_wide=True
        )


def refuse_markup(name: str, text: str) -> None:
    """Raises Refusal for a web page and for XML: their lines are no rows."""
    start = text.lstrip("\ufeff \t\r\n")[:200].lower()
    for opening, kind in MARKUP:
        if start.startswith(opening):
            raise Refusal(
                code="markup",
                message=f"{name} is {kind}, not a table or a list of rows.",
                fix="Open it in a spreadsheet program and save it as CSV or Excel (.xlsx).",
            )


def refuse_documents(path: Path, name: str) -> None:
    """Raises Refusal for office documents that are no Excel workbooks: zips whose members hold no rows."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = set(archive.namelist())
    except (zipfile.BadZipFile, OSError, ValueError):
        return
    for member, kind in DOCUMENTS:
        if member in members:
            raise binary(name, f"{name} is {kind}.")
    if {"mimetype", "content.xml"} <= members:
        raise binary(name, f"{name} is an OpenDocument file.")


def zero_bytes(name: str, zeros: int, size: int) -> tuple[Finding, ...]:
    """What to tell about zero bytes in text. Raises Refusal where they are too many for a text."""
    if zeros > size * MOST_ZEROS:
        raise binary(name, f"{name} holds zero bytes, so it is not a text file.", may_be_wide=True)
    if not zeros:
        return ()
    return (
        Finding(
            "warning", f"{zeros:,} zero bytes were read as the sign \ufffd. Check how the file was made.", count=zeros
        ),
    )


def binary(name: str, message: str, *, may_be_wide: bool = False) -> Refusal:
    """The refusal of a file that is no text; `may_be_wide`: or one whose letters have two bytes each."""
    fix = "Export the data as CSV, Excel (.xlsx), JSON Lines or Parquet and upload that."
    if may_be_wide:
        fix += " If it is text, say that its encoding is utf-16-le or utf-16-be."
    return Refusal(code="binary_file", message=message, fix=fix)
