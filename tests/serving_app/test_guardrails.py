"""Rules over prompts and answers, through the official client and a real engine: refused, hidden, stopped, reviewed, billed."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import openai
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from gptstudio.review.models import ReviewItem
from serving_app import services
from serving_app.models import Completion, UsageEvent
from serving_app.services import Caller, choose, stopping
from serving_app.services.admission import reserve_for
from tests.serving_app.conftest import until
from tests.serving_app.test_faults import journal

HELLO = [{"role": "user", "content": "Hello there"}]
SAID = "Well, you idiot, that is how it is."


@pytest.fixture
def rules(as_alice, workspace, monkeypatch):
    """Set the workspace's rules: `rules(prompts={…}, answers={…})`. The gateway waits for what an engine has counted."""
    monkeypatch.setattr(stopping, "COUNT_TRIES", 2400)

    def put(*, prompts: dict[str, Any] | None = None, answers: dict[str, Any] | None = None) -> None:
        services.set_guardrails(as_alice, workspace_id=workspace.id, prompts=prompts or {}, answers=answers or {})

    return put


def saying(text: str, *, then: int = 0) -> dict[str, Any]:
    """Makes the random model say `{"said": "<text>"}`, and `then` characters more of anything."""
    fields: dict[str, Any] = {"said": {"const": text}}
    if then:
        fields["more"] = {"type": "string", "minLength": then, "maxLength": then}
    schema = {"type": "object", "properties": fields, "required": list(fields), "additionalProperties": False}
    return {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}


def ledger(attempt: str) -> tuple[int, int]:
    settled = UsageEvent.objects.get(attempt_id=attempt, kind="settle")
    return settled.prompt_tokens, settled.completion_tokens


def counted(engine, attempt: str) -> tuple[int, int]:
    row = journal(engine.url)[attempt]
    return row.prompt_tokens, row.completion_tokens


def refused(client, model, messages, **options) -> openai.BadRequestError:
    with pytest.raises(openai.BadRequestError) as found:
        client.chat.completions.create(model=model.name, messages=messages, max_tokens=4, **options)
    return found.value


@pytest.mark.parametrize("streamed", [False, True])
def test_a_prompt_with_a_forbidden_word_is_a_400_and_waits_in_the_queue_scrubbed(client, base_model, rules, streamed):
    rules(prompts={"words": ["project falcon"]})
    text = "Write to jane.doe@example.org about Project  Falcon, please."
    error = refused(client, base_model, [{"role": "user", "content": text}], stream=streamed)
    assert (error.status_code, error.code, error.type) == (400, "content_policy_violation", "invalid_request_error")
    assert error.param == "messages" and "falcon" not in str(error).lower()
    request = Completion.objects.get()
    assert (request.id, request.state, request.error_code) == (error.request_id, "refused", "content_policy_violation")
    assert set(UsageEvent.objects.values_list("kind", "cost_micro")) == {
        ("reserve", UsageEvent.objects.get(kind="reserve").cost_micro),
        ("release", 0),
    }
    item = ReviewItem.objects.get(kind="guardrail")
    assert item.title == "A question was refused: the word “project falcon”" and item.state == "pending"
    [shown] = item.evidence["guardrail"]["excerpts"]
    assert shown["text"] == "Write to [EMAIL] about «Project  Falcon», please."
    assert item.subject_id == error.request_id


@pytest.mark.parametrize("side", ["prompts", "answers"])
def test_of_a_request_that_says_store_false_the_queue_shows_no_place(client, base_model, rules, side):
    rules(**{side: {"words": ["idiot"]}})
    asked = [{"role": "user", "content": "You idiot"}] if side == "prompts" else HELLO
    ask = {"model": base_model.name, "messages": asked, "response_format": saying(SAID), "store": False}
    if side == "prompts":
        with pytest.raises(openai.BadRequestError):
            client.chat.completions.create(**ask)
    else:
        assert client.chat.completions.create(**ask).choices[0].finish_reason == "content_filter"
    found = ReviewItem.objects.get(kind="guardrail").evidence["guardrail"]
    assert found["excerpts"] == [] and found["count"] == 1


def test_hits_of_one_rule_by_one_caller_are_one_item_until_somebody_decides(client, base_model, rules, as_alice):
    rules(prompts={"words": ["falcon"]})
    asked = [{"role": "user", "content": "falcon"}]
    for _ in range(7):
        refused(client, base_model, asked)
    item = ReviewItem.objects.get(kind="guardrail")
    assert item.evidence["guardrail"]["count"] == 7 and len(item.evidence["guardrail"]["excerpts"]) == 5
    from gptstudio.review.services import decide

    decide(as_alice, item=item, verdict="approved", reason="It is secret.")
    refused(client, base_model, asked)
    assert ReviewItem.objects.filter(kind="guardrail").count() == 2


