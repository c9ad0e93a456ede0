"""What hints mean in this cluster: each text read once, and again when the cluster's names have changed.

A text that is seen first is read on the spot, within the request: well under a millisecond. The names of nodes, places and
workloads that it is read with are looked through anew between requests, at most every `RENEW_SECONDS`; a name that is newer than
that stands as written, which finds a workload of that name all the same.

Cost: 10 ms at 5,000 nodes when names change; a remembered hint 2 KB.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable, Iterable

from berth_intent.parser import parse
from berth_intent.places import Places
from berth_intent.terms import HintTerms, Reading, reading_of
from berth_intent.understood import Understood
from berth_intent.vocabulary import Vocabulary
from berth_intent.vocabulary_of import vocabulary_of

RENEW_SECONDS = 10.0
"""Names are not looked through more often."""
MAX_TEXTS = 4_096
"""Hints that are remembered; beyond that the one that was not asked for longest goes."""

ANY_TEXT = "spread over zones"
"""Read once with new names, between requests: a parser prepares its lexicon and the names with its first text (70 ms)."""

logger = logging.getLogger(__name__)

Parse = Callable[[str, Vocabulary], Understood]
Improved = Callable[[str, Vocabulary], Understood | None]
"""A better reading of a text than the parser's, where there is one; must answer at once. Asked where terms allow it."""


def no_better(text: str, vocabulary: Vocabulary) -> Understood | None:
    return None


class Understanding:
    def __init__(
        self,
        places: Places,
        names: Callable[[], Iterable[str]],
        changed: Callable[[], int],
        clock: Callable[[], float],
        read: Parse = parse,
    ) -> None:
        """names: of workloads. changed: a number that is another one when they have changed."""
        self.improved: Improved = no_better
        self._places = places
        self._names = names
        self._changed = changed
        self._clock = clock
        self._read = read
        self._vocabulary: Vocabulary | None = None
        self._made_of: tuple[int, int] = (-1, -1)
        self._made_at = 0.0
        self._kept: OrderedDict[tuple[str, HintTerms], Reading] = OrderedDict()

    def of(self, text: str, terms: HintTerms) -> Reading:
        """What counts of a hint."""
        key = (text, terms)
        found = self._kept.get(key)
        if found is None:
            if self._vocabulary is None:
                self._renew()
            vocabulary = self.vocabulary
            better = self.improved(text, vocabulary) if terms.language_model else None
            understood = better or self._understood(text, vocabulary)
            found = self._kept[key] = reading_of(understood, terms)
            if len(self._kept) > MAX_TEXTS:
                self._kept.popitem(last=False)
        else:
            self._kept.move_to_end(key)
        return found

    def _understood(self, text: str, vocabulary: Vocabulary) -> Understood:
        """A text that breaks the parser wishes nothing: its pod must be judged like any other, by what plans keep above all."""
        try:
            return self._read(text, vocabulary)
        except Exception:
            logger.exception("a hint of %d characters could not be read and counts for nothing", len(text))
            return Understood()

    @property
    def vocabulary(self) -> Vocabulary:
        return self._vocabulary or Vocabulary()

    def forget(self) -> None:
        """Readings are made anew: better ones may have come."""
        self._kept.clear()

    def tend(self) -> None:
        """To be called between requests, about once a second."""
        if self._made_of == (self._places.version, self._changed()):
            return
        if self._vocabulary is not None and self._clock() - self._made_at < RENEW_SECONDS:
            return
        if self._renew():
            self._read(ANY_TEXT, self.vocabulary)

    def _renew(self) -> bool:
        """Whether any name is another one."""
        self._made_of = (self._places.version, self._changed())
        self._made_at = self._clock()
        facts = (facts for facts in self._places.facts if facts is not None)
        made = vocabulary_of(facts, self._names())
        if made == self._vocabulary:
            return False
        self._vocabulary = made
        self._kept.clear()
        return True
