"""What goes wrong with text on its way through people and programs. Each function returns the damaged text."""

from __future__ import annotations

import html
import random


def typo(rng: random.Random, text: str) -> str:
    """One to three slips: letters swapped, dropped or doubled."""
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(1, len(text) - 2)
        pair = text[at : at + 2]
        if pair.isalpha():
            text = text[:at] + rng.choice((pair[::-1], pair[1], pair[0] + pair)) + text[at + 2 :]
    return text


def mixed_case(rng: random.Random, text: str) -> str:
    """All capitals, no capitals, or capitals at random."""
    style = rng.randrange(3)
    if style == 0:
        return text.upper()
    if style == 1:
        return text.lower()
    return "".join(letter.upper() if rng.random() < 0.3 else letter for letter in text)


def as_html(rng: random.Random, text: str) -> str:
    """The text as a web form would have sent it."""
    escaped = html.escape(text, quote=False).replace(" and ", " &amp; ")
    broken = escaped.replace(". ", ".<br/>", 1)
    return rng.choice((f"<p>{broken}</p>", f'<div class="msg"><b>{broken}</b></div>', f"<p>{broken}&nbsp;</p>"))


def reworded(rng: random.Random, text: str) -> str:
    """A near duplicate: the same letter sent again with a word or two added or a mark changed."""
    edits = (
        lambda: f"Resending this. {text}",
        lambda: f"{text} Thanks again.",
        lambda: text.replace(".", "!", 1),
        lambda: text.replace("the ", "that ", 1),
        lambda: typo(rng, text),
    )
    changed = rng.choice(edits)()
    return changed if changed != text else f"{text} Thanks again."


def branch_flavour(rng: random.Random, text: str) -> str:
    """A sentence with letters beyond ASCII that both UTF-8 and cp1252 can write."""
    extra = (
        f"The café next door charges £{rng.randint(2, 9)} – daylight robbery.",
        f"I’m told Zoë at the till noted all this on {rng.randint(2, 27)} May.",
        f"The naïve hope was to spend €{rng.randint(20, 400)} at most.",
        "My fiancée says “be polite”, so here I am.",
    )
    return f"{text} {rng.choice(extra)}"