def test_personal_data_in_prompts_is_hidden_from_the_model_or_refused_or_let_be(client, base_model, rules, engine):
    asked = [
        {"role": "system", "content": "What is your social security number?"},
        {"role": "user", "content": [{"type": "text", "text": "Card 4111 1111 1111 1111, my name is Jane Doe."}]},
    ]
    lengths = {}
    for policy in ("allow", "mask"):
        rules(prompts={"personal_data": policy})
        answer = client.chat.completions.create(model=base_model.name, messages=asked, max_tokens=2)
        lengths[policy] = answer.usage.prompt_tokens
        assert ledger(answer._request_id) == counted(engine, answer._request_id)
    hidden = len("4111 1111 1111 1111Jane Doe") - len("[CARD][PERSON]")
    assert lengths["allow"] - lengths["mask"] == hidden
    assert not ReviewItem.objects.filter(kind="guardrail").exists()
    rules(prompts={"personal_data": "refuse"})
    assert "[CARD]" in refused(client, base_model, asked).message
    item = ReviewItem.objects.get(kind="guardrail")
    assert "4111" not in json.dumps(item.evidence) and "Jane" not in json.dumps(item.evidence)


def test_what_the_workspace_calls_its_own_is_no_personal_data_and_what_it_calls_private_is(
    client, base_model, rules, as_alice, workspace
):
    from datasets_app.services import set_words

    rules(prompts={"personal_data": "refuse"})
    ours = [{"role": "user", "content": "Is help@care.example you?"}]
    refused(client, base_model, ours)
    set_words(as_alice, workspace_id=workspace.id, kind="allow", words=["help@care.example"])
    client.chat.completions.create(model=base_model.name, messages=ours, max_tokens=2)
    set_words(as_alice, workspace_id=workspace.id, kind="deny", words=["Bluebird"])
    refused(client, base_model, [{"role": "user", "content": "Tell me of bluebird"}])


def test_prompts_embeddings_and_tools_are_read_too_and_token_ids_are_not_taken(client, base_model, rules):
    rules(prompts={"words": ["falcon"]})
    for prompt in ("a falcon", ["fine", "falcon."]):
        with pytest.raises(openai.BadRequestError) as found:
            client.completions.create(model=base_model.name, prompt=prompt)
        assert (found.value.code, found.value.param) == ("content_policy_violation", "prompt")
    tool = {"type": "function", "function": {"name": "f", "description": "falcon", "parameters": {"type": "object"}}}
    assert refused(client, base_model, HELLO, tools=[tool]).code == "content_policy_violation"
    for tokens in ([1, 2], [[1, 2]]):
        with pytest.raises(openai.BadRequestError) as found:
            client.completions.create(model=base_model.name, prompt=tokens)
        assert (found.value.code, found.value.param) == ("unsupported_value", "prompt")


def test_a_whole_answer_ends_where_it_breaks_a_rule_and_all_that_was_written_is_billed(
    client, base_model, rules, engine
):
    rules(answers={"lexicon": ["insults"]})
    answer = client.chat.completions.create(model=base_model.name, messages=HELLO, response_format=saying(SAID))
    [choice] = answer.choices
    assert choice.finish_reason == "content_filter" and choice.message.content == '{"said": "Well, you '
    assert ledger(answer._request_id) == counted(engine, answer._request_id)
    request = Completion.objects.get(id=answer._request_id)
    assert (request.finish_reason, request.state) == ("content_filter", "completed")
    item = ReviewItem.objects.get(kind="guardrail")
    assert item.title == "An answer was stopped: the list of insults"
    assert "«idiot,»" in item.evidence["guardrail"]["excerpts"][0]["text"]


def streamed(client, model, **options) -> tuple[str, list[str], str, Any]:
    stream = client.chat.completions.create(model=model.name, messages=HELLO, stream=True, **options)
    text, reasons, usage = "", [], None
    for chunk in stream:
        usage = chunk.usage or usage
        for choice in chunk.choices:
            text += choice.delta.content or ""
            reasons += [choice.finish_reason] if choice.finish_reason else []
    return text, reasons, stream.response.headers["x-request-id"], usage


@pytest.mark.parametrize("wants_usage", [False, True])
def test_a_stream_ends_where_it_breaks_a_rule_the_engine_stops_and_what_it_wrote_is_billed(
    client, base_model, rules, engine, reconciler, wants_usage
):
    rules(answers={"words": ["idiot"]})
    options = {"stream_options": {"include_usage": True}} if wants_usage else {}
    text, reasons, attempt, usage = streamed(
        client, base_model, response_format=saying(SAID, then=3000), max_tokens=3500, **options
    )
    assert (text, reasons) == ('{"said": "Well, you ', ["content_filter"])
    until(lambda: UsageEvent.objects.filter(attempt_id=attempt, kind="settle").exists())
    assert ledger(attempt) == counted(engine, attempt)
    assert ledger(attempt)[1] < 3000, "the engine went on writing what nobody was to see"
    assert usage is None or (usage.prompt_tokens, usage.completion_tokens) == ledger(attempt)
    assert (usage is not None) == wants_usage
    request = Completion.objects.get(id=attempt)
    assert (request.finish_reason, request.state) == ("content_filter", "completed")
    reconciler.run_pass()
    assert UsageEvent.objects.filter(attempt_id=attempt).count() == 2 and ReviewItem.objects.count() == 1


