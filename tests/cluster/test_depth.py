"""JSON without a bottom: what is around it is read, and what it is in is left out."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from berth_cluster.depth import CUT, DEEPEST, cut_deep
from berth_cluster.reflector import _whole
from berth_cluster.watching import RawPage

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


def deep(levels: int) -> str:
    return '{"a":' * levels + "1" + "}" * levels


@given(VALUES)
def test_what_is_not_deep_stays_as_it_is(value: Any) -> None:
    for text in (json.dumps(value).encode(), json.dumps(value, ensure_ascii=False, indent=1).encode()):
        assert cut_deep(text) == text


@pytest.mark.parametrize("levels", [DEEPEST + 1, 5_000, 1_000_000])
def test_what_is_deep_is_cut_and_its_neighbours_are_read(levels: int) -> None:
    page = f'{{"metadata":{{}},"items":[{{"n":1}},{deep(levels)},{{"n":"]}}\\""}},[[{deep(levels)}],2]]}}'
    read = msgspec.json.decode(cut_deep(page.encode()), type=RawPage)
    assert read.items is not None
    texts = [bytes(item) for item in read.items]
    assert [CUT in text for text in texts] == [False, True, False, True]
    assert json.loads(texts[2]) == {"n": ']}"'}
    with pytest.raises(RecursionError):
        _whole(read.items[1])


def test_what_is_no_json_is_none_afterwards() -> None:
    for text in (b"", b"}", b"[" * 1_000, b'{"a":', b'"' * 999):
        with pytest.raises(msgspec.DecodeError):
            msgspec.json.decode(cut_deep(text), type=RawPage)
