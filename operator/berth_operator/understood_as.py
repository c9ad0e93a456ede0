"""What the owner of a hinted pod is told: from what was understood to one sentence for each outcome. Pure.

A hint has one or more outcomes. *Understood* or *partly understood* says every wish in a few words, and what was left aside
with what to do about it; *conflict* says which of two wishes counts; *unsatisfiable* which wishes no node can fulfil. Sentences
hang on the hint and the cluster alone, so that pods of one owner share them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from berth_api.reasons import Reason
from berth_intent.intents import STRONG, WEAK
from berth_intent.sentences import insistence, phrase
from berth_intent.understood import Code, Preference, Understood

MAX_WISHES = 8
"""Wishes named in a sentence; the rest is counted."""
MAX_QUOTES = 3
"""Stretches of the text that are quoted as not understood."""
MAX_QUOTE = 60
"""Characters of each."""

_LEFT_ASIDE = frozenset((Code.TOO_LONG, Code.NOT_UNDERSTOOD, Code.UNKNOWN_NAME, Code.AMBIGUOUS_NAME, Code.NO_TARGET))
"""Warnings that mean that some of the text does not count, or not as it was meant."""
LOOK = "see it with: kubectl berth hint"


class Outcome(msgspec.Struct, frozen=True):
    reason: Reason
    sentence: str
    by_model: bool = False
    """A language model read some of it: worth saying though the same outcome was said before."""

    @property
    def is_warning(self) -> bool:
        return self.reason is not Reason.HINT_UNDERSTOOD


def outcomes(
    understood: Understood, *, refused: Sequence[Preference] = (), impossible: Sequence[str] = ()
) -> tuple[Outcome, ...]:
    """refused: wishes that the namespace may not make. impossible: a sentence for each wish that no node can satisfy."""
    counting = [p for p in understood.effective if p not in refused]
    aside = [*_unread(understood), *(f"not allowed in this namespace: {phrase(p)}" for p in refused)]
    guessed = frozenset(understood.preferences[i] for i in understood.by_model) & frozenset(counting)
    said_first = _understood([_wish(p, p in guessed) for p in counting], aside)
    found = [msgspec.structs.replace(said_first, by_model=bool(guessed))]
    conflicts = [w.message for w in understood.warnings if w.code is Code.CONFLICT]
    if conflicts or understood.overruled:
        lost = [phrase(p) for i, p in enumerate(understood.preferences) if i in understood.overruled]
        said = conflicts or [f"overruled by a wish that contradicts it: {each}" for each in lost]
        found.append(_said(Reason.HINT_CONFLICT, f"wishes of the allocation hint contradict each other: {_all(said)}"))
    doubtful = [w.message for w in understood.warnings if w.code is Code.UNSATISFIABLE]
    if impossible or doubtful:
        said = list(dict.fromkeys((*impossible, *doubtful)))
        found.append(_said(Reason.HINT_UNSATISFIABLE, f"the allocation hint cannot be satisfied: {_all(said)}"))
    return tuple(found)


def wish(preference: Preference) -> str:
    """A wish in a few words, with its strength where that is not plain."""
    if WEAK < preference.strength < STRONG:
        return phrase(preference)
    return f"{phrase(preference)} ({insistence(preference.strength)})"


def _wish(preference: Preference, by_model: bool) -> str:
    return f"{wish(preference)} [read by a language model]" if by_model else wish(preference)


def _understood(counting: Sequence[str], aside: Sequence[str]) -> Outcome:
    wishes = _all(counting)
    if aside:
        start = f"of the allocation hint this counts: {wishes}" if counting else "nothing of the allocation hint counts"
        return _said(Reason.HINT_PARTLY_UNDERSTOOD, f"{start}. Left aside: {_all(aside)} ({LOOK})")
    if not counting:
        return _said(Reason.HINT_UNDERSTOOD, f"the allocation hint wishes for no place in particular ({LOOK})")
    return _said(Reason.HINT_UNDERSTOOD, f"the allocation hint is understood as: {wishes}")


def _unread(understood: Understood) -> Iterable[str]:
    for stretch in understood.unparsed[:MAX_QUOTES]:
        yield f'"{_shortened(stretch)}" was not understood'
    if len(understood.unparsed) > MAX_QUOTES:
        yield f"{len(understood.unparsed) - MAX_QUOTES} more stretches of it"
    for warning in understood.warnings:
        told_already = warning.code is Code.NOT_UNDERSTOOD and understood.unparsed
        if warning.code in _LEFT_ASIDE and not told_already:
            yield warning.message


def _said(reason: Reason, sentence: str) -> Outcome:
    return Outcome(reason, _shown(sentence))


def _all(parts: Sequence[str]) -> str:
    more = len(parts) - MAX_WISHES
    return "; ".join(parts[:MAX_WISHES]) + (f"; and {more} more" if more > 0 else "")


def _shortened(text: str) -> str:
    shown = _shown(text)
    return shown if len(shown) <= MAX_QUOTE else shown[: MAX_QUOTE - 3] + "..."


def _shown(text: str) -> str:
    """On one line and without what a terminal would obey: names and quotes in it are a tenant's."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
