"""A cluster in memory behind the dashboard's real server, for the page's tests and figures: `python -m berth_e2e.page_scene --nodes 5000`.

The API, the change feed, the planner, the history and the page are the real ones; what stands in for a cluster are nodes and pods in
memory, a plan that the planner made for them, and an API server that lets plans be approved and cancelled. `--moving` has pods come and
go, a delta four times a second, as often as the operator sends them. Tokens: `admin` may do all, `tenant` sees one namespace and no nodes; with `--open` everybody is admin.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import itertools
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import uvicorn
from msgspec.structs import replace

from berth_api.packing_plan import EvictionRecord, PackingPlan, PackingPlanStatus, Trigger
from berth_api.packing_policy import PackingPolicy
from berth_api.reasons import Reason
from berth_api.resource import Condition, Metadata
from berth_cli.demo.cluster import demo_dump
from berth_cluster.dump import read_dumps
from berth_cluster.snapshot import Node, Pod, Snapshot
from berth_intent.facts import NodeFacts, node_facts
from berth_planner.options import PlanOptions
from berth_planner.plan_object import plan_specs
from berth_planner.planning import make_plan
from berth_ui.callers import Caller, RefusedError
from berth_ui.history import Recorder
from berth_ui.live_picture import Delta
from berth_ui.picture import Painted, node_view, painted_of, pod_view
from berth_ui.server import build_app
from berth_ui.source import Kind, StillSource
from berth_ui.thinking import Thinker
from berth_ui.wire import May, NodeView, PodView, Problem, Replica, Sample, ServiceCondition, ServiceView

TICK_SECONDS = 0.25
MOVED_A_TICK = 25
SIZES = ((8, 3), (4, 5), (2, 8), (1, 16))
"""GPUs of a pod, and how many of 32 pods have so many."""


def large_dump(nodes: int) -> bytes:
    """About five pods a node in four tiers, in four zones of racks with 20 nodes; some pods wait, some nodes are out."""
    items: list[dict[str, Any]] = [
        {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": name}, "value": value}
        for name, value in PRIORITIES
    ]
    sizes = itertools.cycle([gpus for gpus, share in SIZES for _ in range(share)])
    for n in range(nodes):
        items.append(_node(n))
        left, slot = (8 if n % 11 else 0), 0
        for slot in range(6):
            gpus = next(sizes)
            if gpus <= left and (n * 7 + slot * 5) % 9:
                left -= gpus
                items.append(_pod(n, slot, gpus, f"node-{n:05d}"))
            elif n % 11 == 0:
                items.append(_pod(n, slot, 0, f"node-{n:05d}"))
    items += [_pod(nodes + n, 0, 8 if n % 3 else 4, "") for n in range(max(4, nodes // 100))]
    return msgspec.json.encode({"apiVersion": "v1", "kind": "List", "items": items})


PRIORITIES = (("urgent", 1_000_000), ("standard", 10_000), ("batch", 1_000), ("best-effort", 0))


def _node(n: int) -> dict[str, Any]:
    amounts = {"cpu": "96", "memory": "1024Gi", "pods": "110"} | ({"nvidia.com/gpu": "8"} if n % 11 else {})
    name, zone = f"node-{n:05d}", "abcd"[n % 4]
    labels = {
        "kubernetes.io/hostname": name,
        "topology.kubernetes.io/zone": f"zone-{zone}",
        "topology.kubernetes.io/rack": f"rack-{n // 80:03d}",
    } | ({"nvidia.com/gpu.product": ("NVIDIA-A100-SXM4-80GB", "NVIDIA-H100-80GB-HBM3")[n % 3 == 0]} if n % 11 else {})
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": labels},
        "spec": {"unschedulable": True} if n % 97 == 5 else {},
        "status": {
            "allocatable": amounts,
            "capacity": amounts,
            "conditions": [{"type": "Ready", "status": "False" if n % 131 == 7 else "True"}],
        },
    }


def _pod(n: int, slot: int, gpus: int, node: str) -> dict[str, Any]:
    name, priority = PRIORITIES[(n + slot) % 4]
    app = f"{('chat', 'code', 'embed', 'vision', 'agent')[(n + slot) % 5]}-{n % 40}"
    requests = {"cpu": f"{max(1, gpus * 8)}", "memory": f"{max(8, gpus * 90)}Gi"} | (
        {"nvidia.com/gpu": str(gpus)} if gpus else {}
    )
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "no node has room"}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": f"{app}-6f9c-{n}-{slot}",
            "namespace": f"team-{n % 12}",
            "uid": f"pod-{n}-{slot}",
            "creationTimestamp": "2026-11-22T08:00:00Z",
            "ownerReferences": [
                {
                    "apiVersion": "apps/v1",
                    "kind": "ReplicaSet",
                    "name": f"{app}-6f9c",
                    "uid": f"rs-{app}",
                    "controller": True,
                }
            ],
        },
        "spec": {
            "schedulerName": "berth",
            "priority": priority,
            "priorityClassName": name,
            "containers": [
                {"name": "engine", "image": "engine", "resources": {"requests": requests, "limits": requests}}
            ],
        }
        | ({"nodeName": node} if node else {}),
        "status": {"phase": "Running"} if node else {"phase": "Pending", "conditions": [condition]},
    }


class Painter:
    """Paints thousands of nodes several times a second: what is the same object as before is not painted anew."""

    def __init__(self) -> None:
        self._facts: dict[str, tuple[Node, NodeFacts]] = {}
        self._nodes: dict[str, tuple[Node, tuple[int, int, int, int], NodeView]] = {}
        self._pods: dict[str, tuple[Pod, PodView]] = {}

    def paint(self, snapshot: Snapshot) -> Painted:
        pods: dict[str, tuple[Pod, PodView]] = {}
        used: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
        for pod in snapshot.pods:
            before = self._pods.get(pod.uid)
            painted = before if before is not None and before[0] is pod else (pod, pod_view(pod))
            pods[pod.uid] = painted
            view = painted[1]
            if view.node:
                on = used[view.node]
                on[0] += view.gpus
                on[1] += view.cpu
                on[2] += view.memory
        nodes: dict[str, tuple[Node, tuple[int, int, int, int], NodeView]] = {}
        for node in sorted(snapshot.nodes, key=lambda node: node.name):
            gpus, cpu, memory = used.get(node.name, (0, 0, 0))
            amounts = (gpus, cpu, memory, 0)
            known = self._nodes.get(node.name)
            if known is None or known[0] is not node or known[1] != amounts:
                known = (node, amounts, node_view(node, self._facts_of(node), amounts))
            nodes[node.name] = known
        self._pods, self._nodes = pods, nodes
        views = {uid: view for uid, (_, view) in pods.items()}
        return painted_of({name: view for name, (_, _, view) in nodes.items()}, views)

    def _facts_of(self, node: Node) -> NodeFacts:
        known = self._facts.get(node.name)
        if known is None or known[0] is not node:
            known = self._facts[node.name] = (node, node_facts(node.name, node.labels, node.amounts))
        return known[1]


class Scene(StillSource):
    """A cluster that can change."""

    def __init__(self, snapshot: Snapshot, thinker: Thinker) -> None:
        super().__init__("Demo", "harbour-eu-1", snapshot, thinker)
        self.kind: Kind = "Live"
        self.plan_objects: list[PackingPlan] = []
        self.service_views: list[ServiceView] = []
        self._painter = Painter()
        self._scene = self._painter.paint(snapshot)

    def painted(self) -> Painted:
        return self._scene

    def plans(self) -> Sequence[PackingPlan]:
        return self.plan_objects

    def policies(self) -> Sequence[PackingPolicy]:
        return ()

    def services(self) -> Sequence[ServiceView]:
        return self.service_views

    def leader(self) -> str:
        return "berth-operator-7c9d"

    def scheduler_serves(self) -> bool:
        return True

    def notices(self) -> list[Problem]:
        return []

    def change(self, snapshot: Snapshot) -> None:
        before = self._scene
        self._snapshot = snapshot
        self._scene = self._painter.paint(snapshot)
        nodes = frozenset(n for n, view in self._scene.nodes.items() if before.nodes.get(n) is not view)
        changed = {uid: v.namespace for uid, v in self._scene.pods.items() if before.pods.get(uid) is not v}
        gone = {uid: v.namespace for uid, v in before.pods.items() if uid not in self._scene.pods}
        self.feed.push(Delta(nodes, changed | gone, frozenset(), frozenset()))

    def plan_changed(self, name: str) -> None:
        self.feed.push(Delta(frozenset(), {}, frozenset((name,)), frozenset()))

    def sample(self) -> Sample:
        views = self._scene.nodes.values()
        return Sample(
            at="now",
            gpus=sum(v.gpus for v in views),
            gpus_used=sum(v.gpus_used for v in views),
            gpus_stranded=0,
            running=sum(t.running for t in self._scene.tiers),
            waiting=sum(t.waiting for t in self._scene.tiers),
            oldest_wait_seconds=0.0,
        )

    async def move(self) -> None:
        """Pods change places with pods of their size, so that no node ever holds too much."""
        turn = itertools.count()
        while True:
            await asyncio.sleep(TICK_SECONDS)
            pods = list(self._snapshot.pods)
            n = next(turn) * MOVED_A_TICK
            for k in range(MOVED_A_TICK):
                a, b = (n + k) % len(pods), (n + k * 37 + 61) % len(pods)
                one, other = pods[a], pods[b]
                if one.node and other.node and one.spec.requests == other.spec.requests:
                    pods[a], pods[b] = replace(one, node=other.node), replace(other, node=one.node)
            self.change(replace(self._snapshot, pods=tuple(pods)))


class SceneCallers:
    """Who has which token; plans are changed in memory, as an API server would."""

    def __init__(self, scene: Scene, *, anybody: bool) -> None:
        self._scene = scene
        self._anybody = anybody

    async def of(self, headers: Mapping[str, str]) -> Caller:
        token = headers.get("authorization", "").removeprefix("Bearer ")
        if self._anybody or token == "admin":
            return Caller(May(act=True, see_nodes=True, see_plans=True, namespaces=None))
        if token == "tenant":
            return Caller(May(act=False, see_nodes=False, see_plans=False, namespaces=["llm"]), frozenset(("llm",)))
        raise RefusedError(
            401, Reason.UNAUTHENTICATED, "send your own token: Authorization: Bearer $(kubectl create token ...)"
        )

    async def change_plan(self, caller: Caller, name: str, uid: str, spec: Mapping[str, object]) -> None:
        plans = self._scene.plan_objects
        at = next(i for i, plan in enumerate(plans) if plan.metadata.name == name)
        changed = plans[at].model_copy(update={"spec": plans[at].spec.model_copy(update=dict(spec))})
        status = changed.status.model_copy(update={"phase": "Approved"})
        if spec.get("cancelled"):
            ended = Condition(
                type="Finished", status="True", reason="Cancelled", last_transition_time=datetime.now(UTC)
            )
            status = changed.status.model_copy(update={"phase": "Cancelled", "conditions": [ended]})
        plans[at] = changed.model_copy(update={"status": status})
        self._scene.plan_changed(name)

    async def read(self, caller: Caller, path: str) -> bytes:
        raise RefusedError(409, Reason.NOT_LIVE, "no engine runs in memory")


def with_plans(scene: Scene) -> None:
    """One that waits for approval, made by the planner, and one that was carried out."""
    snapshot, now = scene.snapshot(), datetime.now(UTC)
    plan = make_plan(snapshot, PlanOptions(budget=20.0, threads=1))
    [spec] = plan_specs(
        plan, snapshot, policy="", trigger=Trigger.UNSCHEDULABLE, now=now, deadline_seconds=900, approved=False
    )
    waits = PackingPlan(
        metadata=Metadata(name="plan-7f3a", uid="u2", creation_timestamp=now), spec=spec, status=PackingPlanStatus()
    )
    then = now - timedelta(hours=2)
    finished = Condition(type="Finished", status="True", reason="Completed", last_transition_time=then)
    records = [EvictionRecord(pod=e.pod, uid=e.uid, workload="", at=then) for e in spec.evictions]
    done = PackingPlan(
        metadata=Metadata(name="plan-1c20", uid="u1", creation_timestamp=then - timedelta(minutes=4)),
        spec=spec.model_copy(update={"approved": True}),
        status=PackingPlanStatus(
            phase="Completed",
            conditions=[finished],
            evictions=records,
            moves_done=len(records),
            pods_placed=len(records) + 4,
        ),
    )
    scene.plan_objects = [waits, done]


def with_services(scene: Scene) -> None:
    since = "2026-11-22T08:00:00Z"
    ready = ServiceCondition(type="Ready", status="True", reason="Ready", message="all replicas answer", since=since)
    waits = ServiceCondition(
        type="Ready", status="False", reason="ReplicasWaiting", message="1 of 2 replicas waits for 8 GPUs", since=since
    )
    scene.service_views = [
        ServiceView(
            namespace="llm", name="chat-70b", model="s3://models/chat-70b", priority_class="llm-urgent", desired=2, ready=2, is_ready=True,
            reason="Ready", message="all replicas answer", hint="close to the other replicas, please", conditions=[ready],
            replicas=[
                Replica(pod=f"llm/chat-70b-7d4b9-{n}", node=f"a100-0{n + 1}", ready=True, reason="", running=12.0 + n, queued=3.0 * n,
                        ttft_seconds=0.184 + 0.05 * n, kv_use=0.61 + 0.2 * n)
                for n in range(2)
            ],
        ),
        ServiceView(
            namespace="llm", name="agent-70b", model="hf://agent-70b", priority_class="llm-urgent", desired=2, ready=1, is_ready=False,
            reason="ReplicasWaiting", message="1 of 2 replicas waits for 8 GPUs", hint="", conditions=[waits],
            replicas=[Replica(pod="llm/agent-70b-7d4b9-w0", node="", ready=False, reason="ReplicasWaiting", running=None, queued=None,
                              ttft_seconds=None, kv_use=None)],
        ),
    ]  # fmt: skip


def with_history(scene: Scene) -> Recorder:
    """A sample each ten minutes of the last day, as the recorder would have written them."""
    clock = [datetime.now(UTC)]
    now, wave = clock[0], itertools.cycle([0, 1, 1, 2, 3, 2, 4, 3, 2, 1])

    def sample() -> Sample:
        off = next(wave)
        s = scene.sample()
        return replace(
            s,
            gpus_used=s.gpus_used - off * 3,
            gpus_stranded=off,
            waiting=s.waiting + off,
            oldest_wait_seconds=off * 95.0,
        )

    recorder = Recorder(sample, now=lambda: clock[0])
    for minutes in range(24 * 60, 0, -10):
        clock[0] = now - timedelta(minutes=minutes)
        recorder.write()
    for plan in scene.plan_objects:
        recorder.ended(plan)
    clock[0] = now
    for pod in scene.snapshot().pods[:12]:
        recorder.placed(pod, pod)
    recorder.write()
    return recorder


async def serve(nodes: int, port: int, *, moving: bool, anybody: bool) -> None:
    dump = large_dump(nodes) if nodes else demo_dump()
    thinker = Thinker()
    scene = Scene(read_dumps([io.BytesIO(dump)]), thinker)
    recorder = None
    if not nodes:
        with_plans(scene)
        with_services(scene)
        recorder = with_history(scene)
    app = build_app(scene, thinker, SceneCallers(scene, anybody=anybody), recorder)
    thinker.open()
    mover = asyncio.create_task(scene.move()) if moving else None
    print(f"http://127.0.0.1:{port}/ui/", flush=True)
    try:
        await uvicorn.Server(
            uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error", timeout_graceful_shutdown=1)
        ).serve()
    finally:
        if mover is not None:
            mover.cancel()
        thinker.close()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument(
        "--nodes", type=int, default=0, help="0: the demo's cluster, with plans, services and a history"
    )
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--moving", action="store_true")
    parser.add_argument("--open", action="store_true")
    given = parser.parse_args()
    asyncio.run(serve(given.nodes, given.port, moving=given.moving, anybody=given.open))


if __name__ == "__main__":
    main()
