"""Which wishes of a hint count: what the cluster's owner allows, how many, and whether strong ones are enforced."""

from __future__ import annotations

import msgspec

from berth_intent.intents import STRONG, Intent
from berth_intent.understood import Preference, Understood

MAX_PREFERENCES = 16
"""Wishes of one hint that count, where nobody says otherwise."""

_NOT_ENFORCEABLE = frozenset((Intent.PREFER_LEAST_LOADED, Intent.PREFER_MOST_PACKED, Intent.PREFER_CACHED_MODEL))


class HintTerms(msgspec.Struct, frozen=True):
    """What holds for the hints of one pod."""

    enabled: bool = True
    allowed: frozenset[str] | None = None
    """None: all intents."""
    enforces_strong: bool = False
    max_preferences: int = MAX_PREFERENCES
    language_model: bool = False
    """What a language model read counts as well."""


ANYTHING = HintTerms()


class Reading(msgspec.Struct, frozen=True):
    understood: Understood
    counting: tuple[Preference, ...] = ()
    """Wishes that are scored: not overruled, allowed, and few enough."""
    refused: tuple[Preference, ...] = ()
    """Those that the namespace may not make, and those beyond how many count."""
    enforced: tuple[Preference, ...] = ()
    """Those of `counting` that rule nodes out; never one that a language model read."""


def reading_of(understood: Understood, terms: HintTerms = ANYTHING) -> Reading:
    """What counts of a hint under these terms."""
    if not terms.enabled:
        return Reading(understood)
    effective = understood.effective
    allowed = [p for p in effective if terms.allowed is None or p.intent.value in terms.allowed]
    counting = tuple(allowed[: terms.max_preferences])
    refused = tuple(p for p in effective if p not in counting)
    guessed = {understood.preferences[i] for i in understood.by_model}
    may_rule = terms.enforces_strong
    enforced = tuple(p for p in counting if is_enforceable(p) and p not in guessed) if may_rule else ()
    return Reading(understood, counting, refused, enforced)


def is_enforceable(preference: Preference) -> bool:
    """Strong, and either met or not: a quality without a number ("lots of memory") is a matter of degree."""
    if preference.strength < STRONG or preference.intent in _NOT_ENFORCEABLE:
        return False
    return preference.rank is None and not _without_measure(preference)


def _without_measure(preference: Preference) -> bool:
    """How much is not said: a wish for memory is met by any node."""
    about_size = preference.intent in (
        Intent.PREFER_CPU,
        Intent.PREFER_MEMORY_GB,
        Intent.PREFER_EPHEMERAL_STORAGE,
        Intent.PREFER_NETWORK_SPEED,
    )
    return about_size and preference.amount is None
