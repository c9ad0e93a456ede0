"""Nouns of place and the names after them become named places, and names of one level a list.

"zone 1b", "racks 1, 2 and 5", "rack three", "nodes m02 through m04", "us-east-1a or in us-east-1b". Numbers and endings are
completed from the vocabulary; an ending that several zones share is decided by the regions that the text names.
"""

from __future__ import annotations

from collections.abc import Sequence

from berth_intent.intents import Level
from berth_intent.language.amounts import BETWEEN, lower_ends
from berth_intent.language.kinds import Item, Kind
from berth_intent.language.lists import SEPARATORS, joined
from berth_intent.language.names import Found, Names, parts_of
from berth_intent.language.ranges import between, is_range, ranges

_COUNTED = (
    Kind.GPU, Kind.GPU_MODEL, Kind.RESOURCE, Kind.LEVEL, Kind.SELF, Kind.TPU, Kind.QUANTITY, Kind.NUMBER, Kind.MARK,
    Kind.STORAGE, Kind.HIGH, Kind.LOW,
)  # fmt: skip
"""What a number before it counts, so that it is no name."""
_FIRST = frozenset(("one", "eins", "uno"))
DEFINITE = frozenset(("the", "el", "la", "los", "las", "der", "die", "das", "den", "dem"))
MAX_ENDING = 3
"""Digits of a number that stands for a whole name."""


def name_places(items: list[Item], names: Names) -> list[Item]:
    regions = {
        name for item in items if item.kind == Kind.PLACE and item.payload == Level.REGION for name in item.names
    }
    regions |= {
        region
        for item in items
        if item.kind == Kind.PLACE and item.payload == Level.ZONE
        for name in item.names
        if (region := region_of(name, names)) is not None
    }
    named = _after_levels(lower_ends(items), names, regions)
    named = ranges(named, names)
    return joined(_qualified(_of_models(named), names))


def _of_models(items: list[Item]) -> list[Item]:
    """ "llama-70b weights" are the model's, and no workload."""
    behind = [item.kind for item in items[1:]] + [""]
    return [item for item, kind in zip(items, behind, strict=False) if (item.kind, kind) != (Kind.WORKLOAD, Kind.MODEL)]


def region_of(zone: str, names: Names) -> str | None:
    known = names.vocabulary.zone_regions.get(zone)
    if known is not None:
        return known
    low = zone.lower()
    found = [region for region in names.vocabulary.regions if low.startswith(region.lower())]
    if found:
        return max(found, key=len)
    return low[:-1].rstrip("-") if low[-1:].isalpha() and "-" in low else None


def _after_levels(items: list[Item], names: Names, regions: set[str]) -> list[Item]:
    result: list[Item] = []
    last: Item | None = None
    at = 0
    while at < len(items):
        item = items[at]
        if item.kind == Kind.LEVEL:
            taken = _names_after(items, at, names, regions)
            if taken is not None:
                last = taken[0]
                result.append(last)
                at += taken[1]
                continue
        elif item.kind == Kind.PLACE:
            last = item
        elif item.kind in (Kind.UNKNOWN, Kind.NUMBER):
            item = _ending(item, None, names, regions) or item
            if item.kind == Kind.NUMBER and last is not None:
                item = _numbered_like(items, at, last, names, regions) or item
        elif item.kind == Kind.QUANTITY and item.payload == "cores" and at and items[at - 1].kind in SEPARATORS:
            item = _ending(item, Level.ZONE, names, regions) or item  # "us-east-1b or 1c"
        result.append(item)
        at += 1
    return result


def _names_after(items: list[Item], at: int, names: Names, regions: set[str]) -> tuple[Item, int] | None:
    """The places after a noun of place: one item, and of how many it is made."""
    level = items[at].payload
    found: list[str] = []
    end = cursor = at
    while True:
        cursor += 1
        if cursor < len(items) and cursor == at + 1 and (items[cursor].kind == Kind.COLON or _from(items, cursor)):
            cursor += 1
        separated = False
        listed = bool(found) and cursor < len(items)
        between_two = listed and items[at + 1].word in BETWEEN and items[cursor].kind == Kind.AND
        while found and not between_two and cursor < len(items) and items[cursor].kind in SEPARATORS:
            cursor, separated = cursor + 1, True
        again = cursor < len(items) and items[cursor].kind == Kind.LEVEL and items[cursor].payload == level
        if (found and again) or (separated and _is_only_numbered(items, cursor)):
            cursor += 1
        if cursor >= len(items) or (found and not (separated or between_two or is_range(items, cursor))):
            break
        if found and (between_two or is_range(items, cursor)):
            last = _one_name(items, cursor + 1, level, names, regions)
            if last is None:
                break
            found.extend(between(found[-1], last, names, level))
            cursor += 1
            end = cursor
            continue
        name = _one_name(items, cursor, level, names, regions)
        if name is None or (found and items[cursor].kind == Kind.PLACE):
            break
        found.append(name)
        end = cursor
    if not found:
        return None
    place = Item(Kind.PLACE, items[at].start, items[end].end, items[at].word, level)
    place.names = tuple(dict.fromkeys(found))
    return place, end - at + 1


def _from(items: Sequence[Item], at: int) -> bool:
    """ "racks from 2 to 4", "racks between 2 and 4"."""
    return (
        items[at].kind == Kind.AS
        and at + 2 < len(items)
        and items[at + 1].kind == Kind.NUMBER
        and (is_range(items, at + 2) or items[at + 2].kind == Kind.AND)
    )


def _is_only_numbered(items: Sequence[Item], at: int) -> bool:
    """ "on rack 5 or on 6", "el rack 5 o el 6": a small word stands before the number of another one."""
    following = items[at + 1].kind if at + 1 < len(items) else ""
    return following in (Kind.NUMBER, Kind.UNKNOWN) and (items[at].kind == Kind.IN or items[at].word in DEFINITE)


