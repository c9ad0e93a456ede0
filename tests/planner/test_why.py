"""Why a pod waits: one scenario for each verdict and for each reason that a node can give."""

from __future__ import annotations

import pytest

from berth_api.reasons import Reason
from berth_cluster.snapshot import Taint
from berth_planner.explanation import Explanation
from berth_planner.options import PlanOptions
from berth_planner.packing import Caps
from berth_planner.why import why

from .clusters import GPU, HOSTNAME, ZONE, Cluster, pod_term, spread, where


def explain(cluster: Cluster, name: str, **options: object) -> Explanation:
    found = why(cluster.snapshot(), PlanOptions(**{"budget": 1.0, **options}))  # type: ignore[arg-type]
    (explanation,) = (e for e in found if f"default/{name}" in e.pods)
    return explanation


def reasons(explanation: Explanation) -> dict[tuple[Reason, str], int]:
    return {(r.reason, r.resource): r.nodes for r in explanation.reasons}


# -- verdicts


def test_fits_now() -> None:
    found = explain(Cluster().node("n1", gpu=8).pods("a", gpu=8), "a-0")
    assert (found.code, found.targets, found.moves) == (Reason.FITS_NOW, ("n1",), 0)


def test_fits_after_moves_says_how_many() -> None:
    cluster = Cluster().node("n1", gpu=8).node("n2", gpu=8)
    cluster.pods("a", on="n1", gpu=4).pods("b", on="n2", gpu=4).pods("big", gpu=8, priority=10)
    found = explain(cluster, "big-0")
    assert (found.code, found.moves, found.evictions, found.wave) == (Reason.FITS_AFTER_MOVES, 1, 0, 1)
    assert "1 move" in found.message


def test_no_placement_exists_even_moving_everything() -> None:
    cluster = Cluster().node("n1", gpu=8).node("n2", gpu=8)
    cluster.pods("a", on="n1", gpu=1, immovable=[Reason.DO_NOT_MOVE]).pods(
        "b", on="n2", gpu=1, immovable=[Reason.NO_CONTROLLER]
    )
    found = explain(cluster.pods("big", gpu=8, priority=9), "big-0")
    assert (found.code, found.proven) == (Reason.NO_PLACEMENT_EXISTS, True)
    assert found.smallest_change.startswith("It would fit with 1 nvidia.com/gpu fewer")


def test_no_placement_exists_for_a_gang_that_is_too_large() -> None:
    cluster = Cluster().node("n1", gpu=8).node("n2", gpu=8).pods("gang", 3, gpu=8, gang=3)
    found = explain(cluster, "gang-0")
    assert (found.code, found.proven) == (Reason.NO_PLACEMENT_EXISTS, True)
    assert [(r.kind, r.amount) for r in found.remedies] == [("one-more-node", 3)]


def test_higher_priority_comes_first() -> None:
    cluster = Cluster().node("n1", gpu=8).pods("vip", on="n1", gpu=8, priority=9).pods("low", gpu=8)
    found = explain(cluster, "low-0")
    assert (found.code, found.proven, found.evictions) == (Reason.HIGHER_PRIORITY_FIRST, True, 1)


def test_waiting_pods_of_the_same_priority_come_first() -> None:
    cluster = Cluster().node("n1", gpu=8)
    cluster.pods("early", gpu=8, created="2026-01-01T00:00:00Z").pods("late", gpu=8, created="2026-02-01T00:00:00Z")
    assert explain(cluster, "early-0").code is Reason.FITS_NOW
    assert (explain(cluster, "late-0").code, explain(cluster, "late-0").proven) == (Reason.HIGHER_PRIORITY_FIRST, True)


def test_a_gang_that_lacks_members() -> None:
    found = explain(Cluster().node("n1", gpu=8).pods("gang", 2, gpu=1, gang=4), "gang-0")
    assert found.code is Reason.GANG_INCOMPLETE
    assert (found.remedies[0].kind, found.remedies[0].amount) == ("more-members", 2)


