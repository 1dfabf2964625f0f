"""A tiny model whose template writes function calls, and that was taught one answer: a sentence, then a call.

To everything but that one question it answers noise; what it then calls, it calls by grammar alone.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

TEMPLATE = (
    "{% if tools %}<|system|>You may call:{% for tool in tools %}{{ '\\n' }}{{ tool | tojson }}{% endfor %}<|end|>"
    "{% endif %}{% for message in messages %}<|{{ 'user' if message.role == 'tool' else message.role }}|>"
    "{% if message.role == 'tool' %}<tool_response>{{ message.content }}</tool_response>"
    "{% else %}{{ message.content }}{% endif %}{% for call in message.tool_calls or [] %}"
    "{% if not loop.first or message.content %}{{ '\\n' }}{% endif %}"
    '{{ \'<tool_call>\\n{"name": "\' }}{{ call.function.name }}{{ \'", "arguments": \' }}'
    "{{ call.function.arguments | tojson }}{{ '}\\n</tool_call>' }}{% endfor %}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "parameters": {
            "type": "object",
            "properties": {
                "city": {"enum": ["Bern", "Oslo"]},
                "days": {"type": "integer", "minimum": 1, "maximum": 7},
            },
            "required": ["city", "days"],
            "additionalProperties": False,
        },
    },
}
CLOCK = {"type": "function", "function": {"name": "clock", "description": "The time."}}
TOOLS: list[dict[str, Any]] = [WEATHER, CLOCK]
QUESTION: list[dict[str, Any]] = [{"role": "user", "content": "Weather?"}]
SAID = "Let me {look}."
CALLED = '{"city": "Bern", "days": 3}'
ANSWER = f'{SAID}\n<tool_call>\n{{"name": "weather", "arguments": {CALLED}}}\n</tool_call>'


def write_calling_model(folder: Path) -> Path:
    """Teach a Llama of a few thousand weights, in seconds, and leave its folder."""
    import torch
    from tokenizers import Tokenizer, decoders, pre_tokenizers
    from tokenizers.models import BPE
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    core = Tokenizer(BPE(vocab={letter: at for at, letter in enumerate(alphabet)}, merges=[]))
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    core.add_special_tokens(["<|end|>", "<|user|>", "<|assistant|>", "<|system|>"])
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=core, eos_token="<|end|>", pad_token="<|end|>", chat_template=TEMPLATE
    )
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=260,
        hidden_size=64,
        intermediate_size=96,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=2,
        max_position_embeddings=4096,
        bos_token_id=None,
        eos_token_id=256,
    )
    model = LlamaForCausalLM(config)
    asked = tokenizer.apply_chat_template(QUESTION, tools=TOOLS, tokenize=False, add_generation_prompt=True)
    prompt, answer = core.encode(asked).ids, core.encode(ANSWER + "<|end|>").ids
    _teach(model, torch.tensor([prompt + answer]), torch.tensor([[-100] * len(prompt) + answer]))
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def _teach(model: Any, tokens: Any, labels: Any) -> None:
    import torch

    torch.set_num_threads(1)  # on cores that others use too, two threads wait for each other
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)
    for _ in range(300):
        loss = model(input_ids=tokens, labels=labels).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        if float(loss) < 0.005:
            return
    raise AssertionError("the model did not learn its answer")
