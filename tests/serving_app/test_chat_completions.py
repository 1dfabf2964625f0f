"""Chat through the official client, the real gateway and a real engine."""

from __future__ import annotations

import json

import openai
import pytest
from openai.types.chat import ChatCompletion

from serving_app import selectors
from serving_app.models import UsageEvent
from training_app.models import FineTuningJob
from training_app.services import withdraw_model

HELLO = [{"role": "user", "content": "Hello there"}]


def test_an_answer_comes_back_under_the_name_that_was_called(client, base_model, workspace):
    answer = client.chat.completions.create(model=base_model.name, messages=HELLO, max_tokens=8)
    ChatCompletion.model_validate(answer.model_dump(), strict=True)
    assert answer.id == f"chatcmpl-{answer._request_id}"
    assert answer.model == base_model.name
    assert answer.usage.completion_tokens == 8
    bill = selectors.usage_of(workspace.id, answer._request_id)
    assert (bill.prompt_tokens, bill.completion_tokens) == (answer.usage.prompt_tokens, 8)
    assert bill.settled and bill.state == "completed" and bill.cost_micro > 0


def test_a_stream_has_one_id_the_called_name_and_no_usage_unless_asked(client, base_model, workspace):
    with client.chat.completions.with_streaming_response.create(
        model=base_model.name, messages=HELLO, max_tokens=20, stream=True
    ) as raw:
        request_id = raw.headers["x-request-id"]
        lines = [line for line in raw.iter_lines() if line]
    assert lines[-1] == "data: [DONE]"
    assert base_model.engine_name not in "".join(lines)
    assert {json.loads(line[6:])["id"] for line in lines[:-1]} == {f"chatcmpl-{request_id}"}
    assert "usage" not in "".join(lines)
    bill = selectors.usage_of(workspace.id, request_id)
    assert bill.settled and bill.completion_tokens == 20


def test_a_stream_that_asks_for_usage_ends_with_a_chunk_without_choices(client, base_model):
    chunks = list(
        client.chat.completions.create(
            model=base_model.name,
            messages=HELLO,
            max_tokens=5,
            stream=True,
            stream_options={"include_usage": True},
        )
    )
    assert len({chunk.id for chunk in chunks}) == 1
    assert {chunk.model for chunk in chunks} == {base_model.name}
    assert chunks[-1].choices == [] and chunks[-1].usage.completion_tokens == 5
    assert all(chunk.usage is None for chunk in chunks[:-1])
    assert chunks[-2].choices[0].finish_reason == "length"


def test_the_prefix_cache_tells_no_workspace_what_another_asked(client, stranger, base_model):
    secret = [{"role": "user", "content": "The merger of Nord and Sund will be told on Thursday."}]

    def cached(asking):
        answer = asking.chat.completions.create(model=base_model.name, messages=secret, max_tokens=1)
        return answer.usage.prompt_tokens_details.cached_tokens

    assert cached(client) == 0 and cached(client) > 16
    assert cached(stranger) == 0 and cached(stranger) > 16


def test_text_completions_work_the_same_way(client, base_model, workspace):
    answer = client.completions.create(model=base_model.name, prompt=["one", "two"], max_tokens=3, n=2)
    assert answer.id == f"cmpl-{answer._request_id}"
    assert len(answer.choices) == 4 and answer.usage.completion_tokens == 12
    assert selectors.usage_of(workspace.id, answer._request_id).completion_tokens == 12
    streamed = client.completions.create(model=base_model.name, prompt="one", max_tokens=3, stream=True)
    assert [chunk.choices[0].finish_reason for chunk in streamed][-1] == "length"


