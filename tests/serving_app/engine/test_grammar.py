"""Constrained answers of a random model are always valid, beside rows that are free, and bad schemas are refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import PreTrainedTokenizerFast

from serving_app.engine.accounts import Accounts
from serving_app.engine.errors import EngineError
from serving_app.engine.forward import ForwardPass
from serving_app.engine.grammar import LONGEST_SCHEMA, Grammar, Grammars
from serving_app.engine.journal import Journal
from serving_app.engine.metrics import Metrics
from serving_app.engine.params import SamplingParams
from serving_app.engine.requests import Closed, Delta, Event, Prompt, Request, open_request
from serving_app.engine.sampling import SamplerRow, sample
from serving_app.engine.scheduler import Scheduler

END = 256
VOCABULARY = 260
SCHEMA = {
    "type": "object",
    "properties": {
        "verdict": {"enum": ["yes", "no", "vielleicht …"]},
        "score": {"type": "integer", "minimum": 0, "maximum": 99},
        "tags": {"type": "array", "items": {"type": "string", "maxLength": 3}, "maxItems": 2},
    },
    "required": ["verdict", "score", "tags"],
    "additionalProperties": False,
}


@pytest.fixture(scope="module")
def grammars(tiny_tokenizer: PreTrainedTokenizerFast) -> Grammars:
    return Grammars(tiny_tokenizer, vocabulary=VOCABULARY, end_tokens=[END])


def fits(answer: dict[str, Any]) -> bool:
    return (
        list(answer) == ["verdict", "score", "tags"]
        and answer["verdict"] in SCHEMA["properties"]["verdict"]["enum"]  # type: ignore[index]
        and answer["score"] in range(100)
        and len(answer["tags"]) <= 2
        and all(isinstance(tag, str) and len(tag) <= 3 for tag in answer["tags"])
    )


def written(
    logits: torch.Tensor, grammar: Grammar, tokenizer: PreTrainedTokenizerFast, *, most: int = 400, **wishes: Any
) -> str:
    """What comes out when each step's odds are `logits`, a row of its own for each step."""
    row = SamplerRow.start(SamplingParams(max_tokens=most, **wishes), choice=0, grammar=grammar.copy())
    tokens: list[int] = []
    for step in range(most):
        token = sample(logits[step % len(logits)][None], [row])[0][0]
        if token == END:
            return str(tokenizer.decode(tokens))
        tokens.append(token)
    raise AssertionError("the grammar was never complete")


@pytest.mark.parametrize(
    "wishes", [{"temperature": 2.0}, {"temperature": 0.0}, {"top_p": 0.3}, {"presence_penalty": 2.0}]
)
def test_random_odds_under_a_schema_always_give_what_fits(
    grammars: Grammars, tiny_tokenizer: PreTrainedTokenizerFast, wishes: dict[str, Any]
) -> None:
    grammar = grammars.of_schema(SCHEMA, param="p")
    for seed in range(20):
        logits = torch.randn(50, VOCABULARY, generator=torch.Generator().manual_seed(seed)) * 8
        assert fits(json.loads(written(logits, grammar, tiny_tokenizer, seed=seed, **wishes)))


def test_an_object_of_any_kind_is_json_also_where_tokens_are_pushed_by_a_bias(
    grammars: Grammars, tiny_tokenizer: PreTrainedTokenizerFast
) -> None:
    closing = {tiny_tokenizer.convert_tokens_to_ids(sign): 6.0 for sign in '"}]'}
    forced = tiny_tokenizer.convert_tokens_to_ids("!")
    for seed in range(20):
        logits = torch.randn(97, VOCABULARY, generator=torch.Generator().manual_seed(seed)) * 3
        text = written(
            logits, grammars.of_schema({"type": "object"}, param="p"), tiny_tokenizer, most=4000, seed=seed,
            logit_bias={**closing, forced: 3.0},
        )  # fmt: skip
        assert isinstance(json.loads(text), dict)


