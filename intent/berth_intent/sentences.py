"""What a preference means, as a short English phrase: for tables, events and reasons. One phrase an intent, whatever the hint's language."""

from __future__ import annotations

from collections.abc import Sequence

from berth_intent.intents import AVOID_PLACES, PREFER_PLACES, SPREAD, STRONG, WEAK, Intent, Level
from berth_intent.understood import Preference

MAX_NAMES = 6
"""Names listed in a phrase; the rest is counted."""

_PREFERRED = {intent: level for level, intent in PREFER_PLACES.items()}
_AVOIDED = {intent: level for level, intent in AVOID_PLACES.items()}
_SPREAD = {intent: level for level, intent in SPREAD.items()}
_INSIDE = {Level.NODE: "on", Level.RACK: "in", Level.ZONE: "in", Level.REGION: "in"}

_PLAIN = {
    Intent.PREFER_COLOCATE_SAME_DEPLOYMENT: "all pods of its workload on one node",
    Intent.PREFER_NEARBY_NODES_SAME_DEPLOYMENT: "pods of its workload close to each other",
    Intent.AVOID_GPU: "on a node without GPUs",
    Intent.PREFER_SPOT: "on a spot node",
    Intent.AVOID_SPOT: "not on a spot node",
    Intent.PREFER_LEAST_LOADED: "on a node with little load",
    Intent.PREFER_MOST_PACKED: "on a node that is in use already, as full as can be",
    Intent.PREFER_CACHED_MODEL: "on a node that has the model cached",
}
_MEASURES = {
    # amount, high, low, neither
    Intent.PREFER_CPU: ("{} or more CPU cores", "many CPU cores", "few CPU cores", "CPU cores to offer"),
    Intent.PREFER_MEMORY_GB: ("{} GB of memory or more", "much memory", "little memory", "memory to offer"),
    Intent.PREFER_GPU: ("{} GPUs or more", "many GPUs", "few GPUs", "GPUs"),
    Intent.PREFER_TPU: ("{} TPU chips or more", "many TPU chips", "few TPU chips", "TPUs"),
    Intent.PREFER_EPHEMERAL_STORAGE: (
        "{} GB of ephemeral storage or more",
        "much ephemeral storage",
        "little ephemeral storage",
        "ephemeral storage to offer",
    ),
    Intent.PREFER_NETWORK_SPEED: ("a network of {} Gbps or more", "a fast network", "a slow network", "a network"),
}
_SINGLE = {Intent.PREFER_CPU: "a CPU core", Intent.PREFER_GPU: "a GPU", Intent.PREFER_TPU: "a TPU chip"}
_KINDS = {
    Intent.PREFER_STORAGE_TYPE: "on a node with storage of type {}",
    Intent.PREFER_NETWORK_FEATURE: "on a node with {} networking",
    Intent.PREFER_CPU_ARCH: "on a node of architecture {}",
    Intent.PREFER_GPU_MODEL: "on a node with GPU model {}",
    Intent.AVOID_GPU_MODEL: "not on a node with GPU model {}",
}


def phrase(preference: Preference) -> str:
    """As in "in zone us-east-1a or us-east-1b", "on a node with 64 GB of memory or more". Begins with a small letter."""
    intent, values = preference.intent, preference.values
    if intent in _PLAIN:
        return _PLAIN[intent]
    if intent in _SPREAD:
        return f"pods of its workload spread over {_SPREAD[intent]}s"
    if intent in _PREFERRED:
        level = _PREFERRED[intent]
        return f"{_INSIDE[level]} {level} {listed(values, 'or')}"
    if intent in _AVOIDED:
        level = _AVOIDED[intent]
        return f"not {_INSIDE[level]} {level} {listed(values, 'or')}"
    if intent in _KINDS:
        return _KINDS[intent].format(listed(values, "or"))
    if intent in _MEASURES:
        return f"on a node with {_measure(preference)}"
    if intent is Intent.PREFER_COLOCATE_DEPLOYMENTS:
        return f"on a node where {listed(values, 'and')} {_run(values)}"
    if intent is Intent.PREFER_NEARBY_DEPLOYMENTS:
        near = f"in the same {preference.scope} as" if preference.scope else "close to"
        return f"{near} {listed(values, 'and')}"
    level = preference.scope or Level.NODE
    return f"not {_INSIDE[level]} a {level} where {listed(values, 'or')} runs"


def insistence(strength: float) -> str:
    """A strength's name: weak, plain or strong."""
    return "weak" if strength <= WEAK else "strong" if strength >= STRONG else "plain"


def listed(names: Sequence[str], joined_by: str) -> str:
    """a, b or c; and beyond MAX_NAMES: a, b, ... or 12 more."""
    if len(names) > MAX_NAMES:
        names = [*names[: MAX_NAMES - 1], f"{len(names) - MAX_NAMES + 1} more"]
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} {joined_by} {names[-1]}"


def number(amount: float) -> str:
    """64 for 64.0, 65.536 as it is."""
    return str(int(amount)) if float(amount).is_integer() else f"{amount:.3f}".rstrip("0")


def _measure(preference: Preference) -> str:
    exactly, high, low, any_ = _MEASURES[preference.intent]
    if preference.amount is not None:
        if preference.amount == 1 and preference.intent in _SINGLE:
            return _SINGLE[preference.intent]
        return exactly.format(number(preference.amount))
    return {"high": high, "low": low, None: any_}[preference.rank]


def _run(values: Sequence[str]) -> str:
    return "runs" if len(values) == 1 else "run"
