"""Tokens become items: each word or phrase with the kind that it is, fillers left out.

The order in which a word is tried: a name of the cluster, a number or quantity, a GPU model, the lexicon, the form of a cloud's
name, a compound, a typo. Compounds part at their hyphens when their parts are known; so do German ones without hyphens.
"""

from __future__ import annotations

from collections.abc import Sequence

from berth_intent.language import amounts
from berth_intent.language.code import MANIFEST_KEYS, is_code
from berth_intent.language.compounds import Compounds
from berth_intent.language.geography import ADJECTIVES, EXPLICIT_CASE, PLACES
from berth_intent.language.gpu_names import gpu_model
from berth_intent.language.kinds import Item, Kind
from berth_intent.language.lexicon.compiled import Lexicon
from berth_intent.language.lexicon.numbers import DURATIONS, HALVES, PER, number_words
from berth_intent.language.lexicon.questions import is_question
from berth_intent.language.lexicon.terms import Meaning
from berth_intent.language.names import WORKLOAD, Found, Names, looks_like
from berth_intent.language.normalise import Normal
from berth_intent.language.tokens import MAX_WORD, Token, tokens

_SIGNS = {
    ",": Kind.COMMA, ".": Kind.STOP, ";": Kind.STOP, "\n": Kind.STOP, "!": Kind.STOP, "?": Kind.ASK, ":": Kind.COLON,
    "/": Kind.OR, "+": Kind.AND, "&": Kind.AND, "-": Kind.COMMA, "—": Kind.COMMA, "(": Kind.COMMA, ")": Kind.COMMA,
    "|": Kind.COMMA, "=": Kind.COLON, "•": Kind.STOP, "*": Kind.STOP, "[": Kind.COMMA, "]": Kind.COMMA,
}  # fmt: skip
_ENDS = frozenset(".;!?\n")
_ABBREVIATIONS = frozenset(
    [
        "e.g",
        "i.e",
        "approx",
        "ca",
        "min",
        "max",
        "evtl",
        "ggf",
        "z.b",
        "d.h",
        "bzw",
        "nr",
        "no",
        "incl",
        "inkl",
        "etc",
        "vs",
        "mind",
        "usw",
        "p.ej",
        "ej",
        "aprox",
        "max",
        "u.a",
        "dr",
        "st",
    ]
)
_MAKE_WAY = frozenset(
    (
        Kind.NOISE,
        Kind.MARK,
        Kind.FILLER,
        Kind.MODEL,
        Kind.RESOURCE,
        Kind.PAST,
        Kind.HIGH,
        Kind.VERB,
        Kind.CACHED,
        Kind.LEVEL,
    )
)
"""Kinds of words that a name of the cluster comes before."""


