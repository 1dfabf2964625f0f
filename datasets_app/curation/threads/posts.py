"""One thread of posts to conversations: who answers whom, who is the user, and nobody by name. Knows no file.

A tree gives one conversation for each way from its first post to a last one. A thread in which all answer the first
post and its author comes back is one conversation in the order of the posts. The author of the first post is the user
and those who answer are agents, unless the file says otherwise. Where several people share a role in a conversation,
their turns open with their pseudonym.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from datasets_app.curation.rows import Message
from datasets_app.curation.threads.pseudonyms import Pseudonyms

LONGEST = 64  # posts of one conversation; a longer way is cut into several


@dataclass(frozen=True, slots=True)
class Post:
    """One post.

    ``parent`` is the key of the post it answers; ``author`` is empty where the file names none; ``role`` is what the
    file says of its author, if it does; ``aliases`` are further names of the author that may stand in texts; ``row`` is
    its number in the file, where it is a record of its own; ``day`` is when it was written, empty where nothing says so.
    """

    key: str
    parent: str | None
    author: str
    text: str
    role: str | None = None
    aliases: tuple[str, ...] = ()
    row: int = 0
    day: str = ""


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
    paths = _paths(posts) if _has_last(posts) else [list(posts)]  # posts that answer each other in a circle have none
    for path in paths:
        yield _turns(path, named), path


def _has_last(posts: Sequence[Post]) -> bool:
    answered = {post.parent for post in posts if post.parent != post.key}
    return any(post.key not in answered for post in posts)


def _in_order(posts: Sequence[Post]) -> list[Post]:
    """The first post first, whatever the order of the file; posts without authors are by two people in turn."""
    keys = {post.key for post in posts}
    first = next((post for post in posts if post.parent is None or post.parent not in keys - {post.key}), posts[0])
    ordered = [first, *(post for post in posts if post is not first)]
    if any(post.author for post in ordered):
        return [post if post.author else replace(post, author="unknown") for post in ordered]
    depths: dict[str, int] = {}
    writers = []
    for place, post in enumerate(ordered):
        depth = depths.get(post.parent, place - 1) + 1 if post.parent else place
        depths.setdefault(post.key, depth)
        writers.append(replace(post, author=f"writer {depth % 2}"))
    return writers


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
    """Every way from the first post to one that none answers, long ones in windows of LONGEST posts; each begins with the
    last post of the one before, so that an answer has its question. What several ways share comes once."""
    above = _above(posts)
    answered = set(above)
    depths = _depths(above)
    known: set[int] = set()
    told: set[int] = set()
    leaves = (place for place in range(len(posts)) if place not in answered)
    for leaf in chain(leaves, range(len(posts))):  # and those of a circle that no way has met
        if leaf in told:
            continue
        ends = [leaf]  # of windows, the last one first
        windows = []
        while ends[-1] not in known:
            known.add(ends[-1])
            window = _window(ends[-1], above, depths)
            windows.append(window)
            if not depths[window[0]]:
                break
            ends.append(window[0])
        for window in reversed(windows):
            told.update(window)
            yield [posts[place] for place in window]


def _above(posts: Sequence[Post]) -> list[int]:
    """The place of the post that each one answers, -1 for none. Keys may repeat in a file: a parent is the first of them,
    and the others are posts of their own."""
    places: dict[str, int] = {}
    for place, post in enumerate(posts):
        places.setdefault(post.key, place)
    return [
        places.get(post.parent, -1) if post.parent is not None and post.parent != post.key else -1 for post in posts
    ]


def _depths(above: Sequence[int]) -> dict[int, int]:
    """How many posts stand above each; 0 for the first one of a way. A circle begins where it is met first."""
    found: dict[int, int] = {}
    for place in range(len(above)):
        path: dict[int, None] = {}
        at = place
        while at >= 0 and at not in found and at not in path:
            path[at] = None
            at = above[at]
        depth = found[at] + 1 if at in found else 0
        for each in reversed(path):
            found[each] = depth
            depth += 1
    return found


def _window(last: int, above: Sequence[int], depths: dict[int, int]) -> list[int]:
    """The places up to `last` from the one where its window begins."""
    step = LONGEST - 1
    begin = max(0, (depths[last] - 1) // step * step)
    path = [last]
    while depths[path[-1]] > begin:
        path.append(above[path[-1]])
    path.reverse()
    return path


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