def test_pods_that_berth_does_not_place() -> None:
    cluster = Cluster().node("n1", gpu=8).pods("gated", gpu=1, gated=True).pods("odd", gpu=1, unmodelled=["claims"])
    cluster.pods("theirs", gpu=1).pods("going", gpu=1, terminating=True)
    codes = {name: explain(cluster, f"{name}-0", movable="berth").code for name in ("gated", "odd", "theirs", "going")}
    assert codes == {
        "gated": Reason.GATED,
        "odd": Reason.OTHER_SCHEDULER,
        "theirs": Reason.OTHER_SCHEDULER,
        "going": Reason.TERMINATING,
    }
    assert explain(cluster, "odd-0").code is Reason.UNKNOWN_FEATURE


def test_not_proven_when_there_is_no_time() -> None:
    cluster = Cluster().node("n1", gpu=8).pods("vip", on="n1", gpu=8, priority=9).pods("low", gpu=8)
    (found,) = why(cluster.snapshot(), PlanOptions(budget=0.5), seconds=0.0)
    assert (found.code, found.proven) == (Reason.NOT_PROVEN, False)
    assert found.reasons  # what stands against each node needs no search


@pytest.mark.parametrize(
    "options", [{"pending_only": True}, {"caps": Caps(max_moves=0)}, {"caps": Caps(max_disruption=0)}], ids=str
)
def test_a_plan_that_may_not_move_says_what_moves_would_do(options: dict[str, object]) -> None:
    cluster = Cluster().node("n1", gpu=8).node("n2", gpu=8)
    cluster.pods("a", on="n1", gpu=4).pods("b", on="n2", gpu=4).pods("big", gpu=8, priority=10)
    found = explain(cluster, "big-0", **options)
    assert (found.code, found.moves, found.targets) == (Reason.FITS_AFTER_MOVES, 1, ())


def test_never_says_why_nobody_moves_for_it() -> None:
    cluster = Cluster().node("n1", gpu=8).pods("low", on="n1", gpu=8).pods("polite", gpu=8, priority=5, never=True)
    found = explain(cluster, "polite-0")
    assert (found.code, found.evictions) == (Reason.FITS_AFTER_MOVES, 1)
    assert "preemptionPolicy Never" in found.message


# -- reasons, node by node


def test_each_node_is_counted_for_what_stands_against_it() -> None:
    cluster = Cluster().node("ok", gpu=4).node("cordoned", gpu=8, cordoned=True).node("down", gpu=8, ready=False)
    cluster.node("tainted", gpu=8, taints=[Taint("dedicated", "x", "NoSchedule")]).node("other", gpu=8, pool="b")
    cluster.node("full", gpu=8, pods=1, pool="a").node("zone", gpu=8, zone="z9", pool="a")
    for node in cluster.nodes:
        node.labels.setdefault("pool", "a")  # type: ignore[attr-defined]
        node.labels.setdefault(ZONE, "z1")  # type: ignore[attr-defined]
    cluster.pods("ds", on="full", cpu=0, immovable=[Reason.DAEMON_SET])
    cluster.pods("big", gpu=8, node_selector={"pool": "a"}, volume=where(**{ZONE: "z1"}))
    found = explain(cluster, "big-0")
    assert reasons(found) == {
        (Reason.INSUFFICIENT_RESOURCE, GPU): 1,
        (Reason.UNSCHEDULABLE, ""): 1,
        (Reason.NODE_NOT_READY, ""): 1,
        (Reason.UNTOLERATED_TAINT, ""): 1,
        (Reason.NODE_SELECTOR_MISMATCH, ""): 1,
        (Reason.VOLUME_ZONE_CONFLICT, ""): 1,
        (Reason.TOO_MANY_PODS, ""): 1,
    }
    assert found.available.startswith("0/7 nodes are available: 1 ")
    assert found.remedies[0].kind == "uncordon"


