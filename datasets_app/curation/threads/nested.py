"""Records that hold their answers inside (replies, comments, answers, parts), as conversations. Knows no file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from datasets_app.curation.columnnames import AUTHOR_KEYS, REPLY_KEYS, TEXT_KEYS
from datasets_app.curation.keys import key_of
from datasets_app.curation.readers.heading import field_key
from datasets_app.curation.rows import Problem, Record
from datasets_app.curation.threads.posts import Post, conversations
from datasets_app.curation.threads.tables import role_from

MOST_POSTS = 20_000


def expand_nested(records: Iterator[Record | Problem]) -> Iterator[Record | Problem]:
    """Yield a Record under ``messages`` and ``thread`` for each conversation that a record holds; problems pass."""
    row = 0
    for record in records:
        if isinstance(record, Problem):
            yield record
            continue
        posts, left = _posts(record.values)
        rest = {name: value for name, value in record.values.items() if not isinstance(value, list | dict)}
        thread = posts[0].key if posts else f"record {record.row}"
        in_a_row = sum(post.parent is None for post in posts) > 1  # no post that the others answer: one talk
        for messages in conversations(posts, in_a_row=in_a_row) if posts else [[]]:
            yield Record(row, record.line, {**rest, "thread": thread, "messages": messages}, (record.row,))
            row += 1
        if left:
            detail = f"Record {record.row + 1:,} holds more than {MOST_POSTS:,} posts; those behind were left out."
            yield Problem(row, record.line, "too_many_posts", f"{detail} Divide it.", sources=(record.row,))
            row += 1


def _keyed(values: Mapping[str, object], names: tuple[str, ...]) -> object:
    keys = {field_key(name): name for name in reversed(list(values))}
    return next((values[keys[name]] for name in names if name in keys and values[keys[name]]), None)


def author_of(values: Mapping[str, object]) -> str:
    """Who wrote a post: a name, or the name in an object about a person; empty where nothing says so."""
    found = _keyed(values, AUTHOR_KEYS)
    if isinstance(found, Mapping):
        names = ("name", "display_name", "username", "login", "type", "id")
        found = next((found[name] for name in names if found.get(name)), None)
    return str(found or "")


def text_of(values: Mapping[str, object]) -> str:
    """Title and text of a post, whichever it has."""
    title, body = values.get("title") or values.get("subject"), _keyed(values, TEXT_KEYS)
    if isinstance(body, Mapping):  # {"rendered": …}, {"text": …}
        body = next((value for value in body.values() if isinstance(value, str)), None)
    parts = [part.strip() for part in (title, body) if isinstance(part, str) and part.strip()]
    return "\n\n".join(dict.fromkeys(parts))


def replies_of(values: Mapping[str, object]) -> list[Mapping[str, object]]:
    """The posts inside a post, in order."""
    found: list[Mapping[str, object]] = []
    for name, value in values.items():
        if field_key(name) not in REPLY_KEYS:
            continue
        if isinstance(value, Mapping):  # {"total_count": 3, "items": […]}
            value = next((items for items in value.values() if isinstance(items, list)), [])
        found += [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []
    return found


def _posts(values: Mapping[str, object]) -> tuple[list[Post], bool]:
    """The record and all inside it, each before what answers it; and whether there are more than are read.

    A title without an author, above posts that have some, belongs to the first of them.
    """
    replies = replies_of(values)
    is_title = not author_of(values) and any(author_of(reply) for reply in replies)
    waiting: list[tuple[Mapping[str, object], str | None]] = [(values, None)]
    number, title = 0, ""
    found: list[Post] = []
    while waiting and number < MOST_POSTS:
        each, parent = waiting.pop()
        key = f"{key_of(_keyed(each, ('id', 'postid', 'ticketid', 'questionid'))) or 'post'}.{number}"
        text, author = text_of(each), author_of(each)
        inside = None if number == 0 and (is_title or not text) else key
        if inside is None:
            title = text
        else:
            opening = f"{title}\n\n" if title and title not in text else ""
            title = ""
            found.append(Post(key, parent, author, f"{opening}{text}", role_from(dict(each), author)))
        waiting += [(item, inside) for item in reversed(replies_of(each))]
        number += 1
    return found, bool(waiting)
