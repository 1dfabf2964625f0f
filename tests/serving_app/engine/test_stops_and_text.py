"""Stop strings and the detokenizer: what is shown is never taken back and never too much."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from transformers import PreTrainedTokenizerFast

from serving_app.engine.codec import TextCodec
from serving_app.engine.detokenizer import Detokenizer
from serving_app.engine.stops import StopFilter


def through(pieces: list[str], stops: tuple[str, ...]) -> tuple[str, bool]:
    filtered, shown = StopFilter(stops), ""
    for piece in pieces:
        text, hit = filtered.push(piece)
        shown += text
        if hit:
            return shown, True
    return shown + filtered.flush(), False


@given(st.lists(st.text("abc", max_size=4), max_size=12), st.lists(st.text("abc", min_size=1, max_size=3), max_size=3))
def test_text_ends_before_the_first_stop_string_however_it_is_cut(pieces: list[str], stops: list[str]) -> None:
    whole = "".join(pieces)
    cuts = [whole.find(stop) for stop in stops if stop in whole]
    shown, hit = through(pieces, tuple(stops))
    assert hit == bool(cuts)
    # A later, longer stop may begin earlier; text that comes piece by piece ends at whichever is complete first.
    assert whole.startswith(shown)
    assert not any(stop in shown for stop in stops)
    if not cuts:
        assert shown == whole


def test_a_beginning_of_a_stop_string_is_held_back_until_it_is_known() -> None:
    filtered = StopFilter(("END",))
    assert filtered.push("The E") == ("The ", False)
    assert filtered.push("N") == ("", False)
    assert filtered.push("T") == ("ENT", False)
    assert filtered.push(" END of") == (" ", True)


def test_a_character_of_several_bytes_comes_whole(tiny_tokenizer: PreTrainedTokenizerFast) -> None:
    codec = TextCodec(tiny_tokenizer)
    detokenizer = Detokenizer(codec.decode)
    pieces = [detokenizer.push(token) for token in codec.encode_text("né🙂!")]
    assert [piece for piece in pieces if piece] == ["n", "é", "🙂", "!"]


@given(st.text(max_size=30))
def test_pieces_joined_are_the_text(tiny_tokenizer: PreTrainedTokenizerFast, text: str) -> None:
    codec = TextCodec(tiny_tokenizer)
    detokenizer = Detokenizer(codec.decode)
    whole = "".join(detokenizer.push(token) for token in codec.encode_text(text))
    # A replacement character at the very end cannot be told from an unfinished one and stays unsaid.
    assert whole == text or (text.startswith(whole) and not text[len(whole) :].strip("\ufffd"))


@given(st.lists(st.integers(0, 259), max_size=40))
def test_any_bytes_at_all_never_end_in_half_a_character(
    tiny_tokenizer: PreTrainedTokenizerFast, tokens: list[int]
) -> None:
    codec = TextCodec(tiny_tokenizer)
    detokenizer = Detokenizer(codec.decode)
    whole = "".join(detokenizer.push(token) for token in tokens)
    decoded = codec.decode(tokens)
    assert decoded.startswith(whole)
    assert set(decoded[len(whole) :]) <= {"\ufffd"}


def test_a_byte_fallback_tail_is_held_back_too() -> None:
    """Such tokenizers show an unfinished character as one replacement for every byte."""
    raw = "a🙂b".encode()
    detokenizer = Detokenizer(lambda tokens: _byte_fallback(bytes(tokens)))
    assert [detokenizer.push(byte) for byte in raw] == ["a", "", "", "", "🙂", "b"]


def _byte_fallback(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        return raw[: error.start].decode() + "\ufffd" * (len(raw) - error.start)


def test_a_token_is_spelled_with_its_bytes(tiny_tokenizer: PreTrainedTokenizerFast) -> None:
    codec = TextCodec(tiny_tokenizer)
    first, second = codec.encode_text("é")
    assert codec.spell(first) == ("\ufffd", [0xC3])
    assert codec.spell(second) == ("\ufffd", [0xA9])
    assert codec.spell(codec.encode_text("A")[0]) == ("A", [0x41])
