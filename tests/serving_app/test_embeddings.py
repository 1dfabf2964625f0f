"""Embeddings through the gateway: for models registered for it alone, and billed to the token."""

from __future__ import annotations

import math
from contextlib import ExitStack

import httpx
import openai
import pytest

from serving_app import selectors
from serving_app.models import Completion, UsageEvent
from serving_app.services import engine_minus_ledger
from tests.serving_app.conftest import TOKEN, asking, until
from training_app.models import LanguageModel, ModelKind

TOLD = {"Authorization": f"Bearer {TOKEN}"}


def newest(engine) -> dict[str, str]:
    """Where the last page of the engine's journal begins. A page of 1,000 rows is full; the last one may be growing."""
    after, rows = 0, 1_000
    while rows == 1_000:
        page = httpx.get(f"{engine.url}/usage", headers=TOLD, params={"after": after}, timeout=60).json()["data"]
        after, rows = (page[-1]["seq"] if page else after), len(page)
    return {"after": str(max(0, after - 200))}


@pytest.fixture
def embedder(base_model, tuned_folder, workspace, reconciler) -> LanguageModel:
    """A base model of Care that may be asked for vectors, loaded."""
    from gptstudio.core import artifacts

    digest, _path = artifacts.store_folder(tuned_folder)
    model = LanguageModel.objects.create(
        workspace=workspace, name="vectors-1", kind=ModelKind.BASE, digest=digest, context_length=4096, embeds=True
    )
    reconciler.run_pass()
    return model


def test_vectors_come_back_in_order_under_the_called_name_and_are_billed(client, embedder, workspace):
    answer = client.embeddings.create(model=embedder.name, input=["one", "three"])
    assert answer.model == "vectors-1" and [each.index for each in answer.data] == [0, 1]
    assert all(math.isclose(sum(x * x for x in each.embedding), 1, abs_tol=1e-5) for each in answer.data)
    request_id = UsageEvent.objects.get(kind="settle").attempt_id
    bill = selectors.usage_of(workspace.id, request_id)
    assert (bill.prompt_tokens, bill.completion_tokens, bill.state) == (8, 0, "completed")
    assert answer.usage.prompt_tokens == 8 and selectors.balance_of(workspace.id).reserved_micro == 0
    assert request_id not in engine_minus_ledger().attempts


def test_every_form_of_input_and_of_numbers_works(client, embedder):
    ask = {"model": embedder.name}
    plain = client.embeddings.create(**ask, input="AB", encoding_format="float").data[0].embedding
    for form in ("AB", ["AB"], [32, 33], [[32, 33]]):
        packed = client.embeddings.create(**ask, input=form, encoding_format="base64").data[0].embedding
        assert isinstance(packed, str)
        found = client.embeddings.create(**ask, input=form).data[0].embedding
        assert all(math.isclose(one, other, abs_tol=1e-5) for one, other in zip(found, plain, strict=True))


def test_a_model_that_is_not_registered_for_it_says_so(client, base_model, workspace):
    with pytest.raises(openai.BadRequestError) as refused:
        client.embeddings.create(model=base_model.name, input="one")
    assert (refused.value.param, refused.value.code) == ("model", "model_not_for_embeddings")
    assert "base model" in str(refused.value)
    assert not UsageEvent.objects.exists()


@pytest.mark.parametrize(
    ("wish", "param"),
    [
        ({"input": "x" * 5000}, "input"),
        ({"input": []}, "input"),
        ({"input": "x", "dimensions": 7}, "dimensions"),
        ({"input": "x", "extra_body": {"stream": True}}, "stream"),
    ],
)
def test_what_cannot_be_is_refused_and_costs_nothing(client, embedder, workspace, wish, param):
    with pytest.raises(openai.BadRequestError) as refused:
        client.embeddings.create(model=embedder.name, **wish)
    assert refused.value.param == param and embedder.engine_name not in str(refused.value)
    assert selectors.balance_of(workspace.id).reserved_micro == 0
    assert not UsageEvent.objects.filter(kind="settle").exists()


def test_another_workspaces_model_is_not_found(stranger, embedder):
    with pytest.raises(openai.NotFoundError):
        stranger.embeddings.create(model=embedder.name, input="one")


def test_a_client_that_hangs_up_is_billed_for_what_was_read(studio, make_key, embedder, engine, reconciler):
    texts = ["some words " * 200] * 130
    with ExitStack() as until_left:
        with asking(studio, "embeddings", key=make_key("chat"), model=embedder.name, input=texts):
            attempt = until(lambda: UsageEvent.objects.filter(kind="reserve").first()).attempt_id
            usage = {"url": f"{engine.url}/usage", "headers": TOLD, "timeout": 60}
            until(lambda: attempt in httpx.get(params=newest(engine), **usage).text)
            until_left.enter_context(engine.held())
        until(Completion.objects.exclude(finish_reason="").exists)

    def settled():
        reconciler.run_pass()
        return UsageEvent.objects.filter(kind="settle").first()

    bill = until(settled)
    assert bill.source == "reaper" and bill.prompt_tokens < 286_000
    assert attempt not in engine_minus_ledger().attempts