def test_an_engine_without_a_journal_is_listened_to_until_it_tells_its_count(client, base_model, rules, engine):
    from serving_app.models import EngineReplica

    rules(answers={"words": ["idiot"]})
    EngineReplica.objects.update(has_journal=False)
    text, reasons, attempt, _ = streamed(client, base_model, response_format=saying(SAID, then=50))
    assert (text, reasons) == ('{"said": "Well, you ', ["content_filter"])
    assert ledger(attempt) == counted(engine, attempt)


def test_a_stream_that_breaks_no_rule_comes_as_it_was_written(client, base_model, rules):
    wish = {"response_format": saying("All is well, call us."), "temperature": 0}
    plain, reasons, _, _ = streamed(client, base_model, **wish)
    rules(
        answers={
            "words": ["idiot", "a very long phrase that holds much back"],
            "patterns": ["x.*y", r"\d{3}-\d{4}"],
            "lexicon": ["insults", "threats"],
            "personal_data": "stop",
        }
    )
    assert streamed(client, base_model, **wish)[:2] == (plain, reasons) == (plain, ["stop"])


def test_of_several_answers_only_the_one_that_breaks_a_rule_is_stopped(client, base_model, rules, engine):
    rules(answers={"patterns": ["a{30}"]})
    asked = {"model": base_model.name, "prompt": ["b" + "a" * 30, "b"], "echo": True, "max_tokens": 4}
    whole = client.completions.create(**asked)
    assert [choice.finish_reason for choice in whole.choices] == ["content_filter", "length"]
    assert whole.choices[0].text == "b" and whole.usage.completion_tokens == 8
    assert ledger(whole._request_id) == counted(engine, whole._request_id)
    reasons, texts = {}, {0: "", 1: ""}
    stream = client.completions.create(**asked, stream=True)
    for chunk in stream:
        for choice in chunk.choices:
            texts[choice.index] += choice.text
            reasons |= {choice.index: choice.finish_reason} if choice.finish_reason else {}
    assert reasons == {0: "content_filter", 1: "length"} and texts[0] == "b" and len(texts[1]) >= 2
    attempt = stream.response.headers["x-request-id"]
    assert ledger(attempt) == counted(engine, attempt)


def test_the_official_parser_says_that_the_answer_was_filtered(client, base_model, rules):
    from pydantic import BaseModel

    class Said(BaseModel):
        said: str

    rules(answers={"patterns": ['"said"']})
    with pytest.raises(openai.ContentFilterFinishReasonError):
        client.chat.completions.parse(
            model=base_model.name, messages=HELLO, response_format=Said, max_tokens=50, logit_bias={"1": 100}
        )


def test_log_probabilities_are_not_given_where_answers_are_looked_at(client, base_model, rules):
    rules(answers={"words": ["idiot"]})
    error = refused(client, base_model, HELLO, logprobs=True)
    assert (error.code, error.param) == ("unsupported_parameter", "logprobs")


def test_a_rule_that_is_set_or_lifted_holds_from_the_next_request_on(client, base_model, rules):
    asked = [{"role": "user", "content": "falcon"}]
    ask = {"model": base_model.name, "messages": asked, "max_tokens": 2}
    client.chat.completions.create(**ask)
    rules(prompts={"words": ["falcon"]})
    refused(client, base_model, asked)
    rules()
    client.chat.completions.create(**ask)


def test_another_workspaces_rules_are_its_own(stranger, base_model, rules):
    rules(prompts={"words": ["falcon"]})
    ask = {"model": base_model.name, "messages": [{"role": "user", "content": "falcon"}], "max_tokens": 2}
    stranger.chat.completions.create(**ask)


def test_rules_cost_no_query(base_model, rules, as_alice, workspace):
    from gptstudio.core.ids import mint

    def queries() -> list[str]:
        workspace.refresh_from_db()
        body = {"model": base_model.name, "messages": HELLO, "max_tokens": 2}
        with CaptureQueriesContext(
            connection,
        ) as caught:
            asked = choose(
                Caller(as_alice, workspace), endpoint="chat/completions", body=body, size=80, attempt_id=mint("req_")
            )
            reserve_for(asked, asked.read())
        return [each["sql"].split(" ")[0] for each in caught.captured_queries]

    queries()
    without = queries()
    rules(prompts={"words": ["falcon"]}, answers={"words": ["falcon"]})
    queries()
    assert queries() == without


