"""Which nodes meet a wish that is enforced: yes or no, where scoring has degrees.

A place, a device, an amount is met or not. Spread is met in an emptiest domain of those that the pod could ever have, full ones
included: a pod that must be spread waits rather than doubling up. The first pod of a workload that must stand together meets it
everywhere; "near" without a scope means the same zone.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from berth_intent.counts import Counts
from berth_intent.intents import Intent, Level
from berth_intent.node_wishes import ABOUT_NODES, of_node
from berth_intent.placement_wishes import SPREAD_LEVEL, excess
from berth_intent.places import Places, Rows
from berth_intent.present import Present
from berth_intent.understood import Preference

Mask = npt.NDArray[np.bool_]

MET = 1.0 - 1e-9


def meets(preference: Preference, places: Places, present: Present, rows: Rows, could: Rows) -> Mask:
    """bool [rows]. could: rows of the nodes that the pod could have if they were empty."""
    intent = preference.intent
    if intent in ABOUT_NODES:
        return np.asarray(of_node(preference, places, present.model)[rows] >= MET)
    if intent in SPREAD_LEVEL:
        return np.asarray(excess(SPREAD_LEVEL[intent], present, rows, could) == 0)
    match intent:
        case Intent.PREFER_COLOCATE_SAME_DEPLOYMENT:
            return _beside((present.own,), Level.NODE, rows) | (present.own.total == 0)
        case Intent.PREFER_NEARBY_NODES_SAME_DEPLOYMENT:
            return _beside((present.own,), Level.ZONE, rows) | (present.own.total == 0)
        case Intent.PREFER_COLOCATE_DEPLOYMENTS | Intent.PREFER_NEARBY_DEPLOYMENTS:
            near = intent is Intent.PREFER_NEARBY_DEPLOYMENTS
            level = preference.scope or (Level.ZONE if near else Level.NODE)
            met = np.ones(len(rows), np.bool_)
            for name in preference.values:
                met &= _beside(present.others(name), level, rows)
            return met
        case Intent.AVOID_DEPLOYMENTS:
            clear = np.ones(len(rows), np.bool_)
            for name in preference.values:
                clear &= ~_beside(present.others(name), preference.scope or Level.NODE, rows)
            return clear
    return np.ones(len(rows), np.bool_)


def _beside(workloads: tuple[Counts, ...], level: Level, rows: Rows) -> Mask:
    found = np.zeros(len(rows), np.bool_)
    for counts in workloads:
        found |= counts.around(level, rows) > 0
    return found
