"""Chat templates: from messages to text with the places of the answers in it. Knows no loss and no batch.

A template says where answers lie with `{% generation %}` marks. Where it has none, the places follow from the
template itself: the text of a conversation up to a question, with the prompt for an answer, must be the beginning
of the text with the answer. A template for which that does not hold is refused.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from jinja2 import TemplateError
from transformers import PreTrainedTokenizerBase
from transformers.utils.chat_template_utils import render_jinja_template

from training_app.engine.errors import EngineError

Message = dict[str, str]
Span = tuple[int, int]

GENERATION_MARK = re.compile(r"{%-?\s*generation\s*-?%}")

# For base models that bring no template. Plain words as role marks: the vocabulary stays as it is.
DEFAULT_TEMPLATE = (
    "{% for message in messages %}"
    "{{ '<|' + message['role'] + '|>\\n' }}"
    "{% if message['role'] == 'assistant' %}"
    "{% generation %}{{ message['content'] + eos_token }}{% endgeneration %}{{ '\\n' }}"
    "{% else %}{{ message['content'] + '\\n' }}{% endif %}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>\\n' }}{% endif %}"
)


@dataclass(frozen=True, slots=True)
class RenderedChat:
    """A conversation as text; `answers` are character spans, end exclusive, in order."""

    text: str
    answers: tuple[Span, ...]


def default_template(tokenizer: PreTrainedTokenizerBase) -> str:
    """The project's template, begun with the tokenizer's own first token where it always writes one."""
    starts_with_bos = tokenizer.bos_token_id is not None and tokenizer("a")["input_ids"][0] == tokenizer.bos_token_id
    return ("{{ bos_token }}" if starts_with_bos else "") + DEFAULT_TEMPLATE


def render_prompt(tokenizer: PreTrainedTokenizerBase, messages: Sequence[Message]) -> str:
    """The text after which the model is to write its answer. EngineError `template_refused` on a row it rejects."""
    return _render(tokenizer, messages, add_generation_prompt=True)


def render_chat(tokenizer: PreTrainedTokenizerBase, messages: Sequence[Message]) -> RenderedChat:
    """A conversation as text with the places of its answers. EngineError where the template cannot tell them."""
    if not GENERATION_MARK.search(_template(tokenizer)):
        return _chat_from_prefixes(tokenizer, messages)
    try:
        texts, spans = render_jinja_template(
            conversations=[list(messages)],
            chat_template=_template(tokenizer),
            return_assistant_tokens_mask=True,
            **tokenizer.special_tokens_map,
        )
    except TemplateError as error:
        raise _refused(error) from error
    return RenderedChat(text=texts[0], answers=tuple((start, end) for start, end in spans[0]))


def _chat_from_prefixes(tokenizer: PreTrainedTokenizerBase, messages: Sequence[Message]) -> RenderedChat:
    text = _render(tokenizer, messages)
    answers: list[Span] = []
    for index, message in enumerate(messages):
        if message["role"] != "assistant":
            continue
        before = _render(tokenizer, messages[:index], add_generation_prompt=True)
        until = _render(tokenizer, messages[: index + 1])
        if not (until.startswith(before) and text.startswith(until)):
            raise EngineError(
                "template_unclear",
                "The base model's chat template has no generation marks, and it writes earlier turns differently once "
                "later ones follow, so the answers' exact places cannot be told.",
                fix="Add {% generation %} marks to the model's chat_template.jinja, or choose another base model.",
            )
        answers.append((len(before), len(until)))
    return RenderedChat(text=text, answers=tuple(answers))


def _render(
    tokenizer: PreTrainedTokenizerBase, messages: Sequence[Message], *, add_generation_prompt: bool = False
) -> str:
    try:
        text = tokenizer.apply_chat_template(
            list(messages), tokenize=False, add_generation_prompt=add_generation_prompt
        )
    except TemplateError as error:
        raise _refused(error) from error
    return str(text)


def _template(tokenizer: PreTrainedTokenizerBase) -> str:
    template = tokenizer.get_chat_template()
    return str(template)


def _refused(error: TemplateError) -> EngineError:
    return EngineError(
        "template_refused",
        f"The base model's chat template does not accept a conversation: {error}.",
        fix="Check the roles of the data set's messages (system, user, assistant in turn), or choose another base.",
    )
