"""Text as it streams: whole characters, nothing of a stop string, nothing lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from berth_engine.byte_tokenizer import byte_tokenizer
from berth_engine.text import TextStream

TOKENIZER = byte_tokenizer()


def stream(text: str, *stop: str) -> tuple[list[str], bool]:
    """The pieces that come out as the tokens of a text go in, and whether it stopped."""
    flowing = TextStream(TOKENIZER, stop)
    pieces = []
    for token in TOKENIZER.encode(text):
        pieces.append(flowing.push(token))
        if flowing.stopped:
            return pieces, True
    return [*pieces, flowing.end()], flowing.stopped


@given(st.text(max_size=40))
def test_the_tokenizer_gives_any_text_back(text: str) -> None:
    assert TOKENIZER.decode(TOKENIZER.encode(text)) == text


@given(st.text(max_size=40))
def test_nothing_is_lost_and_no_character_comes_in_halves(text: str) -> None:
    pieces, _ = stream(text)
    assert "".join(pieces) == text
    assert all("\N{REPLACEMENT CHARACTER}" not in piece for piece in pieces) or "\N{REPLACEMENT CHARACTER}" in text


@given(
    st.text(alphabet="abc", max_size=30),
    st.lists(st.text(alphabet="abc", min_size=1, max_size=4), min_size=1, max_size=3),
)
def test_a_text_ends_before_its_first_stop_string(text: str, stop: list[str]) -> None:
    pieces, stopped = stream(text, *stop)
    found = [text.index(word) + len(word) for word in stop if word in text]
    assert stopped == bool(found)
    said = "".join(pieces)
    if not found:
        assert said == text
    else:
        assert text.startswith(said)
        assert not any(word in said for word in stop)
        assert len(said) < min(found)


def test_bytes_that_are_no_text_come_out_at_last() -> None:
    flowing = TextStream(TOKENIZER)
    half = TOKENIZER.encode("é")[0]
    said = "".join(flowing.push(half) for _ in range(10)) + flowing.end()
    assert said.count("\N{REPLACEMENT CHARACTER}") == 10


@pytest.mark.parametrize("text", ["héllo wörld", "日本語", "👩‍👩‍👧 family", "a\r\n\tb"])
def test_chat_and_text_of_all_scripts(text: str) -> None:
    asked = TOKENIZER.apply_chat_template(
        [{"role": "user", "content": text}], add_generation_prompt=True, tokenize=False
    )
    assert text in asked
    assert asked.endswith("<assistant>\n")
    assert "".join(stream(asked)[0]) == asked
