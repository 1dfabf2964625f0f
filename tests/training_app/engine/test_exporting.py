"""A model for elsewhere: what is merged answers alike, and what is written as GGUF reads back as the very same model."""

from __future__ import annotations

import hashlib
import json
import resource
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from gguf import GGUFReader, TokenType
from jinja2.sandbox import ImmutableSandboxedEnvironment
from peft import LoraConfig, PeftModel, get_peft_model
from tokenizers import Tokenizer
from tokenizers.pre_tokenizers import BertPreTokenizer
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig, LlamaForCausalLM

from training_app.engine.gguf_model import paired
from training_app.engine.gguf_vocabulary import without_generation_tags
from training_app.engine.templates import render_prompt

Run = Callable[..., tuple[int, list[dict[str, Any]]]]
STARTER = Path(__file__).parents[3] / "training_app" / "engine" / "starter" / "model"
CHAT = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Where is parcel 4711?\n\n It's late!"}]


@pytest.fixture(scope="module")
def adapter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A LoRA adapter of the starter with matrices that change its answers, in a folder as a run leaves it."""
    folder = tmp_path_factory.mktemp("adapter")
    torch.manual_seed(1)
    model = AutoModelForCausalLM.from_pretrained(STARTER, dtype=torch.float32)
    adapted = get_peft_model(model, LoraConfig(r=4, lora_alpha=8, target_modules="all-linear", task_type="CAUSAL_LM"))
    with torch.no_grad():
        for name, weights in adapted.named_parameters():
            if "lora_B" in name:
                weights.normal_(std=0.02)
    adapted.save_pretrained(folder)
    AutoTokenizer.from_pretrained(STARTER).save_pretrained(folder)
    (folder / "README.md").write_text("# ftjob-1\n\nA fine-tune.\n")
    return folder


@pytest.fixture
def export(write_run: Callable[..., Path], run_engine: Run) -> Callable[..., tuple[int, dict[str, Any], Path]]:
    """Export a model folder; returns the exit code, the last event's data and the run folder."""

    def call(path: Path, form: str, *, base: Path | None = None, **further: Any) -> tuple[int, dict[str, Any], Path]:
        content = {
            "v": 1, "kind": "export", "job": "exp_1", "attempt": 1, "device": "cpu", "threads": 1, "form": form,
            "model": {"name": "it", "path": str(path), "base_path": base and str(base)}, "licence": "MIT", **further,
        }  # fmt: skip
        spec = write_run(f"export-{form}", content)
        code, events = run_engine("export", spec)
        return code, events[-1]["data"], spec.parent

    return call


def logits(model: Any) -> torch.Tensor:
    torch.manual_seed(2)
    ids = torch.randint(6, model.config.vocab_size, (2, 24))
    with torch.no_grad():
        found: torch.Tensor = model.eval()(ids).logits
    return found


def contents(path: Path) -> dict[str, Any]:
    return {name: field.contents() for name, field in GGUFReader(path).fields.items()}


