"""Where compounds part: "SSD-backed", "RDMA/InfiniBand", "gpu:2", "16-core", "Zonenausfall", and names that stay whole.

At hyphens and other signs only when every part is known and the first may begin a compound; German compounds without hyphens
when two nouns make them up.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from berth_intent.language import amounts
from berth_intent.language.geography import PLACES
from berth_intent.language.gpu_names import gpu_model
from berth_intent.language.kinds import Kind
from berth_intent.language.lexicon.compiled import Lexicon
from berth_intent.language.lexicon.numbers import number_words
from berth_intent.language.lexicon.technical import UNITS
from berth_intent.language.names import WORKLOAD, Names, looks_like
from berth_intent.language.tokens import MAX_WORD, Token, tokens

_PARTING = frozenset((
    Kind.GPU, Kind.RESOURCE, Kind.HIGH, Kind.LOW, Kind.LEVEL, Kind.STORAGE, Kind.FEATURE, Kind.NUMBER, Kind.ARCH, Kind.SPOT,
    Kind.SPREAD, Kind.TPU, Kind.GPU_MODEL, Kind.SAME, Kind.OTHER, Kind.ONE, Kind.NOT, Kind.SELF, Kind.IDLE, Kind.BUSY,
    Kind.PACKED, Kind.MODAL, Kind.NEAR, Kind.TOGETHER, Kind.ON_DEMAND, Kind.EMPTY, Kind.CACHED, Kind.AVOID, Kind.ALL, Kind.MANY,
))  # fmt: skip
"""Kinds of words that may begin a compound which parts."""
_COMPOUNDED = frozenset((
    Kind.LEVEL, Kind.RESOURCE, Kind.FAILURE, Kind.SPREAD, Kind.GPU, Kind.STORAGE, Kind.SELF, Kind.MARK, Kind.HIGH, Kind.NEAR,
    Kind.NOISE, Kind.MODEL, Kind.CACHED, Kind.SPOT, Kind.SURVIVE,
))  # fmt: skip
_LINKING = ("", "s", "n", "en", "es", "e")
_MIN_COMPOUND = 8
_NAME = re.compile(r"[a-z0-9](?:[\w.-]*[a-z0-9])?")


_ENDINGS = frozenset(("s", "ll", "re", "ve", "d", "m", "t"))


class Compounds:
    """Parts the tokens of one language, with one vocabulary's names."""

    def __init__(self, lexicon: Lexicon, names: Names) -> None:
        self._lexicon = lexicon
        self._names = names

    def parted(self, token: Token) -> Iterator[Token]:
        """The token, or its parts."""
        text = token.text
        if token.sort == "quote":
            yield from self._unquoted(token)
            return
        if token.sort != "word" or len(text) > MAX_WORD:
            yield token
            return
        if text.isalpha():
            yield from self._compound(token)
            return
        if text[0] == "#":
            token = Token(text[1:], token.start + 1, token.end, "word")
            text = token.text
        if self.is_whole(text):
            yield token
            return
        for separator in (":", "=", "/", "@", "'", ".", "+", "_", "-", ","):
            if separator in text:
                pieces = text.split(separator)
                if self._parts_at(separator, pieces):
                    start = token.start
                    for index, piece in enumerate(pieces):
                        if index:
                            if separator in ":=/+,":
                                yield Token(separator, start - 1, start, "sign")
                            elif separator == "-" and pieces[index - 1].isdigit() and piece[:1].isdigit():
                                yield Token("-", start - 1, start, "sign")
                        if not (separator == "'" and index and piece in _ENDINGS):
                            yield from self.parted(Token(piece, start, start + len(piece), "word"))
                        start += len(piece) + 1
                    return
        split = amounts.number_in(text) if text[0].isdigit() else None
        if split and split[1] and not amounts.read([token], [text], 0):
            rest = split[1].lstrip("x-") if split[1][:1] in "x-" else split[1]
            if len(rest) > 1 and (self._lexicon.knows(rest) or gpu_model(rest)):
                cut = len(text) - len(rest)
                yield Token(text[:cut].rstrip("-"), token.start, token.start + cut, "word")
                yield Token(rest, token.start + cut, token.end, "word")
                return
        yield token

    def _unquoted(self, token: Token) -> Iterator[Token]:
        inner = token.text[1:-1].strip()
        offset = token.start + token.text.index(inner, 1) if inner else token.start
        if inner and " " not in inner and _NAME.fullmatch(inner):
            yield Token(inner, offset, offset + len(inner), "quote")
            return
        for part in tokens(inner):
            yield from self.parted(Token(part.text, part.start + offset, part.end + offset, part.sort))

    def is_whole(self, text: str) -> bool:
        return (
            self._names.whole(text) is not None
            or text in UNITS
            or text in number_words()
            or self._lexicon.lists(text)
            or self._lexicon.find((text,), 0) is not None
            or gpu_model(text) is not None
            or looks_like(text) is not None
        )

    def _parts_at(self, separator: str, pieces: Sequence[str]) -> bool:
        if not all(pieces):
            return False
        if separator == "'":
            return True
        known = [self._is_known(piece) for piece in pieces]
        if separator in ":=":
            return known[0] and not all(piece.isdigit() for piece in pieces)
        if separator == "/":
            return all(known) or (
                len(pieces) == 2
                and known[0]
                and pieces[1].isalpha()
                and len(pieces[1]) > 2
                and pieces[0].isalpha()
                and known[1]
            )
        if separator == ",":
            return len(pieces) > 2 or (len(pieces[1]) != 3 and len(pieces[0]) < 2 and len(pieces[1]) == 1 and False)
        if separator == ".":
            return all(known) and all(piece.isalpha() for piece in pieces) and len(pieces[-1]) > 2
        if separator in "+@":
            return all(known)
        if not all(known):
            return False
        first = self._kind_of(pieces[0])
        return first in _PARTING or pieces[0][0].isdigit() or (first == WORKLOAD and separator == "-")

    def _is_known(self, piece: str) -> bool:
        if self.is_whole(piece) or (
            amounts.number_in(piece) is not None
            and (piece.isdigit() or amounts.read([Token(piece, 0, len(piece), "word")], [piece], 0) is not None)
        ):
            return True
        if len(piece) > 2 and any(separator in piece for separator in "-/"):
            return all(part and self._is_known(part) for part in re.split(r"[-/]", piece))
        return piece in PLACES

    def _kind_of(self, piece: str) -> str:
        if self._names.whole(piece):
            return WORKLOAD
        if piece in number_words():
            return Kind.NUMBER
        if gpu_model(piece):
            return Kind.GPU_MODEL
        found = self._lexicon.find((piece,), 0)
        return found[0].kind if found else Kind.UNKNOWN

    def _compound(self, token: Token) -> Iterator[Token]:
        """A German compound without hyphens in its two parts: Zonenausfall, Speicherknoten."""
        word = token.text
        if self._lexicon.language == "de" and len(word) >= _MIN_COMPOUND and not self.is_whole(word):
            for cut in range(len(word) - 3, 2, -1):
                tail = word[cut:]
                if not self._is_noun(tail):
                    continue
                for linking in _LINKING:
                    head = word[: cut - len(linking)]
                    if word[:cut].endswith(linking) and len(head) > 2 and self._is_noun(head):
                        yield Token(head, token.start, token.start + cut, "word")
                        yield Token(tail, token.start + cut, token.end, "word")
                        return
        yield token

    def _is_noun(self, word: str) -> bool:
        if self._names.whole(word) is not None:
            return True
        found = self._lexicon.exactly(word)
        found = found or (self._lexicon.find((word,), 0) or (None,))[0]
        return found is not None and found.kind in _COMPOUNDED
