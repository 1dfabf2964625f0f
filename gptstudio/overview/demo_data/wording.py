"""What customers of the invented shop write and how its desk answers. Knows nothing of files or defects."""

from __future__ import annotations

import random
import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

_GAP = re.compile(r"\{(\w+)\}")


@cache
def shop() -> dict[str, Any]:
    """The shop as written down in `shop.toml`."""
    return tomllib.loads((Path(__file__).parent / "shop.toml").read_text(encoding="utf-8"))


def fill(rng: random.Random, template: str, known: dict[str, str]) -> str:
    """The template with its gaps filled: from `known`, a number for `{n}` and `{m}`, else from the shop's lists."""

    def value(match: re.Match[str]) -> str:
        name = match.group(1)
        if name in known:
            return known[name]
        return str(rng.randint(2, 19)) if name in "nm" else rng.choice(shop()["around"][name])

    return _GAP.sub(value, template)


def draw_topic(rng: random.Random) -> str:
    """A topic, drawn by its weight."""
    topics = shop()["topics"]
    return rng.choices(list(topics), [topic["weight"] for topic in topics.values()])[0]


def draw_product(rng: random.Random) -> dict[str, str]:
    """One product with its facts; its name also under `p`, the gap that templates use."""
    product: dict[str, str] = rng.choice(list(shop()["products"].values()))
    return product | {"p": product["name"]}


def question(rng: random.Random, topic: str, product: dict[str, str]) -> str:
    """A customer's letter about a topic, with a sentence of scene-setting somewhere around it."""
    around = shop()["around"]
    parts = [rng.choice(around["before"])] if rng.random() < 0.3 else []
    parts += rng.sample(around["setting"], 1)
    parts.insert(rng.randint(0, len(parts)), rng.choice(shop()["topics"][topic]["ask"]))
    parts += rng.sample(around["tried"], rng.choice((0, 0, 1)))
    parts += [rng.choice(around["after"])] if rng.random() < 0.4 else []
    return sentences([fill(rng, part, product) for part in parts])


def long_question(rng: random.Random, topic: str, product: dict[str, str]) -> str:
    """A letter that no small context holds: the question inside some fifty sentences of diary."""
    diary = [fill(rng, rng.choice(shop()["around"]["setting"]), product) for _ in range(52)]
    return f"{question(rng, topic, product)} {sentences(diary)}"


def answer(topic: str, product: dict[str, str]) -> str:
    """The desk's one answer to a topic and a product: what the model is to learn."""
    return _in_style(shop()["topics"][topic]["reply"], product)


def follow_up(rng: random.Random, product: dict[str, str]) -> tuple[str, str]:
    """A second question in the same conversation, and its answer."""
    extra = rng.choice(shop()["followup"])
    around = shop()["around"]
    parts = [rng.choice(extra["ask"]), rng.choice(around["setting"]), rng.choice(around["after"])]
    return sentences([fill(rng, part, product) for part in parts]), _in_style(extra["reply"], product)


def _in_style(reply: str, product: dict[str, str]) -> str:
    style = shop()["style"]
    filled = _GAP.sub(lambda match: product[match.group(1)], reply)
    return f"{style['hello']} {filled} {style['bye']}"


def sentences(parts: list[str]) -> str:
    """The parts as sentences: a capital first, a full stop last."""
    return " ".join(part[:1].upper() + part[1:] + ("" if part.endswith((".", "?", "!")) else ".") for part in parts)
