"""Tiny random models with byte-level tokenizers, and a real engine process that serves them."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from peft import LoraConfig, get_peft_model
from tokenizers import Tokenizer, decoders, pre_tokenizers
from tokenizers.models import BPE
from transformers import (
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedModel,
    PreTrainedTokenizerFast,
    Qwen2Config,
    Qwen2ForCausalLM,
)

from serving_app.engine.adapters import AdapterStack
from serving_app.engine.codec import TextCodec
from serving_app.engine.grammar import Grammars
from serving_app.engine.loader import LoadedModel

REPOSITORY = Path(__file__).resolve().parents[3]
SPECIALS = ["<|end|>", "<|user|>", "<|assistant|>", "<|system|>"]
TEMPLATE = (
    "{% for message in messages %}<|{{ message.role }}|>{{ message.content }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
VOCABULARY = 256 + len(SPECIALS)


def byte_tokenizer() -> PreTrainedTokenizerFast:
    """One token a byte, no merges; ids 256 and up are special."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    core = Tokenizer(BPE(vocab={character: at for at, character in enumerate(alphabet)}, merges=[]))
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    core.add_special_tokens(SPECIALS)
    return PreTrainedTokenizerFast(
        tokenizer_object=core, eos_token="<|end|>", pad_token="<|end|>", chat_template=TEMPLATE
    )


def tiny_llama(seed: int = 0, *, context: int = 512) -> PreTrainedModel:
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=VOCABULARY,
        hidden_size=64,
        intermediate_size=96,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=context,
        bos_token_id=None,
        eos_token_id=256,
    )
    return spread(LlamaForCausalLM(config).eval())


def tiny_gpt2(seed: int = 0) -> PreTrainedModel:
    torch.manual_seed(seed)
    config = GPT2Config(
        vocab_size=VOCABULARY, n_embd=64, n_layer=2, n_head=4, n_positions=512, bos_token_id=None, eos_token_id=256
    )
    return spread(GPT2LMHeadModel(config).eval())


def tiny_qwen2(seed: int = 0) -> PreTrainedModel:
    torch.manual_seed(seed)
    config = Qwen2Config(
        vocab_size=VOCABULARY,
        hidden_size=64,
        intermediate_size=96,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=512,
        bos_token_id=None,
        eos_token_id=256,
    )
    return spread(Qwen2ForCausalLM(config).eval())


def spread(model: PreTrainedModel) -> PreTrainedModel:
    """Widen the random weights so that greedy answers vary instead of repeating one token."""
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() > 1:
                parameter.mul_(6.0)
    return model


def write_model(folder: Path, model: PreTrainedModel) -> Path:
    """A model folder as training leaves it."""
    model.save_pretrained(folder)
    byte_tokenizer().save_pretrained(folder)
    return folder


def loaded(model: PreTrainedModel) -> LoadedModel:
    """A model as the engine holds it, with the byte tokenizer."""
    tokenizer, adapters = byte_tokenizer(), AdapterStack(model)
    grammars, ends = Grammars(tokenizer, vocabulary=VOCABULARY, end_tokens=[256]), frozenset({256})
    return LoadedModel(model, adapters, TextCodec(tokenizer), grammars, ends, context=512, vocabulary=VOCABULARY)


def write_adapter(folder: Path, base: PreTrainedModel) -> Path:
    """A PEFT adapter with random weights, so that it changes answers."""
    torch.manual_seed(5)
    config = LoraConfig(r=4, lora_alpha=16, target_modules=["q_proj", "v_proj"], init_lora_weights=False)
    get_peft_model(base, config).save_pretrained(folder)
    return folder


@dataclass
class EngineServer:
    """A running engine process and what a test needs to talk to it."""

    port: int
    root: Path
    journal: Path
    token: str
    started: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def wait_until_ready(self, seconds: float = 240) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            assert self.started.poll() is None, "the engine has ended"
            try:
                with urllib.request.urlopen(self.url + "/health", timeout=5):
                    return
            except OSError:
                time.sleep(0.05)
        raise AssertionError("the engine did not become ready")


StartEngine = Callable[..., EngineServer]


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def launch(
    root: Path,
    journal: Path,
    *,
    arguments: tuple[str, ...] = (),
    port: int | None = None,
    token_file: Path | None = None,
) -> EngineServer:
    port = port or free_port()
    command = [sys.executable, "-m", "serving_app.engine", "--port", str(port), "--threads", "1"]
    command += ["--model-root", str(root), "--journal", str(journal), *arguments]
    token = {"ENGINE_TOKEN_FILE": str(token_file)} if token_file else {"ENGINE_TOKEN": "secret"}
    environment = {**os.environ, **token, "OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}
    started = subprocess.Popen(command, cwd=REPOSITORY, env=environment, stderr=subprocess.PIPE)
    return EngineServer(port, root, journal, "secret", started)


def stop(server: EngineServer) -> None:
    if server.started.poll() is None:
        server.started.terminate()
    server.started.communicate(timeout=120)


@pytest.fixture(scope="session", autouse=True)
def one_torch_thread() -> None:
    """Tiny models run fastest on one thread, above all beside other work."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def model_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model root with three architectures and an adapter."""
    root = tmp_path_factory.mktemp("models")
    write_model(root / "llama", tiny_llama(context=8192))
    write_model(root / "gpt2", tiny_gpt2())
    write_model(root / "qwen2", tiny_qwen2())
    write_adapter(root / "adapter", tiny_llama())
    return root


@pytest.fixture(scope="session")
def engine_server(model_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineServer]:
    """One engine for all tests that do not need to break it. It reads its token from a file."""
    token_file = tmp_path_factory.mktemp("secrets") / "engine_token"
    token_file.write_text("secret\n")
    server = launch(
        model_root,
        tmp_path_factory.mktemp("journal"),
        arguments=("--model", "llama=llama", "--max-context", "8192"),
        token_file=token_file,
    )
    server.wait_until_ready()
    yield server
    stop(server)


@pytest.fixture
def start_engine(model_root: Path, tmp_path: Path) -> Iterator[StartEngine]:
    """Start engines of a test's own; all share one journal folder unless told otherwise."""
    servers: list[EngineServer] = []

    def start(*arguments: str, port: int | None = None) -> EngineServer:
        servers.append(launch(model_root, tmp_path / "journal", arguments=arguments, port=port))
        return servers[-1]

    yield start
    for server in servers:
        stop(server)


@pytest.fixture(scope="session", params=["llama", "gpt2", "qwen2"])
def tiny_model(request: pytest.FixtureRequest) -> PreTrainedModel:
    """A tiny float32 model of each architecture."""
    builders = {"llama": tiny_llama, "gpt2": tiny_gpt2, "qwen2": tiny_qwen2}
    model: PreTrainedModel = builders[request.param]()
    return model


@pytest.fixture(scope="session")
def tiny_tokenizer() -> PreTrainedTokenizerFast:
    return byte_tokenizer()
