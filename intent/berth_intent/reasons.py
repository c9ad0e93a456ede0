"""Why a node satisfies a wish as far as it does: one short sentence with what is there."""

from __future__ import annotations

import numpy as np

from berth_intent.counts import Counts
from berth_intent.facts import NodeFacts
from berth_intent.intents import AVOID_PLACES, PREFER_PLACES, Intent, Level
from berth_intent.node_wishes import AMOUNTS
from berth_intent.placement_wishes import SPREAD_LEVEL
from berth_intent.places import Places, Rows
from berth_intent.present import Present
from berth_intent.sentences import listed, number
from berth_intent.understood import Preference

UNKNOWN = "nothing is known of the node"

_UNITS = {
    Intent.PREFER_CPU: "{} cores",
    Intent.PREFER_MEMORY_GB: "{} GB of memory",
    Intent.PREFER_GPU: "{} GPUs",
    Intent.PREFER_TPU: "{} TPU chips",
    Intent.PREFER_EPHEMERAL_STORAGE: "{} GB of ephemeral storage",
    Intent.PREFER_NETWORK_SPEED: "{} Gbps",
}
_NOT_TOLD = {
    Intent.PREFER_NETWORK_SPEED: "no label tells how fast its network is",
    Intent.PREFER_GPU: "it has no GPU",
    Intent.PREFER_TPU: "it has no TPU",
}
_PLACES = {intent: level for table in (PREFER_PLACES, AVOID_PLACES) for level, intent in table.items()}


def reason(preference: Preference, places: Places, present: Present, row: int, among: Rows) -> str:
    """Begins with a small letter, ends without a full stop."""
    facts = places.facts[row]
    if facts is None:
        return UNKNOWN
    level = SPREAD_LEVEL.get(preference.intent)
    if level is not None:
        return _spread(level, places, present, row, among)
    at = np.array([row])
    match preference.intent:
        case Intent.PREFER_COLOCATE_SAME_DEPLOYMENT | Intent.PREFER_NEARBY_NODES_SAME_DEPLOYMENT:
            if not present.own.total:
                room = "" if present.fits is None else f"; the node has room for {int(present.fits(at)[0])}"
                return f"no other pod of the workload runs yet{room}"
            total = present.own.total
            return f"of its {total} other {'pod' if total == 1 else 'pods'} {_where(facts, (present.own,), row)}"
        case Intent.PREFER_COLOCATE_DEPLOYMENTS | Intent.PREFER_NEARBY_DEPLOYMENTS | Intent.AVOID_DEPLOYMENTS:
            told = [_other(name, present.others(name), facts, row) for name in preference.values]
            return "; ".join(told) or "no workload is named"
        case Intent.PREFER_LEAST_LOADED | Intent.PREFER_MOST_PACKED:
            if present.load is None:
                return "its load is not known"
            return f"pods on it ask for {present.load(at)[0]:.0%} of its scarcest resource"
    return _of_node(preference, facts, present.model)


def _of_node(preference: Preference, facts: NodeFacts, model: str) -> str:
    intent = preference.intent
    if intent in _PLACES:
        level = _PLACES[intent]
        name = facts.name if level is Level.NODE else getattr(facts, level.value)
        return f"it is {'' if level is Level.NODE else 'in '}{level} {name}" if name else f"no label tells its {level}"
    if intent in AMOUNTS:
        amount = float(getattr(facts, AMOUNTS[intent]))
        if not amount and intent in _NOT_TOLD:
            return _NOT_TOLD[intent]
        return f"it has {_UNITS[intent].format(number(round(amount, 1)))}"
    match intent:
        case Intent.PREFER_STORAGE_TYPE:
            return (
                f"its storage is {listed(facts.storage_types, 'and')}"
                if facts.storage_types
                else "no label tells its storage"
            )
        case Intent.PREFER_NETWORK_FEATURE:
            has = listed(facts.network_features, "and")
            return f"its network has {has}" if has else "no label or resource tells of such a network"
        case Intent.PREFER_CPU_ARCH:
            return f"its architecture is {facts.arch}" if facts.arch else "no label tells its architecture"
        case Intent.PREFER_GPU_MODEL | Intent.AVOID_GPU_MODEL:
            return f"its GPUs are {facts.gpu_model}" if facts.gpu_model else "no label names a GPU model"
        case Intent.AVOID_GPU:
            return f"it has {facts.gpus} GPUs" if facts.gpus else "it has no GPU"
        case Intent.PREFER_SPOT | Intent.AVOID_SPOT:
            return "it is a spot node" if facts.spot else "it is no spot node"
    if not model:
        return "which model the pod serves is not known: label it berth.dev/model"
    return f"{model} is {'cached there' if model in facts.cached_models else 'not cached there'}"


def _spread(level: Level, places: Places, present: Present, row: int, among: Rows) -> str:
    facts = places.facts[row]
    here = int(present.own.around(level, np.array([row]))[0])
    least = int(present.own.around(level, among).min()) if len(among) else here
    name = (
        "the node" if level is Level.NODE or facts is None else f"{level} {getattr(facts, level.value) or '(no label)'}"
    )
    return f"{name} has {here} other {'pod' if here == 1 else 'pods'} of the workload, the emptiest {level} {least}"


def _other(name: str, workloads: tuple[Counts, ...], facts: NodeFacts, row: int) -> str:
    total = sum(counts.total for counts in workloads)
    if not total:
        return f"no pod of {name} runs"
    return f"of {total} {'pod' if total == 1 else 'pods'} of {name} {_where(facts, workloads, row)}"


def _where(facts: NodeFacts, workloads: tuple[Counts, ...], row: int) -> str:
    """How many are on the node, and in the narrowest domain around it that has any."""
    at = np.array([row])
    found = {level: sum(int(counts.around(level, at)[0]) for counts in workloads) for level in Level}
    if found[Level.NODE]:
        return f"{found[Level.NODE]} on the node"
    for level in (Level.RACK, Level.ZONE, Level.REGION):
        named = getattr(facts, level.value)
        if found[level] and named:
            return f"none on the node, {found[level]} in {level} {named}"
    return "none near the node"