def _numbered_like(items: Sequence[Item], at: int, last: Item, names: Names, regions: set[str]) -> Item | None:
    """ "on rack 5, never on 8": the number of another place of the level that was named last."""
    before, number = items[at - 1], items[at]
    listed = before.kind in SEPARATORS and at > 1 and items[at - 2] is last  # "rack 1 or 2"
    if not listed and before.kind not in (Kind.IN, Kind.NOT, Kind.EXCEPT, Kind.AVOID) and before.word not in DEFINITE:
        return None
    if not (last.names[-1][-1:].isdigit() and number.word.isdigit()) or len(number.word) > MAX_ENDING:
        return None
    name = _alike(last.names[-1], number.word, names) or _one_name(items, at, last.payload, names, regions)
    return _place(number, last.payload, name) if name is not None else None


def _alike(name: str, number: str, names: Names) -> str | None:
    """The name of the cluster that differs from this one in its number: cpu-node-03 beside cpu-node-02."""
    found = names.whole(name.rstrip("0123456789") + number)
    return found.name if found is not None else None


def _one_name(items: Sequence[Item], at: int, level: str, names: Names, regions: set[str]) -> str | None:
    if at >= len(items):
        return None
    item = items[at]
    if item.kind == Kind.PLACE:
        return None
    following = items[at + 1] if at + 1 < len(items) else None
    if item.kind == Kind.NUMBER:
        if item.number is None or item.number != int(item.number) or item.payload:
            return None
        if following is not None and following.kind in _COUNTED:
            return None
        return _completed(f"{int(item.number)}", item.word, level, names, regions)
    if (
        item.kind == Kind.ARTICLE
        and item.word == "a"
        and (following is None or following.kind not in _COUNTED)
        and level == Level.ZONE
    ):
        return _completed("a", "a", level, names, regions)
    if item.kind == Kind.UNKNOWN and (len(item.word) == 1 or any(letter.isdigit() for letter in item.word)):
        return _completed(item.word, item.word, level, names, regions)
    if (
        item.kind == Kind.ONE
        and item.word in _FIRST
        and (following is None or (items[at - 1].plural and following.kind not in _COUNTED))
    ):
        return _completed("1", "1", level, names, regions)
    return None


def _completed(ending: str, written: str, level: str, names: Names, regions: set[str]) -> str | None:
    found = names.ending(ending, level)
    if level == Level.ZONE and len(ending) == 1 and ending.isalpha():
        found = tuple(f for f in _all_zones(names) if f.name.lower().endswith(ending))
    if len(found) > 1 and regions:
        inside = tuple(f for f in found if region_of(f.name, names) in regions)
        found = inside or found
    if len(found) == 1:
        return found[0].name
    if level == Level.RACK:
        return f"rack-{ending}"
    if level == Level.ZONE:
        return ending if any(letter.isdigit() for letter in ending) and not ending.isdigit() else f"zone-{ending}"
    if level == Level.NODE and not ending.isdigit():
        return ending
    return None


def _all_zones(names: Names) -> tuple[Found, ...]:
    return tuple(Found(Level.ZONE, zone) for zone in names.vocabulary.zones)


def _ending(item: Item, level: str | None, names: Names, regions: set[str]) -> Item | None:
    """ "m02" and "1a" alone: an ending with letters and digits that one place has, or one of the text's regions."""
    word = item.word
    if not (any(c.isdigit() for c in word) and any(c.isalpha() for c in word)) or item.payload == "times":
        return None
    found = names.ending(word, level)
    if len(found) > 1:
        found = tuple(f for f in found if f.level == Level.ZONE and region_of(f.name, names) in regions)
    elif not found and regions and len(parts_of(word)) == 2 and word[-1].isalpha() and word[:-1].isdigit():
        zones = {f"{region}{word[-1]}" for region in regions if region[-1:] == word[0]}
        if len(zones) == 1:
            return _place(item, Level.ZONE, zones.pop())
    return _place(item, found[0].level, found[0].name) if len(found) == 1 else None


def _place(item: Item, level: str, name: str) -> Item:
    place = Item(Kind.PLACE, item.start, item.end, item.word, level)
    place.names = (name,)
    return place


def _qualified(items: list[Item], names: Names) -> list[Item]:
    """ "zone b in us-west-2": the region only tells which zone is meant."""
    result: list[Item] = []
    for item in items:
        before = [*result[-3:]]
        if item.kind == Kind.PLACE and before:
            distance = 2 if before[-1].kind in (Kind.IN, Kind.AS) else 1
            other = before[-distance] if len(before) >= distance else None
            general = next((i for i in reversed(before[-2:]) if i.kind == Kind.PLACE), None)
            between = before[-1].kind in (Kind.LEVEL, Kind.PLACE)
            if (
                general is not None
                and between
                and general.payload == item.payload
                and set(item.names) < set(general.names)
            ):
                while result[-1] is not general:
                    result.pop()
                item.start = general.start
                result[-1] = item  # "the EU region eu-central-1"
                continue
            if (
                other is not None
                and other.kind == Kind.PLACE
                and distance == 2
                and item.payload == Level.REGION
                and other.payload == Level.ZONE
            ) and all(region_of(name, names) in item.names for name in other.names):
                result.pop()
                other.end = item.end
                continue
            if (
                other is not None
                and other.kind == Kind.PLACE
                and distance == 1
                and item.payload == Level.ZONE
                and other.payload == Level.REGION
            ) and all(region_of(name, names) in other.names for name in item.names):
                item.start = other.start
                result[-1] = item
                continue
        result.append(item)
    return result
