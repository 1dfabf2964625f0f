"""How a model writes function calls is read off its template, and its answers are read back without a guess."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import AddedToken
from transformers import PreTrainedTokenizerFast

from serving_app.engine.call_reader import CallReader
from serving_app.engine.call_syntax import CallSyntax
from serving_app.engine.codec import TextCodec
from serving_app.engine.errors import EngineError
from serving_app.engine.grammar import Grammars
from serving_app.engine.protocol.fields import Fields
from serving_app.engine.protocol.tool_fields import ToolWish, read_tools
from serving_app.engine.stops import StopFilter
from tests.calling_model import ANSWER, CALLED, SAID, TEMPLATE, TOOLS
from tests.serving_app.engine.conftest import TEMPLATE as PLAIN
from tests.serving_app.engine.conftest import byte_tokenizer

MARKED = CallSyntax("<tool_call>\n", "\n</tool_call>\n<tool_call>\n", "\n</tool_call>", "arguments")
END = 256
TWO = ANSWER + '\n<tool_call>\n{"name": "clock", "arguments": {}}\n</tool_call>'
LIST = (
    "{% if tools %}{{ tools | tojson }}{% endif %}{% for message in messages %}<|{{ message.role }}|>"
    "{{ message.content }}{% if message.tool_calls %}[CALLS] [{% for call in message.tool_calls %}"
    '{{ \'{"name": "\' + call.function.name }}", "parameters": {{ call.function.arguments | tojson }}}'
    "{% if not loop.last %}, {% endif %}{% endfor %}]{% endif %}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)


# As Llama 3.1's, without its date and its tools of its own.
BARE = (
    "{% for message in messages %}{% if 'tool_calls' in message %}{% if message.tool_calls | length != 1 %}"
    "{{ raise_exception('one call at a time') }}{% endif %}{% set call = message.tool_calls[0].function %}<|assistant|>"
    '{{ \'{"name": "\' + call.name + \'", "parameters": \' }}{{ call.arguments | tojson }}{{ "}" }}<|end|>'
    "{% elif message.role == 'tool' %}<|ipython|>{{ message.content }}<|end|>{% else %}<|{{ message.role }}|>"
    "{% if loop.first and tools %}{{ tools | tojson(indent=4) }}{% endif %}{{ message.content }}<|end|>{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
BARE_SYNTAX = CallSyntax("", None, "", "parameters")
BARE_CALL = f'{{"name": "weather", "parameters": {CALLED}}}'


def codec_of(template: str, *special: str) -> TextCodec:
    tokenizer = byte_tokenizer()
    tokenizer.add_tokens([AddedToken(text, special=True) for text in special], special_tokens=True)
    tokenizer.chat_template = template
    return TextCodec(tokenizer)


def wish(**more: Any) -> ToolWish:
    found = read_tools(Fields({"tools": TOOLS, **more}))
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("template", "syntax"),
    [
        (TEMPLATE, MARKED),
        (LIST, CallSyntax("[CALLS] [", ", ", "]", "parameters")),
        (TEMPLATE.replace("{% endfor %}<|end|>", "{% if loop.index > 1 %}{{ 1 / 0 }}{% endif %}{% endfor %}<|end|>"),
         None),
        (PLAIN, None),
        (PLAIN + "{% if tools %}{{ tools | tojson }}{% endif %}", None),
        (LIST.replace("[CALLS] [", "").replace("]{% endif %}", "{% endif %}"), CallSyntax("", ", ", "", "parameters")),
        (LIST.replace("[CALLS] [", " ").replace("]{% endif %}", "{% endif %}"), None),
        (BARE, BARE_SYNTAX),
        (LIST.replace("call.function.arguments | tojson", "call.function.arguments | string | tojson"), None),
    ],
)  # fmt: skip
def test_the_syntax_is_found_or_there_is_none(template: str, syntax: CallSyntax | None) -> None:
    assert codec_of(template).calls == syntax


def test_a_template_of_one_call_a_message_has_no_second() -> None:
    refusing = "{% if loop.length > 1 %}{{ raise_exception('one call') }}{% endif %}"
    found = codec_of(TEMPLATE.replace("{% if not loop.first or", refusing + "{% if not loop.first or")).calls
    assert found == CallSyntax(MARKED.opening, None, MARKED.closing, "arguments")


@given(cuts=st.lists(st.integers(0, len(TWO))))
def test_an_answer_is_read_the_same_in_whatever_pieces_it_comes(cuts: list[int]) -> None:
    reader, text, calls = CallReader(MARKED), "", []
    for start, end in zip([0, *sorted(cuts)], [*sorted(cuts), len(TWO)], strict=True):
        shown, pieces = reader.push(TWO[start:end])
        text += shown
        calls += pieces
    assert text + reader.finish() == SAID
    for index, (name, arguments) in enumerate([("weather", CALLED), ("clock", "{}")]):
        first, *others = [piece for piece in calls if piece.index == index]
        assert first.name == name and str(first.call_id).startswith("call_") and first.arguments == ""
        assert "".join(piece.arguments for piece in others) == arguments
        assert all(piece.name is None and piece.call_id is None for piece in others)


@given(text=st.text(st.sampled_from("<tol_cal> \n{")), cut=st.integers(0, 40))
def test_text_without_the_mark_comes_out_whole(text: str, cut: int) -> None:
    reader = CallReader(MARKED)
    shown = [reader.push(part)[0] for part in (text[:cut], text[cut:])]
    assert "<tool_call>" not in text and "".join(shown) + reader.finish() == text


def test_arguments_end_where_their_object_does() -> None:
    tricky = {"a": '}"{\\', "b": [{"c": "]"}]}
    reader = CallReader(MARKED)
    _text, pieces = reader.push(f'<tool_call>\n{{"name": "f", "arguments": {json.dumps(tricky)}}}\n</tool_call>')
    assert json.loads("".join(piece.arguments for piece in pieces)) == tricky


def accepts(template: str, text: str, *special: str, answer: dict[str, Any] | None = None, **more: Any) -> bool:
    """Whether the grammar of this wish takes the whole text as a whole answer."""
    codec = codec_of(template, *special)
    tokenizer: PreTrainedTokenizerFast = codec._tokenizer  # type: ignore[assignment]
    grammars = Grammars(tokenizer, vocabulary=260 + len(special), end_tokens=[END])
    grammar = grammars.of_calls(codec, wish(**more), answer=answer)
    for token in [*codec.encode_text(text), END]:
        if grammar.forbidden()[token]:
            return False
        grammar.take(token)
        assert grammar.problem is None
    return True


@pytest.mark.parametrize(
    ("more", "text", "taken"),
    [
        ({}, "Plain <tool> text.", True),
        ({}, "", True),
        ({}, ANSWER, True),
        ({}, TWO, True),
        ({}, SAID + "<tool_call>", False),
        ({}, ANSWER.replace("Bern", "Rome"), False),
        ({}, ANSWER.replace("3", "8"), False),
        ({}, ANSWER.replace("weather", "whether"), False),
        ({}, ANSWER + " Done.", False),
        ({"parallel_tool_calls": False}, TWO, False),
        ({"parallel_tool_calls": False}, ANSWER, True),
        ({"tool_choice": "required"}, SAID, False),
        ({"tool_choice": "required"}, ANSWER, False),
        ({"tool_choice": "required"}, TWO[len(SAID) + 1 :], True),
        ({"tool_choice": {"type": "function", "function": {"name": "clock"}}}, ANSWER[len(SAID) + 1 :], False),
        ({"tool_choice": {"type": "function", "function": {"name": "weather"}}}, ANSWER[len(SAID) + 1 :], True),
        ({"tool_choice": {"type": "function", "function": {"name": "weather"}}}, TWO[len(SAID) + 1 :], False),
        ({"answer": {"type": "object"}}, '{"a": 1}', True),
        ({"answer": {"type": "object"}}, "a", False),
        ({"answer": {"type": "object"}}, ANSWER[len(SAID) + 1 :], True),
    ],
)  # fmt: skip
def test_the_grammar_takes_calls_of_this_wish_and_nothing_else(more: Any, text: str, taken: bool) -> None:
    assert accepts(TEMPLATE, text, **more) is taken


@pytest.mark.parametrize(("text", "taken"), [(TWO, True), ("Plain", True), ("Plain<tool_call>", False)])
def test_marks_may_be_special_tokens(text: str, taken: bool) -> None:
    special = ("<tool_call>", "</tool_call>")
    assert accepts(TEMPLATE, text, *special) is taken
    codec = codec_of(TEMPLATE, *special)
    assert codec.decode([*codec.encode_text(TWO), END]) == TWO


def test_a_list_of_calls_behind_one_mark() -> None:
    written = 'So: [CALLS] [{"name": "clock", "parameters": {}}, {"name": "clock", "parameters": {}}]'
    assert accepts(LIST, written) and not accepts(LIST, written, parallel_tool_calls=False)
    text, pieces = CallReader(CallSyntax("[CALLS] [", ", ", "]", "parameters")).push(written)
    assert text == "So:" and [piece.arguments for piece in pieces] == ["", "{}"] * 2


def test_a_schema_that_cannot_be_kept_to_is_named() -> None:
    odd = {"type": "function", "function": {"name": "odd", "parameters": {"type": "object", "not": {}}}}
    codec = codec_of(TEMPLATE)
    grammars = Grammars(codec._tokenizer, vocabulary=260, end_tokens=[END])
    with pytest.raises(EngineError) as refused:
        grammars.of_calls(codec, wish(tools=[*TOOLS, odd]), answer=None)
    assert refused.value.param == "tools[2].function.parameters"


def test_stop_strings_stop_text_and_never_a_call() -> None:
    stops = StopFilter(("Bern", "name"), until="<tool_call>")
    assert [stops.push(part) for part in ("So <tool", '_call>{"na', 'me": "Bern"}')] == [
        ("So ", False),
        ('<tool_call>{"na', False),
        ('me": "Bern"}', False),
    ]
    before = StopFilter(("Bern",), until="<tool_call>")
    assert before.push("In Bern<tool_call>") == ("In ", True)


@pytest.mark.parametrize(
    ("more", "text", "taken"),
    [
        ({}, BARE_CALL, True),
        ({}, "", True),
        ({}, "Plain {text}.", True),
        ({}, "\n" + BARE_CALL, True),
        ({}, "{text}", False),
        ({}, BARE_CALL + ", " + BARE_CALL, False),
        ({}, BARE_CALL + " Done.", False),
        ({}, BARE_CALL.replace("Bern", "Rome"), False),
        ({}, BARE_CALL.replace("weather", "whether"), False),
        ({"tool_choice": "required"}, BARE_CALL, True),
        ({"tool_choice": "required"}, "Plain", False),
        ({"tool_choice": {"type": "function", "function": {"name": "clock"}}}, BARE_CALL, False),
    ],
)  # fmt: skip
def test_the_grammar_takes_a_bare_call_as_the_whole_answer_or_text(more: Any, text: str, taken: bool) -> None:
    assert accepts(BARE, text, **more) is taken


@given(cuts=st.lists(st.integers(0, len(BARE_CALL))))
def test_a_bare_call_is_read_in_whatever_pieces_it_comes(cuts: list[int]) -> None:
    reader, calls = CallReader(BARE_SYNTAX), []
    for start, end in zip([0, *sorted(cuts)], [*sorted(cuts), len(BARE_CALL)], strict=True):
        shown, pieces = reader.push(BARE_CALL[start:end])
        calls += pieces
        assert shown == ""
    assert calls[0].name == "weather" and "".join(each.arguments for each in calls) == CALLED and reader.finish() == ""


@pytest.mark.parametrize("text", ["", "Plain", " " + BARE_CALL, "So: " + BARE_CALL])
def test_what_begins_without_a_brace_is_text_to_its_end(text: str) -> None:
    reader = CallReader(BARE_SYNTAX)
    read = [reader.push(letter) for letter in text]
    assert "".join(shown for shown, _ in read) + reader.finish() == text
    assert not any(pieces for _, pieces in read) and reader.calls == 0


def test_stop_strings_stop_text_and_never_a_bare_call() -> None:
    calls, text = (StopFilter(("Bern",), unless="{") for _ in range(2))
    assert [calls.push(part)[0] for part in ("", '{"na', 'me": "Bern"}')] == ["", '{"na', 'me": "Bern"}']
    assert text.push('In {"Bern"}') == ('In {"', True)
