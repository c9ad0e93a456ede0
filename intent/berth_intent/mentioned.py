"""Which names of a cluster a text may mean: those that go to a language model with it, and that its answer hangs on.

A cluster has thousands of names, and most are other people's. Regions, zones and GPU models are few and all count; racks and
nodes count when the text has the end of their name ("rack 3", "m02"), workloads when they share a word with it, or nearly; all
of them when it has their whole name. So an
answer stays good while workloads come and go that it does not speak of, little is sent, and nobody learns names he did not write.

Cost: 20 ms to prepare 10,000 names, once a vocabulary; a text some 30 us.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from hashlib import blake2b

import msgspec

from berth_intent.language.lexicon.numbers import number_words
from berth_intent.language.normalise import fold
from berth_intent.vocabulary import Vocabulary

MAX_OF_FEW = 64
"""Regions, zones and GPU models that always count."""
MAX_MENTIONED = 32
"""Racks, nodes or workloads of one text; a word that more workloads than this share tells nothing."""
MAX_VOCABULARIES = 4
NEAR_LETTERS = 4
"""A word of a workload's name is nearly another that begins with the same letters and is a little longer or shorter."""
NEAR_LENGTH = 2
SHORTEST_WORD = 2

_NAME = re.compile(r"[a-z0-9][a-z0-9.-]*[a-z0-9]|[a-z0-9]")
_RUN = re.compile(r"[a-z0-9]+")
_SUB_RUN = re.compile(r"[a-z]+|\d+")
_ONES = {"one": "1", "eins": "1", "uno": "1"}


class Words:
    """Of a text: runs of letters and digits, numbers also when written as words."""

    def __init__(self, text: str) -> None:
        runs = _RUN.findall(fold(text))
        found = set(runs)
        for run in runs:
            found.update(_plain(part) for part in _SUB_RUN.findall(run))
            number = number_words().get(run)
            if number is not None and number == int(number):
                found.add(str(int(number)))
            if run in _ONES:
                found.add(_ONES[run])
        self.all = frozenset(found)
        self._runs = tuple(runs)
        self._near = {word[:NEAR_LETTERS]: len(word) for word in runs if len(word) > NEAR_LETTERS}

    def end(self, name: str) -> bool:
        """The text has the end of the name: 1a of us-east-1a, 3 of rack-3."""
        words = words_of(name)
        return bool(words) and words[-1] in self.all

    def share(self, name: str) -> bool:
        """The text has a word of the name, or nearly."""
        return any(word in self.all or self.nearly(word) for word in _telling(name))

    def begins(self, word: str) -> bool:
        """Some word of the text begins so: h100 and "H100s"."""
        return any(run.startswith(word) for run in self._runs)

    def nearly(self, word: str) -> bool:
        length = self._near.get(word[:NEAR_LETTERS]) if len(word) > NEAR_LETTERS else None
        return length is not None and abs(length - len(word)) <= NEAR_LENGTH

    @property
    def beginnings(self) -> Iterable[str]:
        return self._near


class Mentioned:
    """Prepared for one vocabulary."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self._racks = _index(vocabulary.racks, _end)
        self._nodes = _index(vocabulary.nodes, _end)
        self._workloads = _index(vocabulary.deployments, _telling)
        self._near = _index(vocabulary.deployments, _beginnings)
        self._whole = {kind: frozenset(getattr(vocabulary, kind)) for kind in ("racks", "nodes", "deployments")}

    def of(self, text: str) -> Vocabulary:
        words, whole = Words(text), self.vocabulary
        zones = whole.zones[:MAX_OF_FEW]
        named = _NAME.findall(fold(text))
        workloads = _found(self._workloads, words.all, generic=True)
        for name in _found(self._near, words.beginnings, generic=True):
            if words.share(name):
                workloads.setdefault(name)
        return Vocabulary(
            regions=whole.regions[:MAX_OF_FEW],
            zones=zones,
            racks=_some(self._whole["racks"].intersection(named), _found(self._racks, words.all)),
            nodes=_some(self._whole["nodes"].intersection(named), _found(self._nodes, words.all)),
            deployments=_some(self._whole["deployments"].intersection(named), workloads),
            gpu_models=whole.gpu_models[:MAX_OF_FEW],
            zone_regions={zone: whole.zone_regions[zone] for zone in zones if zone in whole.zone_regions},
        )


class MentionedNames:
    """Remembers the vocabularies that were asked for last, by identity: they are immutable and made anew seldom."""

    def __init__(self) -> None:
        self._kept: OrderedDict[int, Mentioned] = OrderedDict()

    def of(self, text: str, vocabulary: Vocabulary) -> Vocabulary:
        found = self._kept.get(id(vocabulary))
        if found is None or found.vocabulary is not vocabulary:
            found = self._kept[id(vocabulary)] = Mentioned(vocabulary)
            while len(self._kept) > MAX_VOCABULARIES:
                self._kept.popitem(last=False)
        return found.of(text)


def words_of(name: str) -> Sequence[str]:
    return [_plain(run) for run in _RUN.findall(name.lower())]


def fingerprint(names: Vocabulary) -> str:
    """Of names that were mentioned, in their order."""
    return blake2b(msgspec.json.encode(names, order="deterministic"), digest_size=8).hexdigest()


def _plain(run: str) -> str:
    return run.lstrip("0") or "0" if run.isdigit() else run


def _end(name: str) -> Sequence[str]:
    return words_of(name)[-1:]


def _telling(name: str) -> Sequence[str]:
    """Numbers are in too many names to tell one."""
    return [word for word in words_of(name) if len(word) >= SHORTEST_WORD and not word.isdigit()]


def _beginnings(name: str) -> Sequence[str]:
    return [word[:NEAR_LETTERS] for word in words_of(name) if len(word) > NEAR_LETTERS]


def _index(names: Iterable[str], by: Callable[[str], Sequence[str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name in names:
        for word in dict.fromkeys(by(name)):
            found.setdefault(word, []).append(name)
    return found


def _found(index: dict[str, list[str]], words: Iterable[str], *, generic: bool = False) -> dict[str, None]:
    """generic: leave words out that too many share."""
    found: dict[str, None] = {}
    for word in words:
        names = index.get(word, ())
        if not (generic and len(names) > MAX_MENTIONED):
            found.update(dict.fromkeys(names))
    return found


def _some(whole: Iterable[str], others: Iterable[str]) -> tuple[str, ...]:
    """Sorted; those that stand in the text as a whole before the others where there is no room for all."""
    return tuple(sorted(list(dict.fromkeys((*sorted(whole), *sorted(others))))[:MAX_MENTIONED]))
