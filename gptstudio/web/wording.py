"""How the studio says states, times, sizes and field terms to people. Pure tables and sums."""

from __future__ import annotations

from datetime import datetime, timedelta

TONES = {
    "uploaded": "run",
    "processed": "good",
    "error": "bad",
    "queued": "",
    "building": "run",
    "downloading": "run",
    "ready": "good",
    "failed": "bad",
    "cancelled": "",
    "validating_files": "run",
    "running": "run",
    "paused": "warn",
    "succeeded": "good",
    "pending": "warn",
    "approved": "good",
    "rejected": "bad",
    "completed": "good",
    "warning": "warn",
    "warn": "warn",
    "stop": "bad",
    "fine": "good",
    "info": "",
    "edited": "run",
}
TERMS = {
    "perplexity": "How surprised the model is by the right answer, from 1 upwards. Lower is better; half as much is a lot.",
    "bleu": "Overlap with the reference answer in runs of words, 0 to 100. Above 20 is close wording.",
    "rouge1": "Share of the reference's words that the answer has, 0 to 1. Higher is better.",
    "rouge2": "Share of the reference's pairs of words, 0 to 1. Higher is better.",
    "rougeL": "Longest run of words in the same order as in the reference, 0 to 1. Above 0.3 is close.",
    "exact_match": "Share of answers that equal the reference word for word.",
    "chrf": "Overlap with the reference in runs of letters, 0 to 100. Kinder than BLEU to other endings of a word.",
    "token_f1": "How many words answer and reference share, in any order, 0 to 1. Higher is better.",
    "accuracy": "Share of rows for which the model holds the right label likeliest.",
    "macro_f1": "The F1 of each label, all labels weighing the same: small classes count as much as large ones.",
    "preference": "Share of test rows for which the model holds the answer likelier that people preferred. A half is chance.",
    "interval": "Test rows are drawn again thousands of times: in 95 of 100 draws the difference lies in here.",
    "share interval": "Validation rows are drawn again thousands of times: in 95 of 100 draws the change lies in here.",
    "empty": "Answers without a word. Should be 0.",
    "cut": "Answers that had not come to an end at the length limit. They are judged as far as they got.",
    "loss": "How wrong the model's guesses are. It should fall, and level off.",
    "validation loss": "The loss on rows that the model does not learn from. When it rises again, the model learns by heart.",
    "lora": "Trains a small addition to the model instead of all of it: quicker, smaller, often as good.",
    "learning rate": "How far each step moves the weights. Too high forgets, too low learns nothing.",
    "estimated time": "Of training, from its start to its model folder. What really was stands on the run's page afterwards.",
    "peak memory": "The most that the run holds at once, met by a step on the longest rows.",
    "gradient norm": "How strongly a step's rows pull at the weights. Sudden peaks: odd rows, or too high a learning rate.",
    "token": "A piece of a word: about four letters of English.",
    "stability index": "How far shares moved, each weighed by how many times over. Below 0.1 is nothing, from 0.25 much.",
    "word divergence": "How far the mix of words moved: 0 is the same mix, 1 has no word in common. From 0.1 worth a look.",
    "distinct pairs": "Of 5,000 pairs of neighbouring words, how many are different. Prose has about a half or more.",
    "effective classes": "How many labels of one size would be as varied. Near the number of labels is even.",
    "canary": "A made-up secret planted in the training rows to see whether the model repeats it.",
}
METRICS = {
    "preference": ("Prefers the chosen answer", "higher is better"),
    "accuracy": ("Accuracy", "higher is better"),
    "macro_f1": ("Macro-F1", "higher is better"),
    "perplexity": ("Perplexity", "lower is better"),
    "rougeL": ("ROUGE-L", "higher is better"),
    "bleu": ("BLEU", "higher is better"),
    "chrf": ("chrF", "higher is better"),
    "rouge1": ("ROUGE-1", "higher is better"),
    "rouge2": ("ROUGE-2", "higher is better"),
    "token_f1": ("Token F1", "higher is better"),
    "exact_match": ("Exactly right", "higher is better"),
    "empty": ("Empty answers", "lower is better"),
    "cut": ("Cut answers", "lower is better"),
}
UNITS = (("day", 86_400), ("hour", 3_600), ("minute", 60))


