"""Plans as the page shows them: those that stand in the cluster with their progress, and those that were only thought of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Literal

from berth_api.packing_plan import PackingPlan, PlannedEviction, PlannedPlacement, PlannedStep, PlannedWave, StepStatus
from berth_api.resource import find_condition
from berth_planner import sentences
from berth_planner.plan import Eviction, Placement, Plan
from berth_ui.picture import gpus_of
from berth_ui.wire import Arrival, Move, PlanDetail, PlanView, TierProof, WaveView

_LONG_AGO = datetime.min.replace(tzinfo=UTC)
State = Literal["Planned", "UnderWay", "Done", "Failed"]


def waves_of(plan: Plan) -> list[WaveView]:
    """Of a plan that was only thought of."""
    return [
        WaveView(
            moves=[_move(e, dict(e.requests), "Planned", "") for e in wave.evictions],
            arrivals=[_arrival(p, dict(p.requests)) for p in wave.placements],
            done=False,
        )
        for wave in plan.waves
    ]


def tiers_of(plan: Plan) -> list[TierProof]:
    return [
        TierProof(
            priority=tier.priority,
            priority_class=tier.priority_class,
            pods=tier.pods,
            before=tier.placed_before,
            after=tier.placed_after,
            at_most=tier.bound,
            proven=tier.certificate == "Optimal",
        )
        for tier in plan.tiers
    ]


def proof_of(plan: Plan) -> list[str]:
    """In sentences, the weakest part first."""
    said = [sentences.proof(plan), sentences.disruption(plan.disruption)]
    said += [f"{sentences.tier_name(tier)}: {sentences.certificate(tier)}" for tier in plan.tiers]
    return said


def proof_of_way_back(plan: Plan) -> list[str]:
    """In sentences."""
    cost = plan.disruption
    return [
        f"Proven: no way back evicts fewer than {cost.moves + cost.evictions} pods, for each of them stands where none of its workload stood",
        "The counts of the tiers are those from before the plan; that they are the best possible is not claimed",
        "Checked by code that shares nothing with the search",
    ]


def newest_first(plans: Iterable[PackingPlan]) -> list[PackingPlan]:
    return sorted(plans, key=lambda p: (p.metadata.creation_timestamp or _LONG_AGO, p.metadata.name), reverse=True)


def plan_view(plan: PackingPlan) -> PlanView:
    spec, status = plan.spec, plan.status
    finished = find_condition(status.conditions, "Finished")
    moves = [e for e in spec.evictions if e.target is not None]
    return PlanView(
        name=plan.metadata.name,
        created=moment(plan.metadata.creation_timestamp),
        ended=moment(finished.last_transition_time) if finished is not None and plan.is_finished else "",
        trigger=spec.trigger.value,
        phase=status.phase or "Proposed",
        summary=spec.summary,
        message=status.message,
        policy=spec.policy,
        moves=len(moves),
        evictions=len(spec.evictions) - len(moves),
        gains=sum(tier.placed_after - tier.placed_before for tier in spec.certificate.tiers),
        waves=len(spec.waves),
        waves_done=sum(_is_done(w, wave.steps, _steps(plan)) for w, wave in enumerate(spec.waves)),
    )


def plan_detail(plan: PackingPlan, *, may_act: bool) -> PlanDetail:
    certificate = plan.spec.certificate
    steps = _steps(plan)
    gone = {record.uid for record in plan.status.evictions}
    open_ = not plan.is_finished and not plan.spec.cancelled
    return PlanDetail(
        plan=plan_view(plan),
        tiers=[
            TierProof(
                priority=t.priority,
                priority_class=t.priority_class,
                pods=t.pods,
                before=t.placed_before,
                after=t.placed_after,
                at_most=t.bound,
                proven=t.certificate == "Optimal",
            )
            for t in certificate.tiers
        ],
        proof=_proof(plan),
        cost=certificate.disruption.value,
        least_cost=certificate.disruption.bound,
        waves=[_wave(w, wave, steps, gone, plan.is_finished) for w, wave in enumerate(plan.spec.waves)],
        deadline=moment(plan.spec.deadline),
        can_approve=may_act and open_ and not plan.spec.approved,
        can_cancel=may_act and open_,
        can_reverse=_has_done_something(plan) or not (plan.is_approved or plan.is_finished),
    )


def _has_done_something(plan: PackingPlan) -> bool:
    return bool(plan.status.evictions) or plan.status.pods_placed > 0


def moment(at: datetime | None) -> str:
    return "" if at is None else at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _proof(plan: PackingPlan) -> list[str]:
    certificate = plan.spec.certificate
    open_tiers = [t for t in certificate.tiers if t.certificate != "Optimal"]
    said = [
        f"{t.priority_class or f'priority {t.priority}'}: not proven, at most {t.bound - t.placed_after} more might be placed"
        for t in open_tiers
    ]
    if certificate.tiers and not open_tiers:
        said.append("Proven: no arrangement places more pods, tier by tier")
    cost = certificate.disruption
    if cost.certificate == "Optimal":
        said.append("Proven: none with these counts disturbs less")
    else:
        said.append(f"It costs {cost.value:g}; that less than {cost.bound:g} is impossible is proven")
    said.append(
        "Checked by code that shares nothing with the search"
        if certificate.verified
        else "Not checked: do not approve it"
    )
    return said


def _wave(
    w: int, wave: PlannedWave, steps: Mapping[tuple[int, int], StepStatus], gone: set[str], is_finished: bool
) -> WaveView:
    moves, arrivals = [], []
    for s, step in enumerate(wave.steps):
        status = steps.get((w, s))
        for eviction in step.evictions:
            state: State = "Planned"
            if status is not None and status.state == "Done":
                state = "Done"
            elif eviction.uid in gone:
                state = "Failed" if is_finished else "UnderWay"
            elif is_finished:
                state = "Failed" if status is not None else "Planned"
            moves.append(_move(eviction, eviction.requests, state, status.message if status is not None else ""))
        arrivals += [_arrival(placement, placement.requests) for placement in step.placements]
    return WaveView(moves=moves, arrivals=arrivals, done=_is_done(w, wave.steps, steps))


def _steps(plan: PackingPlan) -> Mapping[tuple[int, int], StepStatus]:
    return {(status.wave, status.step): status for status in plan.status.steps}


def _is_done(w: int, steps: Iterable[PlannedStep], known: Mapping[tuple[int, int], StepStatus]) -> bool:
    return all((found := known.get((w, s))) is not None and found.state == "Done" for s, _ in enumerate(steps))


def _move(eviction: Eviction | PlannedEviction, requests: Mapping[str, int], state: State, message: str) -> Move:
    workload = eviction.workload
    return Move(
        pod=eviction.pod,
        workload=f"{workload.kind}/{workload.name}",
        priority=eviction.priority,
        source=eviction.node,
        target=eviction.target or "",
        gpus=gpus_of(requests),
        cost=eviction.move_cost,
        state=state,
        message=message,
    )


def _arrival(placement: Placement | PlannedPlacement, requests: Mapping[str, int]) -> Arrival:
    workload = placement.workload
    return Arrival(
        workload=f"{workload.namespace}/{workload.kind}/{workload.name}",
        priority=placement.priority,
        node=placement.node,
        count=placement.count,
        gpus=gpus_of(requests),
    )
