"""What a node says of its models: the same back, bounded, and nothing from what is none."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from berth_api.node_models import MAX_MODELS, MAX_TEXT, read, written

NAMES = st.text("0123456789abcdef", min_size=1, max_size=63)
SIZES = st.integers(0, 2**53)


@given(st.dictionaries(NAMES, SIZES, max_size=2 * MAX_MODELS))
def test_what_is_written_is_read(models: dict[str, int]) -> None:
    text = written(models.items())
    found = read(text)
    assert set(found) <= set(models.items())
    assert len(found) == min(len(models), MAX_MODELS)
    assert list(found) == sorted(found)
    assert written(found) == text, "what is read is written the same way"
    assert text is None or len(text) <= MAX_TEXT


@given(st.one_of(st.text(), st.recursive(st.none() | st.integers() | st.text(), st.lists).map(json.dumps)))
@example('{"a": "1"}')
@example('{"a": -1}')
@example('{"a": 1.5}')
@example("[" * 8_000)
@example('"\ud800"')
@example('{"a": 99999999999999999999999999}')
def test_what_is_no_list_of_models_says_nothing(text: str) -> None:
    assert read(text) == ()


def test_more_than_a_node_can_hold_is_cut() -> None:
    many = json.dumps({f"{i:04}": i for i in range(300)})
    assert len(read(many)) == MAX_MODELS
    assert read(json.dumps({f"{i:040}": i for i in range(300)})) == (), "nobody writes so much"


@pytest.mark.parametrize("name", ["", "x" * 64, "modèle"])
def test_names_that_no_label_can_have_are_left_out(name: str) -> None:
    assert read(json.dumps({name: 1, "sound": 2}, ensure_ascii=False)) == (("sound", 2),)