def test_fixed_pods_deny_nodes_by_name_of_the_rule() -> None:
    cluster = Cluster().node("n1", gpu=8, zone="a").node("n2", gpu=8)
    cluster.pods("holder", on="n1", gpu=1, ports=[80], immovable=[Reason.DAEMON_SET])
    cluster.pods("port", gpu=1, ports=[80], node_selector={HOSTNAME: "n1"})
    cluster.pods("shy", gpu=1, anti_affinity=[pod_term(HOSTNAME, app="holder")], node_selector={HOSTNAME: "n1"})
    cluster.pods("fan", gpu=1, affinity=[pod_term(ZONE, app="nobody")])
    cluster.pods("even", gpu=1, spread=[spread(ZONE, app="even")], node_selector={HOSTNAME: "n2"})
    for name, reason in (
        ("port", Reason.PORT_CONFLICT),
        ("shy", Reason.ANTI_AFFINITY),
        ("fan", Reason.AFFINITY_UNSATISFIED),
        ("even", Reason.TOPOLOGY_SPREAD),
    ):
        found = explain(cluster, f"{name}-0")
        assert found.code is Reason.NO_PLACEMENT_EXISTS
        assert (reason, "") in reasons(found), name


def test_an_overloaded_node_takes_nothing_new() -> None:
    cluster = Cluster().node("n1", gpu=4).pods("a", 2, on="n1", gpu=4, cpu=1000)
    cluster.pods("b", on="n1", gpu=0, cpu=70_000).pods("small", gpu=0, cpu=100)
    found = explain(cluster, "small-0", pending_only=True)
    assert found.code is not Reason.FITS_NOW
    assert found.reasons


# -- remedies


def test_the_cheapest_sufficient_node_is_named() -> None:
    cluster = Cluster().node("small", gpu=2).node("medium", gpu=4).node("large", gpu=8)
    for node, size in (("small", 2), ("medium", 4), ("large", 8)):
        cluster.pods(f"on-{node}", on=node, gpu=size, priority=9)
    found = explain(cluster.pods("want", gpu=3), "want-0")
    assert [(r.kind, r.node) for r in found.remedies if r.kind == "one-more-node"] == [("one-more-node", "medium")]


def test_nodes_for_all_that_wait_are_counted() -> None:
    cluster = Cluster().node("n1", gpu=8).pods("vip", on="n1", gpu=8, priority=9).pods("want", 5, gpu=4)
    assert explain(cluster, "want-0").smallest_change == (
        "It would fit if there were one more node like n1 (3 for all 5 pods)."
    )


def test_pods_that_exclude_each_other_need_a_node_each() -> None:
    cluster = Cluster().node("n1", gpu=8).pods("vip", on="n1", gpu=8, priority=9)
    found = explain(cluster.pods("want", 5, gpu=1, anti_affinity=[pod_term(HOSTNAME, app="want")]), "want-0")
    assert "(5 for all 5 pods)" in found.smallest_change


def test_the_selector_that_is_in_the_way_is_named() -> None:
    cluster = Cluster().node("n1", gpu=8).pods("picky", gpu=1, node_selector={"pool": "gone"})
    assert [r.kind for r in explain(cluster, "picky-0").remedies] == ["node-selector"]


def test_a_change_that_is_offered_works() -> None:
    """The largest request that fits, and one more node, are tried for real."""
    cluster = Cluster().node("n1", gpu=8).pods("a", on="n1", gpu=3, priority=9).pods("want", gpu=8)
    fewer = next(r for r in explain(cluster, "want-0").remedies if r.kind == "fewer")
    smaller = Cluster().node("n1", gpu=8).pods("a", on="n1", gpu=3, priority=9).pods("want", gpu=8 - fewer.amount)
    assert explain(smaller, "want-0").code is Reason.FITS_NOW
    larger = Cluster().node("n1", gpu=8).pods("a", on="n1", gpu=3, priority=9).pods("want", gpu=9 - fewer.amount)
    assert explain(larger, "want-0").code is not Reason.FITS_NOW
