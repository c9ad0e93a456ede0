"""How far nodes satisfy wishes that are about the node alone: its place, its size, its devices.

Each is a function of one column, so it is worked out once a distinct value and then looked up: 5,000 nodes take 20 us, and
nothing at all while neither the wish nor the column changes.

Graded: an amount by how far the node falls short of it, a quality by the node's standing among the cluster's sizes, a place by
how near the node is to it.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import cast

import numpy as np

from berth_intent.gpu_models import likeness
from berth_intent.intents import AVOID_PLACES, PREFER_PLACES, Intent, Level
from berth_intent.places import Column, Places, Shares
from berth_intent.understood import Preference

NEAR = (1.0, 0.1, 0.05, 0.025)
"""By how many levels of topology the node misses the place. Small beside 1, so that where all nodes share a region a wished zone
weighs about what any other wish does, avoidance among them."""
USABLE = 0.9
"""So much of a machine's cores, memory and disk is allocatable at least: "a node of 64 GB" offers pods some 60."""
ALIKE = 1.05
"""Amounts that differ by less count as one size: two machines of a kind rarely report the same number of bytes."""
LESSER_STORAGE = 0.5
"""What an SSD is to someone who wishes for NVMe."""

AMOUNTS = {
    Intent.PREFER_CPU: "cpu",
    Intent.PREFER_MEMORY_GB: "memory_gb",
    Intent.PREFER_GPU: "gpus",
    Intent.PREFER_TPU: "tpus",
    Intent.PREFER_EPHEMERAL_STORAGE: "ephemeral_gb",
    Intent.PREFER_NETWORK_SPEED: "network_gbps",
}
"""Intent to the fact that it is about."""
RESERVED = frozenset((Intent.PREFER_CPU, Intent.PREFER_MEMORY_GB, Intent.PREFER_EPHEMERAL_STORAGE))
"""Of these the system keeps a part."""
_WHOLE = frozenset((Intent.PREFER_GPU, Intent.PREFER_TPU))
_COLUMNS = AMOUNTS | {
    Intent.PREFER_STORAGE_TYPE: "storage_types",
    Intent.PREFER_NETWORK_FEATURE: "network_features",
    Intent.PREFER_CPU_ARCH: "arch",
    Intent.PREFER_GPU_MODEL: "gpu_model",
    Intent.AVOID_GPU_MODEL: "gpu_model",
    Intent.AVOID_GPU: "gpus",
    Intent.PREFER_SPOT: "spot",
    Intent.AVOID_SPOT: "spot",
    Intent.PREFER_CACHED_MODEL: "cached_models",
}
_LEVEL_OF = {intent: level for table in (PREFER_PLACES, AVOID_PLACES) for level, intent in table.items()}
_DEPTH = {Level.REGION: 1, Level.ZONE: 2, Level.RACK: 3}
_AVOIDED = frozenset(AVOID_PLACES.values())

ABOUT_NODES = frozenset((*_COLUMNS, *_LEVEL_OF))

Judge = Callable[[Hashable], float]


def of_node(preference: Preference, places: Places, model: str = "") -> Shares:
    """float64 [places.size], 0 to 1; 0 where there is no node. model: that the pod serves. Not to be changed."""
    level = _LEVEL_OF.get(preference.intent)
    version = places.version if level is Level.NODE else places.columns[level or _COLUMNS[preference.intent]].version
    about = model if preference.intent is Intent.PREFER_CACHED_MODEL else ""
    key = (preference.intent, preference.values, preference.amount, preference.rank, about)
    kept = places.kept.get(key)
    if kept is not None and kept[0] == version and len(kept[1]) == places.size:
        return kept[1]
    if level is Level.NODE:
        found = _named_nodes(preference, places)
    else:
        column = places.columns[level or _COLUMNS[preference.intent]]
        judge = _place_judge(preference, level, column) if level else _judge(preference, column, model)
        of_code = np.zeros(len(column.values))
        for code in column.present():
            of_code[code] = judge(column.values[code])
        found = of_code[column.codes]
    found.setflags(write=False)
    places.keep(key, (version, found))
    return found


def _place_judge(preference: Preference, level: Level, column: Column) -> Judge:
    """Of the paths of a topology column."""
    depth = _DEPTH[level]
    wanted = {value.lower() for value in preference.values}
    paths = [cast("tuple[str, ...]", column.values[code]) for code in column.present()]
    targets = [path for path in paths if path[-1].lower() in wanted]
    if preference.intent in _AVOIDED:
        avoided = set(targets)
        return lambda path: float(path not in avoided)
    shares = _shares_near(targets, depth)
    return lambda path: _nearest(cast("tuple[str, ...]", path), shares, depth)


