"""A language's words, compiled for looking up: the longest phrase that begins here, and the word that a typo meant.

Phrases are found by their first word, then compared word by word, longest first; stems by the beginnings of a word. Typos by
the words that are left when a letter is deleted (as SymSpell does), then by their distance. Looking a word up costs about a
microsecond, a typo ten; compiling a language 40 ms, once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache

from berth_intent.language.kinds import Kind
from berth_intent.language.lexicon import (
    english,
    english_mood,
    english_nouns,
    german,
    german_mood,
    german_nouns,
    ordinary,
    spanish,
    spanish_mood,
    spanish_nouns,
    technical,
)
from berth_intent.language.lexicon.distance import deletions, distance, tolerated
from berth_intent.language.lexicon.terms import Meaning, Terms, meaning, phrases

MAX_SOUNDED = 4
"""Unknown words that are compared with the words of each language."""
Entry = tuple[tuple[str, ...], Meaning]


class _Beginning:
    """What a first word may begin: by the word after it, the one after a gap, else where a stem comes next."""

    __slots__ = ("alone", "following", "gaps", "loose")

    def __init__(self) -> None:
        self.alone: Meaning | None = None
        self.following: dict[str, list[Entry]] = {}
        self.gaps: dict[str, list[Entry]] = {}
        self.loose: list[Entry] = []

    def add(self, rest: tuple[str, ...], meant: Meaning) -> None:
        if not rest:
            self.alone = meant
        elif rest[0].endswith("*") or (rest[0] == GAP and rest[1].endswith("*")):
            self.loose.append((rest, meant))
        elif rest[0] == GAP:
            self.gaps.setdefault(rest[1], []).append((rest, meant))
        else:
            self.following.setdefault(rest[0], []).append((rest, meant))


MIN_STEM, MAX_STEM = 3, 20
GAP = "~"
MAX_GAP = 3
"""Small words that may stand in the gap of a phrase."""
_SMALL = frozenset(
    [
        "a",
        "an",
        "any",
        "all",
        "of",
        "the",
        "my",
        "your",
        "our",
        "us",
        "it",
        "me",
        "them",
        "this",
        "these",
        "those",
        "that",
        "which",
        "is",
        "are",
        "pods",
        "replicas",
        "everything",
        "far",
        "well",
        "right",
        "very",
        "really",
        "also",
        "then",
        "rather",
        "actually",
        "even",
        "strictly",
        "necessarily",
        "specifically",
        "so",
        "super",
        "quite",
        "absolutely",
        "terribly",
        "real",
        "particular",
        "special",
        "specific",
        "strong",
        "placement",
        "out",
        "evenly",
        "already",
        "being",
        "network",
        "access",
        "round",
        "trip",
        "possible",
        "as",
        "every",
        "too",
        "re",
        "another",
        "services",
        "lo",
        "la",
        "los",
        "las",
        "nos",
        "esto",
        "este",
        "servicio",
        "nuestros",
        "muy",
        "de",
        "red",
        "un",
        "una",
        "posible",
        "mis",
        "sus",
        "uns",
        "sie",
        "es",
        "ihn",
        "die",
        "den",
        "dienst",
        "pod",
        "dies",
        "das",
        "diesen",
        "der",
        "dem",
        "alle",
        "unsere",
        "möglichst",
        "sehr",
        "ganz",
        "so",
        "weit",
    ]
)
_NEVER_MEANT = frozenset((Kind.FILLER, Kind.NOISE, Kind.PAST, Kind.COMMAND))
"""Kinds that a typo is not corrected to: they carry no wish."""
_OWN_KINDS = frozenset((Kind.NOISE, Kind.PAST))
"""Kinds that are not borrowed from English: who mixes languages borrows the words for what is wished."""
_ENDINGS = {"en": ("",), "es": ("a", "ar", "e", "en", "an", "er", "ir", "o", "iblemente"), "de": ("e", "en", "t", "st")}
"""Of the forms of a stem that typos are corrected to."""
_BY_LANGUAGE: dict[str, tuple[tuple[Terms, ...], ...]] = {
    "en": (english_mood.WORDS, english.WORDS, english_nouns.WORDS),
    "es": (spanish_mood.WORDS, spanish.WORDS, spanish_nouns.WORDS),
    "de": (german_mood.WORDS, german.WORDS, german_nouns.WORDS),
}


class Lexicon:
    """Of one language, with the technical words, and the English ones where its own leave a word open."""

    def __init__(self, language: str, layers: Iterable[tuple[Terms, ...]], ordinary_words: frozenset[str]) -> None:
        self.language = language
        self._exact: dict[str, _Beginning] = {}
        self._stems: dict[str, _Beginning] = {}
        self._declared: set[tuple[str, tuple[str, ...]]] = set()
        self._words: set[str] = set()
        self._targets: set[str] = set()
        self._meant: dict[str, list[str]] = {}
        self._ordinary = ordinary_words
        for layer in layers:
            for terms in layer:
                self._add(terms)

    def _add(self, terms: Terms) -> None:
        meant = meaning(terms)
        for words in phrases(terms):
            first, rest = words[0], words[1:]
            index, key = (self._stems, first[:-1]) if first.endswith("*") else (self._exact, first)
            if (first, rest) not in self._declared:
                self._declared.add((first, rest))
                index.setdefault(key, _Beginning()).add(rest, meant)
            for word in words:
                if word == GAP:
                    continue
                if not word.endswith("*"):
                    self._add_word(word, terms.kind)
                elif terms.verb or terms.kind == Kind.MODAL:
                    for ending in _ENDINGS[self.language]:
                        self._add_word(word[:-1] + ending, terms.kind)

    def _add_word(self, word: str, kind: str) -> None:
        self._words.add(word)
        if kind not in _NEVER_MEANT and word not in self._targets and len(word) >= 4 and word.isalpha():
            self._targets.add(word)
            for shorter in deletions(word):
                targets = self._meant.setdefault(shorter, [])
                if word not in targets:
                    targets.append(word)

    def find(self, words: Sequence[str], at: int) -> tuple[Meaning, int] | None:
        """What the longest phrase from this word on means, and of how many words it is."""
        beginning = self._exact.get(words[at])
        if beginning is not None:
            found = _longest(beginning, words, at)
            if found is not None:
                return found
        word = words[at]
        if self._stems and len(word) >= MIN_STEM and word.isalpha():
            for size in range(min(len(word), MAX_STEM), MIN_STEM - 1, -1):
                beginning = self._stems.get(word[:size])
                if beginning is not None:
                    found = _longest(beginning, words, at)
                    if found is not None:
                        return found
        return None

    def exactly(self, word: str) -> Meaning | None:
        """What the word alone means, stems left out."""
        beginning = self._exact.get(word)
        return beginning.alone if beginning is not None else None

    def lists(self, word: str) -> bool:
        """It is a word of some phrase."""
        return word in self._words

    def knows(self, word: str) -> bool:
        return word in self._words or self.find((word,), 0) is not None

    def comes_near(self, word: str) -> bool:
        """It is a word of this language, a typo of one, or a compound that begins with one."""
        return (
            self.knows(word)
            or self.meant(word) is not None
            or any(word[:size] in self._words for size in range(len(word) - 3, 4, -1))
        )

    def meant(self, word: str) -> str | None:
        """The word that this one, which is unknown, was to be; None when no word is near, or it is an ordinary one."""
        reach = tolerated(word)
        if not reach or word in self._ordinary:
            return None
        best: tuple[int, int, str] | None = None
        for shorter in deletions(word):
            for candidate in self._meant.get(shorter, ()):
                apart = distance(word, candidate)
                if apart <= min(reach, tolerated(candidate)) and (
                    len(word) > 4 or len(candidate) > 4 or sorted(word) == sorted(candidate)
                ):
                    ranked = (apart, -len(candidate), candidate)  # letters are left out more often than replaced
                    if best is None or ranked < best:
                        best = ranked
        return best[2] if best else None


def _longest(beginning: _Beginning, words: Sequence[str], at: int) -> tuple[Meaning, int] | None:
    best = (beginning.alone, 1) if beginning.alone is not None else None
    behind = words[at + 1 : at + 2 + MAX_GAP]
    candidates = [*beginning.following.get(behind[0], ()), *beginning.loose] if behind else []
    if beginning.gaps:
        for word in behind:
            candidates += beginning.gaps.get(word, ())
    for rest, meant in candidates:
        size = _size(rest, words, at + 1)
        if size and (best is None or size + 1 > best[1]):
            best = meant, size + 1
    return best


def _size(rest: tuple[str, ...], words: Sequence[str], at: int) -> int:
    """Of how many words the rest of the phrase is here; 0 when it is not here."""
    cursor = at
    gap = False
    for word in rest:
        if word == GAP:
            gap = True
            continue
        skipped = 0
        while True:
            if cursor >= len(words):
                return 0
            here = words[cursor]
            if here == word or (word[-1] == "*" and here.startswith(word[:-1])):
                break
            if not gap or skipped == MAX_GAP or here not in _SMALL:
                return 0
            cursor, skipped = cursor + 1, skipped + 1
        cursor, gap = cursor + 1, False
    return cursor - at


@cache
def lexicon(language: str) -> Lexicon:
    own = _BY_LANGUAGE[language]
    layers = [*own, technical.WORDS]
    if language != "en":
        layers += [tuple(terms for terms in layer if terms.kind not in _OWN_KINDS) for layer in _BY_LANGUAGE["en"]]
    return Lexicon(language, layers, ordinary.WORDS)


@cache
def _own_words() -> dict[str, frozenset[str]]:
    """Words that only one language declares, alone or in a phrase."""
    declared = {
        language: {word for layer in layers for terms in layer for words in phrases(terms) for word in words}
        for language, layers in _BY_LANGUAGE.items()
    }
    shared = {words[0] for terms in technical.WORDS for words in phrases(terms) if len(words) == 1}
    return {
        language: frozenset(words - shared - set().union(*(w for other, w in declared.items() if other != language)))
        for language, words in declared.items()
    }


@cache
def _own_alone() -> dict[str, frozenset[str]]:
    """Those of the own words that are declared by themselves: they tell the language better than parts of phrases."""
    alone = {
        language: {words[0] for layer in layers for terms in layer for words in phrases(terms) if len(words) == 1}
        for language, layers in _BY_LANGUAGE.items()
    }
    return {language: words & alone[language] for language, words in _own_words().items()}


@cache
def _own_stems() -> dict[str, tuple[str, ...]]:
    return {
        language: tuple(sorted({word[:-1] for word in words if word.endswith("*") and len(word) > 4}))
        for language, words in _own_words().items()
    }


def language_of(words: Sequence[str], otherwise: str = "en") -> str:
    """The language whose own words are most; when no word tells, the one that the words come nearest to, else `otherwise`."""
    own, alone, stems = _own_words(), _own_alone(), _own_stems()
    score = dict.fromkeys(own, 0)
    for word in words:
        for language, known in own.items():
            if word in known:
                score[language] += 3 if word in alone[language] else 1
            elif len(word) > 3 and stems[language] and word.startswith(stems[language]):
                score[language] += 1
    if not any(score.values()):
        unknown = [word for word in words if len(word) > 4 and not lexicon(otherwise).knows(word)][:MAX_SOUNDED]
        score = {language: sum(lexicon(language).comes_near(word) for word in unknown) for language in own}
    best = max(score.values())
    if not best or score[otherwise] == best:
        return otherwise
    return next(language for language, points in score.items() if points == best)
