"""A normalised hint in words, numbers, quotes and signs; compounds stay whole, `items` decides where they part.

One regular expression without nested repetition over the same letters, so that time is linear in the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

MAX_WORD = 120
"""Characters; a longer word is no word of a hint."""

_TOKEN = re.compile(
    r"""
    (?P<link>https?://\S+|www\.\S+|[\w.+-]+@[\w-]+\.\w[\w.]*)
  | (?P<quote>"[^"\n]{1,80}"|`[^`\n]{1,80}`|(?<!\w)'[^'\n]{1,60}'(?!\w))
  | (?P<word>w/(?!o\b)|w/o\b|(?:\#|/(?=tmp\b))?\w+(?:[-./:'_=@+]\w+|(?<=\d),(?=\d)\w+)*)
  | (?P<sign>\n|\S)
    """,
    re.VERBOSE,
)


class Token(NamedTuple):
    text: str
    start: int
    end: int
    sort: str
    """word, quote, link or sign"""


def tokens(text: str, start: int = 0, end: int | None = None) -> Iterator[Token]:
    for found in _TOKEN.finditer(text, start, len(text) if end is None else end):
        yield Token(found.group(), found.start(), found.end(), found.lastgroup or "sign")
