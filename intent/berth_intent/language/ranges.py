"""Ranges of names: "us-east-1a through us-east-1c", "racks 1 to 3"."""

from __future__ import annotations

from collections.abc import Sequence

from berth_intent.language.kinds import Item, Kind
from berth_intent.language.names import Names

_RANGE_WORDS = frozenset(
    ("to", "through", "thru", "-", "—", "bis", "a", "hasta", "up to", "al", "a la", "a los", "a el")
)
MAX_RANGE = 64


def is_range(items: Sequence[Item], at: int) -> bool:
    return items[at].word in _RANGE_WORDS


def ranges(items: list[Item], names: Names) -> list[Item]:
    """ "us-east-1a through us-east-1c" is three zones."""
    result: list[Item] = []
    at = 0
    while at < len(items):
        item = items[at]
        if (
            item.kind == Kind.PLACE
            and at + 2 < len(items)
            and is_range(items, at + 1)
            and items[at + 1].word not in ("-", "—", "a")
        ) or (
            item.kind == Kind.PLACE
            and at + 2 < len(items)
            and items[at + 1].word in ("-", "a")
            and items[at + 2].kind == Kind.PLACE
            and items[at + 2].payload == item.payload
        ):
            last = items[at + 2]
            end = last.names[0] if last.kind == Kind.PLACE and last.payload == item.payload else None
            if end is None and last.kind in (Kind.UNKNOWN, Kind.NUMBER):
                end = _like(item.names[-1], last.word)
            if end is not None:
                place = Item(Kind.PLACE, item.start, last.end, item.word, item.payload)
                place.names = (*item.names, *between(item.names[-1], end, names, item.payload))
                result.append(place)
                at += 3
                continue
        result.append(item)
        at += 1
    return result


def _like(name: str, ending: str) -> str:
    """The name whose end is this: us-east-1a and c are us-east-1c."""
    return name[: len(name) - len(ending)] + ending


def between(first: str, last: str, names: Names, level: str) -> list[str]:
    """The names after the first, up to the last: by letter or number at their end, else in the vocabulary's order."""
    if first[:-1] == last[:-1] and first[-1:].isalpha() and last[-1:].isalpha():
        return [first[:-1] + chr(code) for code in range(ord(first[-1]) + 1, ord(last[-1]) + 1)]
    start, end = first.rstrip("0123456789"), last.rstrip("0123456789")
    if start == end and first != start and last != end:
        low, high, width = int(first[len(start) :]), int(last[len(end) :]), len(first) - len(start)
        return [f"{start}{n:0{width}d}" for n in range(low + 1, min(high, low + MAX_RANGE) + 1)]
    known = getattr(names.vocabulary, f"{level}s", ())
    if first in known and last in known and known.index(first) < known.index(last):
        return list(known[known.index(first) + 1 : known.index(last) + 1])
    return [last]
