"""The placement scenarios: A to F of arXiv 2601.09282 (section V), G and H of ours. Each wish in three spellings.

A spread over zones         6 pods   even over zones, and within a zone not on one node
B nodes with GPUs           6 pods   graded: the GPU nodes have room for four
C near two, away from one   6 pods   graded: two regions; six pods on one node count as nothing
D all on one node           20 pods  graded: no node has room for all, then the same rack
E at least 100 Gbps         6 pods   graded: five speeds, the fast nodes have room for four, then the next fastest
F one node, and all zones   6 pods   contradictory: one group in each zone is the best there is
G opposite wishes           2 x 4    one service wants a rack, another wants to keep off it; graded: it has just the room
H only a repack can do it   4 pods   a rack that is full of pods that could as well run elsewhere

Hints of A to F are the paper's words.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from benchmarks.hint_shares import Where, one_group_a_zone, spread_evenly, together, worth
from benchmarks.hint_sites import Site, sites
from benchmarks.native_wishes import (
    HOST,
    RACK,
    REGION,
    WEIGHT,
    ZONE,
    Fields,
    affinity,
    away,
    label,
    must_be_away,
    must_be_near,
    near,
    prefer_nodes,
    require_nodes,
    spread,
)

GPU_LABEL = "nvidia.com/gpu.present"
SPEED_LABEL = "berth.dev/network-gbps"
WANTED_GBPS = 100
CPUS = {"paper": 4, "graded": 16}
"""Cores that a pod asks for where nodes that all want are busy: with 16, each has room for two."""
BUSY = (24, 32)
"""Cores taken there: a node that all want is seldom the emptiest, and a scheduler that likes empty nodes must resist."""


@dataclass(frozen=True)
class Wish:
    """One Deployment of the burst."""

    app: str
    pods: int
    hint: str
    soft: Fields
    hard: Fields
    cpus: int = 1


@dataclass(frozen=True)
class Case:
    name: str
    setting: str
    sites: Sequence[Site]
    wishes: Sequence[Wish]
    """In the order of creation."""
    share: Callable[[Mapping[str, Where]], float]
    """Of the wishes that came true, given where each app's pods run."""
    standing: Sequence[tuple[str, str]] = ()
    """App and node of pods that others wish to be near to or away from."""
    filled: str = ""
    """A rack that movable pods fill before."""
    enforced: bool = False
    """Berth takes a `must` as a rule: the namespace's policy says so."""


def cases(setting: str, seed: int) -> list[Case]:
    """All of one setting: the nodes are the same in each, their load is not."""
    nodes = sites(setting, random.Random(f"{setting} {seed}"))
    return [make(setting, nodes, random.Random(f"{setting} {seed} {make.__name__}")) for make in _MAKERS]


def spread_over_zones(setting: str, nodes: list[Site], chance: random.Random) -> Case:
    wish = Wish(
        "web",
        6,
        "spread these pods evenly across all available zones for high availability",
        {"topologySpreadConstraints": [spread("web", ZONE), spread("web", HOST)]},
        {"topologySpreadConstraints": [spread("web", ZONE, hard=True), spread("web", HOST)]},
    )
    loaded = _loaded(nodes, chance)
    return Case("A", setting, loaded, [wish], lambda where: spread_evenly(loaded, where["web"], wish.pods))


def nodes_with_gpus(setting: str, nodes: list[Site], chance: random.Random) -> Case:
    wish = Wish(
        "training",
        6,
        "critical ML training job, it must run on nodes with GPUs",
        affinity(prefer_nodes((WEIGHT, label(GPU_LABEL, "Exists")))),
        affinity(require_nodes(label(GPU_LABEL, "Exists"))),
        cpus=CPUS[setting],
    )
    loaded = _loaded(nodes, chance, busy=lambda site: site.gpus > 0)
    return _by_worth("B", setting, loaded, wish, lambda site: float(site.gpus > 0))


def near_two_away_from_one(setting: str, nodes: list[Site], chance: random.Random) -> Case:
    near_by, hindrance = ("database", "cache"), "logging-agent"
    wish = Wish(
        "api",
        6,
        "prefer to be in the same region as the 'database' and 'cache' deployments, "
        "but avoid being on the same node as the 'logging-agent' pods",
        affinity(near(REGION, *near_by), away(HOST, hindrance)),
        affinity(must_be_near(REGION, *near_by), must_be_away(HOST, hindrance)),
    )
    loaded = _loaded(nodes, chance)
    region = chance.choice(sorted({site.region for site in loaded}))
    there = [site.name for site in loaded if site.region == region]
    standing = list(zip((*near_by, hindrance), chance.sample(there, 3), strict=True))
    valid = set(there) - {standing[-1][1]}

    def share(where: Mapping[str, Where]) -> float:
        if any(count == wish.pods for count in where["api"].values()):
            return 0.0
        return sum(count for name, count in where["api"].items() if name in valid) / wish.pods

    return Case("C", setting, loaded, [wish], share, standing)


