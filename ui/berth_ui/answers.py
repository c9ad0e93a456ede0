"""What each address of the API answers, from a `Source`: no HTTP here. Raises `UnknownError` for what is not there."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from msgspec.structs import replace

from berth_api.packing_plan import PackingPlan
from berth_api.reasons import Reason
from berth_cluster.snapshot import Pod, Snapshot
from berth_intent.sentences import phrase
from berth_planner.explanation import Explanation
from berth_planner.hint_reading import HintReading
from berth_ui.callers import Caller, RefusedError
from berth_ui.fragments import Stranded, fragments
from berth_ui.live_picture import Delta
from berth_ui.looking import Look
from berth_ui.picture import pod_view, why_of
from berth_ui.plan_views import plan_detail, plan_view, proof_of, proof_of_way_back, tiers_of, waves_of
from berth_ui.source import Source
from berth_ui.thinking import BusyError, Thinker
from berth_ui.visible import Sight
from berth_ui.wire import (
    Asked,
    Change,
    Fragments,
    Harbour,
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


LOOK_SECONDS = 2.0
LOOK_HOLDS = 10.0
"""Seconds, while the pod itself stays as it is: a cluster in which something changes all the time is not looked at anew each time."""
LOOKS_KEPT = 64
NO_LOOK = Look((), {})
logger = logging.getLogger(__name__)


class UnknownError(LookupError):
    """Nothing of that name, or nothing that the caller may see."""


class Answers:
    """All of it for one source. caller: what they may not see is not there."""

    def __init__(self, source: Source, thinker: Thinker) -> None:
        self._source = source
        self._thinker = thinker
        self._sight = Sight(source)
        self._stranded = Stranded()
        self._asking: set[str] = set()
        self._looks: OrderedDict[str, tuple[Pod, float, asyncio.Task[Look]]] = OrderedDict()
        """By uid: the pod as it was, until when it holds, and the look."""
        self._overview: tuple[int, tuple[object, ...], Overview] | None = None

    def overview(self, caller: Caller) -> Overview:
        known, source = self._overview, self._source
        if known is not None and known[:2] == (source.revision, caller.rights):
            return known[2]
        seen = self._sight.of(caller)
        painted = seen.painted
        ready = gpus = used = kept = 0
        for node in painted.nodes.values():
            ready += node.ready
            gpus += node.gpus
            used += node.gpus_used
            kept += node.gpus_kept
        active = next((plan for plan in seen.plans if not plan.is_finished), None)
        made = Overview(
            source=source.kind,
            cluster=source.name,
            revision=seen.revision,
            taken=source.taken,
            nodes=len(painted.nodes),
            ready_nodes=ready,
            gpus=gpus,
            gpus_used=used,
            gpus_kept=kept,
            gpus_stranded=self._stranded.of(painted.nodes.values(), painted.shapes),
            running=sum(tier.running for tier in painted.tiers),
            waiting=sum(tier.waiting for tier in painted.tiers),
            tiers=painted.tiers,
            leader=source.leader(),
            scheduler_serves=source.scheduler_serves(),
            active_plan="" if active is None else active.metadata.name,
            active_phase="" if active is None else active.status.phase or "Proposed",
            services=len(seen.services),
            services_ready=sum(service.is_ready for service in seen.services),
            may=caller.may,
            notices=source.notices(),
        )
        self._overview = (source.revision, caller.rights, made)
        return made

    def harbour(self, caller: Caller, after: str, limit: int) -> Harbour:
        """Nodes after that name, with their pods; those that wait come with the first page."""
        seen = self._sight.of(caller)
        painted = seen.painted
        if not caller.may.see_nodes:  # pods say where they are, to whoever may see them
            return Harbour(revision=seen.revision, nodes=[], pods=list(painted.pods.values()), next="")
        names = sorted(name for name in painted.nodes if name > after)
        shown = names[:limit]
        on = set(shown) | ({""} if not after else set())
        return Harbour(
            revision=seen.revision,
            nodes=[painted.nodes[name] for name in shown],
            pods=[pod for pod in painted.pods.values() if pod.node in on],
            next=shown[-1] if len(names) > limit else "",
        )

    def change(self, caller: Caller, since: int | None) -> Change:
        """What came after that revision; with everything in its overview, and to be loaded anew, when that is not known."""
        seen = self._sight.of(caller)
        painted = seen.painted
        delta = self._source.feed.since(since) if since is not None else None
        known = delta is not None
        delta = delta or Delta()
        names = delta.nodes if caller.may.see_nodes else frozenset()
        pods = [uid for uid, namespace in delta.pods.items() if caller.sees(namespace)]
        return Change(
            since=since if known and since is not None else seen.revision,
            revision=seen.revision,
            nodes=[painted.nodes[name] for name in sorted(names) if name in painted.nodes],
            nodes_gone=sorted(name for name in names if name not in painted.nodes),
            pods=[painted.pods[uid] for uid in pods if uid in painted.pods],
            pods_gone=[uid for uid in pods if uid not in painted.pods],
            plans=sorted(delta.plans) if caller.may.see_plans else [],
            services=sorted(s for s in delta.services if caller.sees_service(s.partition("/")[0])),
            overview=self.overview(caller),
        )

    async def waiting(self, caller: Caller, after: str, limit: int) -> Waiting:
        """Pods that are alike and wait for the same reason are one item."""
        found = await self._explanations(caller)
        alike: dict[object, list[Pod]] = defaultdict(list)
        for pod in self._sight.pods(caller):
            if pod.is_pending:
                explanation = found.get(pod.key)
                same = (explanation.pods, explanation.code) if explanation is not None else (pod.workload, *why_of(pod))
                alike[same, pod.priority].append(pod)
        groups = sorted(alike.values(), key=lambda pods: (-pods[0].priority, min(p.created for p in pods), pods[0].key))
        items = [self._waits_of(pods, found.get(pods[0].key)) for pods in groups]
        start = next((i + 1 for i, item in enumerate(items) if item.pod == after), 0)
        shown = items[start : start + limit]
        more = start + limit < len(items)
        return Waiting(items=shown, pods=sum(map(len, groups)), next=shown[-1].pod if more else "")

    async def pod(self, caller: Caller, namespace: str, name: str) -> PodDetail:
        snapshot = self._source.snapshot()
        pod = next((p for p in snapshot.pods if p.name == name and p.namespace == namespace), None)
        if pod is None or not caller.sees(namespace):
            raise UnknownError(f"there is no pod {namespace}/{name} that you may see, or it has finished")
        found = (await self._explanations(caller)).get(pod.key) if pod.is_pending else None
        plans = self._sight.of(caller).plans
        plan = next((p for p in plans if not p.is_finished and _concerns(p, pod)), None)
        look = await self._look(caller, snapshot, pod)
        wishes, aside = _wishes(pod, found, look, HintReading.of_snapshot(snapshot)) if pod.hint else ([], [])
        return PodDetail(
            pod=pod_view(pod),
            hint=pod.hint,
            wishes=wishes,
            not_understood=aside,
            waits=self._waits_of([pod], found) if pod.is_pending else None,
            scores=list(look.scores),
            immovable=[IMMOVABLE.get(reason, str(reason)) for reason in pod.immovable],
            plan="" if plan is None else plan.metadata.name,
        )

    def node(self, caller: Caller, name: str) -> NodeDetail:
        painted = self._sight.of(caller).painted
        view = painted.nodes.get(name)
        node = next((n for n in self._source.snapshot().nodes if n.name == name), None)
        if view is None or node is None:
            raise UnknownError(f"there is no node {name} that you may see")
        return NodeDetail(
            node=view,
            labels=dict(node.labels),
            taints=[f"{taint.key}={taint.value}:{taint.effect}" for taint in node.taints],
            pods=_important_first(pod for pod in painted.pods.values() if pod.node == name),
        )

    def plans(self, caller: Caller, after: str, limit: int) -> Plans:
        items = [plan_view(plan) for plan in self._sight.of(caller).plans]
        start = next((i + 1 for i, item in enumerate(items) if item.name == after), 0)
        shown = items[start : start + limit]
        return Plans(items=shown, next=shown[-1].name if start + limit < len(items) else "")

    def plan_named(self, caller: Caller, name: str) -> PackingPlan:
        plan = next((plan for plan in self._sight.of(caller).plans if plan.metadata.name == name), None)
        if plan is None:
            raise UnknownError(f"there is no plan {name} that you may see")
        return plan

    def plan(self, caller: Caller, name: str) -> PlanDetail:
        return plan_detail(self.plan_named(caller, name), may_act=caller.may.act)

    def services(self, caller: Caller, after: str, limit: int) -> Services:
        items = sorted(self._sight.of(caller).services, key=lambda s: (s.namespace, s.name))
        start = next((i + 1 for i, item in enumerate(items) if f"{item.namespace}/{item.name}" == after), 0)
        shown = items[start : start + limit]
        more = start + limit < len(items)
        return Services(items=shown, next=f"{shown[-1].namespace}/{shown[-1].name}" if more else "")

    def fragments(self, caller: Caller) -> Fragments:
        seen = self._sight.of(caller)
        return fragments(seen.painted.nodes.values(), seen.painted.pods.values(), seen.revision)

    async def preview(self, caller: Caller) -> WhatIf:
        """Raises BusyError, RefusedError."""
        with self._one_question(caller):
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

    async def what_if(self, caller: Caller, asked: Asked) -> WhatIf:
        """Raises AskError, BusyError, RefusedError."""
        with self._one_question(caller):
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

    async def reverse(self, caller: Caller, name: str) -> WhatIf:
        """Raises AskError, BusyError, RefusedError, UnknownError."""
        plan = self.plan_named(caller, name)
        with self._one_question(caller):
            began, revision = time.perf_counter(), self._source.revision
            back = await self._thinker.reverse(self._source.snapshot(), plan)
        lost = sorted(eviction.pod for eviction in back.evictions)
        return WhatIf(
            title=f"The way back of {name}",
            tiers=tiers_of(back),
            proof=proof_of_way_back(back),
            placed=sorted({pod for placement in back.placements for pod in placement.pods}),
            lost=lost,
            moves=back.disruption.moves,
            evictions=back.disruption.evictions,
            waves=waves_of(back),
            message=". ".join([f"{len(lost)} would wait again, as before the plan"] * bool(lost) + [*back.notes]),
            seconds=time.perf_counter() - began,
            revision=revision,
        )

    async def _explanations(self, caller: Caller) -> Mapping[str, Explanation]:
        """The planner's look at everything; whoever may not see everything gets what their pods were told."""
        if not caller.sees_all:
            return {}
        try:
            return await self._source.explanations()
        except BusyError:
            return {}

    async def _look(self, caller: Caller, snapshot: Snapshot, pod: Pod) -> Look:
        """What is known within `LOOK_SECONDS`; what takes longer is there for whoever asks next."""
        if not caller.sees_all or pod.gated or pod.terminating:
            return NO_LOOK
        now = time.monotonic()
        known = self._looks.get(pod.uid)
        if known is not None and known[0] is pod and known[1] > now:
            task = known[2]
        else:
            task = asyncio.create_task(self._thinker.look(snapshot, pod.uid), name="look at a pod")
            task.add_done_callback(_take_note)
            self._looks[pod.uid] = (pod, now + LOOK_HOLDS, task)
            self._looks.move_to_end(pod.uid)
            while len(self._looks) > LOOKS_KEPT:
                self._looks.popitem(last=False)
        done, _ = await asyncio.wait((task,), timeout=LOOK_SECONDS)
        return task.result() if done and task.exception() is None else NO_LOOK

    def _waits_of(self, pods: Sequence[Pod], explanation: Explanation | None) -> Waits:
        return waits_of(pods, explanation, told_first=self._source.kind == "Live")

    @contextmanager
    def _one_question(self, caller: Caller) -> Iterator[None]:
        """One at a time a caller, and only for who may see all that the answer tells."""
        if not caller.sees_all:
            raise RefusedError(
                403,
                Reason.FORBIDDEN,
                "a plan is for the whole cluster: to ask for one you must be allowed to list nodes, packingplans, and pods in all namespaces",
            )
        if caller.name in self._asking:
            raise BusyError("your last question is still being answered; ask again in a few seconds")
        self._asking.add(caller.name)
        try:
            yield
        finally:
            self._asking.discard(caller.name)