class Reader:
    """Reads one hint with one lexicon and one vocabulary's names."""

    def __init__(self, lexicon: Lexicon, names: Names, normal: Normal) -> None:
        self._lexicon = lexicon
        self._names = names
        self._normal = normal
        self._compounds = Compounds(lexicon, names)
        self.corrected: list[tuple[str, str]] = []

    def items(self, start: int, end: int) -> list[Item]:
        """Of a stretch of the normalised text."""
        found = [part for token in tokens(self._normal.text, start, end) for part in self._compounds.parted(token)]
        words = [self._spelled(token) for token in found]
        read: list[Item] = []
        at, loose = 0, False
        while at < len(found):
            item, size = self._read(found, words, at)
            if item is not None:
                item.loose = loose
                read.append(item)
            loose = item is None
            at += size
        return read

    def _read(self, found: Sequence[Token], words: Sequence[str], at: int) -> tuple[Item | None, int]:
        token = found[at]
        if words[at] != token.text:
            token = token._replace(text=words[at])
        if token.sort == "sign":
            return self._sign(found, words, at)
        if token.sort == "link" or len(token.text) > MAX_WORD:
            return Item(Kind.NOISE, token.start, token.end, token.text[:MAX_WORD], "link"), 1
        word = token.text
        known = self._lexicon.find(words, at)
        name = self._names.match(words, at)
        if name is not None and self._goes_first(name, known, token):
            return self._named(name, found, at), name[1]
        if (size := self._enumerator(found, words, at)) and word.isdigit():
            return Item(Kind.STOP, token.start, found[at + size - 1].end, "\n"), size
        if (
            (
                word[0].isdigit()
                or (known is None and word[0] == "x" and word[1:].isdigit())
                or word in HALVES
                or word in number_words()
            )
            and (known is None or known[1] == 1 or word[0].isdigit())
            and (amount := amounts.read(found, words, at)) is not None
        ):
            return self._measured(amount, words, at)
        if (unit := amounts.article_unit(found, words, at)) is not None:
            return unit
        if word == "x" and at + 1 < len(words) and words[at + 1].isdigit() and len(words[at + 1]) < 4:
            times = Item(Kind.NUMBER, token.start, found[at + 1].end, word, "times")
            times.number = float(words[at + 1])
            return times, 2
        if (model := gpu_model(word)) is not None and (known is None or known[1] == 1):
            return self._model(model, found, words, at)
        if word == "rtx" and at + 1 < len(words) and (model := gpu_model(f"rtx {words[at + 1]}")):
            item = Item(Kind.GPU_MODEL, token.start, found[at + 1].end, word)
            item.names, item.plural = (model[0],), model[1]
            return item, 2
        if (place := self._geographic(found, words, at)) is not None and (known is None or known[1] <= place[1]):
            return place
        if known is not None:
            return self._known(known, found, at), known[1]
        return self._unknown(found, words, at), 1

    def _measured(self, amount: tuple[Item, int], words: Sequence[str], at: int) -> tuple[Item, int]:
        """Percentages, durations and rates are no amounts of anything that a node has."""
        item, size = amount
        after = words[at + size : at + size + 2]
        if after[:1] == ["%"] or (item.kind == Kind.NUMBER and after and after[0] in DURATIONS):
            return Item(Kind.UNKNOWN, item.start, item.end, item.word, "measure"), size + 1
        if item.payload == "bytes" and len(after) == 2 and after[0] in PER and after[1] in DURATIONS:
            return Item(Kind.UNKNOWN, item.start, item.end, item.word, "measure"), size + 2
        return amount

    def _enumerator(self, found: Sequence[Token], words: Sequence[str], at: int) -> int:
        """ "1) ... 2) ..." and "1. ..." at the beginning of a line: of how many words, 0 when it is none."""
        if at + 1 >= len(words) or len(words[at]) > 2 or found[at + 1].start != found[at].end:
            return 0
        if words[at + 1] == ")":
            opened = next((word for word in reversed(words[max(0, at - 6) : at]) if word in "()"), "")
            return 2 if opened != "(" else 0
        begins = (
            at == 0 or words[at - 1] in "\n" or words[at - 1] in ".;" or (words[at - 1] == ":" and words[at] == "1")
        )
        return 2 if words[at + 1] == "." and begins and at + 2 < len(words) and words[at + 2] != "\n" else 0

    def _goes_first(self, name: tuple[Found, int], known: tuple[Meaning, int] | None, token: Token) -> bool:
        if known is None or token.sort == "quote":
            return True
        found, size = name
        if size < known[1]:
            return False
        if found.short:
            return size > known[1] or known[0].kind in (Kind.NOISE, Kind.MARK)
        return size > known[1] or known[0].kind in _MAKE_WAY

    def _named(self, name: tuple[Found, int], found: Sequence[Token], at: int) -> Item:
        place, size = name
        kind = Kind.WORKLOAD if place.level == WORKLOAD else Kind.PLACE
        item = Item(kind, found[at].start, found[at + size - 1].end, found[at].text, place.level)
        item.names = (place.name,)
        if place.short:
            item.payload = "short"
        return item

    def _model(
        self, model: tuple[str, bool], found: Sequence[Token], words: Sequence[str], at: int
    ) -> tuple[Item, int]:
        size = 1
        for count in (2, 3):  # "A100 80GB", "A100 SXM4 80GB"
            longer = gpu_model(" ".join(words[at : at + count])) if at + count <= len(words) else None
            if longer is not None and all(token.sort == "word" for token in found[at : at + count]):
                model, size = longer, count
        item = Item(Kind.GPU_MODEL, found[at].start, found[at + size - 1].end, found[at].text)
        item.names, item.plural = (model[0],), model[1]
        return item, size

    def _geographic(self, found: Sequence[Token], words: Sequence[str], at: int) -> tuple[Item, int] | None:
        for size in (3, 2, 1):
            if at + size > len(words):
                continue
            place = " ".join(words[at : at + size])
            if place not in PLACES:
                continue
            written = self._normal.written(found[at].start, found[at + size - 1].end)
            if place == "usa" and self._lexicon.language == "es" and not self._stands_out(written, "USA"):
                continue
            if place in ADJECTIVES and not self._is_noun_of_place(words, at + size):
                continue  # "a tokenizer for German"
            if place in EXPLICIT_CASE and not self._stands_out(written, EXPLICIT_CASE[place]):
                continue
            item = Item(Kind.PLACE, found[at].start, found[at + size - 1].end, place, "region")
            item.names = self._names.geographic(place) or (written,)
            return item, size
        return None

    def _is_noun_of_place(self, words: Sequence[str], at: int) -> bool:
        known = self._lexicon.find(words, at) if at < len(words) else None
        return known is not None and known[0].kind in (Kind.LEVEL, Kind.MARK)

    def _spelled(self, token: Token) -> str:
        """The word, or the known one that it is a typo of."""
        word = token.text
        if (
            token.sort != "word"
            or len(word) < 4
            or len(word) > MAX_WORD
            or self._compounds.is_whole(word)
            or self._names.has_part(word)
            or word in PLACES
        ):
            return word
        if word.isalpha():
            near = self._names.nearly(word) if len(word) > 4 else None
            meant = near.name.lower() if near is not None else self._lexicon.meant(word)
        else:
            near = self._names.nearly(word)
            joined = word.replace("-", "")
            meant = near.name.lower() if near else self._lexicon.meant(joined) if joined.isalpha() else None
        if meant is None:
            return word
        self.corrected.append((word, meant))
        return meant

    def _stands_out(self, written: str, capitals: str) -> bool:
        """US in a text that is not all in capitals."""
        return written == capitals and not self._normal.shouted

    def _known(self, known: tuple[Meaning, int], found: Sequence[Token], at: int) -> Item | None:
        meant, size = known
        if meant.kind == Kind.FILLER:
            return None
        item = Item(
            meant.kind,
            found[at].start,
            found[at + size - 1].end,
            " ".join(token.text for token in found[at : at + size]) if size > 1 else found[at].text,
            meant.payload,
            meant.strength,
            meant.verb,
        )
        item.plural, item.number = meant.plural, meant.number
        return item

    def _unknown(self, found: Sequence[Token], words: Sequence[str], at: int) -> Item | None:
        token = found[at]
        word = token.text
        if (place := looks_like(word)) is not None:
            return self._named((place, 1), found, at)
        payload = (
            "quoted"
            if token.sort == "quote"
            else "name"
            if any(c in word for c in "-_") and not word[0].isdigit()
            else ""
        )
        return Item(Kind.UNKNOWN, token.start, token.end, word, payload)

    def _sign(self, found: Sequence[Token], words: Sequence[str], at: int) -> tuple[Item | None, int]:
        token = found[at]
        sign = token.text
        if sign == "." and at and words[at - 1] in _ABBREVIATIONS and at + 1 < len(found) and words[at + 1] != "\n":
            return None, 1
        if sign in "<($=[/" and is_code(found, words, at):
            return Item(Kind.COMMAND, token.start, token.end, sign, "code"), 1
        if sign in "{<" and at + 1 < len(found):
            closing = "}" if sign == "{" else ">"
            if sign == "{" or (closing in words[at : at + 6] and words[at + 1] not in ("=", "1", "2")):
                end = next((i for i in range(len(words) - 1, at, -1) if words[i] == closing), len(words) - 1)
                if sign == "<":
                    end = words.index(closing, at)
                return Item(Kind.NOISE, token.start, found[end].end, sign, "code"), end - at + 1
        if sign == ":" and at and words[at - 1] in MANIFEST_KEYS:
            return Item(Kind.COMMAND, token.start, token.end, words[at - 1], "manifest"), 1
        if sign == "!" and words[at + 1 : at + 2] == ["="]:
            return Item(Kind.NOT, token.start, found[at + 1].end, "!="), 2
        kind = _SIGNS.get(sign)
        if kind is None:
            return None, 1
        item = Item(kind, token.start, token.end, sign)
        if kind == Kind.ASK:
            first = next((i + 1 for i in range(at - 1, -1, -1) if words[i] in _ENDS), 0)
            item.payload = "question" if is_question(words[first:at]) else ""
        return item, 1
