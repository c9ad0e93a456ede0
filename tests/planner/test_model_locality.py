"""A plan sends pods where their models lie, if that costs nobody anything."""

from __future__ import annotations

from msgspec.structs import replace

from berth_cluster.snapshot import PreferredNodeTerm, Snapshot
from berth_planner.planning import make_plan
from berth_scheduling.hints import MODEL_LABEL

from .clusters import Cluster, where

MODEL, SMALL = "ab" * 20, "cd" * 20
GB = 10**9


def holding(snapshot: Snapshot, **models: dict[str, int]) -> Snapshot:
    nodes = (replace(node, models=tuple(sorted(models.get(node.name, {}).items()))) for node in snapshot.nodes)
    return replace(snapshot, nodes=tuple(nodes))


def targets(snapshot: Snapshot) -> dict[str, str]:
    return {p.workload.name: p.node for wave in make_plan(snapshot).waves for p in wave.placements}


def test_a_moved_pod_goes_to_the_node_that_holds_its_model() -> None:
    cluster = Cluster()
    for name in ("n1", "n2", "n3", "n4"):
        cluster.node(name, gpu=8)
    cluster.pods("llm", on="n1", gpu=4, labels={MODEL_LABEL: MODEL})
    for n in ("n2", "n3", "n4"):
        cluster.pods(f"old-{n}", on=n, gpu=4, move_cost=9)
    cluster.pods("big", gpu=8, priority=10)
    for home in ("n2", "n3", "n4"):
        snapshot = holding(cluster.snapshot(), **{home: {MODEL: 90 * GB}})
        assert targets(snapshot) == {"llm": home, "big": "n1"}


def test_the_larger_model_has_the_say() -> None:
    cluster = Cluster().node("n1", gpu=4).node("n2", gpu=4)
    cluster.pods("large", gpu=4, labels={MODEL_LABEL: MODEL}).pods("small", gpu=4, labels={MODEL_LABEL: SMALL})
    for home, other in (("n1", "n2"), ("n2", "n1")):
        snapshot = holding(cluster.snapshot(), **{home: {MODEL: 90 * GB, SMALL: GB}})
        assert targets(snapshot) == {"large": home, "small": other}


def test_nobody_is_moved_for_it() -> None:
    cluster = Cluster().node("n1", gpu=4).node("n2", gpu=4)
    cluster.pods("stays", on="n1", gpu=4).pods("llm", gpu=4, labels={MODEL_LABEL: MODEL})
    snapshot = holding(cluster.snapshot(), n1={MODEL: 90 * GB})
    assert targets(snapshot) == {"llm": "n2"}


def test_a_node_affinity_of_anybody_who_is_placed_counts_before_it() -> None:
    cluster = Cluster().node("n1", gpu=4, pool="a").node("n2", gpu=4)
    wants = (PreferredNodeTerm(1, where(pool="a")),)
    cluster.pods("picky", gpu=4, prefers=wants).pods("llm", gpu=4, labels={MODEL_LABEL: MODEL})
    snapshot = holding(cluster.snapshot(), n1={MODEL: 90 * GB})
    assert targets(snapshot) == {"picky": "n1", "llm": "n2"}
