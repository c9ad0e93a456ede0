"""What a picture counts: room that is kept, room that is lost, and no more than there is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from berth_api.packing_plan import PackingPlan
from berth_ui.fragments import Stranded, fragments
from berth_ui.live_picture import LivePicture
from berth_ui.wire import NodeView, PodView
from tests.cluster.builders import node, pod, read_node, read_pod

NOW = datetime(2026, 11, 24, tzinfo=UTC)


def asking(name: str, gpus: int) -> Any:
    return pod(name).asks(limits={"nvidia.com/gpu": str(gpus)}, **{"nvidia.com/gpu": str(gpus)}).meta(uid=name)


def approved(
    node_name: str, *, count: int, standing: int = 0, ends: datetime = NOW + timedelta(minutes=5)
) -> PackingPlan:
    owner = {"namespace": "default", "kind": "Pod", "name": "p"}
    placement = {
        "workload": owner,
        "priority": 0,
        "node": node_name,
        "count": count,
        "standing": standing,
        "requests": {"nvidia.com/gpu": 2},
    }
    cost = {"moves": 0, "evictions": 0, "value": 0, "bound": 0, "certificate": "Optimal"}
    return PackingPlan.model_validate(
        {
            "metadata": {"name": "plan-1", "uid": "u"},
            "spec": {
                "trigger": "Unschedulable",
                "summary": "",
                "deadline": ends.isoformat(),
                "certificate": {"tiers": [], "disruption": cost, "verified": True, "solveSeconds": 0},
                "snapshot": {"taken": NOW.isoformat()},
                "waves": [{"steps": [{"placements": [placement]}]}],
            },
            "status": {
                "conditions": [
                    {"type": "Approved", "status": "True", "reason": "x", "lastTransitionTime": NOW.isoformat()}
                ]
            },
        }
    )


def test_room_that_a_plan_keeps_is_shown_until_it_is_taken_or_the_plan_ends() -> None:
    clock = [NOW]
    picture = LivePicture(lambda: clock[0])
    picture.node_changed(None, read_node(node("n1").has(gpu="8", cpu="8", memory="8Gi")))
    plan = approved("n1", count=2)
    picture.plan_changed(None, plan)
    delta = picture.collect()
    assert (delta.nodes, delta.plans) == ({"n1"}, {"plan-1"})
    assert picture.painted.nodes["n1"].gpus_kept == 4
    arrived = read_pod(asking("p", 2).on("n1"))
    picture.pod_changed(None, arrived)
    picture.collect()
    view = picture.painted.nodes["n1"]
    assert (view.gpus_used, view.gpus_kept) == (2, 2)
    clock[0] += timedelta(minutes=6)  # past its deadline, and nobody says a word
    assert picture.collect().nodes == {"n1"}
    assert picture.painted.nodes["n1"].gpus_kept == 0


def test_no_more_is_kept_than_is_free() -> None:
    picture = LivePicture(lambda: NOW)
    picture.node_changed(None, read_node(node("n1").has(gpu="8", cpu="8", memory="8Gi")))
    picture.pod_changed(None, read_pod(asking("victim", 6).on("n1")))
    picture.plan_changed(None, approved("n1", count=4))
    picture.collect()
    assert picture.painted.nodes["n1"].gpus_kept == 2


def test_a_pod_of_the_same_name_is_another_one() -> None:
    picture = LivePicture(lambda: NOW)
    picture.node_changed(None, read_node(node("n1").has(gpu="8", cpu="8", memory="8Gi")))
    first, second = read_pod(asking("p", 2).on("n1")), read_pod(asking("p", 4).meta(uid="other").on("n1"))
    picture.pod_changed(None, first)
    picture.collect()
    picture.pod_changed(first, second)
    delta = picture.collect()
    assert set(delta.pods) == {"p", "other"}
    assert set(picture.painted.pods) == {"other"}
    assert picture.painted.nodes["n1"].gpus_used == 4


amounts = st.integers(0, 8)


@given(
    st.lists(st.tuples(amounts, amounts, amounts, st.booleans()), max_size=12),
    st.lists(st.tuples(st.integers(1, 8), amounts), max_size=5),
)
def test_the_quick_count_of_lost_room_is_the_full_one(
    rooms: list[tuple[int, int, int, bool]], sizes: list[tuple[int, int]]
) -> None:
    words: Any = {"zone": "", "rack": "", "gpu_model": "", "models": [], "gpus_kept": 0, "cordoned": False}
    nodes = [
        NodeView(name=f"n{i}", gpus=8, cpu=8, memory=8, gpus_used=g, cpu_used=c, memory_used=m, ready=r, **words)
        for i, (g, c, m, r) in enumerate(rooms)
    ]
    told: Any = dict.fromkeys(("namespace", "workload", "service", "node", "priority_class", "since", "reason"), "")
    flags: Any = {"ours": True, "movable": True, "hinted": False, "priority": 0, "phase": "Running", "memory": 0}
    pods = [PodView(uid=str(i), name=str(i), gpus=g, cpu=c, **told, **flags) for i, (g, c) in enumerate(sizes)]
    shapes = frozenset((p.gpus, p.cpu, p.memory) for p in pods)
    quick = Stranded()
    whole = fragments(nodes, pods, 0)
    assert quick.of(nodes, shapes) == quick.of(nodes, shapes) == whole.gpus_stranded
    assert whole.gpus_free == sum(h.gpus * h.nodes for h in whole.holes) == sum(n.gpus - n.gpus_used for n in nodes)
    assert all(shape.fits_now <= shape.fits_at_most for shape in whole.shapes)