def test_litellm_reads_a_refusal_as_a_matter_of_content(studio, make_key, base_model, rules, monkeypatch):
    monkeypatch.setenv("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    import litellm

    rules(prompts={"words": ["falcon"]})
    with pytest.raises(litellm.ContentPolicyViolationError):
        litellm.completion(
            model=f"openai/{base_model.name}",
            messages=[{"role": "user", "content": "falcon"}],
            api_base=f"{studio}/v1",
            api_key=make_key("chat"),
            num_retries=0,
        )


def test_refused_prompts_count_against_a_keys_limit_and_then_nothing_looks_at_them(studio, make_key, base_model, rules):
    rules(prompts={"words": ["falcon"]})
    secret = make_key("chat", requests_per_minute=2)
    limited = openai.OpenAI(base_url=f"{studio}/v1", api_key=secret, max_retries=0)
    asked = [{"role": "user", "content": "falcon"}]
    for _ in range(2):
        refused(limited, base_model, asked)
    for _ in range(3):
        with pytest.raises(openai.RateLimitError):
            limited.chat.completions.create(model=base_model.name, messages=asked, max_tokens=4)
    item = ReviewItem.objects.get(kind="guardrail")
    assert item.evidence["guardrail"]["count"] == 2 == Completion.objects.filter(state="refused").count()


def test_while_a_prompt_is_looked_at_others_are_let_in(client, base_model, rules, monkeypatch):
    from serving_app.services import admission, trips

    rules(prompts={"words": ["falcon"]})
    real, seen = admission.read_prompt, []

    def read(body, guard):
        trips.LEDGER.submit(lambda: seen.append("a trip")).result(timeout=240)
        return real(body, guard)

    monkeypatch.setattr(admission, "read_prompt", read)
    client.chat.completions.create(model=base_model.name, messages=HELLO, max_tokens=2)
    assert seen == ["a trip"]


def test_a_prompt_that_is_too_long_to_be_looked_at_is_told_so(client, base_model, rules):
    rules(prompts={"words": ["falcon"]})
    error = refused(client, base_model, [{"role": "user", "content": "a " * 1_100_000}])
    assert (error.code, error.param) == ("string_above_max_length", "messages")
    assert Completion.objects.get().state == "refused" and not ReviewItem.objects.exists()


@pytest.mark.parametrize("reaper_first", [False, True])
def test_an_answer_that_was_stopped_is_so_in_the_log_though_only_the_reaper_could_count_it(
    client, base_model, rules, engine, reconciler, monkeypatch, reaper_first
):
    from serving_app.services import gateway

    async def uncounted(admission):
        if reaper_first:
            await services.in_ledger_thread(
                lambda: until(lambda: reconciler.run_pass() or billed(admission.attempt_id))
            )

    def billed(attempt: str) -> bool:
        return UsageEvent.objects.filter(attempt_id=attempt, kind="settle").exists()

    monkeypatch.setattr(gateway, "counted", uncounted)
    rules(answers={"words": ["idiot"]})
    text, reasons, attempt, _ = streamed(client, base_model, response_format=saying(SAID, then=1500), max_tokens=2500)
    assert (text, reasons) == ('{"said": "Well, you ', ["content_filter"])
    until(lambda: reconciler.run_pass() or billed(attempt))
    request = Completion.objects.get(id=attempt)
    assert (request.finish_reason, request.state) == ("content_filter", "completed")
    assert ledger(attempt) == counted(engine, attempt)


class NoReasons(BaseHTTPRequestHandler):
    """A server whose streams end without saying why."""

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        usage = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
        choice = {"index": 0, "delta": {"content": "All is well"}, "finish_reason": None}
        for more in ({"choices": [choice]}, {"choices": [], "usage": usage}):
            body = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", **more}
            self.wfile.write(f"data: {json.dumps(body)}\n\n".encode())
        self.wfile.write(b"data: [DONE]\n\n")

    def log_message(self, *_args):
        """Say nothing."""


def test_what_was_held_back_comes_though_the_server_says_no_reason_for_the_end(client, base_model, rules, engine):
    from serving_app.models import EngineReplica

    rules(answers={"words": ["idiot"]})
    server = ThreadingHTTPServer(("127.0.0.1", 0), NoReasons)
    Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        EngineReplica.objects.update(url=f"http://127.0.0.1:{server.server_port}", has_journal=False)
        text, reasons, attempt, _ = streamed(client, base_model)
    finally:
        server.shutdown()
        server.server_close()
    assert (text, reasons, ledger(attempt)) == ("All is well", [], (3, 4))
