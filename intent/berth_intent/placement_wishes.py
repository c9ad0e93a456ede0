"""How far nodes satisfy wishes about who else stands where: spread, together, near, away, loaded and packed.

Spread is judged by the skew after placement, togetherness and nearness by distance, avoidance by how many are there. `among`
are the nodes that the pod could have: an emptiest zone that it could not enter anyway is no measure.

Cost: 20 to 60 us a wish at 5,000 nodes, from counts that are kept and never recounted.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from berth_intent.counts import Counts, Numbers
from berth_intent.intents import SPREAD, Intent, Level
from berth_intent.node_wishes import NEAR
from berth_intent.places import Places, Rows, Shares
from berth_intent.present import Present
from berth_intent.understood import Preference

CROWDED = 0.1
"""What is left of an avoidance beside one pod of the avoided workload; beside k of them a k-th of it."""
NEAR_SIBLINGS = {Level.RACK: 1.0, Level.ZONE: 0.5, Level.REGION: 0.2}
"""Near one's own workload: nothing is gained by stacking on one node."""
NEAR_OTHERS = {Level.NODE: 1.0, Level.RACK: 0.8, Level.ZONE: 0.4, Level.REGION: 0.1}
"""Near another workload, when no scope was said."""
TO_COME = 16
"""Siblings that a first pod makes room for: a controller creates its pods one, two, four at a time, so few are known of yet."""
BESIDE = 0.5
"""Least of a node that holds some pods of the workload, where all were to be on one."""

_BROADER = (Level.NODE, Level.RACK, Level.ZONE, Level.REGION)
SPREAD_LEVEL = {intent: level for level, intent in SPREAD.items()}

ABOUT_PLACEMENT = frozenset(
    (
        *SPREAD_LEVEL,
        Intent.PREFER_COLOCATE_SAME_DEPLOYMENT,
        Intent.PREFER_NEARBY_NODES_SAME_DEPLOYMENT,
        Intent.PREFER_COLOCATE_DEPLOYMENTS,
        Intent.PREFER_NEARBY_DEPLOYMENTS,
        Intent.AVOID_DEPLOYMENTS,
        Intent.PREFER_LEAST_LOADED,
        Intent.PREFER_MOST_PACKED,
    )
)


def of_placement(preference: Preference, places: Places, present: Present, rows: Rows, among: Rows) -> Shares:
    """float64 [rows], 0 to 1."""
    intent = preference.intent
    if intent in SPREAD_LEVEL:
        return _evenness(SPREAD_LEVEL[intent], present, rows, among)
    match intent:
        case Intent.PREFER_COLOCATE_SAME_DEPLOYMENT:
            return _together(present, rows, among)
        case Intent.PREFER_NEARBY_NODES_SAME_DEPLOYMENT:
            return _near_siblings(places, present, rows, among)
        case Intent.PREFER_LEAST_LOADED | Intent.PREFER_MOST_PACKED:
            if present.load is None:
                return np.ones(len(rows))
            load = np.clip(present.load(rows), 0.0, 1.0)
            return load if intent is Intent.PREFER_MOST_PACKED else 1.0 - load
        case Intent.AVOID_DEPLOYMENTS:
            return _away(preference, present, rows)
    ladder = ladder_of(preference)
    shares = [_nearest(present.others(name), ladder, rows) for name in preference.values]
    mean: Shares = np.mean(shares, axis=0) if shares else np.zeros(len(rows))
    return mean


def excess(level: Level, present: Present, rows: Rows, among: Rows) -> Numbers:
    """int64 [rows]: how many pods of the workload more the row's domain has than the emptiest one it could have."""
    least = present.own.around(level, among).min() if len(among) else 0
    more: Numbers = np.maximum(present.own.around(level, rows) - least, 0)
    return more


def ladder_of(preference: Preference) -> dict[Level, float]:
    """What being in the same domain as another workload is worth, the narrowest level first."""
    if preference.intent is Intent.PREFER_NEARBY_DEPLOYMENTS and preference.scope is None:
        return NEAR_OTHERS
    asked = _BROADER.index(preference.scope or Level.NODE)
    return {level: NEAR[i] for i, level in enumerate(_BROADER[asked:])}


def _evenness(level: Level, present: Present, rows: Rows, among: Rows) -> Shares:
    more: Shares = excess(level, present, rows, among).astype(np.float64)
    return np.reciprocal(1.0 + more)


def _together(present: Present, rows: Rows, among: Rows) -> Shares:
    """Beside the most siblings; where there are none yet, or no room beside them, where room is for those to come."""
    room = np.ones(len(rows))
    if present.fits is not None:
        fits = present.fits(rows)
        most = (fits if among is rows else present.fits(among)).max(initial=1.0)
        to_come = max(present.missing, min(TO_COME, most))
        room = np.minimum(fits / to_come, 1.0)
    own = present.own
    if not own.total:
        return room
    here = own.around(Level.NODE, rows)
    beside = BESIDE + (1.0 - BESIDE) * here / max(own.on.values())
    ladder = {level: NEAR[i + 1] for i, level in enumerate(_BROADER[1:])}
    spilled = _nearest((own,), ladder, rows) * (0.5 + 0.5 * room)
    shares: Shares = np.where(here > 0, beside, spilled)
    return shares


def _near_siblings(places: Places, present: Present, rows: Rows, among: Rows) -> Shares:
    """How near to its siblings on the average; the first goes where a rack has room for those to come."""
    own = present.own
    if own.total:
        shares = np.zeros(len(rows))
        inner = np.zeros(len(rows), np.int64)
        for level, worth in NEAR_SIBLINGS.items():
            around = own.around(level, rows)
            shares += worth * (around - inner)
            inner = around
        return shares / own.total
    racks = places.domains(Level.RACK)
    if present.fits is None or racks is None:
        return np.ones(len(rows))
    room = np.bincount(racks[among], weights=present.fits(among), minlength=places.domain_count(Level.RACK))
    ample: Shares = np.minimum(room[racks[rows]] / max(present.missing, 1), 1.0)
    return ample


def _nearest(workloads: Sequence[Counts], ladder: dict[Level, float], rows: Rows) -> Shares:
    """The worth of the narrowest domain in which some pod of the workloads is."""
    shares = np.zeros(len(rows))
    for level, worth in reversed(ladder.items()):
        for counts in workloads:
            if counts.total:
                shares[counts.around(level, rows) > 0] = worth
    return shares


def _away(preference: Preference, present: Present, rows: Rows) -> Shares:
    level = preference.scope or Level.NODE
    there = np.zeros(len(rows), np.int64)
    for name in preference.values:
        for counts in present.others(name):
            there += counts.around(level, rows)
    shares: Shares = np.where(there > 0, CROWDED / np.maximum(there, 1), 1.0)
    return shares