def run(model: Any, folder: Path, asked: list[tuple[Request, Grammar | None]]) -> dict[Request, list[Event]]:
    """Run requests of 300 tokens together to their ends."""
    scheduler = Scheduler(
        ForwardPass(model),
        accounts=Accounts(Journal(folder), Metrics()),
        slots=6,
        prefill_tokens=40,
    )
    for number, (request, grammar) in enumerate(asked):
        params = SamplingParams(max_tokens=300, seed=number, logit_bias={END: -100.0} if grammar is None else {})
        prompt = Prompt([65 + number, 66, 67], 2)
        open_request(request, [prompt], params=params, decode=lambda ids: "x" * len(ids), grammar=grammar)
        scheduler.submit(request)
    events: dict[Request, list[Event]] = {request: [] for request, _ in asked}
    while not scheduler.idle:
        for request, event in scheduler.step():
            events[request].append(event)
    return events


def ask(name: str) -> Request:
    return Request(name, "m", False, lambda event: None, ends=frozenset({END}))


@pytest.fixture(scope="module")
def model(one_torch_thread: None) -> Any:
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(3)
    config = LlamaConfig(
        vocab_size=VOCABULARY, hidden_size=32, intermediate_size=48, num_hidden_layers=1, num_attention_heads=2,
        num_key_value_heads=2, max_position_embeddings=512, bos_token_id=None, eos_token_id=END,
    )  # fmt: skip
    return LlamaForCausalLM(config).eval()


def test_rows_with_and_without_a_schema_share_a_batch(
    model: Any, grammars: Grammars, tiny_tokenizer: PreTrainedTokenizerFast, tmp_path: Path
) -> None:
    bound, free = ask("bound"), ask("free")
    grammar = grammars.of_schema(SCHEMA, param="p")
    events = run(model, tmp_path, [(bound, grammar), (free, None)])
    for sequence in bound.sequences:
        assert sequence.finish_reason == "stop"
        assert fits(json.loads(tiny_tokenizer.decode(sequence.tokens[3:-1])))
    assert bound.sequences[0].tokens != bound.sequences[1].tokens
    assert [sequence.finish_reason for sequence in free.sequences] == ["length", "length"]
    assert [type(event) for event in events[bound]] == [Delta, Delta, Closed]


def test_a_grammar_that_cannot_go_on_ends_its_request_alone_with_the_reason(
    model: Any, grammars: Grammars, tmp_path: Path
) -> None:
    broken, free = ask("broken"), ask("free")
    grammar = grammars.of_schema(SCHEMA, param="p")
    grammar.take(0)  # no object begins so
    assert grammar.problem is not None
    events = run(model, tmp_path, [(broken, grammar), (free, None)])
    [closed] = events[broken]
    assert isinstance(closed, Closed) and closed.reason == "error"
    assert "cannot be followed" in str(closed.problem) and "\n" not in str(closed.problem)
    assert closed.usage.completion_tokens == 0
    assert [sequence.finish_reason for sequence in free.sequences] == ["length", "length"]


@pytest.mark.parametrize(
    ("schema", "reason"),
    [
        ({"type": "robot"}, "robot"),
        ({"not": {"type": "string"}}, "not"),
        ({"type": "array", "uniqueItems": True}, "uniqueItems"),
        ({"x-guidance": {"lenient": True}, "not": {}}, "not"),
        ({"type": "string", "format": "nonsense"}, "nonsense"),
        ({"$ref": "http://else.example/schema"}, "else.example"),
        ({"type": "string", "pattern": "(a"}, "regex"),
        ({"type": "integer", "minimum": 5, "maximum": 2}, "minimum"),
        ({"description": "x" * LONGEST_SCHEMA}, "characters"),
    ],
)
def test_a_schema_that_cannot_be_kept_to_is_refused_with_the_reason(
    grammars: Grammars, schema: dict[str, Any], reason: str
) -> None:
    with pytest.raises(EngineError) as refused:
        grammars.of_schema(schema, param="p")
    assert (refused.value.status, refused.value.param) == (400, "p")
    assert reason in refused.value.message and "\n" not in refused.value.message


def test_endless_nesting_is_refused(grammars: Grammars) -> None:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(100):
        schema = {"anyOf": [schema]}
    with pytest.raises(EngineError):
        grammars.of_schema(schema, param="p")


def test_a_tokenizer_without_bytes_takes_no_schema() -> None:
    class Plain:
        """As slow tokenizers are: Python alone."""

    with pytest.raises(EngineError) as refused:
        Grammars(Plain(), vocabulary=9, end_tokens=[1]).of_schema({}, param="p")  # type: ignore[arg-type]
    assert refused.value.code == "unsupported_parameter"
