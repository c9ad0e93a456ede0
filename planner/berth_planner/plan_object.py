"""A plan as the object that stands in the cluster: the same waves, in the custom resource's terms.

`standing` is what makes a placement countable: how many pods of the workload and request were on the node when the plan was
made and stay there, so that arrivals can be told from what stood before. A plan that is too large for one object is cut at
the ends of waves; each part says so in its summary. Cost: one pass over the snapshot's pods.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from berth_api.packing_plan import (
    DisruptionCertificate,
    PackingPlanSpec,
    PlanCertificate,
    PlannedEviction,
    PlannedPlacement,
    PlannedStep,
    PlannedWave,
    PlanSnapshot,
    TierCertificate,
    Trigger,
    WorkloadRef,
)
from berth_cluster.snapshot import Snapshot, WorkloadKey
from berth_planner.plan import Eviction, Placement, Plan, Step, Wave

MAX_MOVES = 1_000
MAX_BYTES = 900_000

LOADING_SECONDS = 900
"""So long a replica that replaces one of an LLMService may take until it answers, and so much later ends a plan that moves some:
what was planned for seconds is not given up while a model of many gigabytes loads."""

Requests = tuple[tuple[str, int], ...]
_Kind = tuple[WorkloadKey, Requests, str]
"""Workload, request, node: what a placement counts."""
Standing = Mapping[_Kind, int]


def plan_specs(
    plan: Plan,
    snapshot: Snapshot,
    *,
    policy: str,
    trigger: Trigger,
    now: datetime,
    deadline_seconds: int,
    approved: bool,
    resource_versions: Mapping[str, str] = {},
    fingerprint: str = "",
) -> list[PackingPlanSpec]:
    """One object, or several to be carried out in this order. deadline_seconds: besides what services take to load."""
    moves_services = any(move.workload.kind == "LLMService" for move in plan.moves)
    deadline_seconds += LOADING_SECONDS if moves_services else 0
    parts = _parts(plan.waves)
    taken = datetime.fromisoformat(snapshot.taken) if snapshot.taken else now
    whole = summary(plan)
    return [
        PackingPlanSpec(
            policy=policy,
            trigger=trigger,
            summary=whole if len(parts) == 1 else f"part {i} of {len(parts)}: {whole}",
            approved=approved,
            deadline=now + timedelta(seconds=deadline_seconds),
            certificate=_certificate(plan),
            snapshot=PlanSnapshot(
                taken=taken if taken.tzinfo else taken.replace(tzinfo=UTC),
                resource_versions=dict(resource_versions),
                fingerprint=fingerprint,
            ),
            waves=[_wave(wave, standing) for wave in waves],
        )
        for i, (waves, standing) in enumerate(zip(parts, _standing(parts, snapshot), strict=True), 1)
    ]


def summary(plan: Plan) -> str:
    """One sentence for people."""
    gained = sum(t.placed_after - t.placed_before for t in plan.tiers)
    waiting = sum(len(p.pods) for p in plan.placements)
    moves, evictions = plan.disruption.moves, plan.disruption.evictions
    costs = [f"{n} {what}{'' if n == 1 else 's'}" for n, what in ((moves, "move"), (evictions, "eviction")) if n]
    text = f"{waiting} waiting pod{'' if waiting == 1 else 's'} placed"
    text += f" by {' and '.join(costs)}" if costs else " in room that is free"
    if not waiting:
        freed = plan.nodes_in_use_before - plan.nodes_in_use_after
        text = f"{freed} node{'' if freed == 1 else 's'} freed by {' and '.join(costs) or 'nothing'}"
    elif gained < waiting:
        text += f"; {gained} more run in all"
    open_tiers = [t.priority for t in plan.tiers if t.certificate != "Optimal"]
    if not plan.verified:
        return f"{text}; the stock scheduler's choice of victims"
    if not open_tiers:
        return f"{text}; proven: no placement holds more"
    return f"{text}; not proven for priority {open_tiers[0]}{' and below' if len(open_tiers) > 1 else ''}"


def _standing(parts: Sequence[Sequence[Wave]], snapshot: Snapshot) -> list[Standing]:
    """For each part what stands there and stays through it, when the parts before it have been carried out."""
    here = {pod.uid: pod for pod in snapshot.pods if pod.node is not None and not pod.terminating}
    found: Counter[_Kind] = Counter((pod.workload, pod.spec.requests, pod.node or "") for pod in here.values())
    standing: list[Standing] = []
    for waves in parts:
        for pod in (here.pop(e.uid, None) for wave in waves for e in wave.evictions):
            if pod is not None:
                found[pod.workload, pod.spec.requests, pod.node or ""] -= 1
        standing.append(dict(found))
        for placement in (p for wave in waves for p in wave.placements):
            found[placement.workload, placement.requests, placement.node] += placement.count
    return standing


def _parts(waves: Sequence[Wave]) -> list[list[Wave]]:
    parts: list[list[Wave]] = [[]]
    moves = size = 0
    for wave in waves:
        own_moves = len(wave.evictions)
        own_size = len(_wave(wave, {}).model_dump_json(by_alias=True))
        if parts[-1] and (moves + own_moves > MAX_MOVES or size + own_size > MAX_BYTES):
            parts.append([])
            moves = size = 0
        parts[-1].append(wave)
        moves, size = moves + own_moves, size + own_size
    return parts


def _wave(wave: Wave, standing: Standing) -> PlannedWave:
    steps = wave.steps or (Step(wave.evictions, wave.placements),)
    return PlannedWave(
        steps=[
            PlannedStep(
                evictions=[_eviction(e) for e in step.evictions],
                placements=[_placement(p, standing) for p in step.placements],
            )
            for step in steps
        ]
    )


def _eviction(eviction: Eviction) -> PlannedEviction:
    return PlannedEviction(
        pod=eviction.pod,
        uid=eviction.uid,
        workload=_workload(eviction.workload),
        priority=eviction.priority,
        node=eviction.node,
        target=eviction.target,
        move_cost=eviction.move_cost,
        requests=dict(eviction.requests),
    )


def _placement(placement: Placement, standing: Standing) -> PlannedPlacement:
    return PlannedPlacement(
        workload=_workload(placement.workload),
        priority=placement.priority,
        node=placement.node,
        count=placement.count,
        standing=standing.get((placement.workload, placement.requests, placement.node), 0),
        requests=dict(placement.requests),
        pods=list(placement.pods),
    )


def _workload(workload: WorkloadKey) -> WorkloadRef:
    return WorkloadRef(namespace=workload.namespace, kind=workload.kind, name=workload.name, uid=workload.uid)


def _certificate(plan: Plan) -> PlanCertificate:
    return PlanCertificate(
        tiers=[
            TierCertificate(
                priority=t.priority,
                priority_class=t.priority_class,
                pods=t.pods,
                placed_before=t.placed_before,
                placed_after=t.placed_after,
                bound=t.bound,
                certificate=t.certificate,
                evidence=t.evidence,
            )
            for t in plan.tiers[:1_000]
        ],
        disruption=DisruptionCertificate(
            moves=plan.disruption.moves,
            evictions=plan.disruption.evictions,
            value=plan.disruption.value,
            bound=plan.disruption.bound,
            certificate=plan.disruption.certificate,
            evidence=plan.disruption.evidence,
        ),
        verified=plan.verified,
        solve_seconds=plan.elapsed_seconds,
    )
