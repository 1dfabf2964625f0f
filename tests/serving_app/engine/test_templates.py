"""Chat templates write what `transformers` writes, and one that never ends is refused and holds nobody up."""

from __future__ import annotations

import asyncio
import json
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

import httpx
import pytest
from jinja2 import TemplateError

from serving_app.engine.codec import TextCodec
from serving_app.engine.errors import EngineError
from serving_app.engine.routes.answering import rendered
from serving_app.engine.templates import MOST_CHILDREN, Templates
from tests.calling_model import CLOCK, QUESTION, TEMPLATE, TOOLS
from tests.serving_app.engine.conftest import TEMPLATE as PLAIN
from tests.serving_app.engine.conftest import StartEngine, byte_tokenizer, tiny_llama, write_model
from tests.serving_app.engine.test_call_syntax import BARE

NEVER = "{% for a in range(99999) %}{% for b in range(99999) %}{% for c in range(99999) %}{% endfor %}{% endfor %}{% endfor %}"
ON_ASKING = "{% if messages[0].content == 'loop' %}" + NEVER + "{% endif %}" + PLAIN
MARKS = (
    "{% set box = namespace(seen=0, last='') %}{{ bos_token }}{% for message in messages -%}\n  {% generation %}"
    "{% set box.seen = box.seen + 1 %}{{ message.content | trim }}\n{% endgeneration %}{% if box.seen > 1 %}{% break %}"
    "{% endif %}{% endfor %}{{ box.seen }}{{ dict(a='ä', b=[1, none]) | tojson(indent=1) }}{{ dict.fromkeys('ab', 1) }}"
    "{{ tools | tojson(sort_keys=true) }}{{ documents }}{{ eos_token }}{{ strftime_now('%%') }}"
)
LATER = [*QUESTION, {"role": "assistant", "content": " Sunny. "}, {"role": "user", "content": "Ünd “tomorrow” \ud83d?"}]


@pytest.mark.parametrize("template", [PLAIN, TEMPLATE, MARKS])
@pytest.mark.parametrize("tools", [None, TOOLS])
@pytest.mark.parametrize("count", [1, 3])
def test_a_conversation_is_written_as_transformers_writes_it(template: str, tools: list | None, count: int) -> None:
    tokenizer = byte_tokenizer()
    tokenizer.chat_template = template
    theirs = tokenizer.apply_chat_template(LATER[:count], tools=tools, tokenize=False, add_generation_prompt=True)
    assert TextCodec(tokenizer).write_chat(LATER[:count], tools) == theirs


@pytest.mark.parametrize(
    "template", [NEVER, "{{ 'a' * 99999999999 }}", "{{ 'a' | center(9999999999) }}"], ids=["time", "size", "padding"]
)
def test_a_template_that_takes_too_much_is_told_in_a_sentence_and_the_next_one_writes(template: str) -> None:
    templates = Templates()
    with pytest.raises(EngineError, match="did not come to an end on these messages") as refused:
        templates.write(template, {"messages": []})
    assert (refused.value.status, refused.value.code, refused.value.param) == (400, "template_endless", "messages")
    assert templates.write("{{ 1 + 1 }}", {}) == "2"


@pytest.mark.parametrize(
    "template",
    ["{{ raise_exception('no system') }}", "{% if %}", "{{ messages.__class__.__mro__[1].__subclasses__() }}",
     "{% set box = namespace(_a=1) %}", "{% for a in range(9999) %}{{ 'x' * 99999 }}{% endfor %}"],
    ids=["own words", "syntax", "escape", "names", "long"],
)  # fmt: skip
def test_what_a_template_refuses_is_refused_with_its_words(template: str) -> None:
    templates = Templates()
    for _ in range(2):
        with pytest.raises(TemplateError, match=r"\w"):
            templates.write(template, {"messages": []})


def test_templates_take_turns_in_a_few_processes_and_all_come_back() -> None:
    templates = Templates()
    numbers = [*range(MOST_CHILDREN + 2), 0]
    assert [templates.write("{{ a }}-" + str(number), {"a": 1}) for number in numbers] == [f"1-{at}" for at in numbers]
    assert len(templates._children) == MOST_CHILDREN


def test_a_process_that_somebody_ends_is_started_again() -> None:
    templates = Templates()
    assert templates.write("{{ a }}", {"a": 1}) == "1"
    [child] = templates._children.values()
    assert child._process is not None
    child._process.kill()
    assert templates.write("{{ a }}", {"a": 2}) == "2"


