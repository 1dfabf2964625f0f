"""Which role a speaker's name says, in files of any shape. A table and its reading; knows no file."""

from __future__ import annotations

import re

SPEAKERS = {
    "user": "user", "human": "user", "customer": "user", "client": "user", "visitor": "user", "caller": "user",
    "guest": "user", "patient": "user", "student": "user", "buyer": "user", "member": "user", "kunde": "user",
    "question": "user", "q": "user", "cliente": "user", "me": "user", "you": "user",
    "assistant": "assistant", "agent": "assistant", "bot": "assistant", "chatbot": "assistant", "advisor": "assistant",
    "support": "assistant", "operator": "assistant", "representative": "assistant", "rep": "assistant",
    "ai": "assistant", "gpt": "assistant", "chatgpt": "assistant", "model": "assistant", "doctor": "assistant",
    "teacher": "assistant", "tutor": "assistant", "seller": "assistant", "answer": "assistant", "a": "assistant",
    "agente": "assistant", "berater": "assistant", "helpdesk": "assistant", "staff": "assistant", "csr": "assistant",
    "prompter": "user", "inbound": "user", "requester": "user", "end-user": "user", "outbound": "assistant",
    "brand": "assistant", "employee": "assistant", "action": "tool", "incoming": "user", "outgoing": "assistant",
    "admin": "assistant",
    "system": "system", "developer": "system", "tool": "tool", "function": "tool", "observation": "tool",
}  # fmt: skip
_NUMBER = re.compile(r"[\s_#*]*\d*$")


def speaker_role(name: str) -> str | None:
    """The role that a speaker's name says: ``Customer 2`` is ``user``; None for a name that says none."""
    key = _NUMBER.sub("", name.strip().lower()).strip(" *_")
    if key in SPEAKERS or not key:
        return SPEAKERS.get(key)
    words = key.replace("_", " ").replace("-", " ").split()
    return next((SPEAKERS[word] for word in (words[-1], words[0]) if len(word) > 2 and word in SPEAKERS), None)
