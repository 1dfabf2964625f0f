"""The body of `POST /v1/fine_tuning/jobs`, read strictly: what cannot be honoured is refused with its field's name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gptstudio.core.errors import Invalid
from serving_app.openai.base import whole_number
from training_app import presets

KNOWN = {
    "model",
    "training_file",
    "validation_file",
    "hyperparameters",
    "method",
    "suffix",
    "seed",
    "metadata",
    "integrations",
}
METHODS = ("supervised", "dpo")
LARGEST_SEED = 2**31 - 1
LONGEST_SUFFIX = 64
MOST_METADATA, LONGEST_METADATA, LONGEST_METADATA_NAME = 16, 512, 64


@dataclass(frozen=True, slots=True)
class JobRequest:
    """What was asked."""

    model: str
    training_file: str
    validation_file: str | None
    hyperparameters: dict[str, Any]
    suffix: str
    seed: int | None
    metadata: dict[str, str]


def _text(body: Mapping[str, Any], name: str, *, required: bool = False) -> str | None:
    value = body.get(name)
    if value is None and not required:
        return None
    if value is None or value == "":
        raise Invalid(f"'{name}' is required.", code="missing_required_parameter", param=name)
    if not isinstance(value, str) or not value.isprintable() or len(value) > 200:
        raise Invalid(f"'{name}' must be a text of at most 200 characters.", code="invalid_value", param=name)
    return value


def _object(value: Any, param: str) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Invalid(f"'{param}' must be an object.", code="invalid_value", param=param)
    return value


def _hyperparameters(body: Mapping[str, Any]) -> dict[str, Any]:
    """From `method.supervised.hyperparameters`, or from where older clients put them; `method.dpo` learns from pairs."""
    older = _settings(body.get("hyperparameters"), "hyperparameters")
    if body.get("method") is None:
        return older
    method = _object(body["method"], "method")
    kind = method.get("type")
    if kind not in METHODS:
        raise Invalid(
            f"The method {str(kind)[:40]!r} is not offered here.",
            fix="Use supervised, or dpo for pairs of answers.",
            code="unsupported_value",
            param="method.type",
        )
    _known(method, {"type", kind}, before="method.")
    inside = _object(method.get(kind), f"method.{kind}")
    _known(inside, {"hyperparameters"}, before=f"method.{kind}.")
    given = dict(_object(inside.get("hyperparameters"), f"method.{kind}.hyperparameters"))
    if kind == "dpo" and "beta" in given:
        given["dpo_beta"] = given.pop("beta")
    newer = _settings(given, f"method.{kind}.hyperparameters")
    return {**(newer or older), "objective": "dpo"} if kind == "dpo" else newer or older


def _settings(value: Any, param: str) -> dict[str, Any]:
    """Settings of a run; OpenAI knows whole epochs alone."""
    found = _object(value, param)
    epochs = found.get("n_epochs")
    if isinstance(epochs, float) and not epochs.is_integer():
        raise Invalid("n_epochs must be a whole number.", code="invalid_value", param="n_epochs")
    presets.checked(found)
    return found


def _known(found: Mapping[str, Any], names: set[str], *, before: str = "") -> None:
    for name in found:
        if name not in names:
            param = before + name[:80]
            raise Invalid(f"Unrecognized request argument: {param}.", code="unknown_parameter", param=param)


def _metadata(value: Any) -> dict[str, str]:
    found = _object(value, "metadata")
    good = all(
        isinstance(text, str)
        and len(key) <= LONGEST_METADATA_NAME
        and len(text) <= LONGEST_METADATA
        and "\x00" not in key + text
        for key, text in found.items()
    )
    if not good or len(found) > MOST_METADATA:
        raise Invalid(
            "'metadata' takes up to 16 texts of at most 512 characters.", code="invalid_value", param="metadata"
        )
    return found


def _seed(value: Any) -> int | None:
    if value is None:
        return None
    seed = whole_number(value)
    if seed is None or not 0 <= seed <= LARGEST_SEED:
        raise Invalid(f"'seed' must be a whole number from 0 to {LARGEST_SEED}.", code="invalid_value", param="seed")
    return seed


def read_job_request(body: Mapping[str, Any]) -> JobRequest:
    """Read the body. Raises Invalid."""
    _known(body, KNOWN)
    if body.get("integrations") not in (None, []):
        raise Invalid("Integrations are not offered here.", code="unsupported_parameter", param="integrations")
    suffix = _text(body, "suffix") or ""
    if len(suffix) > LONGEST_SUFFIX:
        raise Invalid("'suffix' has at most 64 characters.", code="invalid_value", param="suffix")
    return JobRequest(
        model=_text(body, "model", required=True) or "",
        training_file=_text(body, "training_file", required=True) or "",
        validation_file=_text(body, "validation_file"),
        hyperparameters=_hyperparameters(body),
        suffix=suffix,
        seed=_seed(body.get("seed")),
        metadata=_metadata(body.get("metadata")),
    )