def test_a_model_whose_template_may_never_end_loads_and_holds_up_no_other(
    start_engine: StartEngine, model_root: Path
) -> None:
    folder = write_model(model_root / "looping", tiny_llama())
    (folder / "chat_template.jinja").write_text(ON_ASKING)
    server = start_engine("--model", "llama=llama", "--model", "looping=looping")
    server.wait_until_ready()

    def ask(model: str, text: str) -> httpx.Response:
        body = {"model": model, "messages": [{"role": "user", "content": text}], "max_tokens": 2}
        headers = {"authorization": f"Bearer {server.token}"}
        return httpx.post(f"{server.url}/v1/chat/completions", json=body, headers=headers, timeout=240)

    assert ask("llama", "hi").status_code == 200  # its template's process stands ready
    with ThreadPoolExecutor(max_workers=4) as pool:
        endless = pool.submit(ask, "looping", "loop")
        others = [pool.submit(ask, "llama", "hi") for _ in range(3)]
        assert [each.result().status_code for each in others] == [200] * 3
        assert not endless.done()
        error = endless.result().json()["error"]
    assert endless.result().status_code == 400 and error["code"] == "template_endless"
    assert "did not come to an end on these messages" in error["message"]
    assert ask("looping", "hi").status_code == 200


@pytest.mark.asyncio
async def test_many_requests_to_one_slow_template_leave_threads_for_other_models() -> None:
    over = Event()
    slow = [asyncio.create_task(rendered("slow", lambda: str(over.wait(240)))) for _ in range(12)]
    await asyncio.sleep(0)
    assert await asyncio.wait_for(rendered("quick", lambda: "written"), timeout=120) == "written"
    over.set()
    assert await asyncio.gather(*slow) == ["True"] * 12


def test_a_process_that_died_with_a_conversation_half_read_is_started_again() -> None:
    templates = Templates()
    assert templates.write("{{ a }}", {"a": 1}) == "1"
    [child] = templates._children.values()
    child._process.send_signal(signal.SIGSTOP)
    child._process.stdin.write(b"x" * 100)  # it lies in the buffer when the pipe breaks
    child._process.kill()
    child._process.wait()
    assert templates.write("{{ a }}", {"a": 2}) == "2"


def test_templates_of_which_none_is_the_usual_one_are_refused_in_a_sentence() -> None:
    tokenizer = byte_tokenizer()
    tokenizer.chat_template = {"rag": PLAIN}
    with pytest.raises(EngineError, match="chat template refuses these messages") as refused:
        TextCodec(tokenizer).write_chat(QUESTION)
    assert refused.value.status == 400


def test_tools_are_no_trouble_where_a_template_never_ends_with_them() -> None:
    tokenizer = byte_tokenizer()
    tokenizer.chat_template = "{% if tools %}" + NEVER + "{% endif %}" + PLAIN
    codec = TextCodec(tokenizer)
    assert codec.calls is None and codec.write_chat(QUESTION)
    with pytest.raises(EngineError):
        codec.write_chat(QUESTION, [CLOCK])


def test_a_random_model_calls_rightly_where_its_template_writes_bare_calls(
    start_engine: StartEngine, model_root: Path
) -> None:
    folder = write_model(model_root / "bare", tiny_llama(context=2048))
    (folder / "chat_template.jinja").write_text(BARE)
    server = start_engine("--model", "bare=bare")
    server.wait_until_ready()

    def ask(**more: Any) -> httpx.Response:
        body = {"model": "bare", "messages": QUESTION, "tools": TOOLS, "max_tokens": 200, "temperature": 1, **more}
        headers = {"authorization": f"Bearer {server.token}"}
        return httpx.post(f"{server.url}/v1/chat/completions", json=body, headers=headers, timeout=240)

    for seed in range(3):
        named = {"type": "function", "function": {"name": "weather"}}
        [choice] = ask(tool_choice=named, seed=seed, stop=["Bern", "name"]).json()["choices"]
        [call] = choice["message"]["tool_calls"]
        given = json.loads(call["function"]["arguments"])
        assert choice["finish_reason"] == "tool_calls" and choice["message"]["content"] is None
        assert call["function"]["name"] == "weather" and given["city"] in ("Bern", "Oslo") and 1 <= given["days"] <= 7
    refused = ask(response_format={"type": "json_object"})
    assert refused.status_code == 400 and refused.json()["error"]["param"] == "response_format"
    assert ask(response_format={"type": "json_object"}, tool_choice="none").status_code == 200
