"""What each address of the API answers, from a `Source`: no HTTP here. Raises `UnknownError` for what is not there."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from msgspec.structs import replace

from berth_api.packing_plan import PackingPlan
from berth_api.reasons import Reason
from berth_cluster.snapshot import Pod
from berth_intent.sentences import phrase
from berth_planner.explanation import Explanation
from berth_planner.hint_reading import HintReading
from berth_ui.fragments import fragments, stranded_of
from berth_ui.picture import pod_view, why_of
from berth_ui.plan_views import plan_detail, plan_view, proof_of, tiers_of, waves_of
from berth_ui.source import Source
from berth_ui.thinking import Thinker
from berth_ui.wire import (
    Asked,
    Fragments,
    Harbour,
    May,
    NodeDetail,
    NodeReason,
    Overview,
    PlanDetail,
    Plans,
    PodDetail,
    PodView,
    Remedy,
    Services,
    Waiting,
    Waits,
    WhatIf,
    Wish,
)

DEFAULT_LIMIT, MAX_LIMIT = 1_000, 10_000
"""Items of a page."""
STRENGTHS = ((0.9, "strong"), (0.5, "plain"), (0.0, "weak"))


class UnknownError(LookupError):
    """Nothing of that name, or nothing that the caller may see."""


class Answers:
    def __init__(self, source: Source, thinker: Thinker) -> None:
        self._source = source
        self._thinker = thinker
        self._stranded: tuple[int, int] = (-1, 0)
        """Revision, GPUs."""

    def overview(self, may: May) -> Overview:
        source, painted = self._source, self._source.painted()
        if self._stranded[0] != source.revision:
            self._stranded = (source.revision, stranded_of(painted.nodes, painted.pods))
        nodes = painted.nodes.values()
        active = next((plan for plan in source.plans() if not plan.is_finished), None)
        services = source.services()
        return Overview(
            source=source.kind,
            cluster=source.name,
            revision=source.revision,
            taken=source.snapshot().taken,
            nodes=len(nodes),
            ready_nodes=sum(node.ready for node in nodes),
            gpus=sum(node.gpus for node in nodes),
            gpus_used=sum(node.gpus_used for node in nodes),
            gpus_kept=sum(node.gpus_kept for node in nodes),
            gpus_stranded=self._stranded[1],
            running=sum(tier.running for tier in painted.tiers),
            waiting=sum(tier.waiting for tier in painted.tiers),
            tiers=painted.tiers,
            leader=source.leader(),
            scheduler_serves=source.scheduler_serves(),
            active_plan="" if active is None else active.metadata.name,
            active_phase="" if active is None else active.status.phase or "Proposed",
            services=len(services),
            services_ready=sum(service.is_ready for service in services),
            may=may,
            notices=source.notices(),
        )

    def harbour(self, after: str, limit: int) -> Harbour:
        """Nodes after that name, with their pods; those that wait come with the first page."""
        painted = self._source.painted()
        names = sorted(name for name in painted.nodes if name > after)
        shown = names[:limit]
        on = set(shown) | ({""} if not after else set())
        return Harbour(
            revision=self._source.revision,
            nodes=[painted.nodes[name] for name in shown],
            pods=[pod for pod in painted.pods.values() if pod.node in on],
            next=shown[-1] if len(names) > limit else "",
        )

    async def waiting(self, after: str, limit: int) -> Waiting:
        """Pods that are alike and wait for the same reason are one item."""
        found = await self._source.explanations()
        alike: dict[object, list[Pod]] = defaultdict(list)
        for pod in self._source.snapshot().pods:
            if pod.is_pending:
                explanation = found.get(pod.key)
                same = (explanation.pods, explanation.code) if explanation is not None else (pod.workload, *why_of(pod))
                alike[same, pod.priority].append(pod)
        groups = sorted(alike.values(), key=lambda pods: (-pods[0].priority, min(p.created for p in pods), pods[0].key))
        items = [waits_of(pods, found.get(pods[0].key)) for pods in groups]
        start = next((i + 1 for i, item in enumerate(items) if item.pod == after), 0)
        shown = items[start : start + limit]
        more = start + limit < len(items)
        return Waiting(items=shown, pods=sum(map(len, groups)), next=shown[-1].pod if more else "")

    async def pod(self, namespace: str, name: str) -> PodDetail:
        snapshot = self._source.snapshot()
        pod = next((p for p in snapshot.pods if p.name == name and p.namespace == namespace), None)
        if pod is None:
            raise UnknownError(f"there is no pod {namespace}/{name}, or it has finished")
        found = (await self._source.explanations()).get(pod.key) if pod.is_pending else None
        plan = next((p for p in self._source.plans() if not p.is_finished and _concerns(p, pod)), None)
        wishes, aside = _wishes(pod, found, HintReading.of_snapshot(snapshot)) if pod.hint else ([], [])
        return PodDetail(
            pod=pod_view(pod),
            hint=pod.hint,
            wishes=wishes,
            not_understood=aside,
            waits=waits_of([pod], found) if pod.is_pending else None,
            scores=[],
            immovable=[IMMOVABLE.get(reason, str(reason)) for reason in pod.immovable],
            plan="" if plan is None else plan.metadata.name,
        )

    def node(self, name: str) -> NodeDetail:
        painted = self._source.painted()
        view = painted.nodes.get(name)
        node = next((n for n in self._source.snapshot().nodes if n.name == name), None)
        if view is None or node is None:
            raise UnknownError(f"there is no node {name}")
        return NodeDetail(
            node=view,
            labels=dict(node.labels),
            taints=[f"{taint.key}={taint.value}:{taint.effect}" for taint in node.taints],
            pods=_important_first(pod for pod in painted.pods.values() if pod.node == name),
        )

    def plans(self, after: str, limit: int) -> Plans:
        items = [plan_view(plan) for plan in self._source.plans()]
        start = next((i + 1 for i, item in enumerate(items) if item.name == after), 0)
        shown = items[start : start + limit]
        return Plans(items=shown, next=shown[-1].name if start + limit < len(items) else "")

    def plan(self, name: str, *, may_act: bool) -> PlanDetail:
        plan = next((plan for plan in self._source.plans() if plan.metadata.name == name), None)
        if plan is None:
            raise UnknownError(f"there is no plan {name}")
        return plan_detail(plan, may_act=may_act)

    def services(self, after: str, limit: int) -> Services:
        items = sorted(self._source.services(), key=lambda s: (s.namespace, s.name))
        start = next((i + 1 for i, item in enumerate(items) if f"{item.namespace}/{item.name}" == after), 0)
        shown = items[start : start + limit]
        more = start + limit < len(items)
        return Services(items=shown, next=f"{shown[-1].namespace}/{shown[-1].name}" if more else "")

    def fragments(self) -> Fragments:
        painted = self._source.painted()
        return fragments(painted.nodes.values(), painted.pods.values(), self._source.revision)

    async def preview(self) -> WhatIf:
        """Raises BusyError."""
        began, revision = time.perf_counter(), self._source.revision
        planned = await self._thinker.plan(self._source.snapshot())
        plan = planned.plan
        return WhatIf(
            title="A plan made now",
            tiers=tiers_of(plan),
            proof=proof_of(plan),
            placed=sorted({pod for placement in plan.placements for pod in placement.pods}),
            lost=sorted(eviction.pod for eviction in plan.evictions),
            moves=plan.disruption.moves,
            evictions=plan.disruption.evictions,
            waves=waves_of(plan),
            message="nothing can be bettered" if plan.is_empty else "",
            seconds=time.perf_counter() - began,
            revision=revision,
        )

    async def what_if(self, asked: Asked) -> WhatIf:
        """Raises AskError, BusyError."""
        began, revision = time.perf_counter(), self._source.revision
        compared = await self._thinker.compare(self._source.snapshot(), asked)
        before = {tier.priority: tier for tier in compared.before.tiers}
        after = tiers_of(compared.after)
        more = len(compared.placed) - len(compared.lost)
        return WhatIf(
            title=", ".join(compared.sentences) or "as it is",
            tiers=[replace(t, before=before[t.priority].placed_after if t.priority in before else 0) for t in after],
            proof=proof_of(compared.after),
            placed=list(compared.placed),
            lost=list(compared.lost),
            moves=compared.after.disruption.moves,
            evictions=compared.after.disruption.evictions,
            waves=waves_of(compared.after),
            message=_worth(more, len(compared.placed), len(compared.lost)),
            seconds=time.perf_counter() - began,
            revision=revision,
        )


def waits_of(pods: Sequence[Pod], explanation: Explanation | None) -> Waits:
    """Of pods that are alike. explanation: the planner's; else what they were told."""
    pod, view = pods[0], pod_view(pods[0])
    code, message, plan = why_of(pod)
    if explanation is not None:
        code, message = str(explanation.code), explanation.message
    return Waits(
        pod=pod.key,
        pods=len(pods),
        workload=f"{pod.workload.namespace}/{view.workload}",
        priority=pod.priority,
        priority_class=pod.priority_class,
        gpus=view.gpus,
        since=min(pod_view(p).since for p in pods),
        reason=code,
        message=message,
        proven=explanation is not None and explanation.proven,
        plan=plan,
        nodes=[]
        if explanation is None
        else [
            NodeReason(reason=str(r.reason), nodes=r.nodes, message=f"{r.reason} {r.resource}".strip())
            for r in explanation.reasons
        ],
        remedies=[] if explanation is None else [Remedy(message=r.message) for r in explanation.remedies],
    )


