"""Batched greedy tokens equal those of `generate()`, whoever joins and leaves meanwhile."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
import torch
from transformers import GenerationConfig, PreTrainedModel

from serving_app.engine.accounts import Accounts
from serving_app.engine.forward import ForwardPass
from serving_app.engine.journal import Journal
from serving_app.engine.metrics import Metrics
from serving_app.engine.params import SamplingParams
from serving_app.engine.requests import Closed, Event, Prompt, Request, open_request
from serving_app.engine.scheduler import Scheduler

END = 256


def make_scheduler(model: PreTrainedModel, folder: Path, *, slots: int = 6, prefill_tokens: int = 40) -> Scheduler:
    accounts = Accounts(Journal(folder), Metrics())
    return Scheduler(ForwardPass(model), accounts=accounts, slots=slots, prefill_tokens=prefill_tokens)


def make_request(prompt: list[int], *, max_tokens: int, name: str = "a", choices: int = 1, **wishes: object) -> Request:
    params = SamplingParams(max_tokens=max_tokens, temperature=wishes.pop("temperature", 0.0), **wishes)  # type: ignore[arg-type]
    request = Request(name, "m", False, lambda event: None, ends=frozenset({END}))
    return open_request(request, [Prompt(prompt, choices)], params=params, decode=lambda ids: "x" * len(ids))


def run_to_end(scheduler: Scheduler) -> list[tuple[Request, Event]]:
    events: list[tuple[Request, Event]] = []
    while not scheduler.idle:
        events += scheduler.step()
    return events


@torch.inference_mode()
def reference(model: PreTrainedModel, prompt: list[int], max_tokens: int) -> list[int]:
    config = GenerationConfig(max_new_tokens=max_tokens, do_sample=False, eos_token_id=END, pad_token_id=END)
    ids = torch.tensor([prompt])
    return model.generate(ids, attention_mask=torch.ones_like(ids), generation_config=config)[0, len(prompt) :].tolist()


def random_prompts(count: int, seed: int) -> list[list[int]]:
    """Prompts of 1 to 120 tokens; every third begins like an earlier one."""
    chance = random.Random(seed)
    prompts: list[list[int]] = []
    for number in range(count):
        prompt = [chance.randrange(250) for _ in range(chance.randrange(1, 120))]
        if number % 3 == 2:
            prompt = prompts[chance.randrange(number)] + prompt[:20]
        prompts.append(prompt)
    return prompts


def test_greedy_tokens_equal_generate_while_others_join_and_leave(tiny_model: PreTrainedModel, tmp_path: Path) -> None:
    chance = random.Random(1)
    scheduler = make_scheduler(tiny_model, tmp_path)
    prompts = random_prompts(200, 1)
    requests = [
        make_request(prompt, max_tokens=chance.randrange(1, 24), name=f"a{at}") for at, prompt in enumerate(prompts)
    ]
    waiting = list(requests)
    left: set[Request] = set()
    while waiting or not scheduler.idle:
        for _ in range(chance.randrange(3)):
            if waiting:
                scheduler.submit(waiting.pop())
        if chance.random() < 0.05:
            gone = chance.choice(requests)
            gone.cancelled = gone.open and gone not in waiting
            left |= {gone} if gone.cancelled else set()
        scheduler.step()
    finished = [request for request in requests if request not in left]
    assert {request.reason() for request in finished} <= {"stop", "length"}
    assert len(finished) >= 150
    for request in finished:
        sequence = request.sequences[0]
        prompt = sequence.tokens[: sequence.prompt_length]
        assert sequence.tokens[len(prompt) :] == reference(tiny_model, prompt, sequence.params.max_tokens)
    assert any(request.cached_tokens for request in finished)


def test_choices_of_one_prompt_share_its_prefix_and_count_it_once(tiny_model: PreTrainedModel, tmp_path: Path) -> None:
    scheduler = make_scheduler(tiny_model, tmp_path)
    prompt = random_prompts(1, 9)[0] + list(range(40))
    request = make_request(prompt, max_tokens=8, choices=4, logit_bias={END: -100.0})
    scheduler.submit(request)
    events = run_to_end(scheduler)
    # All choices end in one step; the end comes once and last.
    assert [isinstance(event, Closed) for _, event in events] == [False] * 4 + [True]
    assert {tuple(sequence.tokens) for sequence in request.sequences} == {tuple(request.sequences[0].tokens)}
    assert request.prompt_tokens == len(prompt)
    assert [sequence.cached for sequence in request.sequences] == [0] + [len(prompt) - 1] * 3


def test_a_second_turn_reuses_what_the_first_computed(tiny_model: PreTrainedModel, tmp_path: Path) -> None:
    scheduler = make_scheduler(tiny_model, tmp_path)
    first = make_request(list(range(60)), max_tokens=10)
    scheduler.submit(first)
    run_to_end(scheduler)
    turn = [*first.sequences[0].tokens, 7, 8, 9]
    second = make_request(turn, max_tokens=10, name="b")
    scheduler.submit(second)
    run_to_end(scheduler)
    # The last token of an answer is never fed to the model, so its keys do not exist.
    assert second.cached_tokens == len(first.sequences[0].tokens) - 1
    assert second.sequences[0].tokens[len(turn) :] == reference(tiny_model, turn, 10)


def test_a_long_prompt_does_not_stop_a_stream(tiny_model: PreTrainedModel, tmp_path: Path) -> None:
    scheduler = make_scheduler(tiny_model, tmp_path, prefill_tokens=32)
    stream = make_request([1, 2, 3], max_tokens=100)
    scheduler.submit(stream)
    scheduler.step()
    scheduler.submit(make_request(list(range(200)) * 2, max_tokens=1, name="long"))
    for _ in range(8):
        before = stream.completion_tokens
        scheduler.step()
        assert stream.completion_tokens == before + 1


def test_a_short_prompt_overtakes_a_long_one(tiny_model: PreTrainedModel, tmp_path: Path) -> None:
    scheduler = make_scheduler(tiny_model, tmp_path, prefill_tokens=32)
    long = make_request(list(range(200)) * 2, max_tokens=1, name="long")
    short = make_request([5, 6, 7], max_tokens=1, name="short")
    scheduler.submit(long)
    scheduler.submit(short)
    scheduler.step()
    scheduler.step()
    assert not short.open
    assert long.open


def test_a_seed_gives_the_same_draws_alone_and_in_company(tiny_model: PreTrainedModel, tmp_path: Path) -> None:
    prompt = list(range(30))
    drawn = []
    for company in (0, 5):
        scheduler = make_scheduler(tiny_model, tmp_path / str(company))
        request = make_request(prompt, max_tokens=20, temperature=1.0, top_p=0.9, seed=11)
        for number in range(company):
            scheduler.submit(make_request([number, 3, 4], max_tokens=9, name=f"c{number}", temperature=1.5))
        scheduler.submit(request)
        run_to_end(scheduler)
        drawn.append(request.sequences[0].tokens)
    assert drawn[0] == drawn[1]


def test_cancelling_ends_a_request_at_the_next_step(tiny_model: PreTrainedModel, tmp_path: Path) -> None:
    scheduler = make_scheduler(tiny_model, tmp_path)
    request = make_request([1, 2, 3], max_tokens=300)
    scheduler.submit(request)
    for _ in range(4):
        scheduler.step()
    counted = request.completion_tokens
    request.cancelled = True
    ((_, event),) = scheduler.step()
    assert isinstance(event, Closed)
    assert (event.reason, event.usage.completion_tokens) == ("cancelled", counted)
    assert scheduler.idle


def test_a_failing_model_ends_its_requests_and_the_next_one_is_served(
    tiny_model: PreTrainedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scheduler = make_scheduler(tiny_model, tmp_path)
    doomed = make_request([1, 2, 3], max_tokens=5)
    scheduler.submit(doomed)
    with monkeypatch.context() as broken:
        broken.setattr(tiny_model, "forward", lambda **_: (_ for _ in ()).throw(RuntimeError("out of memory")))
        ((_, event),) = scheduler.step()
    assert isinstance(event, Closed)
    assert event.reason == "error"
    assert event.problem is not None and "out of memory" in event.problem
    after = make_request([1, 2, 3], max_tokens=5, name="b")
    scheduler.submit(after)
    run_to_end(scheduler)
    assert after.sequences[0].tokens[3:] == reference(tiny_model, [1, 2, 3], 5)
