"""One thread of posts to conversations: who answers whom, who is the user, and nobody by name. Knows no file.

A tree gives one conversation for each way from its first post to a last one. A thread in which all answer the first
post and its author comes back is one conversation in the order of the posts. The author of the first post is the user
and those who answer are agents, unless the file says otherwise. Where several people share a role in a conversation,
their turns open with their pseudonym.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from datasets_app.curation.rows import Message
from datasets_app.curation.threads.pseudonyms import Pseudonyms

LONGEST = 64


@dataclass(frozen=True, slots=True)
class Post:
    """One post.

    ``parent`` is the key of the post it answers; ``author`` is empty where the file names none; ``role`` is what the
    file says of its author, if it does; ``aliases`` are further names of the author that may stand in texts; ``row`` is
    its number in the file, where it is a record of its own.
    """

    key: str
    parent: str | None
    author: str
    text: str
    role: str | None = None
    aliases: tuple[str, ...] = ()
    row: int = 0


def conversations(posts: Sequence[Post], *, in_a_row: bool = False) -> Iterator[list[Message]]:
    """The conversations of one thread, its posts in order; ``in_a_row``: they are one talk, whoever answers whom."""
    for messages, _path in talks(posts, in_a_row=in_a_row):
        yield messages


def talks(posts: Sequence[Post], *, in_a_row: bool = False) -> Iterator[tuple[list[Message], Sequence[Post]]]:
    """The same, each with the posts it was made of."""
    if not posts:
        return
    posts = _in_order(posts)
    named = Pseudonyms([(post.author, post.aliases) for post in posts], _roles(posts))
    posts = [replace(post, text=named.hidden(post.text).strip()) for post in posts]  # once, however many ways lead by
    if in_a_row or _is_talk(posts):
        yield _turns(posts, named), posts
        return
    paths = list(_paths(posts)) or [list(posts)]  # posts that answer each other in a circle have no last one
    for path in paths:
        yield _turns(path, named), path


def _in_order(posts: Sequence[Post]) -> list[Post]:
    """The first post first, whatever the order of the file; posts without authors are by two people in turn."""
    keys = {post.key for post in posts}
    first = next((post for post in posts if post.parent is None or post.parent not in keys - {post.key}), posts[0])
    ordered = [first, *(post for post in posts if post is not first)]
    if any(post.author for post in ordered):
        return [post if post.author else replace(post, author="unknown") for post in ordered]
    depths: dict[str, int] = {}
    for place, post in enumerate(ordered):
        depths[post.key] = depths.get(post.parent, place - 1) + 1 if post.parent else place
    return [replace(post, author=f"writer {depths[post.key] % 2}") for post in ordered]


def _roles(posts: Sequence[Post]) -> dict[str, str]:
    """Each author's role: what the file says, else the user is who began, and the others answer."""
    said = {post.author: post.role for post in reversed(posts) if post.role}
    others = "user" if said and "user" not in said.values() else "assistant"
    found = {post.author: others for post in posts}
    if not said:
        found[posts[0].author] = "user"
    return found | said


def _is_talk(posts: Sequence[Post]) -> bool:
    """Whether all answer the first post and its author speaks again: then the order of the posts is the talk."""
    first = posts[0]
    flat = all(post.parent in (None, first.key, post.key) for post in posts)
    return flat and any(post.author == first.author for post in posts[2:])


def _paths(posts: Sequence[Post]) -> Iterator[list[Post]]:
    """Every way from the first post to one that none answers; of long ones, the first post and the last ones."""
    by_key = {post.key: post for post in reversed(posts)}
    answered = {post.parent for post in posts if post.parent and post.parent != post.key}
    for leaf in posts:
        if leaf.key in answered:
            continue
        path, seen = [leaf], {leaf.key}
        while (parent := path[-1].parent) is not None and parent in by_key and parent not in seen:
            if len(path) == LONGEST - 1:
                path.append(posts[0])
                break
            seen.add(parent)
            path.append(by_key[parent])
        path.reverse()
        yield path


def _turns(path: Sequence[Post], named: Pseudonyms) -> list[Message]:
    """Messages of a path: posts of one author in a row are one turn."""
    runs: list[tuple[str, list[str]]] = []
    for post in path:
        if not post.text:
            continue
        if runs and runs[-1][0] == post.author:
            runs[-1][1].append(post.text)
        else:
            runs.append((post.author, [post.text]))
    shared = {
        role: len({author for author, _texts in runs if named.role(author) == role}) > 1
        for role in ("user", "assistant")
    }
    return [
        Message(
            role=named.role(author),
            content=(f"{named.of(author)}: " if shared.get(named.role(author)) else "") + "\n\n".join(texts),
        )
        for author, texts in runs
    ]