def _wishes(pod: Pod, explanation: Explanation | None, reading: HintReading) -> tuple[list[Wish], list[str]]:
    """What was understood of its hint, and what was not."""
    read = reading.of(pod)
    if read is None:
        return [], []
    verdicts = {v.wish: v for v in explanation.hint.verdicts} if explanation is not None and explanation.hint else {}
    wishes = [
        Wish(
            text=(said := phrase(p)),
            strength=next(name for least, name in STRENGTHS if p.strength >= least),
            fulfilled=verdicts[said].satisfaction >= 1.0 if said in verdicts else None,
        )
        for p in read.counting
    ]
    return wishes, [*read.understood.unparsed, *(phrase(p) for p in read.refused)]


def _concerns(plan: PackingPlan, pod: Pod) -> bool:
    moved = any(eviction.uid == pod.uid for eviction in plan.spec.evictions)
    return moved or any(pod.key in placement.pods for placement in plan.spec.placements)


def _important_first(pods: Iterable[PodView]) -> list[PodView]:
    return sorted(pods, key=lambda pod: (-pod.priority, pod.namespace, pod.name))


def _worth(more: int, placed: int, lost: int) -> str:
    if not placed and not lost:
        return "it changes nothing: as many pods are placed"
    parts = ([f"{placed} more placed"] if placed else []) + ([f"{lost} no longer placed"] if lost else [])
    return f"{' and '.join(parts)}" + (f": {more:+d} in all" if placed and lost else "")


IMMOVABLE: Mapping[str, str] = {
    Reason.NO_CONTROLLER: "no controller would recreate it",
    Reason.DAEMON_SET: "it belongs to its node",
    Reason.MIRROR_POD: "it belongs to its node's kubelet",
    Reason.JOB_WITHOUT_POLICY: "its Job would count the eviction as a failure",
    Reason.DO_NOT_MOVE: "an annotation forbids it",
    Reason.RESOURCE_CLAIMS: "it holds devices by resource claims",
    Reason.TERMINATING: "it leaves already",
    Reason.LOCAL_STORAGE: "its data lies on the node",
    Reason.MANY_BUDGETS: "two disruption budgets cover it, and the Eviction API refuses such pods",
}
