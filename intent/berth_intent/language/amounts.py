"""Numbers and quantities: "64 GB", "64gigs", "half a terabyte", "2x", "sixteen", "500m", "between 8 and 16".

A quantity has a dimension (bytes, bits, cores) and is in GB, Gbps or cores. What it is an amount of, the grammar decides.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from berth_intent.language.kinds import Item, Kind
from berth_intent.language.lexicon.numbers import HALVES, TIMES, number_words, spanish_tens
from berth_intent.language.lexicon.technical import UNITS
from berth_intent.language.tokens import Token

MAX_AMOUNT = 1e9
"""Beyond it a number is no amount of anything."""
UNIT_WORDS = 3

_NUMBER = re.compile(r"(\d{1,12}(?:[.,]\d{1,6})*)(.*)", re.DOTALL)
_ARTICLES = frozenset(("a", "an", "one", "un", "una", "ein", "eine", "einen", "einem", "of", "de", "el", "the", "1"))
_THOUSANDS = re.compile(r"\d{1,3}(?:,\d{3})+")
_POINTED = re.compile(r"\d{1,3}(?:\.\d{3}){2,}")


def number_in(word: str) -> tuple[float, str] | None:
    """The number that the word begins with, and what is left of it. A decimal comma is a point."""
    found = _NUMBER.fullmatch(word)
    if found is None:
        return None
    digits, rest = found.groups()
    if _THOUSANDS.fullmatch(digits) and not digits.startswith("0"):
        digits = digits.replace(",", "")
    elif _POINTED.fullmatch(digits):
        digits = digits.replace(".", "")
    digits = digits.replace(",", ".")
    if digits.count(".") > 1:
        return None
    value = float(digits)
    return (value, rest) if value <= MAX_AMOUNT else None


def unit_at(words: Sequence[str], at: int) -> tuple[str, float, int] | None:
    """Dimension, factor and number of words of the unit that stands here, the longest."""
    for size in range(min(UNIT_WORDS, len(words) - at), 0, -1):
        unit = UNITS.get(" ".join(words[at : at + size]) if size > 1 else words[at])
        if unit is not None:
            return unit[0], unit[1], size
    return None


def spoken(words: Sequence[str], at: int) -> tuple[float, int] | None:
    """A number in words, and of how many."""
    known = number_words()
    value = known.get(words[at])
    if value is None:
        return None
    size = 1
    following = words[at + 1] if at + 1 < len(words) else ""
    if words[at] in spanish_tens() and following == "y" and at + 2 < len(words) and known.get(words[at + 2], 10) < 10:
        return value + known[words[at + 2]], 3
    if following in TIMES and value < 100:
        return value * known[following], 2
    if value >= 20 and value % 10 == 0 and known.get(following, 10) < 10 and following:
        return value + known[following], 2
    return value, size


def read(tokens: Sequence[Token], words: Sequence[str], at: int) -> tuple[Item, int] | None:
    """The number or quantity that begins at this word, and of how many words it is."""
    token = tokens[at]
    if token.text[0] == "x" and token.text[1:].isdigit():
        return _item(Kind.NUMBER, tokens, at, 1, float(token.text[1:5]), "times"), 1
    if words[at] in HALVES:
        return _half(tokens, words, at)
    if token.text[0].isdigit():
        split = number_in(token.text)
        if split is None:
            return None
        value, rest = split
        if rest:
            return _glued(token, value, rest, tokens, words, at)
        size = 1
    else:
        heard = spoken(words, at)
        if heard is None:
            return None
        value, size = heard
    if words[at] != "dual" and at + size < len(words) and words[at + size] == "x" and tokens[at + size].sort == "word":
        return _item(Kind.NUMBER, tokens, at, size + 1, value, "times"), size + 1
    following = at + size
    if (
        following < len(words)
        and words[following] == "-"
        and following + 1 < len(words)
        and unit_at(words, following + 1)
    ):
        following += 1
    unit = unit_at(words, following) if following < len(words) else None
    if unit is None and following < len(words) and words[following] == "m" and _is_cpu(words, following + 1):
        unit = ("millicores", 0.001, 1)
    if unit is None:
        return _item(Kind.NUMBER, tokens, at, size, value), size
    return _quantity(tokens, at, following - at + unit[2], value, unit[1], unit[0])


_TO = frozenset(("to", "-", "—", "bis", "a", "hasta"))
BETWEEN = frozenset(("between", "entre", "zwischen"))


def lower_ends(items: list[Item]) -> list[Item]:
    """ "8 to 16 cores" and "between 8 and 16 cores" are 8 cores."""
    result: list[Item] = []
    for item in items:
        low = result[-2] if len(result) > 1 else None
        if (
            low is not None
            and item.kind in (Kind.QUANTITY, Kind.NUMBER)
            and low.kind in (Kind.NUMBER, Kind.QUANTITY)
            and (
                result[-1].word in _TO
                or (len(result) > 2 and result[-3].word in BETWEEN and result[-1].kind == Kind.AND)
            )
            and low.number is not None
            and not _names_places(result)
            and item.number is not None
        ):
            merged = Item(item.kind, low.start, item.end, item.word, item.payload)
            factor = item.number / item.count if item.count else 1.0
            merged.number = low.number if low.kind == Kind.QUANTITY else low.number * factor
            ends = 3 if len(result) > 2 and result[-3].word in BETWEEN else 2
            result[-ends:] = [merged]
            continue
        result.append(item)
    return result


def _names_places(items: Sequence[Item]) -> bool:
    """ "racks from 2 to" before the end of a range."""
    before = [item.kind for item in items[-4:-2]]
    return before[-1:] == [Kind.LEVEL] or before == [Kind.LEVEL, Kind.AS]


def _half(tokens: Sequence[Token], words: Sequence[str], at: int) -> tuple[Item, int] | None:
    following = at + 1
    while following < min(len(words), at + 3) and words[following] in _ARTICLES:  # "a quarter of a terabyte"
        following += 1
    unit = unit_at(words, following) if following < len(words) else None
    if unit is None:
        return None
    return _quantity(tokens, at, following - at + unit[2], HALVES[words[at]], unit[1], unit[0])


def article_unit(tokens: Sequence[Token], words: Sequence[str], at: int) -> tuple[Item, int] | None:
    """ "a terabyte" is one; only bytes and bits are counted so."""
    if words[at] not in _ARTICLES or at + 1 >= len(words):
        return None
    if words[at + 1] in HALVES:
        half = _half(tokens, words, at + 1)
        return (half[0], half[1] + 1) if half else None
    unit = unit_at(words, at + 1)
    if unit is None or unit[0] not in ("bytes", "bits") or len(words[at + 1]) < 4:
        return None
    return _quantity(tokens, at, 1 + unit[2], 1.0, unit[1], unit[0])


def _glued(
    token: Token, value: float, rest: str, tokens: Sequence[Token], words: Sequence[str], at: int
) -> tuple[Item, int] | None:
    rest = rest.lstrip("-")
    if rest == "x":
        return _item(Kind.NUMBER, tokens, at, 1, value, "times"), 1
    if rest == "m":
        if _is_cpu(words, at + 1) or value >= 50:
            return _quantity(tokens, at, 1, value, 0.001, "cores")
        return None
    if rest == "+":
        return _item(Kind.NUMBER, tokens, at, 1, value), 1
    unit = UNITS.get(rest)
    if unit is None or (rest == "c" and value > 512):
        return None
    size = 1
    if rest in ("g", "gig", "gb") and at + 1 < len(words) and words[at + 1] in ("bit", "bits", "ethernet"):
        return _quantity(tokens, at, 2 if words[at + 1] != "ethernet" else 1, value, 1.0, "bits")
    return _quantity(tokens, at, size, value, unit[1], unit[0])


def _is_cpu(words: Sequence[str], at: int) -> bool:
    return at < len(words) and words[at] in ("cpu", "cpus", "vcpu", "core", "cores", "of")


def _quantity(
    tokens: Sequence[Token], at: int, size: int, count: float, factor: float, dimension: str
) -> tuple[Item, int]:
    dimension = "cores" if dimension == "millicores" else dimension
    item = _item(Kind.QUANTITY, tokens, at, size, round(count * factor, 9), dimension)
    item.count = count
    return item, size


def _item(kind: str, tokens: Sequence[Token], at: int, size: int, value: float, payload: str = "") -> Item:
    item = Item(kind, tokens[at].start, tokens[at + size - 1].end, tokens[at].text, payload)
    item.number = value
    return item