def _named_nodes(preference: Preference, places: Places) -> Shares:
    known = np.array([facts is not None for facts in places.facts], np.bool_)
    wanted = {value.lower() for value in preference.values}
    rows = [row for name, row in places.rows.items() if name.lower() in wanted]
    if preference.intent is Intent.AVOID_NODES:
        found = known.astype(np.float64)
        found[rows] = 0.0
        return found
    racks = places.columns[Level.RACK]
    targets = {cast("tuple[str, ...]", racks.values[racks.codes[row]]) for row in rows}
    shares = _shares_near(targets, 3, first=1)
    of_code = np.zeros(len(racks.values))
    for code in racks.present():
        of_code[code] = _nearest(cast("tuple[str, ...]", racks.values[code]), shares, 3)
    found = of_code[racks.codes]
    found[rows] = NEAR[0]
    return found


def _shares_near(targets: Iterable[tuple[str, ...]], depth: int, first: int = 0) -> dict[tuple[str, ...], float]:
    """Path of a domain to how near to a target whatever is in it is at least. first: the gap at the full depth."""
    return {path[:length]: NEAR[first + depth - length] for path in targets for length in range(1, depth + 1)}


def _nearest(path: tuple[str, ...], shares: dict[tuple[str, ...], float], depth: int) -> float:
    return next((shares[path[:length]] for length in range(depth, 0, -1) if path[:length] in shares), 0.0)


def _judge(preference: Preference, column: Column, model: str) -> Judge:
    wanted = tuple(value.lower() for value in preference.values)
    match preference.intent:
        case Intent.AVOID_GPU:
            return lambda gpus: float(not gpus)
        case Intent.PREFER_SPOT:
            return lambda spot: float(bool(spot))
        case Intent.AVOID_SPOT:
            return lambda spot: float(not spot)
        case Intent.PREFER_CPU_ARCH:
            return lambda arch: float(arch in wanted)
        case Intent.PREFER_GPU_MODEL:
            return lambda found: max((likeness(value, str(found)) for value in preference.values), default=0.0)
        case Intent.AVOID_GPU_MODEL:
            return lambda found: float(not any(likeness(value, str(found)) == 1.0 for value in preference.values))
        case Intent.PREFER_STORAGE_TYPE:
            return lambda types: _storage(wanted, cast("tuple[str, ...]", types))
        case Intent.PREFER_NETWORK_FEATURE:
            return lambda features: _part_of(wanted, cast("tuple[str, ...]", features))
        case Intent.PREFER_CACHED_MODEL:
            return lambda models: float(bool(model) and model in cast("tuple[str, ...]", models))
    sizes = [cast("float", column.values[code]) for code in column.present()]
    if preference.amount is not None:
        need = preference.amount * (USABLE if preference.intent in RESERVED else 1.0)
        return lambda has: min(cast("float", has) / need, 1.0) if need > 0 else 1.0
    if preference.rank is None and preference.intent in _WHOLE:
        return lambda has: float(bool(has))
    standing = _standing(sizes)
    low = preference.rank == "low"
    return lambda has: 0.0 if not has else 1.0 - standing[has] if low else standing[has]


def _standing(sizes: Iterable[float]) -> dict[Hashable, float]:
    """Each size to its standing, 0 the smallest and 1 the largest; those that are alike share one, and where all are alike none
    is short of anything. 0 is no size."""
    classes: list[list[float]] = []
    for size in sorted(size for size in sizes if size):
        if classes and size <= classes[-1][0] * ALIKE:
            classes[-1].append(size)
        else:
            classes.append([size])
    last = len(classes) - 1
    if last < 1:
        return {size: 1.0 for alike in classes for size in alike}
    return {size: i / last for i, alike in enumerate(classes) for size in alike}


def _storage(wanted: tuple[str, ...], types: tuple[str, ...]) -> float:
    has = {*types, "ssd"} if "nvme" in types else set(types)
    if has & set(wanted):
        return 1.0
    return LESSER_STORAGE if "nvme" in wanted and "ssd" in has else 0.0


def _part_of(wanted: tuple[str, ...], has: tuple[str, ...]) -> float:
    return sum(feature in has for feature in wanted) / len(wanted) if wanted else 0.0
