"""Does a plan still hold on a snapshot? Carried out on paper step by step, then its numbers and its bounds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from berth_cli.claims import DisruptionClaim, Finding, Judgement, TierClaim, judge
from berth_cli.plan_file import Asked, PlanDocument
from berth_cluster.snapshot import Snapshot
from berth_planner.options import PlanOptions
from berth_planner.packing import Caps
from berth_planner.plan import Plan
from berth_planner.planning import build
from berth_planner.simulate import simulate
from berth_solver.options import Options


def check_plan(snapshot: Snapshot, document: PlanDocument) -> list[str]:
    """A sentence for everything that does not hold; empty when each moment of the plan does."""
    plan = document.plan
    strangers = _strangers(snapshot, plan)
    if strangers:
        return strangers
    simulation = simulate(snapshot, plan)
    return list(simulation.violations) + _wrong_numbers(
        plan, simulation.moments[0].placed, simulation.moments[-1].placed
    )


def _strangers(snapshot: Snapshot, plan: Plan) -> list[str]:
    """Pods and nodes that the snapshot does not have: the plan is for another cluster, or for another moment."""
    nodes = {node.name for node in snapshot.nodes}
    pods = {pod.key for pod in snapshot.pods}
    named_nodes = {e.node for w in plan.waves for e in w.evictions} | {p.node for p in plan.placements}
    named_pods = {e.pod for w in plan.waves for e in w.evictions} | {name for p in plan.placements for name in p.pods}
    return [f"node {name} is not in the input" for name in sorted(named_nodes - nodes)] + [
        f"pod {name} is not in the input" for name in sorted(named_pods - pods)
    ]


def _wrong_numbers(plan: Plan, before: Mapping[int, int], after: Mapping[int, int]) -> list[str]:
    said = []
    for tier in plan.tiers:
        for what, claimed, found in (
            ("before", tier.placed_before, before.get(tier.priority, 0)),
            ("after", tier.placed_after, after.get(tier.priority, 0)),
        ):
            if claimed != found:
                said.append(f"tier {tier.priority}: {claimed} pods placed {what} are claimed, there are {found}")
    evicted = [e for wave in plan.waves for e in wave.evictions]
    moves = sum(e.is_move for e in evicted)
    if (plan.disruption.moves, plan.disruption.evictions) != (moves, len(evicted) - moves):
        said.append(
            f"{plan.disruption.moves} moves and {plan.disruption.evictions} evictions are claimed, the waves do {moves} and {len(evicted) - moves}"
        )
    twice = [pod for pod, count in Counter(e.pod for e in evicted).items() if count > 1]
    return said + [f"pod {pod} is evicted twice" for pod in twice]


def judge_plan(
    snapshot: Snapshot, document: PlanDocument, *, budget: float, seed: int, threads: int
) -> tuple[Finding, ...]:
    plan, asked = document.plan, document.asked
    packing = build(snapshot, _options(asked))
    problem = packing.problem
    if packing.never_preempting and not asked.pending_only:
        sentence = "pods of preemptionPolicy Never are planned in several steps, which one proof does not cover"
        return (Finding("bounds", Judgement.OPEN, sentence),)
    in_problem = Counter[int]()
    for pod_class, count in zip(problem.classes, problem.totals.tolist(), strict=True):
        in_problem[pod_class.priority] += count
    tiers = []
    for tier in plan.tiers:
        weight = tier.pods - in_problem[tier.priority]  # pods that the problem does not see: fixed ones, all placed
        tiers.append(TierClaim(tier.priority, tier.pods - weight, tier.placed_after - weight, tier.bound - weight))
    disruption = DisruptionClaim(plan.disruption.value, plan.disruption.bound)
    options = Options(
        budget=budget, seed=seed, threads=threads, pending_only=asked.pending_only, consolidate=asked.consolidate
    )
    return judge(problem, tiers, disruption, options)


def _options(asked: Asked) -> PlanOptions:
    return PlanOptions(movable=asked.movable, caps=Caps(max_moves=asked.max_moves, max_evictions=asked.max_evictions))
