"""One spelling of a text for looking words up, with the way back to the text as written.

Lower case, compatibility forms (NFKC), straight quotes and hyphens, no accents, no invisible characters; the German letters
ä ö ü ß become ae oe ue ss, so that both ways of writing them meet. Each character remembers where it came from. Linear; plain
ASCII, the usual case, keeps its positions and costs one `lower`.
"""

from __future__ import annotations

import unicodedata
from typing import NamedTuple

_STRAIGHT = str.maketrans(
    {
        **dict.fromkeys("\u2018\u2019\u201a\u201b\u00b4\u2032", "'"),
        **dict.fromkeys("\u201c\u201d\u201e\u201f\u00ab\u00bb\u2033", '"'),
        **dict.fromkeys("\u2010\u2011\u2012\u2043\u00ad", "-"),
        **dict.fromkeys("\u2013\u2014\u2015\u2212", "\u2014"),
        **dict.fromkeys("\u2022\u25cf\u25e6\u2023\u00b7\u25aa", "\u2022"),
        **dict.fromkeys("\u00d7\u2715\u2a09", "x"),
        "\u2026": ".",
        "\u2265": ">",
        "\u2264": "<",
        "\uff0c": ",",
        "\u3002": ".",
    }
)
_GERMAN = {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"}
_KEPT_CONTROLS = "\n\t"


class Normal(NamedTuple):
    """`text` for looking up; character i of it began at `origin[i]` of the text as written (None: at i)."""

    original: str
    text: str
    origin: list[int] | None

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Of the original, for a stretch of `text`."""
        if self.origin is None:
            return start, end
        return self.origin[start], self.origin[end - 1] + 1

    def written(self, start: int, end: int) -> str:
        first, last = self.span(start, end)
        return self.original[first:last]

    @property
    def shouted(self) -> bool:
        """Mostly in capitals."""
        capitals = sum(letter.isupper() for letter in self.original)
        return 2 * capitals > sum(letter.isalpha() for letter in self.original)


def normalise(text: str) -> Normal:
    if text.isascii() and text.isprintable():
        return Normal(text, text.lower(), None)
    letters: list[str] = []
    origin: list[int] = []
    for index, letter in enumerate(text):
        plain = _plain(letter)
        letters.append(plain)
        origin.extend([index] * len(plain))
    return Normal(text, "".join(letters), origin)


def fold(word: str) -> str:
    """The spelling under which a word of the lexicon or a name of the cluster is found."""
    return normalise(word).text


def _plain(letter: str) -> str:
    if letter.isascii():
        if letter.isprintable():
            return letter.lower()
        return " " if letter == "\t" else letter if letter in _KEPT_CONTROLS else ""
    straight = letter.translate(_STRAIGHT)
    if straight != letter or letter == "\u00bf":
        return straight
    low = letter.lower()
    if low in _GERMAN:
        return _GERMAN[low]
    kept = []
    for part in unicodedata.normalize("NFKD", low):
        category = unicodedata.category(part)
        if category.startswith("Z"):
            kept.append(" ")
        elif not category.startswith(("M", "C")):
            kept.append(part.lower())
    return "".join(kept)
