"""Records that hold their answers inside (replies, comments, answers, parts), as conversations. Knows no file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from math import isfinite

from datasets_app.curation.columnnames import AUTHOR_KEYS, REPLY_KEYS, TEXT_KEYS, TIME_KEYS
from datasets_app.curation.keys import key_of
from datasets_app.curation.readers.heading import field_key
from datasets_app.curation.rows import Problem, Record
from datasets_app.curation.threads.chatgpt import chatgpt_posts, is_chatgpt
from datasets_app.curation.threads.posts import LONGEST, Post, conversations
from datasets_app.curation.threads.tables import role_from

MOST_POSTS = 20_000
SECONDS, MILLISECONDS = 86_400, 1e11  # of a day; a number beyond is in thousandths
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
IDS = ("id", "postid", "ticketid", "questionid", "uuid", "conversationid")


def expand_nested(records: Iterator[Record | Problem]) -> Iterator[Record | Problem]:
    """Yield a Record under ``messages`` and ``thread`` for each conversation that a record holds; problems pass."""
    row = 0
    for record in records:
        if isinstance(record, Problem):
            yield record
            continue
        posts, left = (chatgpt_posts(record.values), False) if is_chatgpt(record.values) else _posts(record.values)
        rest = {name: value for name, value in record.values.items() if not isinstance(value, list | dict)}
        thread = _thread(record)
        in_a_row = sum(post.parent is None for post in posts) > 1  # no post that the others answer: one talk
        for key, part in _days(posts) if in_a_row and len(posts) > LONGEST else [("", posts)]:
            for messages in conversations(part, in_a_row=in_a_row) if part else [[]]:
                yield Record(row, record.line, {**rest, "thread": thread + key, "messages": messages}, (record.row,))
                row += 1
        if left:
            detail = f"Record {record.row + 1:,} holds more than {MOST_POSTS:,} posts; those behind were left out."
            yield Problem(row, record.line, "too_many_posts", f"{detail} Divide it.", sources=(record.row,))
            row += 1


def _thread(record: Record) -> str:
    """What keeps the conversations of a record in one split."""
    found = (key_of(_keyed(each, IDS)) for each in (record.values, *replies_of(record.values)[:1]))
    return next(filter(None, found), f"record {record.row}")


def _days(posts: Sequence[Post]) -> Iterator[tuple[str, list[Post]]]:
    """A long talk, such as all that was ever said in a channel, by its days, each with a key; one without days as it is."""
    for day, said in groupby(posts, key=lambda post: post.day):
        yield f" {day}" if day else "", list(said)


def _day_of(values: Mapping[str, object]) -> str:
    at = _keyed(values, (*TIME_KEYS, "timestampms"))
    if isinstance(at, int | float) and isfinite(at):
        return str(int(at / (1000 if at > MILLISECONDS else 1)) // SECONDS)
    found = _DAY.match(str(at or ""))
    return found[0] if found else ""


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
    if isinstance(body, list):  # pieces of a text, of which some are links or bold
        pieces = (each.get("text") if isinstance(each, Mapping) else each for each in body)
        body = "".join(piece for piece in pieces if isinstance(piece, str))
    parts = [part.strip() for part in (title, body) if isinstance(part, str) and part.strip()]
    return "\n\n".join(dict.fromkeys(parts))


def replies_of(values: Mapping[str, object]) -> list[Mapping[str, object]]:
    """The posts inside a post, in order."""
    found: list[Mapping[str, object]] = []
    for name, value in values.items():
        if field_key(name) == "source" and isinstance(value, Mapping) and text_of(value):
            found.append(value)  # how a ticket began
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
        key = f"{key_of(_keyed(each, IDS)) or 'post'}.{number}"
        text, author = text_of(each), author_of(each)
        inside = None if number == 0 and (is_title or not text) else key
        if inside is None:
            title = "" if text in {author_of(reply) for reply in replies} else text  # chats are named by who is in them
        else:
            opening = f"{title}\n\n" if title and title not in text else ""
            title = ""
            role = role_from(dict(each), author)
            found.append(Post(key, parent, author, f"{opening}{text}", role, day=_day_of(each)))
        waiting += [(item, inside) for item in reversed(replies_of(each))]
        number += 1
    return found, bool(waiting)
