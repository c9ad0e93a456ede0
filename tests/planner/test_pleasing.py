"""Better places for new pods: what the search moves, what it leaves alone, and that no rule pays for a wish."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Collection, Hashable

import numpy as np
import pytest

from berth_cluster.snapshot import Pod
from berth_planner.node_sets import Mask
from berth_planner.options import PlanOptions
from berth_planner.packing import Packing
from berth_planner.planning import build
from berth_planner.pleasing import Shares, Terms, please
from berth_planner.transition import Task
from berth_solver.check_placement import placement_violations
from berth_solver.problem import IntArray

from .clusters import HOSTNAME, ZONE, Cluster, pod_term


class Wishing:
    """A judge whose pods wish for a zone (`likes`), to be spread over zones, or to be away from a workload."""

    def __init__(
        self,
        packing: Packing,
        likes: dict[str, str] | None = None,
        spreads: Collection[str] = (),
        avoids: dict[str, str] | None = None,
    ) -> None:
        self.zones = np.array([node.labels.get(ZONE, "") for node in packing.snapshot.nodes])
        self.likes, self.spreads, self.avoids = likes or {}, spreads, avoids or {}
        self.standing: Counter[tuple[str, int]] = Counter()
        number = {node.name: n for n, node in enumerate(packing.snapshot.nodes)}
        for pod in packing.snapshot.pods:
            if pod.node is not None:
                self.standing[pod.workload.name, number[pod.node]] += 1

    def knows(self, tasks: Collection[Task]) -> Wishing:
        for task in tasks:
            if task.source is not None:
                self.leave(task.pod, task.source)
            if task.target is not None:
                self.stand(task.pod, task.target)
        return self

    def kind(self, pod: Pod) -> Hashable | None:
        name = pod.workload.name
        return name if name in self.likes or name in self.spreads or name in self.avoids else None

    def minded_by(self, pod: Pod) -> list[Hashable]:
        own = [pod.workload.name] if pod.workload.name in self.spreads else []
        return [*own, *(w for w, other in self.avoids.items() if other == pod.workload.name)]

    def opinion(self, pod: Pod) -> Shares:
        return np.array([self.worth(pod, n) for n in range(len(self.zones))])

    def worth(self, pod: Pod, node: int) -> float:
        name, zone = pod.workload.name, self.zones[node]
        if name in self.likes:
            return float(zone == self.likes[name])
        if name in self.avoids:
            return float(self.standing[self.avoids[name], node] == 0)
        here = sum(n for (w, at), n in self.standing.items() if w == name and self.zones[at] == zone)
        return 1.0 / (1 + here)

    def stand(self, pod: Pod, node: int) -> None:
        self.standing[pod.workload.name, node] += 1

    def leave(self, pod: Pod, node: int) -> None:
        self.standing[pod.workload.name, node] -= 1
        assert self.standing[pod.workload.name, node] >= 0


def packed(cluster: Cluster) -> Packing:
    return build(cluster.snapshot(), PlanOptions())


def placed(packing: Packing, where: dict[str, str]) -> tuple[IntArray, tuple[Task, ...]]:
    """The placement that has these pods on these nodes, the others where they stand, and the tasks that lead to it."""
    placement = packing.problem.standing_counts.copy()
    nodes = packing.problem.nodes
    tasks = []
    for c, members in enumerate(packing.members):
        for pod in members.pending:
            if pod.name in where:
                placement[c, nodes.index(where[pod.name])] += 1
                tasks.append(Task(pod, c, None, nodes.index(where[pod.name])))
        for n, pods in members.running.items():
            for pod in pods:
                if pod.name in where:
                    placement[c, n] -= 1
                    placement[c, nodes.index(where[pod.name])] += 1
                    tasks.append(Task(pod, c, n, nodes.index(where[pod.name])))
    assert not placement_violations(packing.problem, placement)
    return placement, tuple(tasks)


def pleased(
    packing: Packing,
    where: dict[str, str],
    *,
    held: Collection[str] = (),
    closed: Mask | None = None,
    seconds: float = 60.0,
    **wishes: object,
) -> dict[str, str]:
    """Pod to node after the search, checked against every rule and against what the judge believes."""
    placement, tasks = placed(packing, where)
    judge = Wishing(packing, **wishes).knows(tasks)  # type: ignore[arg-type]
    holding = frozenset(t for t, task in enumerate(tasks) if task.pod.name in held)
    terms = Terms(time.monotonic() + seconds, time.monotonic, holding, closed)
    found = please(packing.problem, placement, tasks, judge, terms)
    assert [(t.pod, t.source, t.pod_class) for t in found] == [(t.pod, t.source, t.pod_class) for t in tasks]
    after = packing.problem.standing_counts.copy()
    for task in found:
        if task.source is not None:
            after[task.pod_class, task.source] -= 1
        if task.target is not None:
            after[task.pod_class, task.target] += 1
    assert not placement_violations(packing.problem, after)
    assert (after.sum(axis=1) == placement.sum(axis=1)).all()
    assert +judge.standing == +Wishing(packing, **wishes).knows(found).standing  # type: ignore[arg-type]
    return {t.pod.name: packing.problem.nodes[t.target] for t in found if t.target is not None}


def three_zones() -> Cluster:
    return Cluster().node("a", zone="a", gpu=8).node("b", zone="b", gpu=8).node("c", zone="c", gpu=8)


def test_a_pod_goes_where_it_likes_when_there_is_room() -> None:
    packing = packed(three_zones().pods("web", gpu=1))
    assert pleased(packing, {"web-0": "a"}, likes={"web": "b"}) == {"web-0": "b"}


def test_nobody_wishes_and_nothing_changes() -> None:
    packing = packed(three_zones().pods("web", 3, gpu=1))
    where = {f"web-{i}": "a" for i in range(3)}
    assert pleased(packing, where) == where


def test_a_workload_spreads_as_a_whole() -> None:
    packing = packed(three_zones().pods("web", 3, gpu=1))
    found = pleased(packing, {f"web-{i}": "a" for i in range(3)}, spreads=["web"])
    assert sorted(found.values()) == ["a", "b", "c"]


def test_siblings_that_stay_are_counted() -> None:
    packing = packed(three_zones().pods("web", 1, gpu=1, on="b").pods("web", 2, gpu=1))
    found = pleased(packing, {"web-1": "b", "web-2": "b"}, spreads=["web"])
    assert sorted(found.values()) == ["a", "c"]


def test_equal_pods_change_places_where_there_is_no_room() -> None:
    packing = packed(three_zones().pods("web", gpu=8).pods("other", gpu=8))
    assert pleased(packing, {"web-0": "a", "other-0": "b"}, likes={"web": "b"}) == {"web-0": "b", "other-0": "a"}


def test_no_swap_that_only_passes_the_harm_on() -> None:
    packing = packed(three_zones().pods("web", gpu=8).pods("other", gpu=8))
    where = {"web-0": "a", "other-0": "b"}
    assert pleased(packing, where, likes={"web": "b", "other": "b"}) == where


def test_a_new_pod_in_the_way_goes_elsewhere() -> None:
    packing = packed(three_zones().pods("web", gpu=8).pods("other", gpu=2))
    found = pleased(packing, {"web-0": "a", "other-0": "b"}, likes={"web": "b"})
    assert found == {"web-0": "b", "other-0": "c"} or found == {"web-0": "b", "other-0": "a"}


def test_what_stands_is_not_in_the_way_for_nothing() -> None:
    """It could move, but nobody moves for a wish."""
    packing = packed(three_zones().pods("web", gpu=8).pods("other", gpu=2, on="b"))
    assert pleased(packing, {"web-0": "a"}, likes={"web": "b"}) == {"web-0": "a"}


def test_a_pod_that_moves_anyway_moves_to_where_it_likes() -> None:
    cluster = three_zones().pods("web", gpu=2, on="a").pods("big", gpu=8, node_selector={HOSTNAME: "a"}, priority=9)
    found = pleased(packed(cluster), {"web-0": "b", "big-0": "a"}, likes={"web": "c"})
    assert found == {"web-0": "c", "big-0": "a"}


def test_a_pod_does_not_move_back_to_where_it_has_to_leave() -> None:
    cluster = three_zones().pods("web", gpu=2, on="a")
    assert pleased(packed(cluster), {"web-0": "b"}, likes={"web": "a"}) == {"web-0": "b"}


def test_a_sibling_is_not_sent_to_where_one_just_leaves() -> None:
    cluster = three_zones().pods("web", gpu=2, on="a").pods("web", gpu=2)
    assert pleased(packed(cluster), {"web-0": "b", "web-1": "c"}, likes={"web": "a"}) == {"web-0": "b", "web-1": "c"}


def test_rules_between_pods_hold() -> None:
    apart = [pod_term(HOSTNAME, app="web")]
    packing = packed(three_zones().pods("web", 2, gpu=1, anti_affinity=apart))
    found = pleased(packing, {"web-0": "a", "web-1": "c"}, likes={"web": "b"})
    assert sorted(found.values()) in (["a", "b"], ["b", "c"])


def test_a_pod_that_others_lean_on_stays_with_them() -> None:
    cluster = three_zones().pods("db", gpu=1).pods("web", gpu=1, affinity=[pod_term(HOSTNAME, app="db")])
    where = {"db-0": "a", "web-0": "a"}
    assert pleased(packed(cluster), where, likes={"db": "b"}) == where


def test_a_node_selector_is_stronger_than_a_wish() -> None:
    packing = packed(three_zones().pods("web", gpu=1, node_selector={ZONE: "a"}))
    assert pleased(packing, {"web-0": "a"}, likes={"web": "b"}) == {"web-0": "a"}


def test_whoever_avoids_moves_and_so_may_whom_it_avoids() -> None:
    packing = packed(three_zones().pods("web", gpu=4).pods("etl", gpu=4))
    found = pleased(packing, {"web-0": "a", "etl-0": "a"}, avoids={"web": "etl"})
    assert found["web-0"] != found["etl-0"]


def test_what_is_held_stays() -> None:
    packing = packed(three_zones().pods("web", gpu=8).pods("other", gpu=8))
    where = {"web-0": "a", "other-0": "b"}
    assert pleased(packing, where, likes={"web": "b"}, held=["other-0"]) == where
    assert pleased(packing, where, likes={"web": "c"}, held=["web-0"]) == where


def test_closed_nodes_take_nobody() -> None:
    packing = packed(three_zones().pods("web", gpu=1))
    assert pleased(packing, {"web-0": "a"}, likes={"web": "b"}, closed=np.array([0, 1, 0], np.bool_)) == {"web-0": "a"}


def test_among_equals_the_fullest_node_is_taken() -> None:
    cluster = three_zones().node("b2", zone="b", gpu=8).pods("there", gpu=4, on="b2").pods("web", gpu=1)
    assert pleased(packed(cluster), {"web-0": "a"}, likes={"web": "b"}) == {"web-0": "b2"}


def test_no_time_no_change() -> None:
    packing = packed(three_zones().pods("web", gpu=1))
    assert pleased(packing, {"web-0": "a"}, likes={"web": "b"}, seconds=-1.0) == {"web-0": "a"}


@pytest.mark.parametrize("gang", [2, 3])
def test_a_gang_moves_member_by_member(gang: int) -> None:
    packing = packed(three_zones().pods("ring", 3, gpu=1, gang=gang))
    found = pleased(packing, {f"ring-{i}": "a" for i in range(3)}, likes={"ring": "b"})
    assert set(found.values()) == {"b"}
