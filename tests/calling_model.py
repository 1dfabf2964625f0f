"""A tiny model whose template writes function calls, and that was taught one answer: a sentence, then a call.

To everything but that one question it answers noise; what it then calls, it calls by grammar alone.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.byte_llama import byte_llama

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

    model, tokenizer = byte_llama(TEMPLATE, hidden=64, intermediate=96, seed=0)
    asked = tokenizer.apply_chat_template(QUESTION, tools=TOOLS, tokenize=False, add_generation_prompt=True)
    prompt, answer = (tokenizer(text, add_special_tokens=False).input_ids for text in (asked, ANSWER + "<|end|>"))
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
