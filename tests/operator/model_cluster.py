"""A small cluster under virtual time: owners that recreate pods, kubelets that take their time to end them, the Eviction API
with its budgets, and a kube-scheduler that asks the real `berth_scheduling.Scheduler` and sleeps and wakes as 1.37.2 does.

cluster = ModelCluster().node("n1", gpu=8).node("n2", gpu=8)
cluster.deploy("web", gpu=4, on=["n1", "n2"]).deploy("big", gpu=8, priority=100, on=[None])
run = cluster.carry_out(plan("p1").evicts("web-1", to="n1").places("web", on="n1").then().places("big", on="n2"))
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import msgspec
from msgspec.structs import replace

from berth_api.annotations import DELETION_COST, LOWEST_DELETION_COST, RELIEVED_BY, SERVICE_LABEL
from berth_api.packing_plan import EvictionRecord, Outcome, PackingPlan, PlanCondition
from berth_api.packing_policy import PackingPolicySpec
from berth_api.resource import find_condition
from berth_cluster.matching import node_matches
from berth_cluster.snapshot import (
    DisruptionBudget,
    LabelSelector,
    Node,
    Operator,
    Pod,
    PodSpec,
    Requirement,
    Snapshot,
    WorkloadKey,
)
from berth_operator.execution_actions import Action, Evict, MarkMoved, Relieve, Wake
from berth_operator.execution_view import Refusal, View
from berth_operator.next_actions import next_actions
from berth_operator.serving.moving import moves_of
from berth_operator.serving.names import REVISION_LABEL
from berth_operator.serving.seen import SeenPod
from berth_operator.stopwatch import Stopwatches
from berth_scheduling.scheduler import Scheduler

START = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
GPU = "nvidia.com/gpu"
TICK = 0.5
RECREATE_SECONDS = 1.0
BACKOFF_SECONDS = 1.0


def amounts(gpu: int, cpu: int = 1000) -> tuple[tuple[str, int], ...]:
    return tuple((name, amount) for name, amount in (("cpu", cpu), (GPU, gpu), ("pods", 1)) if amount)


def stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass
class Owner:
    key: WorkloadKey
    spec: PodSpec
    priority: int
    scheduler: str
    grace: float
    replicas: int
    paused: bool = False
    made: int = 0
    due: list[float] = field(default_factory=list)
    load: float | None = None
    """Of an LLMService: seconds until a replica that has a node answers."""
    extra: int = 0
    """Replicas that its reconciler asks for beyond those that people do."""
    reconciled: bool = True
    most: int = 1_000
    """Pods that a quota allows."""

    @property
    def wanted(self) -> int:
        return self.replicas + self.extra


@dataclass
class Budget:
    app: str
    max_unavailable: int


class ModelCluster:
    def __init__(self) -> None:
        self.seconds = 0.0
        self.nodes: dict[str, Node] = {}
        self.pods: dict[str, Pod] = {}
        self.owners: dict[str, Owner] = {}
        self.budgets: list[Budget] = []
        self.scheduler = Scheduler(clock=lambda: self.seconds, now=lambda: self.now)
        self.scheduler.leader_alive = True
        self.extenders_live = True
        self.lost_extender = ""
        self.extender_answers = True
        self.scheduler_runs = True
        self.policy = PackingPolicySpec()
        self.plans: dict[str, PackingPlan] = {}
        self._ends: dict[str, float] = {}
        self._asleep: dict[str, bool] = {}
        """Uid of a rejected pod to whether it was our filter that rejected it."""
        self._backoff: dict[str, float] = {}
        self.evicted: list[str] = []
        """Uids that the Eviction API accepted, in order."""
        self.overdrawn: list[str] = []
        """What would have been lost with a crash: evictions that were accepted without standing in a status."""
        self.relieved: list[str] = []
        """Uids of replicas that were marked when their ReplicaSet took them away, in order."""
        self.fewest: dict[str, int] = {}
        """Of each service, the fewest replicas that answered at any moment."""
        self._answers_at: dict[str, float] = {}

    @property
    def now(self) -> datetime:
        return START + timedelta(seconds=self.seconds)

    # -- building -------------------------------------------------------------------------------------------------------

    def node(self, name: str, *, gpu: int = 8, **changes: object) -> ModelCluster:
        node = Node(name, (("cpu", 64_000), (GPU, gpu), ("pods", 110)))
        self.change_node(replace(node, **changes))
        return self

    def deploy(
        self,
        app: str,
        *,
        gpu: int,
        on: Sequence[str | None],
        priority: int = 0,
        scheduler: str = "berth",
        grace: float = 0.0,
        kind: str = "Deployment",
        cpu: int = 1000,
    ) -> ModelCluster:
        """An owner with a pod on each of these nodes; None: it waits and has been refused."""
        spec = PodSpec(amounts(gpu, cpu), labels=(("app", app),))
        key = WorkloadKey("default", kind, app, f"uid-{app}")
        owner = self.owners[app] = Owner(key, spec, priority, scheduler, grace, len(on))
        for node in on:
            pod = self._new_pod(owner, START - timedelta(hours=1))
            self.change_pod(replace(pod, node=node, phase="Running") if node else replace(pod, unschedulable=True))
            if node is None:
                self._asleep[pod.uid] = True
        return self

    def serve(self, app: str, *, gpu: int, on: Sequence[str], load: float = 5.0, grace: float = 0.0) -> ModelCluster:
        """An LLMService with a replica that answers on each of these nodes."""
        self.deploy(app, gpu=gpu, on=[], kind="LLMService", grace=grace)
        owner = self.owners[app]
        owner.load = load
        owner.replicas = len(on)
        owner.spec = msgspec.structs.replace(owner.spec, labels=((SERVICE_LABEL, app), (REVISION_LABEL, "r1")))
        for node in on:
            pod = self._new_pod(owner, START - timedelta(hours=1))
            self._answers_at[pod.uid] = 0.0
            self.change_pod(replace(pod, node=node, phase="Running"))
        return self

    def answering(self, app: str) -> list[str]:
        """Names of the replicas of a service that answer now."""
        pods = (pod for pod in self.pods.values() if pod.workload.name == app and not pod.terminating)
        return sorted(pod.name for pod in pods if self._answers_at.get(pod.uid, float("inf")) <= self.seconds)

    def fail(self, name: str) -> None:
        """A replica stops answering for good."""
        self._answers_at[self.pod(name).uid] = float("inf")

    def budget(self, app: str, max_unavailable: int) -> ModelCluster:
        self.budgets.append(Budget(app, max_unavailable))
        return self

    def pod(self, name: str) -> Pod:
        return next(pod for pod in self.pods.values() if pod.name == name)

    def on(self, node: str | None) -> list[str]:
        return sorted(pod.name for pod in self.pods.values() if pod.node == node)

    def apps_on(self, node: str | None) -> dict[str, int]:
        return dict(Counter(pod.workload.name for pod in self.pods.values() if pod.node == node))

    # -- what happens to it ---------------------------------------------------------------------------------------------

    def change_node(self, node: Node) -> None:
        self.scheduler.node_changed(self.nodes.get(node.name), node)
        self.nodes[node.name] = node
        self._wake_all()

    def delete_node(self, name: str) -> None:
        self.scheduler.node_changed(self.nodes.pop(name), None)
        for pod in [p for p in self.pods.values() if p.node == name]:
            self._remove(pod)

    def change_pod(self, pod: Pod) -> None:
        self.scheduler.pod_changed(self.pods.get(pod.uid), pod)
        self.pods[pod.uid] = pod

    def scale(self, app: str, replicas: int) -> None:
        """The surplus is ended, youngest first; fewer are waited for."""
        owner = self.owners[app]
        owner.replicas = replicas
        if owner.load is not None:
            return
        pods = [p for p in self.pods.values() if p.workload == owner.key and not p.terminating]
        for pod in sorted(pods, key=lambda p: (p.node is not None, p.created, p.name))[replicas:][::-1]:
            self._terminate(pod)
        owner.due = owner.due[: max(replicas - len(pods), 0)]

    def wake(self, uid: str) -> None:
        self._asleep.pop(uid, None)

    def put(self, plan: PackingPlan) -> None:
        before = self.plans.get(plan.metadata.uid)
        self.scheduler.plan_changed(before, plan)
        self.plans[plan.metadata.uid] = plan

    def snapshot(self) -> Snapshot:
        return Snapshot(
            tuple(self.nodes[name] for name in sorted(self.nodes)),
            tuple(sorted(self.pods.values(), key=lambda p: (p.namespace, p.name))),
            tuple(
                DisruptionBudget(
                    "default",
                    b.app,
                    LabelSelector((Requirement("app", Operator.IN, (b.app,)),)),
                    self._allowed(b),
                )
                for b in self.budgets
            ),
        )

    def tick(self) -> None:
        self.seconds += TICK
        self.scheduler.expire()
        for uid, at in list(self._ends.items()):
            if self.seconds >= at and uid in self.pods:
                self._remove(self.pods[uid])
        for owner in self.owners.values():
            if owner.load is not None and owner.reconciled:
                self._serve(owner)
            self._reconcile(owner)
        if self.scheduler_runs:
            self._schedule()
        for name, owner in self.owners.items():
            if owner.load is not None:
                self.fewest[name] = min(self.fewest.get(name, owner.replicas), len(self.answering(name)))

    def evict(self, evict: Evict) -> Refusal | None:
        pod = self.pods.get(evict.uid)
        if pod is None or pod.terminating or pod.name != evict.name:
            return None
        for budget in self.budgets:
            if budget.app == pod.workload.name and self._allowed(budget) <= 0:
                return Refusal("Cannot evict pod as it would violate the pod's disruption budget.", by_budget=True)
        recorded = {r.uid for plan in self.plans.values() for r in plan.status.evictions}
        if evict.uid not in recorded:
            self.overdrawn.append(evict.uid)
        self.evicted.append(evict.uid)
        self._terminate(pod)
        return None

    def patch(self, action: Wake | MarkMoved | Relieve) -> None:
        pod = self.pods.get(action.uid)
        if pod is None:
            return
        if isinstance(action, Relieve):
            self.change_pod(replace(pod, relieved_by=action.plan, deletion_cost=LOWEST_DELETION_COST))
            return
        if isinstance(action, MarkMoved):
            self.change_pod(replace(pod, moved_at=stamp(self.now)))
            return
        self.change_pod(replace(pod, why=action.why.model_dump_json(by_alias=True, exclude_none=True)))
        if self._asleep.get(pod.uid):
            del self._asleep[pod.uid]

    def _allowed(self, budget: Budget) -> int:
        owner = self.owners[budget.app]
        healthy = sum(p.workload == owner.key and p.node is not None and not p.terminating for p in self.pods.values())
        if owner.load is not None:
            healthy = len(self.answering(owner.key.name))
        return healthy - (owner.wanted - budget.max_unavailable)

    def _terminate(self, pod: Pod) -> None:
        if pod.node is None:
            self._remove(pod)
            return
        owner = self.owners[pod.workload.name]
        self.change_pod(replace(pod, terminating=True))
        self._ends[pod.uid] = self.seconds + owner.grace

    def _remove(self, pod: Pod) -> None:
        self.scheduler.pod_changed(self.pods.pop(pod.uid), None)
        self._ends.pop(pod.uid, None)
        if pod.node is not None:
            self._wake_all()

    def _serve(self, owner: Owner) -> None:
        """The reconciler of services, with what it really decides by."""
        name = owner.key.name
        pods = [self._seen(pod) for pod in self.pods.values() if pod.workload == owner.key]
        moves = moves_of(pods, owner.replicas, "r1", self.answering(name), lambda: self.plans)
        seen, owner.extra = owner.extra, moves.extra
        for pod in moves.void if seen == owner.extra else ():
            self.change_pod(replace(self.pods[pod.metadata.uid], relieved_by="", deletion_cost=""))

    def _seen(self, pod: Pod) -> SeenPod:
        answers = pod.name in self.answering(pod.workload.name)
        ours = pod.deletion_cost == LOWEST_DELETION_COST
        marks = {RELIEVED_BY: pod.relieved_by, DELETION_COST: pod.deletion_cost} if ours else {}
        meta = {"name": pod.name, "namespace": "default", "uid": pod.uid, "labels": dict(pod.spec.labels)}
        meta |= {"annotations": marks, "deletionTimestamp": stamp(self.now) if pod.terminating else None}
        status = {"phase": pod.phase, "conditions": [{"type": "Ready", "status": str(answers)}]}
        return msgspec.convert({"metadata": meta, "spec": {"nodeName": pod.node}, "status": status}, SeenPod)

    def _scale_down(self, owner: Owner) -> None:
        """As the ReplicaSet does: `ActivePodsWithRanks` of pkg/controller/controller_utils.go."""
        answering = self.answering(owner.key.name)
        alive = [p for p in self.pods.values() if p.workload == owner.key and not p.terminating]
        alive.sort(key=lambda p: (p.node is not None, p.name in answering, int(p.deletion_cost or 0)))
        for pod in alive[: max(len(alive) - owner.wanted, 0)]:
            if pod.relieved_by and pod.name in answering:
                self.relieved.append(pod.uid)
                recorded = {r.uid for plan in self.plans.values() for r in plan.status.evictions}
                self.overdrawn += [pod.uid] if pod.uid not in recorded else []
            self._terminate(pod)

    def _reconcile(self, owner: Owner) -> None:
        if owner.load is not None and not owner.paused:
            self._scale_down(owner)
        one_by_one = owner.key.kind == "StatefulSet"  # a name is free again when its pod has gone
        alive = sum(p.workload == owner.key and (one_by_one or not p.terminating) for p in self.pods.values())
        while not owner.paused and alive + len(owner.due) < owner.wanted:
            owner.due.append(self.seconds + RECREATE_SECONDS)
        for at in [at for at in owner.due if self.seconds >= at]:
            if sum(p.workload == owner.key for p in self.pods.values()) >= owner.most:
                continue
            owner.due.remove(at)
            if not owner.paused and (owner.load is None or alive < owner.wanted):
                alive += 1
                self.change_pod(self._new_pod(owner, self.now))

    def _new_pod(self, owner: Owner, created: datetime) -> Pod:
        name = f"{owner.key.name}-{owner.made}"
        owner.made += 1
        return Pod(
            "default",
            name,
            f"uid-{name}",
            owner.spec,
            owner.priority,
            owner.key,
            "Pending",
            scheduler=owner.scheduler,
            created=stamp(created),
        )

    # -- kube-scheduler -------------------------------------------------------------------------------------------------

    def _wake_all(self) -> None:
        self._asleep.clear()

    def _schedule(self) -> None:
        waiting = [p for p in self.pods.values() if p.is_pending and p.uid not in self._asleep]
        for pod in sorted(waiting, key=lambda p: (-p.priority, p.created, p.name)):
            if self.seconds < self._backoff.get(pod.uid, 0.0):
                continue
            fitting = [name for name in sorted(self.nodes) if self._fits(pod, self.nodes[name])]
            ours = pod.scheduler == "berth" and bool(fitting)
            rejected: dict[str, str] = {}
            if ours and self.extenders_live:
                answer = self.scheduler.filter(pod, fitting)
                passed, rejected = answer.nodes, {**answer.failed, **answer.unresolvable}
                ranks = dict(self.scheduler.prioritize(pod, passed)) if passed else {}
                fitting = sorted(passed, key=lambda name: -ranks[name])
            if fitting:
                self.change_pod(replace(pod, node=fitting[0], phase="Running", unschedulable=False))
                self._answers_at[pod.uid] = self.seconds + (self.owners[pod.workload.name].load or 0.0)
                continue
            self._asleep[pod.uid] = ours
            self._backoff[pod.uid] = self.seconds + BACKOFF_SECONDS
            said = next(iter(rejected.values()), "Insufficient nvidia.com/gpu")
            self.change_pod(replace(pod, unschedulable=True, unschedulable_message=said))

    def _fits(self, pod: Pod, node: Node) -> bool:
        if node_matches(pod.spec, node) is not None:
            return False
        free = node.amounts
        for other in self.pods.values():
            if other.node == node.name:
                for name, amount in other.spec.requests:
                    free[name] -= amount
        return all(free.get(name, 0) >= amount for name, amount in pod.spec.requests)

    def is_overcommitted(self) -> bool:
        for node in self.nodes.values():
            free = node.amounts
            for pod in self.pods.values():
                if pod.node == node.name:
                    for name, amount in pod.spec.requests:
                        free[name] -= amount
            if min(free.values()) < 0:
                return True
        return False

    # -- carrying out ---------------------------------------------------------------------------------------------------

    def carry_out(
        self,
        plan: PackingPlan,
        *,
        during: Callable[[ModelCluster, float], None] = lambda cluster, seconds: None,
        dies: Callable[[], bool] = lambda: False,
        seconds: float = 900.0,
    ) -> PackingPlan:
        """Until the plan is finished. `during` is called each tick; `dies` before each write and action: the executor then
        loses what it remembers and leaves the rest undone."""
        self.put(plan)
        executor = ModelExecutor(self, plan.metadata.uid, dies)
        end = self.seconds + seconds
        while self.seconds < end:
            during(self, self.seconds)
            executor.look()
            assert not self.is_overcommitted()
            if self.plans[plan.metadata.uid].is_finished:
                break
            self.tick()
        return self.plans[plan.metadata.uid]


class DiedError(Exception):
    pass


class ModelExecutor:
    """The driver without a network: `execution.Executor` does the same with one."""

    def __init__(self, cluster: ModelCluster, uid: str, dies: Callable[[], bool]) -> None:
        self._cluster = cluster
        self._uid = uid
        self._dies = dies
        self._forget()

    def _forget(self) -> None:
        self._refused: dict[str, Refusal] = {}
        self._lasting = Stopwatches(lambda: self._cluster.seconds)

    def look(self) -> None:
        try:
            for _ in range(3):  # a status that was written is looked at again at once
                if not self._once():
                    return
        except DiedError:
            self._forget()

    def _once(self) -> bool:
        plan = self._cluster.plans[self._uid]
        decision = next_actions(plan, self._view())
        self._lasting.watch(decision.watching)
        self._maybe_die()
        changed = decision.status != plan.status
        if changed:
            self._cluster.put(plan.model_copy(update={"status": decision.status}))
        for action in decision.actions:
            self._maybe_die()
            self._perform(action)
        return changed

    def _perform(self, action: Action) -> None:
        match action:
            case Evict():
                refusal = self._cluster.evict(action)
                self._refused.pop(action.uid, None)
                if refusal is not None:
                    self._refused[action.uid] = refusal
            case Wake() | MarkMoved() | Relieve():
                self._cluster.patch(action)
            case _:
                pass

    def _view(self) -> View:
        cluster = self._cluster
        kept = frozenset(cluster.scheduler.active_plan_uids if cluster.extender_answers else ())
        others: list[EvictionRecord] = []
        for plan in cluster.plans.values():
            if plan.metadata.uid != self._uid:
                others += plan.status.evictions
        return View(
            snapshot=cluster.snapshot(),
            now=cluster.now,
            policy=cluster.policy,
            extenders={"berth-extender-a": kept} if cluster.extenders_live else {},
            lost_extender=cluster.lost_extender,
            others=tuple(others),
            refused=dict(self._refused),
            waited=self._lasting.read(),
        )

    def _maybe_die(self) -> None:
        if self._dies():
            raise DiedError


def outcome(plan: PackingPlan) -> Outcome | None:
    found = find_condition(plan.status.conditions, PlanCondition.FINISHED)
    return Outcome(found.reason) if found is not None else None