def test_a_merged_model_needs_nothing_beside_it_and_answers_as_the_adapter_does(export, adapter) -> None:
    code, _data, run = export(adapter, "merged", base=STARTER)
    assert code == 0
    made = run / "made"
    base = AutoModelForCausalLM.from_pretrained(STARTER, dtype=torch.float32)
    plain = logits(base)
    expected = logits(PeftModel.from_pretrained(base, adapter))
    found = logits(AutoModelForCausalLM.from_pretrained(made))
    assert torch.allclose(found, expected, atol=1e-4) and not torch.allclose(found, plain, atol=0.1)
    assert not list(made.glob("adapter*")) and "merged into its base" in (made / "README.md").read_text()
    assert render_prompt(AutoTokenizer.from_pretrained(made), CHAT) == render_prompt(
        AutoTokenizer.from_pretrained(STARTER), CHAT
    )
    files = json.loads((run / "export.json").read_text())["files"]
    assert {each["name"] for each in files} == {path.name for path in made.iterdir()}
    for each in files:
        content = (made / each["name"]).read_bytes()
        assert (each["size"], each["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())


@pytest.mark.parametrize("form", ["gguf-f32", "gguf-f16"])
def test_every_weight_of_a_gguf_file_is_there_with_its_numbers(export, form) -> None:
    code, _data, run = export(STARTER, form)
    assert code == 0
    (path,) = (run / "made").iterdir()
    held = {tensor.name: tensor for tensor in GGUFReader(path).tensors}
    state = AutoModelForCausalLM.from_pretrained(STARTER, dtype=torch.float32).state_dict()
    layer = {
        "attn_q.weight": "self_attn.q_proj.weight", "attn_k.weight": "self_attn.k_proj.weight",
        "attn_v.weight": "self_attn.v_proj.weight", "attn_output.weight": "self_attn.o_proj.weight",
        "ffn_gate.weight": "mlp.gate_proj.weight", "ffn_up.weight": "mlp.up_proj.weight",
        "ffn_down.weight": "mlp.down_proj.weight", "attn_norm.weight": "input_layernorm.weight",
        "ffn_norm.weight": "post_attention_layernorm.weight",
    }  # fmt: skip
    names = {f"blk.{n}.{short}": f"model.layers.{n}.{long}" for n in range(4) for short, long in layer.items()}
    names |= {"token_embd.weight": "model.embed_tokens.weight", "output_norm.weight": "model.norm.weight"}
    assert set(held) == set(names), "tied weights stand there once"
    for short, long in names.items():
        wanted, heads = state[long].numpy(), {"attn_q.weight": 4, "attn_k.weight": 2}.get(short.split(".", 2)[-1])
        kind = np.float16 if form == "gguf-f16" and wanted.ndim == 2 else np.float32
        assert held[short].shape.tolist() == list(reversed(wanted.shape)) and held[short].data.dtype == kind
        if heads:
            # llama.cpp keeps the two halves of each head, which are turned together, as neighbours
            for head, rows in enumerate(np.split(held[short].data, heads)):
                mine = np.split(wanted, heads)[head].astype(kind)
                assert (rows[0::2] == mine[:32]).all() and (rows[1::2] == mine[32:]).all()
        else:
            assert (held[short].data == wanted.astype(kind)).all()


def test_another_reader_gives_the_same_answers_and_tokens(export, adapter) -> None:
    code, _data, run = export(adapter, "gguf-f32", base=STARTER)
    assert code == 0
    name = "model-f32.gguf"
    read = AutoModelForCausalLM.from_pretrained(run / "made", gguf_file=name, dtype=torch.float32)
    base = AutoModelForCausalLM.from_pretrained(STARTER, dtype=torch.float32)
    assert torch.allclose(logits(read), logits(PeftModel.from_pretrained(base, adapter)), atol=1e-4)
    text = "It's 4711 parcels, naïve  façade …\n\n\tEND"
    mine, theirs = AutoTokenizer.from_pretrained(STARTER), AutoTokenizer.from_pretrained(run / "made", gguf_file=name)
    assert theirs(text)["input_ids"] == mine(text)["input_ids"]


def test_the_header_says_shape_tokens_and_template(export) -> None:
    _code, _data, run = export(STARTER, "gguf-f16")
    said = contents(run / "made" / "model-f16.gguf")
    shape = {
        "context_length": 1024, "embedding_length": 256, "block_count": 4, "feed_forward_length": 704, "vocab_size": 4096,
        "attention.head_count": 4, "attention.head_count_kv": 2, "attention.key_length": 64, "attention.value_length": 64,
        "rope.dimension_count": 64, "rope.freq_base": 10000.0,
    }  # fmt: skip
    assert {name: said[f"llama.{name}"] for name in shape} == shape
    assert said["llama.attention.layer_norm_rms_epsilon"] == pytest.approx(1e-6)
    general = ("architecture", "name", "license", "file_type")
    assert [said[f"general.{name}"] for name in general] == ["llama", "it", "MIT", 1]
    described = json.loads((STARTER / "tokenizer.json").read_text())
    tokens = said["tokenizer.ggml.tokens"]
    assert {token: index for index, token in enumerate(tokens)} == described["model"]["vocab"]
    assert said["tokenizer.ggml.merges"] == [" ".join(pair) for pair in described["model"]["merges"]]
    assert said["tokenizer.ggml.token_type"] == [TokenType.CONTROL] * 6 + [TokenType.NORMAL] * 4090
    ids = {
        "bos_token_id": 0,
        "eos_token_id": 1,
        "padding_token_id": 2,
        "add_bos_token": False,
        "model": "gpt2",
        "pre": "smollm",
    }
    assert {name: said[f"tokenizer.ggml.{name}"] for name in ids} == ids
    template = said["tokenizer.chat_template"]
    assert "generation" not in template.replace("add_generation_prompt", "")
    rendered = ImmutableSandboxedEnvironment().from_string(template)
    turns = [*CHAT, {"role": "assistant", "content": " On its way. "}, {"role": "user", "content": "Thanks"}]
    ends = {"bos_token": "<|begin|>", "eos_token": "<|end|>", "add_generation_prompt": True}
    assert rendered.render(messages=turns, **ends) == render_prompt(AutoTokenizer.from_pretrained(STARTER), turns)


def test_trimmed_lines_stay_trimmed_without_the_generation_tags() -> None:
    template = "{% if a %}\n  {%- generation -%}\n  {{ a }} \n {% endgeneration %} b{%endif%}{%+ generation %}{%endgeneration-%} "
    plain = without_generation_tags(template)
    assert plain == "{% if a %}\n  {%- if true -%}\n  {{ a }} \n {% endif %} b{%endif%}{%+ if true %}{% endif -%} "


def changed(folder: Path, to: Path, **config: Any) -> Path:
    shutil.copytree(folder, to)
    path = to / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | config))
    return to


