"""Records that name the record they answer, joined into conversations. Posts wait on disk; a few bytes each in memory."""

from __future__ import annotations

import errno
import json
import re
import sqlite3
from array import array
from collections.abc import Iterator
from contextlib import closing
from hashlib import blake2b

from datasets_app.curation.errors import Refusal
from datasets_app.curation.keys import key_of
from datasets_app.curation.layouts import ColumnMap
from datasets_app.curation.moments import Moments, in_order
from datasets_app.curation.rows import Problem, Record
from datasets_app.curation.speakers import speaker_role
from datasets_app.curation.threads.posts import Post, talks

NONE, ON_THE_WAY = -1, -2
LARGEST = 20_000
AGENT_FLAGS = frozenset({"isstaff", "staff", "isagent", "agent", "isadmin", "isemployee", "fromagent", "isbot"})
CUSTOMER_FLAGS = frozenset({"inbound", "iscustomer", "fromcustomer", "incoming"})
TRUE, FALSE = frozenset({"true", "1", "yes", "y"}), frozenset({"false", "0", "no", "n", ""})


def role_from(values: dict[str, object], author: object) -> str | None:
    """What a record says of its author: a flag such as ``is_staff`` or ``inbound``, a role column, a telling name."""
    about = next((value for name, value in values.items() if name in ("author", "user", "from", "sender")), None)
    for name, value in (values | (about if isinstance(about, dict) else {})).items():
        key = re.sub(r"[^a-z]", "", name.lower())
        said = str(value).strip().lower()
        if key in AGENT_FLAGS and said in TRUE | FALSE:
            return "assistant" if said in TRUE else "user"
        if key in CUSTOMER_FLAGS and said in TRUE | FALSE:
            return "user" if said in TRUE else "assistant"
        if key in ("role", "authorrole", "authortype", "sendertype", "usertype") and (role := speaker_role(said)):
            return role
        if key == "type" and said in ("admin", "agent", "staff", "bot"):
            return "assistant"
    return speaker_role(str(author)) if author is not None else None


def join_threads(records: Iterator[Record | Problem], mapping: ColumnMap) -> Iterator[Record | Problem]:
    """Yield problems as they come, then a Record for each conversation, under ``messages`` and ``thread``. Where the file
    breaks off, Refusal is raised after what was read."""
    try:
        yield from _joined(records, mapping)
    except sqlite3.OperationalError as error:  # its temporary file is all that can fail here
        raise OSError(errno.ENOSPC, f"posts cannot be put down: {error}") from error


def _joined(records: Iterator[Record | Problem], mapping: ColumnMap) -> Iterator[Record | Problem]:
    with closing(sqlite3.connect("")) as disk:  # a nameless database is a file that goes with the connection
        disk.execute("CREATE TABLE post (place INTEGER PRIMARY KEY, row INTEGER, line INTEGER, body TEXT)")
        index: dict[bytes, int] = {}
        parents: list[bytes | None] = []
        moments, broken_off = Moments(), None
        try:
            for record in records:
                if isinstance(record, Problem):
                    yield record
                    continue
                place = len(parents)
                moments.see(record.values.get(mapping.turn or ""))
                index.setdefault(_digest(key_of(record.values.get(mapping.id or "")) or f"\0{place}"), place)
                parent = key_of(record.values.get(mapping.parent or ""))
                parents.append(_digest(parent) if parent else None)
                body = json.dumps(dict(record.values), default=str)
                disk.execute("INSERT INTO post VALUES (?, ?, ?, ?)", (place, record.row, record.line, body))
        except Refusal as refusal:
            broken_off = refusal
        roots = _roots(index, parents)
        for row, found in enumerate(_threads(disk, roots, mapping, moments)):
            yield Record(row, found.line, found.values, found.sources)
        if broken_off is not None:
            raise broken_off


def _digest(key: str) -> bytes:
    return blake2b(key.encode("utf-8", "surrogatepass"), digest_size=8).digest()


def _roots(index: dict[bytes, int], parents: list[bytes | None]) -> array[int]:
    """The first post of each post's thread. Posts that answer in a circle belong to the first of the circle."""
    above = array("q", (index.get(parent, NONE) if parent else NONE for parent in parents))
    roots = array("q", [NONE]) * len(above)
    for start in range(len(above)):
        path, place = [], start
        while roots[place] == NONE:
            roots[place] = ON_THE_WAY
            path.append(place)
            if above[place] in (NONE, place):
                root = place
                break
            place = above[place]
        else:
            root = roots[place] if roots[place] != ON_THE_WAY else min(path[path.index(place) :])
        for each in path:
            roots[each] = root
    return roots


def _threads(disk: sqlite3.Connection, roots: array[int], mapping: ColumnMap, moments: Moments) -> Iterator[Record]:
    thread: list[tuple[int, int | None, dict[str, object]]] = []
    current, key = NONE, ""
    for place in sorted(range(len(roots)), key=lambda place: (roots[place], place != roots[place], place)):
        if roots[place] != current or len(thread) >= LARGEST:
            yield from _records(thread, mapping, key, moments)
            thread = []
        row, line, body = disk.execute("SELECT row, line, body FROM post WHERE place = ?", (place,)).fetchone()
        values = json.loads(body)
        if roots[place] != current:  # the parts of a thread that is cut keep its key, so that one split takes them all
            current, key = roots[place], key_of(values.get(mapping.id or "")) or f"post {row}"
        thread.append((row, line, values))
    yield from _records(thread, mapping, key, moments)


def _records(
    thread: list[tuple[int, int | None, dict[str, object]]], mapping: ColumnMap, key: str, moments: Moments
) -> Iterator[Record]:
    if not thread:
        return
    if mapping.turn:
        thread = in_order(thread, [moments.of(values.get(mapping.turn)) for _row, _line, values in thread])
    posts = [_post(values, mapping, number, row) for number, (row, _line, values) in enumerate(thread)]
    row, line, first = thread[0]
    for messages, path in talks(posts):
        yield Record(row, line, {**first, "thread": key, "messages": messages}, tuple(post.row for post in path))


def _post(values: dict[str, object], mapping: ColumnMap, number: int, row: int) -> Post:
    author = values.get(mapping.speaker or "")
    if isinstance(author, dict):
        author = next((author[name] for name in ("name", "username", "login", "id") if author.get(name)), None)
    text = values.get(mapping.prompt or "")
    title = values.get("title") or values.get("subject")
    body = "" if text is None else str(text)
    parent = key_of(values.get(mapping.parent or "")) or None
    if isinstance(title, str) and title.strip() and mapping.prompt not in ("title", "subject") and number == 0:
        body = f"{title.strip()}\n\n{body}".strip()
    return Post(
        key=key_of(values.get(mapping.id or "")) or f"post {number}",
        parent=parent,
        author=str(author or ""),
        text=body,
        role=role_from(values, author),
        row=row,
    )
