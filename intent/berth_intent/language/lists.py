"""Names of one kind, apart by commas, "and" and "or" alone, become one item."""

from __future__ import annotations

from collections.abc import Sequence

from berth_intent.language.kinds import Item, Kind

SEPARATORS = (Kind.COMMA, Kind.AND, Kind.OR)
_JOINING = (*SEPARATORS, Kind.IN, Kind.AS, Kind.MARK, Kind.ARTICLE, Kind.LEVEL)


def joined(items: list[Item]) -> list[Item]:
    """Names of one level, apart by commas, "and" and "or" alone, are one item."""
    result: list[Item] = []
    at = 0
    while at < len(items):
        item = items[at]
        if item.kind in (Kind.PLACE, Kind.WORKLOAD, Kind.GPU_MODEL, Kind.STORAGE, Kind.FEATURE, Kind.ARCH):
            item, at = _list_from(items, at)
        else:
            at += 1
        result.append(item)
    return result


def _list_from(items: list[Item], at: int) -> tuple[Item, int]:
    first = items[at]
    if first.kind in (Kind.STORAGE, Kind.FEATURE, Kind.ARCH) and not first.names:
        first.names = (first.payload,)
    end = at
    cursor = at + 1
    merged: Item | None = None
    while cursor < len(items):
        separated = False
        while cursor < len(items) and items[cursor].kind in _allowed_between(first.kind) and cursor - end < 4:
            separated = separated or items[cursor].kind in SEPARATORS
            cursor += 1
        if cursor >= len(items) or not separated or not _same_list(first, items[cursor]):
            break
        if _has_its_own(items, at, end, cursor) or _only_first_negated(items, at, end, cursor):
            break
        other = items[cursor]
        if merged is None:
            merged = Item(first.kind, first.start, other.end, first.word, first.payload, first.strength)
            merged.plural, merged.names = first.plural, first.names
        more = other.names or (other.payload,)
        merged.names = tuple(dict.fromkeys((*merged.names, *more)))
        merged.end = other.end
        merged.plural = merged.plural or other.plural
        end = cursor
        cursor += 1
    return merged or first, end + 1


def _has_its_own(items: Sequence[Item], first: int, last: int, at: int) -> bool:
    """ "prefer a, b is forbidden": after a comma a name with an operator behind it begins anew, if the list had one before it."""
    behind = items[at + 1].kind if at + 1 < len(items) else ""
    commas = all(item.kind == Kind.COMMA for item in items[last + 1 : at])
    return commas and behind in (Kind.AVOID, Kind.NOT) and first > 0 and items[first - 1].kind not in SEPARATORS


def _only_first_negated(items: Sequence[Item], first: int, last: int, at: int) -> bool:
    """ "no spinning disks, SSD please": the list goes on only when an "or" or another comma follows."""
    if items[first].kind in (Kind.PLACE, Kind.WORKLOAD) or not first or items[first - 1].kind != Kind.NOT:
        return False
    behind = items[at + 1].kind if at + 1 < len(items) else ""
    return all(item.kind == Kind.COMMA for item in items[last + 1 : at]) and behind not in SEPARATORS


def _allowed_between(kind: str) -> tuple[str, ...]:
    if kind in (Kind.PLACE, Kind.WORKLOAD):
        return _JOINING
    return (*SEPARATORS, Kind.ARTICLE)


def _same_list(first: Item, other: Item) -> bool:
    if first.kind == Kind.WORKLOAD:
        return other.kind == Kind.WORKLOAD
    if first.kind == Kind.PLACE:
        return other.kind == Kind.PLACE and other.payload == first.payload
    return other.kind == first.kind
