"""Mail folders (mbox): messages as conversations of threads, with quoted replies and signatures left out. Joins by
Message-ID, In-Reply-To and References; keeps offsets in memory, and one thread at a time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.errors import MessageError
from email.message import EmailMessage
from email.utils import getaddresses, parseaddr
from pathlib import Path
from typing import BinaryIO

from datasets_app.curation.readers.encoding import Encoding
from datasets_app.curation.readers.mailtext import own_words, plain_text
from datasets_app.curation.readers.stream import Place
from datasets_app.curation.rows import Problem, Record
from datasets_app.curation.threads.posts import Post, conversations

MESSAGE_BYTES = 64 << 20
MOST_IN_THREAD = 2000
_FROM = re.compile(rb"^From \S.*\d{4}")
_HEADER = re.compile(r"^From \S[^\n]*\d{4}[^\n]*\r?\n(?:>?[A-Za-z][\w-]*:[ \t])", re.IGNORECASE)
_ID = re.compile(r"<[^<>\s]+>")
_SUBJECT = re.compile(r"^(?:\s*(?:re|aw|fwd?|wg|sv|antw|rif|tr)(?:\[\d+\])?\s*:)+\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Entry:
    """Where a message lies, and what it answers."""

    start: int
    end: int
    line: int
    key: str
    parents: tuple[str, ...]


def is_mbox(sample: str) -> bool:
    """Whether a text begins as a mail folder does."""
    return _HEADER.match(sample.lstrip("\ufeff\r\n")) is not None


def read_mbox(path: Path, encoding: Encoding, place: Place) -> Iterator[Record | Problem]:
    """Yield a Record for each conversation, under ``messages``, ``thread`` and ``subject``; a Problem for mail that
    cannot be read."""
    entries: list[_Entry] = []
    row = 0
    with path.open("rb") as stream:
        for entry in _entries(stream):
            entries.append(entry)
        for key, thread in _threads(entries):
            for found in _conversations(stream, key, thread, encoding):
                if isinstance(found, Problem):
                    yield Problem(row, found.line, found.reason, found.detail, found.text)
                else:
                    yield Record(row, thread[0].line, found)
                row += 1
            place.done += sum(entry.end - entry.start for entry in thread)


def _entries(stream: BinaryIO) -> Iterator[_Entry]:
    start, line, number, after_blank, offset = -1, 1, 0, True, 0
    head: list[bytes] = []
    in_head = False
    while text := stream.readline(1 << 20):
        number += 1
        if after_blank and _FROM.match(text):
            if start >= 0:
                yield _entry(start, offset, line, head)
            start, line, head, in_head = offset, number, [], True
        elif in_head:
            in_head = bool(text.strip())
            if len(head) < 500:
                head.append(text)
        after_blank = not text.strip()
        offset += len(text)
    if start >= 0:
        yield _entry(start, offset, line, head)


def _entry(start: int, end: int, line: int, head: list[bytes]) -> _Entry:
    unfolded = re.sub(r"\r?\n[ \t]+", " ", b"".join(head).decode("latin-1"))
    fields: dict[str, str] = {}
    for field in unfolded.splitlines():
        name, _, value = field.partition(":")
        fields.setdefault(name.strip().lower(), value)
    own = _ID.search(fields.get("message-id", ""))
    answers = _ID.findall(fields.get("in-reply-to", ""))[:1]
    references = list(reversed(_ID.findall(fields.get("references", ""))))
    key = own.group() if own else f"<{start}@no-id>"
    return _Entry(start, end, line, key, tuple(dict.fromkeys(answers + references))[:20])


def _threads(entries: list[_Entry]) -> Iterator[tuple[str, list[_Entry]]]:
    """Messages by thread, in the order of the threads' first messages; any shared reference joins. Each with the key of
    its thread, which the parts of a long one share, so that one split takes them all."""
    above: dict[str, str] = {}

    def root(key: str) -> str:
        while (up := above.get(key, key)) != key:
            above[key] = above.get(up, up)
            key = up
        return key

    for entry in entries:
        for parent in entry.parents:
            above[root(entry.key)] = root(parent)
    threads: dict[str, list[_Entry]] = {}
    for entry in entries:
        threads.setdefault(root(entry.key), []).append(entry)
    for thread in threads.values():
        for first in range(0, len(thread), MOST_IN_THREAD):
            yield thread[0].key.strip("<>"), thread[first : first + MOST_IN_THREAD]


def _conversations(
    stream: BinaryIO, key: str, thread: list[_Entry], encoding: Encoding
) -> Iterator[dict[str, object] | Problem]:
    posts, subject = [], ""
    keys = {entry.key for entry in thread}
    for entry in thread:
        stream.seek(entry.start)
        raw = stream.read(min(entry.end - entry.start, MESSAGE_BYTES))
        try:
            message = message_from_bytes(raw.split(b"\n", 1)[-1], policy=policy.default)
            text = own_words(plain_text(message, fallback=encoding.name))
            subject = subject or _SUBJECT.sub("", str(message.get("subject", ""))).strip()
            posts.append(_post(message, entry, text, keys))
        except (MessageError, ValueError, LookupError, KeyError, IndexError, AttributeError, TypeError) as error:
            detail = f"The message at line {entry.line} cannot be read as mail ({type(error).__name__})."
            yield Problem(0, entry.line, "bad_mail", detail, raw[:2000].decode("latin-1"))
    for messages in conversations(posts):
        yield {"thread": key, "subject": subject, "messages": messages}


def _post(message: EmailMessage, entry: _Entry, text: str, keys: set[str]) -> Post:
    name, address = parseaddr(str(message.get("from", "")))
    parent = next((key for key in entry.parents if key in keys and key != entry.key), None)
    others = tuple(other for shown, mail in getaddresses([str(message.get("reply-to", ""))]) for other in (shown, mail))
    aliases = tuple(each for each in (name, address, address.partition("@")[0], *others) if each)
    return Post(entry.key, parent, (address or name or "unknown").lower(), text, None, aliases)
