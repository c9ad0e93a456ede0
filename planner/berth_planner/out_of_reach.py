"""Wishes that no node of the cluster can satisfy, each with a sentence that says so.

Whether a node is free is not asked, only what it is. Wishes about other pods are never out of reach, for pods come and go; a
spread is where there is only one domain to spread over. Cost: what `node_wishes` keeps anyway.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from berth_intent.intents import SPREAD, WITH_VALUES, Intent
from berth_intent.node_wishes import ABOUT_NODES, of_node
from berth_intent.places import Places
from berth_intent.sentences import phrase
from berth_intent.understood import Preference

ENOUGH = 1.0 - 1e-9

_LEVELS = {intent: level for level, intent in SPREAD.items()}
_UNKNOWN_HERE = frozenset((Intent.PREFER_CACHED_MODEL,))
"""Depends on the model that the pod serves."""


def out_of_reach(preferences: Iterable[Preference], places: Places) -> Iterator[str]:
    """Without nodes there is nothing to say."""
    if not places.rows:
        return
    for preference in preferences:
        if preference.intent in _LEVELS:
            level = _LEVELS[preference.intent]
            if _domains(places, preference) < 2:
                yield f'"{phrase(preference)}" asks for more than the cluster has: one {level}'
        elif preference.intent in ABOUT_NODES and preference.intent not in _UNKNOWN_HERE:
            best = float(of_node(preference, places).max())
            if best < (ENOUGH if _is_definite(preference) else 1e-9):
                yield f'no node satisfies "{phrase(preference)}"{_nearest(preference, best)}'


def _is_definite(preference: Preference) -> bool:
    """It names what it wants; a quality (fast, large) is satisfied by whatever there is."""
    return preference.amount is not None or preference.intent in WITH_VALUES


def _nearest(preference: Preference, best: float) -> str:
    return f"; the largest come to {best:.0%} of it" if preference.amount is not None and best > 0 else ""


def _domains(places: Places, preference: Preference) -> int:
    level = _LEVELS[preference.intent]
    domains = places.domains(level)
    return len(places.rows) if domains is None else len(places.columns[level].present())
