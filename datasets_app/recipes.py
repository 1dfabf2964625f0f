"""Recipes that people start from, and the checks on one that they changed. Pure tables."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

from gptstudio.core.errors import Invalid

STEP_KINDS = ("edits", "normalize", "personal_data", "exact_duplicates", "near_duplicates", "split", "tokens")
TOKEN_POLICIES = ("drop", "truncate", "refuse")
DATA_POLICIES = ("mask", "drop_row", "keep")
Recipe = dict[str, Any]

STEP_HINTS = {
    "edits": ("Apply people's edits", "What somebody corrected or left out by hand stays so in every later version."),
    "normalize": ("Tidy the text", "Broken characters, HTML and odd spacing teach a model to write them."),
    "personal_data": (
        "Hide personal data",
        "A model can repeat what it learnt; names and numbers should not be in it.",
    ),
    "exact_duplicates": (
        "Leave out exact copies",
        "Copies make the model repeat one answer and make scores look better.",
    ),
    "near_duplicates": ("Keep near-copies together", "A near-copy of a training row in the test set is a leak."),
    "split": ("Split into training, validation and test", "Rows the model never saw tell whether it learnt."),
    "tokens": ("Keep within the model's length", "What is longer than the model can read is cut off while it learns."),
}


def recipe(*, train: float, validation: float, test: float, turns: str = "all", near: bool = True) -> Recipe:
    """A whole recipe with every step on."""
    return {
        "version": 1,
        "mapping": None,
        "system_prompt": "",
        "steps": [
            {"kind": "normalize", "enabled": True, "options": {}},
            {"kind": "personal_data", "enabled": True, "options": {"turns": turns, "policy": {}, "default": "mask"}},
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
)


def default_recipe() -> Recipe:
    """What `POST /v1/files` uses: every step on, personal data hidden in the user's turns alone."""
    return recipe(train=0.8, validation=0.1, test=0.1, turns="user")


def step(body: Recipe, kind: str) -> dict[str, Any]:
    """The options of one step; KeyError when the recipe has no such step."""
    for each in body["steps"]:
        if each["kind"] == kind:
            found: dict[str, Any] = each
            return found
    raise KeyError(kind)


def with_edits(body: Recipe, rows: Sequence[dict[str, Any]], *, erased: Sequence[dict[str, Any]] = ()) -> Recipe:
    """A copy of a recipe that makes these edits too; of two edits of one row the later stands."""
    found = copy.deepcopy(body)
    try:
        own = step(found, "edits")
    except KeyError:
        own = {"kind": "edits", "enabled": True, "options": {}}
        found["steps"].insert(0, own)
    options = own["options"]
    by_place = {(each["file"], each["row"]): each for each in [*options.get("rows", []), *rows]}
    known = {each["digest"]: each for each in [*options.get("erased", []), *erased]}
    own["enabled"] = True
    own["options"] = {"rows": list(by_place.values()), "erased": list(known.values())}
    return found


def _check_split(options: dict[str, Any]) -> None:
    shares = [options.get(name) for name in ("train", "validation", "test")]
    if not all(isinstance(share, int | float) and 0 <= share <= 1 for share in shares):
        raise Invalid("The split's shares are not numbers from 0 to 1.", fix="Use 0.8, 0.1 and 0.1.", param="recipe")
    if abs(sum(shares) - 1) > 1e-6 or not shares[0]:  # type: ignore[arg-type]
        raise Invalid(
            f"The split's shares are {shares}; they do not add up to 1 with something to train on.",
            fix="Use 80-10-10 or 70-15-15.",
            param="recipe",
        )


def _check_options(body: Recipe) -> None:
    """Options are objects, and what is done with personal data is spelled as the review gate reads it."""
    for each in body["steps"]:
        options = each.get("options", {})
        if not isinstance(options, dict):
            raise Invalid(
                f"The options of {each['kind']} are not an object.", fix="Start from a preset.", param="recipe"
            )
        policy = options.get("policy", {})
        given = [*policy.values(), options.get("default", "mask")] if isinstance(policy, dict) else [policy]
        if each["kind"] == "personal_data" and not all(value in DATA_POLICIES for value in given):
            raise Invalid(
                "The policy of personal_data is unknown.",
                fix=f"Give each type of data one of {', '.join(DATA_POLICIES)}.",
                param="recipe",
            )


def checked(body: Recipe) -> Recipe:
    """A copy of a recipe that curation will take, or Invalid with a sentence."""
    if not isinstance(body, dict) or not isinstance(body.get("steps"), list):
        raise Invalid("The recipe has no list of steps.", fix="Start from a preset.", param="recipe")
    found = copy.deepcopy(body)
    kinds = [each.get("kind") if isinstance(each, dict) else None for each in found["steps"]]
    unknown = [kind for kind in kinds if kind not in STEP_KINDS]
    if unknown:
        raise Invalid(f"The recipe has an unknown step {unknown[0]!r}.", fix=f"Known: {', '.join(STEP_KINDS)}.")
    if kinds != [kind for kind in STEP_KINDS if kind in kinds]:
        raise Invalid("The recipe's steps stand in another order, or twice.", fix=f"Keep {', '.join(STEP_KINDS)}.")
    _check_options(found)
    if "split" not in kinds:
        raise Invalid("The recipe does not split the rows.", fix="Add the split step: training needs it.")
    _check_split(step(found, "split").get("options", {}))
    if "tokens" in kinds and step(found, "tokens").get("options", {}).get("policy", "drop") not in TOKEN_POLICIES:
        raise Invalid("The token policy is unknown.", fix=f"Choose from {', '.join(TOKEN_POLICIES)}.", param="recipe")
    return found


def hides_personal_data(body: Recipe) -> bool:
    """Whether every type of personal data is hidden or its row dropped."""
    try:
        found = step(body, "personal_data")
    except KeyError:
        return False
    options = found.get("options", {})
    kept = [kind for kind, policy in options.get("policy", {}).items() if policy == "keep"]
    return bool(found.get("enabled", True)) and options.get("default", "mask") != "keep" and not kept


def for_engine(body: Recipe) -> Recipe:
    """The recipe as curation takes it: which model counts the tokens is said on the command line, as a folder."""
    found = copy.deepcopy(body)
    for each in found["steps"]:
        each.get("options", {}).pop("model", None)
    return {name: value for name, value in found.items() if name in ("version", "mapping", "system_prompt", "steps")}
