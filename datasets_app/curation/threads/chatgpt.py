"""ChatGPT's own export: a conversation as a tree of messages under ``mapping``, as posts. Knows no file."""

from __future__ import annotations

from collections.abc import Mapping

from datasets_app.curation.threads.posts import Post

SAID = ("user", "assistant")


def is_chatgpt(values: Mapping[str, object]) -> bool:
    """Whether a record is one conversation of that export."""
    nodes = values.get("mapping")
    return isinstance(nodes, Mapping) and any(
        isinstance(node, Mapping) and {"message", "parent", "children"} <= set(node) for node in nodes.values()
    )


def chatgpt_posts(values: Mapping[str, object]) -> list[Post]:
    """Its messages, each with the one that it answers: an answer that was asked for again is another way of the tree.

    Calls of tools and what they gave, hidden instructions and pictures are left out.
    """
    nodes = values.get("mapping")
    if not isinstance(nodes, Mapping):
        return []
    return [
        Post(str(key), str(node["parent"]) if node.get("parent") else None, *_said(node.get("message")))
        for key, node in nodes.items()
        if isinstance(node, Mapping)
    ]


def _said(message: object) -> tuple[str, str, str | None]:
    """(author, text, role) of a node; no text where it says nothing to be learnt."""
    if not isinstance(message, Mapping):
        return "", "", None
    author, content, about = (message.get(name) or {} for name in ("author", "content", "metadata"))
    role = author.get("role") if isinstance(author, Mapping) else None
    parts = content.get("parts") if isinstance(content, Mapping) else None
    hidden = isinstance(about, Mapping) and about.get("is_visually_hidden_from_conversation")
    if role not in SAID or hidden or message.get("recipient", "all") != "all" or not isinstance(parts, list):
        return "", "", None
    return role, "\n".join(part for part in parts if isinstance(part, str)), role