def waits_of(pods: Sequence[Pod], explanation: Explanation | None, *, told_first: bool = False) -> Waits:
    """Of pods that are alike. explanation: the planner's. told_first: what the leader wrote on them goes before it."""
    pod, view = pods[0], pod_view(pods[0])
    code, message, plan = why_of(pod)
    if explanation is not None and not (told_first and code != Reason.NO_WORD_YET):
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


def _take_note(task: asyncio.Task[Look]) -> None:
    """A look that failed shows no scores; why is for the log."""
    if not task.cancelled() and (error := task.exception()) is not None and not isinstance(error, BusyError):
        logger.error("a pod could not be looked at", exc_info=error)


def _wishes(
    pod: Pod, explanation: Explanation | None, look: Look, reading: HintReading
) -> tuple[list[Wish], list[str]]:
    """What was understood of its hint, and what was not."""
    read = reading.of(pod)
    if read is None:
        return [], []
    verdicts = {v.wish: v for v in explanation.hint.verdicts} if explanation is not None and explanation.hint else {}
    wishes = [
        Wish(
            text=(said := phrase(p)),
            strength=next(name for least, name in STRENGTHS if p.strength >= least),
            fulfilled=look.fulfilled.get(said) if said not in verdicts else verdicts[said].satisfaction >= 1.0,
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
