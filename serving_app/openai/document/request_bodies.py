"""Bodies of all other requests, with the bounds and tables of whoever reads them."""

from __future__ import annotations

from serving_app.engine.protocol import embedding_request, sampling_fields, text_request
from serving_app.openai import fine_tuning_request, moderations
from serving_app.openai.document.chat_bodies import MODEL, labels, sampling, store
from serving_app.openai.document.shapes import (
    ID,
    Schema,
    a_list,
    an_object,
    any_of,
    described,
    flag,
    number,
    one_of,
    ref,
    text,
    texts_by_name,
    whole,
)
from serving_app.openai.files import PURPOSE
from training_app import presets
from training_app.services.jobs import SUFFIX

TOKENS = a_list(whole(0), least=1, about="Token ids.")
AUTO = one_of(["auto"])
BYTES: Schema = {"type": "string", "format": "binary", "minLength": 1}


def _text_request() -> Schema:
    prompt = any_of(text(), TOKENS)
    optional = {
        **sampling(),
        "max_tokens": whole(
            1, sampling_fields.MOST_TOKENS, about=f"{text_request.DEFAULT_MAX_TOKENS} where it is left out."
        ),
        "best_of": whole(0, 20, about="Only the same as `n`."),
        "logprobs": whole(0, text_request.MOST_LOGPROBS),
        "echo": flag("Not together with `logprobs`."),
        "suffix": one_of([""], "Text is only written at the end."),
        "store": store(),
        **labels(),
    }
    prompts = a_list(prompt, least=1, most=text_request.MOST_PROMPTS)
    return an_object({"model": MODEL, "prompt": any_of(text(), TOKENS, prompts)}, optional)


def _embedding_request() -> Schema:
    each = any_of(text(least=1), TOKENS)
    optional = {
        "encoding_format": one_of(embedding_request.FORMATS),
        "dimensions": whole(1, sampling_fields.MOST_TOKENS, about="Only as many as the model has."),
        **labels(),
    }
    several = a_list(each, least=1, most=embedding_request.MOST_INPUTS)
    return an_object({"model": MODEL, "input": any_of(text(least=1), TOKENS, several)}, optional)


def _moderation_request() -> Schema:
    part = an_object({"type": one_of(["text"]), "text": text()})
    one = text(most=moderations.MOST_LETTERS)
    several = a_list(one, least=1, most=moderations.MOST_TEXTS)
    parts = a_list(part, least=1, most=moderations.MOST_TEXTS, about="Parts of one input, judged together.")
    model = text(about="The word list, or a model of the moderation server that the studio was given.")
    return an_object({"input": any_of(one, several, parts)}, {"model": model})


def _settings_by_name() -> dict[str, Schema]:
    bounded = {
        name: any_of(AUTO, whole(int(low), int(high)) if is_whole else number(low, high))
        for name, (low, high, is_whole) in presets.RANGES.items()
    }
    # OpenAI knows whole epochs alone; the studio's own API takes parts of one.
    bounded["n_epochs"] = any_of(AUTO, whole(1, int(presets.RANGES["n_epochs"][1])))
    chosen = {name: any_of(AUTO, one_of(values)) for name, values in presets.CHOICES.items()}
    switches = {name: any_of(AUTO, flag()) for name in presets.SWITCHES}
    return {**bounded, **chosen, **switches}


def _hyperparameters() -> Schema:
    found = an_object({}, _settings_by_name())
    return described(found, "OpenAI's three, and the studio's own.")


def _job_request() -> Schema:
    settings = ref("Hyperparameters")
    low, high, _ = presets.RANGES["dpo_beta"]
    for_pairs = an_object({}, {**_settings_by_name(), "beta": any_of(AUTO, number(low, high))})
    method = any_of(
        an_object({"type": one_of(["supervised"])}, {"supervised": an_object({}, {"hyperparameters": settings})}),
        an_object({"type": one_of(["dpo"])}, {"dpo": an_object({}, {"hyperparameters": for_pairs})}),
    )
    optional = {
        "validation_file": ID,
        "hyperparameters": described(settings, "Where older clients put them."),
        "method": method,
        "suffix": {"type": "string", "pattern": f"^{SUFFIX.pattern}$", "description": "A part of the model's name."},
        "seed": whole(0, fine_tuning_request.LARGEST_SEED),
        "metadata": texts_by_name(
            most=fine_tuning_request.MOST_METADATA,
            longest=fine_tuning_request.LONGEST_METADATA,
            longest_name=fine_tuning_request.LONGEST_METADATA_NAME,
        ),
        "integrations": a_list({}, most=0, about="None are offered."),
    }
    return an_object({"model": ID, "training_file": ID}, optional)


def schemas() -> dict[str, Schema]:
    """The components that requests are made of, but for chat's."""
    purpose = one_of([PURPOSE])
    return {
        "CompletionRequest": _text_request(),
        "EmbeddingRequest": _embedding_request(),
        "ModerationRequest": _moderation_request(),
        "Hyperparameters": _hyperparameters(),
        "JobRequest": _job_request(),
        "FileRequest": an_object({"file": BYTES, "purpose": purpose}),
        "UploadRequest": an_object(
            {"filename": text(least=1), "bytes": whole(1), "mime_type": text(), "purpose": purpose}
        ),
        "PartRequest": an_object({"data": BYTES}, closed=False),
        "CompleteUploadRequest": an_object(
            {"part_ids": a_list(ID, about="All parts, in order.")}, {"md5": text(about="Of the whole file.")}
        ),
    }