def test_untied_weights_biases_and_llama_3s_positions_are_written(export, tiny, tmp_path) -> None:
    folder = tmp_path / "long"
    shutil.copytree(tiny, folder)
    rope = {
        "rope_type": "llama3", "rope_theta": 100.0, "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
        "original_max_position_embeddings": 64,
    }  # fmt: skip
    config = LlamaConfig.from_pretrained(tiny, tie_word_embeddings=False, attention_bias=True, rope_parameters=rope)
    model = LlamaForCausalLM(config)
    with torch.no_grad():
        for name, weights in model.named_parameters():
            if name.endswith("bias"):
                weights.normal_()
    model.save_pretrained(folder)
    code, _data, run = export(folder, "gguf-f32")
    assert code == 0
    held = {tensor.name: tensor.data for tensor in GGUFReader(run / "made" / "model-f32.gguf").tensors}
    assert (held["output.weight"] == model.lm_head.weight.detach().numpy()).all()
    bias = model.model.layers[1].self_attn.q_proj.bias.detach().numpy()
    assert (held["blk.1.attn_q.bias"] == paired(bias, 4)).all() and not (held["blk.1.attn_q.bias"] == bias).all()
    plain = 1 / 100.0 ** (torch.arange(0, 8, 2) / 8)
    assert np.allclose(held["rope_freqs.weight"], plain / model.model.rotary_emb.inv_freq, rtol=1e-5)
    assert len(set(held["rope_freqs.weight"].tolist())) > 2, "some turn as before, some slower"


def test_what_gguf_cannot_say_is_refused_in_a_sentence(export, tiny, tmp_path) -> None:
    yarn = {"rope_type": "yarn", "rope_theta": 1e4, "factor": 4.0, "original_max_position_embeddings": 64}
    _code, data, run = export(changed(tiny, tmp_path / "yarn", rope_parameters=yarn), "gguf-f16")
    assert data["code"] == "architecture_unfit" and "scaled as 'yarn'" in data["message"]
    assert not (run / "made").exists() and not (run / "export.json").exists()
    _code, data, _run = export(changed(tiny, tmp_path / "relu", hidden_act="relu"), "gguf-f16")
    assert "activation is relu" in data["message"] and "safetensors" in data["fix"]
    other = tmp_path / "words"
    shutil.copytree(tiny, other)
    cutting = Tokenizer.from_file(str(other / "tokenizer.json"))
    cutting.pre_tokenizer = BertPreTokenizer()
    cutting.save(str(other / "tokenizer.json"))
    _code, data, run = export(other, "gguf-f16")
    assert data["code"] == "tokenizer_unfit" and "byte-level BPE" in data["message"]
    assert not (run / "made").exists()
    _code, data, _run = export(tiny, "merged")
    assert data["code"] == "spec_invalid" and "no adapter" in data["message"]


def test_other_architectures_are_named(export, tiny, tmp_path) -> None:
    from transformers import GPT2Config, GPT2LMHeadModel

    folder = tmp_path / "gpt2"
    shutil.copytree(tiny, folder)
    size = {"n_positions": 32, "n_embd": 8, "n_layer": 1, "n_head": 1}
    GPT2LMHeadModel(GPT2Config(vocab_size=300, **size)).save_pretrained(folder)
    _code, data, _run = export(folder, "gguf-f16")
    assert data["code"] == "architecture_unfit" and "architecture gpt2, and only llama" in data["message"]


def test_numbers_that_sixteen_bits_cannot_hold_are_not_made_infinite(export, tiny, tmp_path) -> None:
    folder = tmp_path / "large"
    shutil.copytree(tiny, folder)
    model = LlamaForCausalLM.from_pretrained(tiny)
    with torch.no_grad():
        model.model.layers[0].mlp.up_proj.weight[3, 2] = 7e4
    model.save_pretrained(folder)
    _code, data, run = export(folder, "gguf-f16")
    assert data["code"] == "numbers_unfit" and "blk.0.ffn_up.weight" in data["message"] and "32 bits" in data["fix"]
    assert not (run / "made").exists()
    assert export(folder, "gguf-f32")[0] == 0


@pytest.fixture
def small_disk() -> Iterator[None]:
    """No file of this process may grow beyond 1 MB, which the kernel says as a full disk is said."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("form", ["merged", "gguf-f16"])
def test_a_full_disk_is_a_sentence_and_leaves_nothing(export, adapter, small_disk, form) -> None:
    code, data, run = export(adapter, form, base=STARTER)
    assert code == 1 and data["code"] == "disk_full"
    assert "no room" in data["message"] and "Nothing of it was kept." in data["message"] and "Free" in data["fix"]
    assert not (run / "made").exists() and not (run / "export.json").exists()
