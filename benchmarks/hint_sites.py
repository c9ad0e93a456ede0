"""Eight nodes for the placement scenarios of arXiv 2601.09282, in two settings.

paper    as published: one region, two zones, racks 1, 3 and 4 of two nodes and racks 2 and 5 of one, one node with GPUs, one with a
         fast network. Which zone a rack is in is only in an image there; here both zones have four nodes.
graded   what tells methods apart: two regions, four zones of unequal size, two GPU nodes, networks of 10 to 200 Gbps

The names minikube-m02 to minikube-m09 go round by seed, as does what is on the nodes already: nothing may hang on a name.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

import msgspec

from berth_e2e.objects import KubernetesObject, node

NAMES = tuple(f"minikube-m{i:02}" for i in range(2, 10))
CPUS = 64
"""Of each node."""
LOADS = (0, 8, 16, 24, 32)
"""Cores that a node's earlier pods may take."""
GPUS = 4


class Site(msgspec.Struct, frozen=True):
    """One node: where it stands, what it has, and how many cores are taken."""

    name: str
    region: str
    zone: str
    rack: str
    gbps: int = 10
    gpus: int = 0
    load: int = 0

    @property
    def free(self) -> int:
        return CPUS - self.load


_Layout = Sequence[tuple[str, str, int, int]]
"""Per node: zone, rack, Gbps, GPUs."""

LAYOUTS: dict[str, _Layout] = {
    "paper": (
        ("us-east-1a", "rack-1", 10, GPUS),
        ("us-east-1a", "rack-1", 10, 0),
        ("us-east-1b", "rack-2", 10, 0),
        ("us-east-1a", "rack-3", 100, 0),
        ("us-east-1a", "rack-3", 10, 0),
        ("us-east-1b", "rack-4", 10, 0),
        ("us-east-1b", "rack-4", 10, 0),
        ("us-east-1b", "rack-5", 10, 0),
    ),
    "graded": (
        ("us-east-1a", "rack-1", 10, GPUS),
        ("us-east-1a", "rack-1", 25, 0),
        ("us-east-1a", "rack-2", 50, 0),
        ("us-east-1b", "rack-3", 100, 0),
        ("us-east-1b", "rack-3", 10, 0),
        ("eu-west-1a", "rack-4", 10, GPUS),
        ("eu-west-1a", "rack-4", 200, 0),
        ("eu-west-1b", "rack-5", 25, 0),
    ),
}


def sites(setting: str, chance: random.Random) -> list[Site]:
    """In the order in which their nodes are created."""
    names = chance.sample(NAMES, len(NAMES))
    found = [
        Site(name, zone[:-1], zone, rack, gbps, gpus, chance.choice(LOADS))
        for name, (zone, rack, gbps, gpus) in zip(names, LAYOUTS[setting], strict=True)
    ]
    return chance.sample(found, len(found))


def site_node(site: Site) -> KubernetesObject:
    """With the labels that a cloud, GPU feature discovery and the cluster's owner would give it."""
    labels = {
        "topology.kubernetes.io/region": site.region,
        "topology.kubernetes.io/zone": site.zone,
        "topology.kubernetes.io/rack": site.rack,
        "berth.dev/network-gbps": str(site.gbps),
    }
    if site.gpus:
        labels |= {"nvidia.com/gpu.present": "true", "nvidia.com/gpu.product": "NVIDIA-A100-SXM4-80GB"}
    return node(site.name, gpus=site.gpus, cpu=str(CPUS), labels=labels)
