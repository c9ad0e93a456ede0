"""How much of a wish came true, as a share in [0, 1]: 1 is the best that any placement could give, a pending pod counts nothing.

`Where` counts a workload's pods by node. All are pure functions of it and of the sites.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

from benchmarks.hint_sites import Site

Where = Mapping[str, int]
"""Node to pods that run there."""
Worth = Callable[[Site], float]
"""What a pod on that node got of its wish."""


def spread_evenly(sites: Sequence[Site], where: Where, pods: int) -> float:
    """Over zones and, within what that leaves open, over nodes: the worse of the two. 3:3 on two nodes is not even."""
    zones = Counter({site.zone: 0 for site in sites})
    for site in sites:
        zones[site.zone] += where.get(site.name, 0)
    nodes = [where.get(site.name, 0) for site in sites]
    return min(even(zones.values(), pods), even(nodes, pods))


def even(counts: Iterable[int], pods: int) -> float:
    """Pods that would stay if as few as possible were moved to make the counts differ by at most one."""
    found = sorted(counts, reverse=True)
    return sum(map(min, found, _fair(pods, len(found)))) / pods


def worth(sites: Sequence[Site], where: Where, pods: int, cpus: int, value: Worth) -> float:
    """What the pods got, of the most that pods of `cpus` cores could have got in the room that was free."""
    got = sum(where.get(site.name, 0) * value(site) for site in sites)
    left, best = pods, 0.0
    for site in sorted(sites, key=value, reverse=True):
        there = min(left, site.free // cpus)
        best += there * value(site)
        left -= there
    return got / best


def together(sites: Sequence[Site], where: Where, pods: int, cpus: int) -> float:
    """As many as possible on one node, and those for which it has no room in its rack: the mean of the two shares."""
    room = {site.name: min(pods, site.free // cpus) for site in sites}
    racks: Counter[str] = Counter()
    in_rack: Counter[str] = Counter()
    for site in sites:
        racks[site.rack] += room[site.name]
        in_rack[site.rack] += where.get(site.name, 0)
    fullest = max(sites, key=lambda site: where.get(site.name, 0))
    on_node = where.get(fullest.name, 0) / max(room.values())
    return (on_node + in_rack[fullest.rack] / min(pods, max(racks.values()))) / 2


def one_group_a_zone(sites: Sequence[Site], where: Where, pods: int) -> float:
    """Pods that stand in their zone's one group, if zones had equal shares."""
    groups = Counter({site.zone: 0 for site in sites})
    for site in sites:
        groups[site.zone] = max(groups[site.zone], where.get(site.name, 0))
    found = sorted(groups.values(), reverse=True)
    return sum(map(min, found, _fair(pods, len(found)))) / pods


def _fair(pods: int, parts: int) -> list[int]:
    return [(pods + parts - 1 - i) // parts for i in range(parts)]
