"""What the model's tokenizer and template make of the rows, as a worker has measured it. Opens no file."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from datasets_app import recipes
from datasets_app.models import DatasetVersion
from training_app.models import LanguageModel, Measurement, MeasurementState
from training_app.preflight.finding import Act, Finding

TITLES = {
    "stop_token_unlearned": "Where an answer ends",
    "template_refused": "Chat template",
    "template_unclear": "Chat template",
    "data_unreadable": "The rows can be read",
    "tokenizer_unfit": "Tokenizer",
}
ALIKE, SAME, LEAST_ANSWERS = 0.5, 0.9, 10
STEP = 64  # lengths are offered in steps of this many tokens


def looked_over(inspection: Measurement | None, seen: dict[str, Any], hyperparameters: dict[str, Any]) -> list[Finding]:
    """All that the worker saw; nothing while it looks, one line where it could not."""
    if inspection is not None and inspection.state == MeasurementState.FAILED:
        said = inspection.error.get("message", "")
        message = f"They could not be looked at. {said}".strip()
        again = Act("look_again", "Look again")
        return [Finding("Rows as the model sees them", message, "warning", inspection.error.get("fix", ""), again)]
    if not seen:
        return []
    if problem := seen["problem"]:
        title = TITLES.get(problem["code"], "Base model")
        return [Finding(title, problem["message"], "stop", problem["fix"])]
    found = [_ends(seen["template"]), _answers_in(seen), _length(seen), _alike(seen["answers"])]
    if hyperparameters.get("objective") == "dpo":
        return [*found, _pairs(seen)]
    return [*found, _left_aside(seen)] if seen.get("pairs") else found


def _left_aside(seen: dict[str, Any]) -> Finding:
    """Who brings pairs and says nothing would learn from one half of them, and hear it nowhere."""
    return Finding(
        "Pairs of answers",
        f"{seen['pairs']:,} of {seen['train']['rows']:,} rows have a second answer that people liked less. A run that learns "
        "from answers leaves it aside.",
        "warning",
        "Learn from the pairs, or from the answers first and then from the pairs, in a run that starts from this one's model.",
        Act("fill", "Learn from the pairs", {"objective": "dpo"}),
    )


def _pairs(seen: dict[str, Any]) -> Finding:
    title, rows, pairs = "Pairs of answers", seen["train"]["rows"], seen["pairs"]
    if not pairs:
        fix = "Choose a version made of pairs, or learn from answers."
        return Finding(title, "No row has a second answer to learn a preference from.", "stop", fix)
    if pairs < rows:
        return Finding(title, f"{rows - pairs:,} of {rows:,} rows have one answer alone and are left out.", "warning")
    return Finding(title, f"Each of the {rows:,} rows has a preferred and another answer.", "fine")


def _ends(template: dict[str, Any]) -> Finding:
    whose = "" if template["is_own"] else " The base model brings no template, so the studio's own is used."
    ends = " or ".join(template["stop_tokens"])
    return Finding("Where an answer ends", f"Each answer ends with {ends}, and that is learned with it.{whose}", "fine")


def _answers_in(seen: dict[str, Any]) -> Finding:
    title, train = "Something to learn in each row", seen["train"]
    bare = train["without_answer"] + train["lost_answer"]
    if bare >= train["rows"]:
        return Finding(
            title,
            f"No row has an answer within {seen['limit']:,} tokens.",
            "stop",
            "Let rows be longer, or look at which columns are questions and answers.",
            _longer(seen),
        )
    if bare:
        return Finding(
            title,
            f"{bare:,} of {train['rows']:,} rows have no answer within {seen['limit']:,} tokens and are left out.",
            "warning",
            "Let rows be longer." if train["lost_answer"] else "Look at these rows in the version.",
            _longer(seen) if train["lost_answer"] else None,
        )
    return Finding(title, f"{train['learned']:,} of {train['tokens']:,} tokens are answers.", "fine")


def _length(seen: dict[str, Any]) -> Finding:
    title, train = "Length of the rows", seen["train"]
    if not train["cut"]:
        return Finding(title, f"The longest has {train['longest']:,} tokens, {seen['limit']:,} fit.", "fine")
    share = train["cut"] / train["rows"]
    act = _longer(seen) or Act("derive", "Make a version that fits", {"max_length": seen["limit"]})
    return Finding(
        title,
        f"{train['cut']:,} of {train['rows']:,} rows ({share:.1%}) are longer than {seen['limit']:,} tokens and lose "
        f"their end; the longest has {train['longest']:,}.",
        "warning",
        "Let rows be longer." if act.kind == "fill" else f"The model reads {seen['context']:,} at most.",
        act,
    )


def _longer(seen: dict[str, Any]) -> Act | None:
    """The length at which nothing is cut, if the model can read that far."""
    wanted = -(-seen["train"]["longest"] // STEP) * STEP
    wanted = min(wanted, seen["context"])
    if wanted <= seen["limit"] or wanted < seen["train"]["longest"]:
        return None
    return Act("fill", f"Use {wanted:,} tokens", {"max_length": wanted})


def _alike(answers: dict[str, Any]) -> Finding:
    title, share = "Answers differ", answers["commonest_share"]
    if answers["count"] >= LEAST_ANSWERS and share >= ALIKE:
        said = (
            "All answers are the same."
            if answers["different"] == 1
            else f"{share:.0%} of the answers are one and the same."
        )
        what = "The model will learn to say nothing else." if share >= SAME else "The model will lean towards it."
        return Finding(title, f"{said} {what}", "warning", "Bring other answers, or balance the classes in the recipe.")
    return Finding(title, f"{answers['different']:,} different ones among {answers['count']:,}.", "fine")


def counted_with(version: DatasetVersion, base_model: LanguageModel, seen: dict[str, Any]) -> Finding | None:
    """Whether the recipe's limit of tokens was counted with this model's tokenizer."""
    title = "Tokenizer of the recipe"
    try:
        step = recipes.step(version.recipe, "tokens")
    except KeyError:
        return None
    options = step.get("options", {}) if step.get("enabled", True) else {}
    counted, theirs = options.get("model") or settings.STARTER_NAME, base_model.root.name
    if not options or counted == theirs:
        return None if not options else Finding(title, f"Rows were measured with {counted}'s, the right one.", "fine")
    message = f"Rows were measured with {counted}'s tokenizer, not with {theirs}'s."
    if seen.get("train") and not seen["train"]["cut"]:
        return Finding(title, f"{message} With this one's nothing is cut either.", "fine")
    return Finding(
        title,
        message,
        "warning",
        f"Make a version whose token step counts with {theirs}.",
        Act("derive", "Make that version", {}),
    )