def ago(moment: datetime, *, now: datetime) -> str:
    """`12 minutes ago`, `in 3 days`; a date when it is more than thirty days away."""
    seconds = (now - moment).total_seconds()
    ahead, seconds = seconds < 0, abs(seconds)
    if seconds > 30 * 86_400:
        return f"{moment:%d %B %Y}".lstrip("0")
    for unit, size in UNITS:
        if seconds >= size:
            count = int(seconds // size)
            words = f"{count} {unit}{'' if count == 1 else 's'}"
            return f"in {words}" if ahead else f"{words} ago"
    return "in a moment" if ahead else "just now"


def zone_of(moment: datetime) -> str:
    """`CET`; `UTC+03` where the zone has no letters."""
    name = moment.tzname() or ""
    return f"UTC{name}" if name[:1] in ("+", "-") else name


def lasting(span: timedelta | float | None) -> str:
    """`16 minutes`, `2 h 5 min`, `40 seconds`."""
    if span is None:
        return "–"
    seconds = span.total_seconds() if isinstance(span, timedelta) else float(span)
    if seconds < 90:
        count = max(1, round(seconds))
        return f"{count} second{'' if count == 1 else 's'}"
    minutes = round(seconds / 60)
    return f"{minutes} minutes" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"


def size(count: int) -> str:
    """Bytes in the unit that fits."""
    for unit, factor in (("GB", 1 << 30), ("MB", 1 << 20), ("KB", 1 << 10)):
        if count >= factor:
            return f"{count / factor:.3g} {unit}"
    return f"{count} bytes"


def compact(count: float) -> str:
    """`1.9 M`, `212 k`, `998`."""
    for unit, factor in (("G", 1e9), ("M", 1e6), ("k", 1e4)):
        if count >= factor:
            return f"{count / (1e3 if unit == 'k' else factor):.3g} {unit}"
    return f"{count:,.0f}"


def money(micro: int) -> str:
    """Millionths as an amount: two decimals, or as many as it takes to see something."""
    amount = micro / 1_000_000
    if micro == 0 or abs(amount) >= 1:
        return f"{amount:,.2f}"
    return f"{amount:.6f}".rstrip("0")


def personal_name(kind: str) -> str:
    """A type of personal data in words."""
    return PERSONAL.get(kind, kind.replace("_", " ").lower())


def personal_title(kind: str) -> str:
    """The same as it begins a line."""
    name = personal_name(kind)
    return name[:1].upper() + name[1:]


def sentence_of(reason: str) -> str:
    """A short key such as `exact_duplicate` in words."""
    return REASONS.get(reason, reason.replace("_", " ").capitalize())


REASONS = {
    "exact_duplicate": "Exact copy of another row",
    "near_duplicate": "Near-copy of another row",
    "too_long": "Longer than the token limit",
    "copy_when_short": "Copy of a training row once shortened",
    "empty": "Nothing in it",
    "no_answer": "No answer to learn from",
    "no_question": "No question before the answer",
    "bad_messages": "Messages could not be read",
    "unknown_role": "A turn by somebody unknown",
    "not_text": "Something other than text",
    "unlearned_turn": "An answer with a weight, not to be learned",
    "personal_data": "Held personal data",
    "in_validation_file": "Also in the validation file",
    "unreadable": "Could not be read",
    "ragged_row": "Another number of cells than the head",
    "bad_json": "Broken JSON",
    "not_an_object": "Not a record",
    "no_answer_column": "No column with an answer",
    "unknown_split": "Named a split that is none",
    "too_short": "Too short",
    "language": "In another language",
    "language_unknown": "In a language that could not be told",
    "repeated_lines": "The same lines again and again",
    "repeated_text": "The same words again and again",
    "repeated_characters": "The same signs again and again",
    "one_phrase": "One phrase again and again",
    "boilerplate": "Nothing but what every answer says",
    "toxicity": "Swearing or insults",
    "pattern": "Matched a pattern",
    "condition": "Did not meet the condition",
    "excluded": "Left out by hand",
    "chat_template": "The model cannot read such a conversation",
}
PERSONAL = {
    "PERSON": "names",
    "EMAIL_ADDRESS": "e-mail addresses",
    "PHONE_NUMBER": "phone numbers",
    "ADDRESS": "addresses",
    "CREDIT_CARD": "card numbers",
    "IBAN_CODE": "bank accounts",
    "ACCOUNT_NUMBER": "account numbers",
    "ID_NUMBER": "numbers of identity papers",
    "US_SSN": "social security numbers",
    "US_DRIVER_LICENSE": "driving licences",
    "PASSPORT": "passport numbers",
    "ZIP_CODE": "postal codes",
    "DATE_OF_BIRTH": "dates of birth",
    "PIN": "PINs and codes",
    "IP_ADDRESS": "IP addresses",
    "LOCATION": "places",
    "ORGANIZATION": "organisations",
    "DATE_TIME": "dates and times",
    "NRP": "nationalities and beliefs",
    "AGE": "ages",
    "TITLE": "titles",
    "URL": "web addresses",
    "DENIED": "what your list always hides",
}
SPEAKERS = {"user": "Person", "assistant": "Model", "system": "Instructions", "tool": "Tool"}
WARNED = {
    "nothing_held_out": "nothing held back",
    "imbalance": "uneven labels",
    "answers_alike": "one answer",
    "terse": "short answers",
    "near_copies": "near-copies",
    "monotonous": "little variety",
    "gender": "people",
    "tied_to_label": "people",
}
STEPS = {
    "read": "Reading",
    "preview": "Trying the steps on a sample of the rows",
    "map": "Turning rows into conversations",
    "normalize": "Tidying the text",
    "personal_data": "Hiding personal data",
    "exact_duplicates": "Looking for exact copies",
    "near_duplicates": "Looking for near-copies",
    "split": "Splitting",
    "tokens": "Counting tokens",
    "write": "Writing",
    "check": "Checking for leaks",
    "quality": "Looking at how varied the rows are",
}
