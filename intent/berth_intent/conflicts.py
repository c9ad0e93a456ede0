"""Wishes that contradict each other: which of two counts.

By strength, then by how specific they are (node before rack before zone before region), then the last word. Works on any list
of preferences, whoever read them. One loser still counts, after the winner: pods that must spread over zones and would rather be
together are one group in each zone. Cost: quadratic in preferences, of which a hint has few; only the first `MAX_COMPARED` are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from berth_intent.intents import AVOID_PLACES, PREFER_PLACES, SPREAD, Intent, Level
from berth_intent.understood import Code, HintWarning, Preference

MAX_COMPARED = 64

_NARROWNESS = {Level.NODE: 3, Level.RACK: 2, Level.ZONE: 1, Level.REGION: 0}
_LEVEL_OF = {
    **{intent: level for table in (PREFER_PLACES, AVOID_PLACES, SPREAD) for level, intent in table.items()},
    Intent.PREFER_COLOCATE_SAME_DEPLOYMENT: Level.NODE,
    Intent.PREFER_COLOCATE_DEPLOYMENTS: Level.NODE,
}
_OPPOSITES = (
    (Intent.PREFER_GPU_MODEL, Intent.AVOID_GPU_MODEL),
    *((PREFER_PLACES[level], AVOID_PLACES[level]) for level in Level),
)
_ALWAYS = (
    (Intent.PREFER_SPOT, Intent.AVOID_SPOT),
    (Intent.PREFER_GPU, Intent.AVOID_GPU),
    (Intent.PREFER_GPU_MODEL, Intent.AVOID_GPU),
    (Intent.PREFER_LEAST_LOADED, Intent.PREFER_MOST_PACKED),
    *((Intent.PREFER_COLOCATE_SAME_DEPLOYMENT, spread) for spread in SPREAD.values()),
    *((Intent.PREFER_NEARBY_NODES_SAME_DEPLOYMENT, SPREAD[level]) for level in (Level.RACK, Level.ZONE, Level.REGION)),
)
_SPREAD_BEYOND_NODES = tuple(SPREAD[level] for level in (Level.RACK, Level.ZONE, Level.REGION))
_TOGETHER = (Intent.PREFER_COLOCATE_SAME_DEPLOYMENT, Intent.PREFER_NEARBY_NODES_SAME_DEPLOYMENT)


class Conflicts(NamedTuple):
    overruled: frozenset[int]
    warnings: tuple[HintWarning, ...]


def conflicts(preferences: Sequence[Preference]) -> Conflicts:
    overruled: set[int] = set()
    warnings: list[HintWarning] = []
    for second in range(min(len(preferences), MAX_COMPARED)):
        for first in range(second):
            if first in overruled or second in overruled:
                continue
            about = _contradiction(preferences[first], preferences[second])
            if about is None:
                continue
            winner, loser = (
                (second, first) if _counts_more(preferences[second], preferences[first]) else (first, second)
            )
            inside = _leaves_room(preferences[winner], preferences[loser])
            if not inside:
                overruled.add(loser)
            outcome = "counts only within it" if inside else "does not"
            warnings.append(
                HintWarning(
                    Code.CONFLICT,
                    f"{_said(preferences[winner])} counts, {_said(preferences[loser])} {outcome}: {about}.",
                )
            )
    return Conflicts(frozenset(overruled), tuple(warnings))


def _leaves_room(winner: Preference, loser: Preference) -> bool:
    """A stronger spread over larger domains than nodes says nothing about where pods stand inside one."""
    return winner.intent in _SPREAD_BEYOND_NODES and loser.intent in _TOGETHER and winner.strength > loser.strength


def _counts_more(later: Preference, earlier: Preference) -> bool:
    if later.strength != earlier.strength:
        return later.strength > earlier.strength
    return _narrow(later) >= _narrow(earlier)


def _narrow(preference: Preference) -> int:
    level = preference.scope or _LEVEL_OF.get(preference.intent)
    return _NARROWNESS[level] if level is not None else -1


def _said(preference: Preference) -> str:
    names = f" {', '.join(preference.values)}" if preference.values else ""
    quoted = f' ("{preference.text}")' if preference.text else ""
    return f"{preference.intent.value}{names}{quoted}"


def _contradiction(one: Preference, other: Preference) -> str | None:
    """What they contradict each other about; None when they do not."""
    pair = (one.intent, other.intent)
    for first, second in _ALWAYS:
        if pair in ((first, second), (second, first)):
            return "both cannot be had"
    for first, second in _OPPOSITES:
        if pair in ((first, second), (second, first)):
            both = [value for value in one.values if value in other.values]
            return f"{', '.join(both)} is preferred and avoided" if both else None
    return _about_workloads(one, other)


def _about_workloads(one: Preference, other: Preference) -> str | None:
    for near, far in ((one, other), (other, one)):
        if far.intent != Intent.AVOID_DEPLOYMENTS:
            continue
        both = [value for value in near.values if value in far.values]
        if not both:
            continue
        away = far.scope or Level.NODE
        if near.intent == Intent.PREFER_COLOCATE_DEPLOYMENTS:
            return f"{', '.join(both)} is preferred and avoided"
        if near.intent == Intent.PREFER_NEARBY_DEPLOYMENTS and (
            near.scope is not None and _NARROWNESS[near.scope] >= _NARROWNESS[away]
        ):
            return f"{', '.join(both)} is preferred and avoided in one {away.value}"
    return None
