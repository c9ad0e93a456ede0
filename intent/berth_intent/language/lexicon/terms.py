"""How words are declared, and how declarations become words.

Words stand in one string, apart by ";". `(a|b)` is either, `(a|)` may be left out, `stem*` is any word that begins so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from berth_intent.language.normalise import fold

_INNERMOST = re.compile(r"\(([^()]*)\)")


class Terms(NamedTuple):
    """Words and phrases that are the same to the grammar."""

    kind: str
    words: str
    payload: str = ""
    strength: float | None = None
    verb: bool = False
    """It makes a clause of its own."""
    plural: bool = False
    number: float | None = None


class Meaning(NamedTuple):
    """What a word is, without its spelling."""

    kind: str
    payload: str
    strength: float | None
    verb: bool
    plural: bool
    number: float | None


def meaning(terms: Terms) -> Meaning:
    return Meaning(terms.kind, terms.payload, terms.strength, terms.verb, terms.plural, terms.number)


def phrases(terms: Terms) -> Iterator[tuple[str, ...]]:
    """Each way of writing it, in words."""
    for declared in terms.words.split(";"):
        for written in _expand(" ".join(declared.split())):
            words = tuple(fold(written).split())
            if words:
                yield words


def _expand(declared: str) -> Iterator[str]:
    """Groups inside groups first."""
    group = _INNERMOST.search(declared)
    if group is None:
        yield " ".join(declared.split())
        return
    for choice in group[1].split("|"):
        yield from _expand(declared[: group.start()] + choice + declared[group.end() :])