@pytest.mark.parametrize(
    ("options", "param"),
    [
        ({"tools": [{"type": "function", "function": {"name": "f"}}]}, "tools"),
        ({"temperature": 9}, "temperature"),
        ({"extra_body": {"nonsense": 1}}, "nonsense"),
        ({"max_tokens": 9_000_000}, "messages"),
    ],
)
def test_what_the_engine_refuses_comes_back_as_its_400_without_inner_names(
    client, base_model, workspace, options, param
):
    with pytest.raises(openai.BadRequestError) as refused:
        client.chat.completions.create(**{"model": base_model.name, "messages": HELLO, **options})
    assert refused.value.param == param
    assert base_model.engine_name not in str(refused.value)
    assert refused.value.request_id.startswith("req_")
    assert selectors.balance_of(workspace.id).reserved_micro == 0
    assert not UsageEvent.objects.filter(kind="settle").exists()


def test_a_stream_that_the_engine_refuses_is_refused_before_the_first_byte(client, base_model):
    with pytest.raises(openai.BadRequestError):
        client.chat.completions.create(model=base_model.name, messages=HELLO, temperature=9, stream=True)


def test_an_unknown_model_and_a_strangers_model_look_alike(client, stranger, make_tuned, reconciler):
    model = make_tuned()
    reconciler.run_pass()
    assert client.chat.completions.create(model=model.name, messages=HELLO, max_tokens=2).model == model.name
    for asking, name in ((client, "no-such-model"), (stranger, model.name)):
        with pytest.raises(openai.NotFoundError) as refused:
            asking.chat.completions.create(model=name, messages=HELLO)
        assert refused.value.code == "model_not_found" and refused.value.param == "model"


def test_an_unreleased_model_needs_the_preview_scope_and_is_loaded_on_demand(
    client, client_for, make_key, make_tuned, reconciler
):
    model = make_tuned(released=False)
    with pytest.raises(openai.PermissionDeniedError) as refused:
        client.chat.completions.create(model=model.name, messages=HELLO)
    assert refused.value.code == "model_not_released" and "reviewer" in str(refused.value)
    previewing = client_for(make_key("chat", "models:preview"))
    with pytest.raises(openai.InternalServerError) as waiting:
        previewing.chat.completions.create(model=model.name, messages=HELLO)
    assert waiting.value.status_code == 503 and waiting.value.response.headers["retry-after"]
    reconciler.run_pass()
    assert previewing.chat.completions.create(model=model.name, messages=HELLO, max_tokens=2).model == model.name


def test_the_checkpoint_that_a_model_was_made_of_answers_by_its_name_and_no_other_does(
    client, make_tuned, base_model, reconciler
):
    model = make_tuned()
    plan = {"finished": {"best_step": 5, "steps": 10}}
    model.job = FineTuningJob.objects.create(workspace=model.workspace, base_model=base_model, name="Tone", plan=plan)
    model.save(update_fields=["job"])
    reconciler.run_pass()
    name = f"{model.name}:ckpt-step-5"
    answer = client.chat.completions.with_raw_response.create(model=name, messages=HELLO, max_tokens=2)
    assert answer.parse().model == name and answer.headers["x-studio-model"] == model.name
    with pytest.raises(openai.NotFoundError, match="that one alone answers") as refused:
        client.chat.completions.create(model=f"{model.name}:ckpt-step-10", messages=HELLO)
    assert refused.value.code == "model_not_found"


def test_what_a_reviewer_took_back_no_program_may_try(client_for, make_key, make_tuned, reconciler, as_alice):
    model = make_tuned()
    reconciler.run_pass()
    previewing = client_for(make_key("chat", "models:preview"))
    withdraw_model(as_alice, model=model, reason="It swears.")
    with pytest.raises(openai.PermissionDeniedError, match="taken back by a reviewer"):
        previewing.chat.completions.create(model=model.name, messages=HELLO, max_tokens=2)


def test_a_model_that_no_engine_holds_yet_answers_503_and_asks_to_try_again(client, make_tuned, workspace):
    model = make_tuned()
    with pytest.raises(openai.InternalServerError) as waiting:
        client.chat.completions.create(model=model.name, messages=HELLO)
    headers = waiting.value.response.headers
    assert waiting.value.status_code == 503
    assert headers["x-should-retry"] == "true" and headers["retry-after"]
    assert selectors.balance_of(workspace.id).reserved_micro == 0
