"""From a preset and a few wishes to the whole set of hyperparameters."""

from __future__ import annotations

import pytest

from gptstudio.core.errors import Invalid
from training_app import presets


def resolve(
    preset: str = "balanced",
    method: str = "full",
    rows: int = 800,
    context: int = 1024,
    token_limit: int = 0,
    **requested,
):
    return presets.resolve(
        preset_key=preset,
        method=method,
        requested=requested,
        parameters=5_000_000,
        rows=rows,
        context_length=context,
        seed=42,
        token_limit=token_limit,
    )


def test_auto_and_nothing_are_the_same() -> None:
    assert resolve(batch_size="auto", learning_rate=None, n_epochs="auto") == resolve()


def test_a_preset_decides_passes_and_patience() -> None:
    quick, thorough = resolve("quick"), resolve("thorough")
    assert (quick["n_epochs"], quick["early_stopping_patience"]) == (1, 0)
    assert (thorough["n_epochs"], thorough["early_stopping_patience"]) == (8, 4)
    assert thorough["learning_rate"] == pytest.approx(0.6 * quick["learning_rate"])


def test_a_multiplier_scales_the_automatic_rate() -> None:
    assert resolve(learning_rate_multiplier=2)["learning_rate"] == pytest.approx(2 * resolve()["learning_rate"])


def test_a_wished_for_rate_is_used_as_it_is() -> None:
    assert resolve("thorough", learning_rate=3e-4)["learning_rate"] == 3e-4


def test_larger_models_take_smaller_steps_and_adapters_larger_ones() -> None:
    full = [presets.automatic_learning_rate(parameters=size, method="full") for size in (10**6, 10**8, 10**9, 10**11)]
    assert full == sorted(full, reverse=True)
    assert (full[0], full[-1]) == (1e-3, 2e-5)
    assert presets.automatic_learning_rate(parameters=10**8, method="lora") > full[1]


def test_rows_are_never_longer_than_the_model_reads() -> None:
    assert resolve(context=256, max_length=4096)["max_length"] == 256
    assert resolve(context=0)["max_length"] == 512


def test_rows_may_be_as_long_as_the_data_s_recipe_let_them_be() -> None:
    assert resolve(context=4096, token_limit=2048)["max_length"] == 2048
    assert resolve(context=1024, token_limit=2048)["max_length"] == 1024
    assert resolve(context=4096, token_limit=2048, max_length=128)["max_length"] == 128


def test_a_run_looks_at_the_validation_rows_about_a_dozen_times() -> None:
    found = resolve(rows=9600, batch_size=8, n_epochs=1)
    assert found["eval_steps"] == found["save_steps"] == 100
    assert resolve(rows=3)["eval_steps"] == 5


def test_the_engine_gets_every_setting(settings) -> None:
    assert set(resolve()) | {"lora"} == set(resolve())
    assert resolve(lora_rank=4)["lora"] == {"rank": 4, "alpha": 32, "dropout": 0.05, "targets": "all-linear"}
    assert resolve(seed=7)["seed"] == 7 and resolve()["seed"] == 42


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("n_epochs", 0),
        ("n_epochs", 51),
        ("batch_size", 2.5),
        ("batch_size", True),
        ("batch_size", "4"),
        ("learning_rate", float("nan")),
        ("learning_rate", float("inf")),
        ("seed", 10**400),
        ("seed", -1),
        ("optimizer", "lion"),
        ("max_steps", -1),
        ("max_grad_norm", 0),
        ("label_smoothing", 0.6),
        ("precision", "float16"),
        ("lora_targets", "embeddings"),
        ("objective", "ppo"),
        ("dpo_beta", 0),
        ("warmup", 0.1),
    ],
)
def test_a_setting_out_of_range_is_named(name, value) -> None:
    with pytest.raises(Invalid) as refused:
        resolve(**{name: value})
    assert refused.value.param == name and refused.value.fix


def test_an_unknown_preset_or_method_is_refused() -> None:
    with pytest.raises(Invalid, match="There is no preset 'fast'"):
        resolve("fast")
    with pytest.raises(Invalid, match="There is no method 'prefix'"):
        resolve(method="prefix")


def test_class_weights_are_off_unless_somebody_asks() -> None:
    assert "class_weights" not in resolve() and "class_weights" not in resolve(class_weights=False)
    assert resolve(class_weights=True)["class_weights"] is True
    with pytest.raises(Invalid, match="class_weights is 'yes'"):
        resolve(class_weights="yes")


def test_steps_take_the_place_of_passes_in_the_cadence() -> None:
    found = resolve(rows=9600, batch_size=8, max_steps=240)
    assert (found["max_steps"], found["eval_steps"]) == (240, 20)


def test_plain_gradient_steps_are_larger_and_preferences_smaller() -> None:
    usual = resolve()["learning_rate"]
    assert resolve(optimizer="sgd")["learning_rate"] == pytest.approx(30 * usual)
    assert resolve(objective="dpo")["learning_rate"] == pytest.approx(usual / 10)
    assert resolve(objective="dpo", learning_rate=0.01)["learning_rate"] == 0.01


@pytest.mark.parametrize(("name", "value"), [("label_smoothing", 0.1), ("class_weights", True)])
def test_pairs_are_neither_smoothed_nor_weighed(name, value) -> None:
    with pytest.raises(Invalid, match=f"without {name}"):
        resolve(objective="dpo", **{name: value})
    assert resolve(objective="dpo", label_smoothing=0, class_weights=False)["objective"] == "dpo"


@pytest.mark.parametrize(
    ("batch", "parts"), [(16, [8, 4, 2, 1, 1]), (12, [6, 3, 1, 1]), (5, [1, 1]), (9, [3, 1]), (1, [1])]
)
def test_smaller_parts_are_at_most_half_and_divide_the_batch(batch: int, parts: list[int]) -> None:
    part, found = batch, []
    for _ in parts:
        part = presets.smaller_part(batch, part)
        found.append(part)
    assert found == parts


def test_what_a_cpu_cannot_is_refused_by_name() -> None:
    with pytest.raises(Invalid, match="QLoRA works on a GPU only") as refused:
        presets.refuse_on_cpu("qlora", {})
    assert refused.value.param == "method"
    with pytest.raises(Invalid, match="adamw_8bit works on a GPU only"):
        presets.refuse_on_cpu("lora", {"optimizer": "adamw_8bit"})
    presets.refuse_on_cpu("lora", {"optimizer": "adafactor"})


def test_every_setting_has_a_hint_and_a_title_in_the_form() -> None:
    from training_app.web.forms import TITLES

    assert set(TITLES) <= set(presets.HINTS) & ({*presets.RANGES, *presets.CHOICES})
    assert {*presets.RANGES, *presets.CHOICES} - set(TITLES) == {"learning_rate_multiplier"}


def test_the_engine_takes_what_presets_resolve() -> None:
    from training_app.engine import hyperparameters as engine

    assert engine.OPTIMIZERS == presets.OPTIMIZERS and engine.SCHEDULERS == presets.SCHEDULERS
    for method in presets.METHODS:
        settings = resolve(method=method, objective="dpo")
        engine.read_hyperparameters(settings, "spec.hyperparameters", method)
    for name, values in presets.CHOICES.items():
        for value in values:
            engine.read_hyperparameters(resolve(method="lora", **{name: value}), "spec.hyperparameters", "lora")
