"""Recipes that people start from, and the checks on one that they changed. Pure tables."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

from datasets_app.curation.errors import Refusal
from datasets_app.curation.kinds import BY_NAME, KINDS, uncovering_fault
from datasets_app.curation.recipe import parse_recipe
from gptstudio.core.errors import Invalid

STEP_KINDS = tuple(kind.name for kind in KINDS)
STUDIO_OPTIONS = {"tokens": ("model",)}  # what the studio resolves before curation sees the recipe
KEEPS, NO_NAMES = "keeps personal data", "does not look for names and addresses"
USER_TURNS = "hides personal data in the person's turns alone"
REJECTED = "leaves in the rows what somebody called not personal"
ALLOWED = "leaves in the rows what a list of words allows"
Recipe = dict[str, Any]
ENGINE_PARTS = ("version", "mapping", "reading", "system_prompt", "steps")

STEP_HINTS = {
    "edits": (
        "Apply people's edits",
        "What somebody corrected or left out by hand stays so in versions made from it; what was erased, in all.",
    ),
    "normalize": ("Tidy the text", "Broken characters, HTML and odd spacing teach a model to write them."),
    "symbols": (
        "Emoji, links and handles",
        "A model that has seen them will write them: emoji in letters, links that lead nowhere, names of accounts.",
    ),
    "case": ("Repair capitals", "Text that shouts teaches shouting; acronyms and codes keep their capitals."),
    "spelling": (
        "Mend clear slips of spelling",
        "Misspelt words cost the model length and come back in its answers. Names, codes and your own words stay.",
    ),
    "grammar": (
        "Mend small slips of grammar",
        "Doubled words, a or an, apostrophes, capitals and end marks: answers look as careful as the rows they learn from.",
    ),
    "personal_data": (
        "Hide personal data",
        "A model can repeat what it learnt; names and numbers should not be in it.",
    ),
    "length": (
        "Leave out what is too short or too long",
        "“ok” teaches nothing, and a pasted contract drowns the rest.",
    ),
    "language": (
        "Keep the languages you want",
        "A few rows in another language are too few to learn it, and enough to answer in it by mistake.",
    ),
    "repetition": ("Leave out text that repeats itself", "A model that learns loops gets caught in them."),
    "boilerplate": (
        "Cut sentences that every answer shares",
        "Greetings and disclaimers in each row are learnt first and hide whether the rest was learnt at all.",
    ),
    "toxicity": ("Leave out swearing and insults", "What customers shouted should not be what the model says."),
    "patterns": (
        "Leave out rows by pattern",
        "Test rows, internal notes and ticket numbers often look alike; one line finds them.",
    ),
    "conditions": (
        "Keep rows by condition",
        "Only answers that were rated well, only solved tickets: columns that you have say which rows are worth learning.",
    ),
    "exact_duplicates": (
        "Leave out exact copies",
        "Copies make the model repeat one answer and make scores look better.",
    ),
    "near_duplicates": ("Keep near-copies together", "A near-copy of a training row in the test set is a leak."),
    "split": ("Split into training, validation and test", "Rows the model never saw tell whether it learnt."),
    "balance": ("Even out the classes", "A model that sees one class far more often answers with it far more often."),
    "tokens": ("Keep within the model's length", "What is longer than the model can read is cut off while it learns."),
}


def recipe(*, train: float, validation: float, test: float, near: bool = True) -> Recipe:
    """A whole recipe with every step on."""
    return {
        "version": 1,
        "mapping": None,
        "system_prompt": "",
        "steps": [
            {"kind": "normalize", "enabled": True, "options": {}},
            {
                "kind": "personal_data",
                "enabled": True,
                "options": {"turns": "all", "names": True, "policy": {}, "default": "mask"},
            },
            {"kind": "exact_duplicates", "enabled": True, "options": {}},
            {"kind": "near_duplicates", "enabled": near, "options": {"threshold": 0.7}},
            {
                "kind": "split",
                "enabled": True,
                "options": {"train": train, "validation": validation, "test": test, "seed": 0, "stratify": True},
            },
            {"kind": "tokens", "enabled": True, "options": {"limit": 512, "policy": "drop"}},
        ],
    }


def with_steps(body: Recipe, more: dict[str, dict[str, Any]]) -> Recipe:
    """A copy with further steps switched on, `{kind: options}`, each at its place in the table."""
    found = copy.deepcopy(body)
    found["steps"] += [{"kind": kind, "enabled": True, "options": options} for kind, options in more.items()]
    found["steps"].sort(key=lambda each: STEP_KINDS.index(each["kind"]))
    return found


PRESETS: tuple[dict[str, Any], ...] = (
    {
        "key": "support",
        "title": "Customer support",
        "hint": "Everything on: personal data is hidden in every turn, 80 % of the rows train the model.",
        "recipe": recipe(train=0.8, validation=0.1, test=0.1),
    },
    {
        "key": "careful",
        "title": "A larger exam",
        "hint": "The same steps, but 30 % of the rows are kept for the exam: surer scores, less to learn from.",
        "recipe": recipe(train=0.7, validation=0.15, test=0.15),
    },
    {
        "key": "chats",
        "title": "Typed chats and tickets",
        "hint": "Also mends slips of spelling, grammar and capitals in the answers, and cuts what every answer says.",
        "recipe": with_steps(
            recipe(train=0.8, validation=0.1, test=0.1),
            {
                "case": {"turns": "assistant"},
                "spelling": {"turns": "assistant"},
                "grammar": {"turns": "assistant"},
                "boilerplate": {},
            },
        ),
    },
    {
        "key": "labels",
        "title": "Texts with labels",
        "hint": "For sorting into classes: each label is in every part in the same share, 30 % are kept for the exam.",
        "recipe": with_steps(recipe(train=0.7, validation=0.15, test=0.15), {"length": {"question_least": 2}}),
    },
    {
        "key": "public",
        "title": "Forum and web texts",
        "hint": "One language, without insults, without text that repeats itself; links become a placeholder.",
        "recipe": with_steps(
            recipe(train=0.8, validation=0.1, test=0.1),
            {
                "symbols": {"urls": "placeholder", "handles": "placeholder"},
                "language": {"languages": ["en"]},
                "repetition": {},
                "toxicity": {},
            },
        ),
    },
)


def preset(key: str) -> dict[str, Any]:
    """A preset by its key; the first where there is none such."""
    return next((each for each in PRESETS if each["key"] == key), PRESETS[0])


def model_of(body: Recipe) -> str:
    """The base model that a recipe counts tokens for; empty where it names none."""
    found: dict[str, Any] = next((each for each in body["steps"] if each["kind"] == "tokens"), {})
    return str(found.get("options", {}).get("model") or "")


def default_recipe() -> Recipe:
    """What `POST /v1/files` uses: every step on, personal data hidden in every turn: a model repeats its answers."""
    return recipe(train=0.8, validation=0.1, test=0.1)


def step(body: Recipe, kind: str) -> dict[str, Any]:
    """The options of one step; KeyError when the recipe has no such step."""
    for each in body["steps"]:
        if each["kind"] == kind:
            found: dict[str, Any] = each
            return found
    raise KeyError(kind)


def edited_rows(body: Recipe) -> list[dict[str, Any]]:
    """The edits that a recipe makes; none where their step is switched off."""
    try:
        own = step(body, "edits")
    except KeyError:
        return []
    rows: list[dict[str, Any]] = own.get("options", {}).get("rows", [])
    return rows if own.get("enabled", True) else [each for each in rows if each.get("erase")]


def with_edits(body: Recipe, rows: Sequence[dict[str, Any]], *, erased: Sequence[dict[str, Any]] = ()) -> Recipe:
    """A copy of a recipe that makes these edits too, and leaves out what was erased; of two edits of one row the later
    stands. The same number may be another row where the file was read in another way in between: its digest tells. Edits
    that were switched off stay so."""
    found, before = copy.deepcopy(body), edited_rows(body)
    try:
        own = step(found, "edits")
    except KeyError:
        own = {"kind": "edits"}
        found["steps"].insert(0, own)
    by_row: dict[tuple[Any, ...], dict[str, Any]] = {}
    for each in [*before, *rows]:
        place = (each["file"], each["row"])
        key = (*place, each["mark"]) if "mark" in each else place
        for earlier in (place, key):  # one without a digest is of whatever row has the number
            by_row.pop(earlier, None)
        by_row[key] = each
    known = {tuple(sorted(each.items())): each for each in [*own.get("options", {}).get("erased", []), *erased]}
    own |= {"enabled": True, "options": {"rows": list(by_row.values()), "erased": list(known.values())}}
    return found


def checked(body: Recipe) -> Recipe:
    """A copy of a recipe that curation will take, or Invalid with a sentence."""
    if not isinstance(body, dict) or not isinstance(body.get("steps"), list):
        raise Invalid("The recipe has no list of steps.", fix="Start from a preset.", param="recipe")
    try:
        parse_recipe(for_engine({"version": 1, **body}))
    except Refusal as refusal:
        raise Invalid(refusal.message, fix="Correct it, or start from a preset.", param="recipe") from refusal
    found = copy.deepcopy(body)
    if "split" not in [each["kind"] for each in found["steps"] if each.get("enabled", True)]:
        raise Invalid(
            "The recipe does not split the rows.", fix="Add the split step: training needs it.", param="recipe"
        )
    return found


def check_hiding(body: Recipe) -> None:
    """Invalid for a new recipe whose tidying would uncover what was to be hidden. Versions of old ones are still made."""
    fault = uncovering_fault([each["kind"] for each in body["steps"] if each.get("enabled", True)])
    if fault:
        raise Invalid(fault, fix="Correct it, or start from a preset.", param="recipe")


def catalogue() -> list[dict[str, Any]]:
    """The steps there are, in their order: kind, title, why one would want it, and every option."""
    found = []
    for kind in KINDS:
        title, why = STEP_HINTS.get(kind.name, (kind.name.replace("_", " ").capitalize(), ""))
        found.append({**kind.as_json(), "title": title, "why": why})
    return found


def hides_personal_data(body: Recipe) -> bool:
    """Whether all that is found, names too, is hidden or its row dropped, in every turn and without exceptions."""
    return not why_seen(body)


def searched_turns(body: Recipe) -> str:
    """The turns in which a recipe looks for personal data, `all` or `user`; empty where it looks in none."""
    options = _personal_options(body)
    return str(options["turns"]) if options else ""


def _personal_options(body: Recipe) -> dict[str, Any]:
    """Options of the step that hides personal data; empty where it is missing or switched off."""
    try:
        found = step(body, "personal_data")
    except KeyError:
        return {}
    defaults = {**BY_NAME["personal_data"].defaults(), "policy": {}}
    return {**defaults, **found.get("options", {})} if found.get("enabled", True) else {}


def why_seen(body: Recipe) -> str:
    """What a recipe does so that a reviewer must look at its versions; empty where nobody must."""
    options = _personal_options(body)
    if not options or options["default"] == "keep" or "keep" in options["policy"].values():
        return KEEPS
    reasons = [
        *([] if options["names"] else [NO_NAMES]),
        *([] if options["turns"] == "all" else [USER_TURNS]),
        *([REJECTED] if "reject" in options["decisions"].values() else []),
        *([ALLOWED] if options["allow"] else []),
    ]
    return " and ".join(reasons)


def for_engine(body: Recipe) -> Recipe:
    """The recipe as curation takes it: which model counts the tokens is said on the command line, as a folder."""
    found = copy.deepcopy(body)
    for each in found["steps"]:
        options = each.get("options") if isinstance(each, dict) else None
        if isinstance(options, dict):
            for name in STUDIO_OPTIONS.get(str(each.get("kind")), ()):
                options.pop(name, None)
    return {name: value for name, value in found.items() if name in ENGINE_PARTS}
