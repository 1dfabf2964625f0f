"""Adapters beside their base: token-equal to merged ones, never mixed up, come and go in the middle of a batch."""

from __future__ import annotations

import json
import random
import threading
from pathlib import Path
from typing import Any

import httpx
import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import PreTrainedModel

from serving_app.engine.accounts import Accounts
from serving_app.engine.adapters import read_adapter
from serving_app.engine.errors import EngineError
from serving_app.engine.fast_linear import pack_linear_layers
from serving_app.engine.forward import ForwardPass
from serving_app.engine.journal import Journal
from serving_app.engine.loader import LoadedModel, load_adapter
from serving_app.engine.metrics import Metrics
from serving_app.engine.params import SamplingParams
from serving_app.engine.requests import Prompt, Request, open_request
from serving_app.engine.scheduler import Scheduler
from tests.serving_app.engine.conftest import byte_tokenizer, loaded, tiny_gpt2, tiny_llama, tiny_qwen2
from tests.serving_app.engine.test_greedy_equality import random_prompts, reference

MAKERS = {"llama": tiny_llama, "gpt2": tiny_gpt2, "qwen2": tiny_qwen2}
ATTENTION = {"llama": ["q_proj", "v_proj"], "gpt2": ["c_attn", "c_proj"], "qwen2": ["q_proj", "v_proj"]}


def written(folder: Path, name: str, *, seed: int, **options: Any) -> Path:
    """An adapter with random weights, large enough to change most answers."""
    wishes: dict[str, Any] = {"r": 4, "lora_alpha": 16, "target_modules": ATTENTION[name], **options}
    model = MAKERS[name]()
    torch.manual_seed(seed)
    tuned = get_peft_model(model, LoraConfig(init_lora_weights=False, **wishes))
    tuned.save_pretrained(folder)
    return folder


def merged(name: str, folder: Path) -> PreTrainedModel:
    return PeftModel.from_pretrained(MAKERS[name](), str(folder)).merge_and_unload().eval()


def started(model: LoadedModel, folder: Path) -> Scheduler:
    pack_linear_layers(model.model)
    accounts = Accounts(Journal(folder), Metrics())
    return Scheduler(ForwardPass(model.model, model.adapters), accounts=accounts, slots=6, prefill_tokens=40)


def asked(number: int, prompt: list[int], *, adapter: int, max_tokens: int) -> Request:
    request = Request(f"r{number}", "m", False, lambda event: None, ends=frozenset({256}), adapter=adapter)
    params = SamplingParams(max_tokens=max_tokens, temperature=0.0)
    return open_request(request, [Prompt(prompt, 1)], params=params, decode=lambda ids: "x" * len(ids))


@pytest.mark.parametrize("name", ["llama", "gpt2", "qwen2"])
def test_three_adapters_in_one_batch_answer_as_if_each_were_merged(name: str, tmp_path: Path) -> None:
    """The third is loaded while the others write."""
    options: list[dict[str, Any]] = [{}, {"r": 7, "use_rslora": True}, {"rank_pattern": {ATTENTION[name][0]: 2}}]
    folders = [written(tmp_path / f"a{at}", name, seed=at, **each) for at, each in enumerate(options)]
    base = loaded(MAKERS[name]())
    scheduler = started(base, tmp_path / "journal")
    stands = [base, *(load_adapter(base, folder) for folder in folders[:2])]
    chance, prompts = random.Random(3), random_prompts(45, 3)
    requests: list[Request] = []
    while len(requests) < len(prompts) or not scheduler.idle:
        if len(requests) >= 20 and len(stands) == 3:
            stands.append(load_adapter(base, folders[2]))
        for _ in range(chance.randrange(3) if len(requests) < len(prompts) else 0):
            model = chance.choice(stands)
            assert model is not None
            at = len(requests)
            requests.append(asked(at, prompts[at % 45], adapter=model.adapter, max_tokens=chance.randrange(1, 16)))
            scheduler.submit(requests[-1])
        scheduler.step()
    alone = [MAKERS[name](), *(merged(name, folder) for folder in folders)]
    kinds: dict[int, set[tuple[int, ...]]] = {0: set(), 1: set(), 2: set(), 3: set()}
    for request in requests:
        [sequence] = request.sequences
        prompt, answer = sequence.tokens[: sequence.prompt_length], sequence.tokens[sequence.prompt_length :]
        assert answer == reference(alone[request.adapter], prompt, sequence.params.max_tokens)
        kinds[request.adapter].add(tuple(answer))
    assert all(len(answers) > 3 for answers in kinds.values()), "each was asked"
    assert any(request.cached_tokens for request in requests)


def test_a_prefix_that_another_adapter_has_read_is_not_taken_over(tmp_path: Path) -> None:
    base = loaded(tiny_llama())
    scheduler = started(base, tmp_path / "journal")
    tuned = load_adapter(base, written(tmp_path / "a", "llama", seed=1))
    assert tuned is not None
    found = []
    for number, adapter in enumerate([0, tuned.adapter, tuned.adapter, 0]):
        request = asked(number, list(range(60)), adapter=adapter, max_tokens=4)
        scheduler.submit(request)
        while not scheduler.idle:
            scheduler.step()
        found.append(request.cached_tokens)
    assert found == [0, 0, 59, 59]