def all_on_one_node(setting: str, nodes: list[Site], chance: random.Random) -> Case:
    wish = Wish(
        "shards",
        20,
        "Collocate all pods from this deployment on a single node",
        affinity(near(HOST, "shards")),
        affinity(must_be_near(HOST, "shards")),
        cpus=4 if setting == "graded" else 1,
    )
    loaded = _loaded(nodes, chance)
    return Case("D", setting, loaded, [wish], lambda where: together(loaded, where["shards"], wish.pods, wish.cpus))


def fast_network(setting: str, nodes: list[Site], chance: random.Random) -> Case:
    steps = [(WEIGHT, label(SPEED_LABEL, "Gt", str(WANTED_GBPS - 1)))]
    if setting == "graded":  # what falls short is written out, too
        steps.append((WEIGHT // 4, label(SPEED_LABEL, "Gt", "24")))
    wish = Wish(
        "stream",
        6,
        "at least 100 Gbps network speed",
        affinity(prefer_nodes(*steps)),
        affinity(require_nodes(steps[0][1])),
        cpus=CPUS[setting],
    )
    loaded = _loaded(nodes, chance, busy=lambda site: site.gbps >= WANTED_GBPS)

    def value(site: Site) -> float:
        fast = site.gbps / WANTED_GBPS
        return min(1.0, fast) if setting == "graded" else float(fast >= 1)

    return _by_worth("E", setting, loaded, wish, value)


def one_node_and_all_zones(setting: str, nodes: list[Site], chance: random.Random) -> Case:
    together_and_apart = spread("torn", ZONE), spread("torn", ZONE, hard=True)
    wish = Wish(
        "torn",
        6,
        "collocate all pods on a single node, you must also spread these pods across all zones",
        affinity(near(HOST, "torn")) | {"topologySpreadConstraints": [together_and_apart[0]]},
        affinity(must_be_near(HOST, "torn")) | {"topologySpreadConstraints": [together_and_apart[1]]},
    )
    loaded = _loaded(nodes, chance)
    return Case("F", setting, loaded, [wish], lambda where: one_group_a_zone(loaded, where["torn"], wish.pods))


def opposite_wishes(setting: str, nodes: list[Site], chance: random.Random) -> Case:
    rack = _wide_rack(nodes, chance)
    cpus = CPUS[setting]
    into, off = label(RACK, "In", rack), label(RACK, "NotIn", rack)
    wishes = [
        Wish(
            "resident",
            4,
            f"run on {rack}",
            affinity(prefer_nodes((WEIGHT, into))),
            affinity(require_nodes(into)),
            cpus,
        ),
        Wish(
            "guest",
            4,
            f"keep off {rack}",
            affinity(prefer_nodes((WEIGHT, off))),
            affinity(require_nodes(off)),
            cpus,
        ),
    ]
    loaded = _loaded(nodes, chance, busy=lambda site: site.rack == rack)
    there = {site.name for site in loaded if site.rack == rack}

    def share(where: Mapping[str, Where]) -> float:
        happy = sum(n for name, n in where["resident"].items() if name in there)
        happy += sum(n for name, n in where["guest"].items() if name not in there)
        return happy / sum(wish.pods for wish in wishes)

    return Case("G", setting, loaded, chance.sample(wishes, 2), share)


def only_by_repacking(setting: str, nodes: list[Site], chance: random.Random) -> Case:
    rack = _wide_rack(nodes, chance)
    there = {site.name for site in nodes if site.rack == rack}
    into = label(RACK, "In", rack)
    wish = Wish(
        "late",
        4,
        f"must run on {rack}",
        affinity(prefer_nodes((WEIGHT, into))),
        affinity(require_nodes(into)),
        cpus=CPUS["graded"],
    )
    loaded = [msgspec.structs.replace(s, load=0) if s.name in there else s for s in _loaded(nodes, chance)]

    def share(where: Mapping[str, Where]) -> float:
        return sum(n for name, n in where["late"].items() if name in there) / wish.pods

    return Case("H", setting, loaded, [wish], share, filled=rack, enforced=True)


_MAKERS = (
    spread_over_zones,
    nodes_with_gpus,
    near_two_away_from_one,
    all_on_one_node,
    fast_network,
    one_node_and_all_zones,
    opposite_wishes,
    only_by_repacking,
)


def _loaded(nodes: Sequence[Site], chance: random.Random, busy: Callable[[Site], bool] = lambda _: False) -> list[Site]:
    """The same nodes with what this scenario finds on them."""
    shuffled = chance.sample([site.load for site in nodes], len(nodes))
    return [
        msgspec.structs.replace(site, load=chance.choice(BUSY) if busy(site) else load)
        for site, load in zip(nodes, shuffled, strict=True)
    ]


def _by_worth(name: str, setting: str, loaded: Sequence[Site], wish: Wish, value: Callable[[Site], float]) -> Case:
    return Case(
        name,
        setting,
        loaded,
        [wish],
        lambda where: worth(loaded, where[wish.app], wish.pods, wish.cpus, value),
    )


def _wide_rack(nodes: Sequence[Site], chance: random.Random) -> str:
    """One of two nodes."""
    racks = Counter(site.rack for site in nodes)
    return chance.choice(sorted(rack for rack, count in racks.items() if count > 1))