@pytest.mark.parametrize(
    "options",
    [{"use_dora": True}, {"bias": "all"}, {"modules_to_save": ["lm_head"]}, {"target_modules": ["embed_tokens"]}],
)
def test_what_is_more_than_two_matrices_a_layer_has_to_be_merged(options: dict[str, Any], tmp_path: Path) -> None:
    folder = written(tmp_path / "a", "llama", seed=1, **options)
    assert load_adapter(loaded(tiny_llama()), folder) is None


def test_an_adapter_of_another_model_is_refused_in_a_sentence(tmp_path: Path) -> None:
    folder = written(tmp_path / "a", "llama", seed=1)
    tall = tiny_llama()
    tall.model.layers[1].self_attn.q_proj = torch.nn.Linear(32, 64, bias=False)
    with pytest.raises(EngineError, match="its matrices are 64 by 64, and the base's layer is 32 by 64"):
        load_adapter(loaded(tall), folder)
    assert all(type(module).__name__ != "AdaptedLinear" for module in tall.modules()), "nothing was changed"


def test_an_adapter_that_is_let_go_leaves_nothing_behind(tmp_path: Path) -> None:
    base = loaded(tiny_llama())
    tuned = load_adapter(base, written(tmp_path / "a", "llama", seed=1))
    assert tuned is not None
    with torch.inference_mode(), base.adapters.rows([tuned.adapter, 0]):
        base.model(input_ids=torch.tensor([[1], [2]]))
    base.adapters.detach(tuned.adapter)
    assert not base.adapters._adapters and not base.adapters._joined and base.adapters.chosen is None


def test_the_scale_is_alpha_by_rank_or_by_its_root(tmp_path: Path) -> None:
    usual = read_adapter(written(tmp_path / "a", "llama", seed=1))
    rooted = read_adapter(written(tmp_path / "b", "llama", seed=1, use_rslora=True))
    halved = read_adapter(written(tmp_path / "c", "llama", seed=1, alpha_pattern={"q_proj": 8}))
    assert usual is not None and rooted is not None and halved is not None
    for name, (_, up) in usual.layers.items():
        assert torch.allclose(rooted.layers[name][1], up * 2)  # 16 / 2 instead of 16 / 4
        assert torch.allclose(halved.layers[name][1], up / 2 if "q_proj" in name else up)


def test_an_adapter_with_its_own_tokenizer_ends_and_speaks_as_it_says(tmp_path: Path) -> None:
    folder = written(tmp_path / "a", "llama", seed=1)
    tokenizer = byte_tokenizer()
    tokenizer.chat_template, tokenizer.eos_token = "{{ messages[0].content }}!", "<|user|>"
    tokenizer.save_pretrained(folder)
    base = loaded(tiny_llama())
    tuned = load_adapter(base, folder)
    assert tuned is not None and tuned.model is base.model
    assert tuned.end_tokens == {256, 257} and base.end_tokens == {256}
    assert tuned.codec is not base.codec


def test_adapters_come_and_go_while_their_base_answers(engine_server: Any, model_root: Path) -> None:
    """Over the wire, by two clients, with the memory of one model."""
    for at in (1, 2):
        written(model_root / f"extra{at}", "llama", seed=10 + at)
    headers = {"authorization": f"Bearer {engine_server.token}"}
    question = {"messages": [{"role": "user", "content": "go on"}], "logit_bias": {"256": -100}, "temperature": 0}

    def client() -> httpx.Client:
        return httpx.Client(base_url=engine_server.url, headers=headers, timeout=60)

    def say(http: httpx.Client, model: str) -> str:
        answer = http.post("/v1/chat/completions", json={"model": model, **question, "max_tokens": 24})
        assert answer.status_code == 200, answer.text
        return str(answer.json()["choices"][0]["message"]["content"])

    def load(http: httpx.Client, name: str, base: str = "llama") -> httpx.Response:
        return http.post("/v1/load_lora_adapter", json={"lora_name": name, "lora_path": name, "base_model_name": base})

    with client() as http:
        assert load(http, "extra1").status_code == 200
        right = {name: say(http, name) for name in ("llama", "extra1")}
        heard: list[tuple[str, str]] = []

        def talk(name: str) -> None:
            with client() as mine:
                heard.extend((name, say(mine, name)) for _ in range(12))

        threads = [threading.Thread(target=talk, args=(name,)) for name in ("llama", "extra1")]
        for thread in threads:
            thread.start()
        assert load(http, "extra2").status_code == 200
        right["extra2"] = say(http, "extra2")
        assert http.post("/v1/unload_lora_adapter", json={"lora_name": "extra2"}).status_code == 200
        gone = http.post("/v1/chat/completions", json={"model": "extra2", **question, "max_tokens": 1})
        assert gone.status_code == 404
        for thread in threads:
            thread.join()
        assert len(set(right.values())) == 3 and len(heard) == 24
        assert all(said == right[name] for name, said in heard)
        on_top = load(http, "extra2", base="extra1")
        assert (on_top.status_code, on_top.json()["error"]["code"]) == (400, "wrong_kind")
        assert load(http, "extra2").status_code == 200 and say(http, "extra2") == right["extra2"]
        metrics = http.get("/metrics").text
        assert 'vllm:num_requests_running{model_name="extra1"} 0.0' in metrics
        for name in ("extra1", "extra2"):
            http.post("/v1/unload_lora_adapter", json={"lora_name": name})
        assert [model["id"] for model in json.loads(http.get("/v1/models").text)["data"]] == ["llama"]
