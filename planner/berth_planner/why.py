"""Why is it pending? Each waiting pod with its reasons per node, a proof where there is one, and the smallest change.

    for explanation in why(snapshot):
        print(explanation.message, explanation.available, explanation.smallest_change)

The plan answers for the pods it places. For each look of pod that it leaves waiting, what stands against every node once
the plan is done is counted, changes are tried, and two small problems (`focus`) settle whether the pod could be placed at
all. Looks are taken most important first; when `seconds` are over, the rest are told apart from the plan alone.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from berth_api.reasons import Reason
from berth_cluster.snapshot import Pod, Snapshot
from berth_planner.amounts import amount_text
from berth_planner.explanation import Explanation, Remedy
from berth_planner.focus import Finding, look_alone
from berth_planner.live_state import LiveState
from berth_planner.node_reasons import against
from berth_planner.options import PlanOptions
from berth_planner.outside import Wanted, outside
from berth_planner.packing import Packing
from berth_planner.plan import Eviction
from berth_planner.planning import Planned, build, plan_packing
from berth_planner.problem_variants import standing_at
from berth_planner.remedies import Needed, NodeShape, node_shapes, remedies
from berth_planner.why_hint import HintVerdicts
from berth_solver.problem import Gang

WHY_SECONDS = 5.0
"""For all focused questions together, on top of the plan."""

LOOK_SECONDS = 0.5
"""For one look of pod."""

NAMED_NODES = 3
"""Nodes named in a sentence."""


def why(
    snapshot: Snapshot,
    options: PlanOptions | None = None,
    *,
    wanted: Wanted | None = None,
    seconds: float = WHY_SECONDS,
) -> tuple[Explanation, ...]:
    """Plan, and explain every pod that has no node now (of those `wanted`), most important first."""
    options = options or PlanOptions()
    return explain(plan_packing(build(snapshot, options), options), options, wanted=wanted, seconds=seconds)


def explain(
    planned: Planned, options: PlanOptions, *, wanted: Wanted | None = None, seconds: float = WHY_SECONDS
) -> tuple[Explanation, ...]:
    """The same for a plan that is made already."""
    return tuple(_Explainer(planned, options, seconds).explain(wanted or (lambda pod: True)))


@dataclass(frozen=True, slots=True)
class _Position:
    """What the plan has for a pending pod."""

    node: str
    wave: int
    moves: int
    evictions: int


class _Explainer:
    def __init__(self, planned: Planned, options: PlanOptions, seconds: float) -> None:
        self._planned = planned
        self._packing: Packing = planned.packing
        self._options = options
        self._deadline = options.clock() + seconds
        self._now = LiveState(self._packing.problem)
        self._after = LiveState(standing_at(self._packing.problem, planned.placement))
        self._free_now, self._free_after = self._now.free_room(), self._after.free_room()
        self._positions = dict(_positions(planned))
        self._shapes: tuple[NodeShape, ...] = node_shapes(self._packing)
        self._gang_of_class = {c: g for g, gang in enumerate(self._gangs) for c in gang.classes}
        self._alone: dict[object, Finding | None] = {}
        self._hints = HintVerdicts(planned)

    @property
    def _gangs(self) -> tuple[Gang, ...]:
        return self._packing.problem.constraints.gangs

    def explain(self, wanted: Wanted) -> Iterable[Explanation]:
        classes = sorted(range(len(self._packing.members)), key=lambda c: -self._packing.problem.classes[c].priority)
        for c in classes:
            pending = [pod for pod in self._packing.members[c].pending if wanted(pod)]
            placed: dict[str, list[Pod]] = defaultdict(list)
            for pod in pending:
                if pod.key in self._positions:
                    placed[self._hint(pod)].append(pod)
            for served in placed.values():
                yield self._placed(c, served)
            alike: dict[object, list[Pod]] = defaultdict(list)  # a class may differ in what keeps its pods off a node
            for pod in pending:
                if pod.key not in self._positions:
                    spec = pod.spec
                    rules = (spec.node_selector, spec.node_affinity, spec.tolerations, spec.volume_nodes)
                    alike[rules, self._hint(pod)].append(pod)
            for waiting in alike.values():
                yield self._waiting(c, waiting)
        for pods, reason, message in outside(self._packing, self._options.movable, wanted):
            yield self._explanation(pods, reason, message)

    def _hint(self, pod: Pod) -> str:
        """Pods with other hints are told apart, where hints count at all."""
        return pod.hint if self._packing.wishes is not None else ""

    # -- pods that the plan places ------------------------------------------------------------------------------------

    def _placed(self, c: int, pods: Sequence[Pod]) -> Explanation:
        positions = [self._positions[p.key] for p in pods]
        wave = max(p.wave for p in positions)
        waves = {p.wave: p for p in positions}
        moves, evictions = sum(p.moves for p in waves.values()), sum(p.evictions for p in waves.values())
        nodes = list(dict.fromkeys(p.node for p in positions))
        where = ", ".join(nodes[:NAMED_NODES]) + (
            f" and {len(nodes) - NAMED_NODES} more nodes" if len(nodes) > NAMED_NODES else ""
        )
        costs = moves or evictions
        message = f"{_pods(pods)} {_verb(pods, 'goes', 'go')} to {where}"
        message += f" after {_cost_text(moves, evictions)}" if costs else " now: there is room"
        return replace(
            self._explanation(pods, Reason.FITS_AFTER_MOVES if costs else Reason.FITS_NOW, message),
            reasons=against(self._packing, c, pods[0].spec, self._now, self._free_now).reasons(
                self._packing.problem.resources
            ),
            targets=tuple(p.node for p in positions),
            wave=wave,
            moves=moves,
            evictions=evictions,
        )

    # -- pods that it leaves waiting ----------------------------------------------------------------------------------

    def _waiting(self, c: int, pods: Sequence[Pod]) -> Explanation:
        found = against(self._packing, c, pods[0].spec, self._after, self._free_after)
        gang = self._gang_of_class.get(c)
        missing = 0 if gang is None else self._missing_members(gang)
        if gang is not None and missing > 0:
            name, minimum = self._gangs[gang].name, self._gangs[gang].minimum
            have = minimum - missing
            change = Remedy("more-members", f"with {missing} more pods of gang {name}", amount=missing)
            text = f"gang {name} needs {minimum} pods and has {have}: none of them is placed before it is complete"
            return replace(
                self._explanation(pods, Reason.GANG_INCOMPLETE, text),
                reasons=found.reasons(self._packing.problem.resources),
                remedies=(change,),
            )
        together = 1 if gang is None else sum(len(self._packing.members[m].pending) for m in self._gangs[gang].classes)
        changes = remedies(
            self._packing, c, pods[0].spec, self._after, found, self._shapes, Needed(together, len(pods))
        )
        finding = self._look(c, gang)
        code, proven, message = self._verdict(c, pods, gang, finding, bool(found.admitted.any()))
        if code is Reason.FITS_AFTER_MOVES and finding is not None and self._options.caps.max_moves is not None:
            total = finding.moves + finding.evictions
            changes = (Remedy("more-moves", f"if {total} pods might be moved for it", amount=total), *changes)
        return replace(
            self._explanation(pods, code, message),
            reasons=found.reasons(self._packing.problem.resources),
            proven=proven,
            moves=None if finding is None or code is Reason.NO_PLACEMENT_EXISTS else finding.moves,
            evictions=None if finding is None or code is Reason.NO_PLACEMENT_EXISTS else finding.evictions,
            remedies=changes,
        )

    def _missing_members(self, gang: int) -> int:
        members = self._gangs[gang].classes
        have = sum(int(self._packing.problem.totals[m]) for m in members)
        return int(self._gangs[gang].minimum) - have

    def _look(self, c: int, gang: int | None) -> Finding | None:
        """What becomes of it alone; None when there is no time left to look."""
        key = ("class", c) if gang is None else ("gang", gang)
        if key not in self._alone:
            left = min(LOOK_SECONDS, self._deadline - self._options.clock())
            members = (
                [c]
                if gang is None
                else [m for m in sorted(self._gangs[gang].classes) if self._packing.members[m].pending]
            )
            wanted = {m: 1 if gang is None else len(self._packing.members[m].pending) for m in members}
            self._alone[key] = look_alone(self._packing, wanted, self._options, left) if left > 0 else None
        return self._alone[key]

    def _verdict(
        self, c: int, pods: Sequence[Pod], gang: int | None, finding: Finding | None, admitted: bool
    ) -> tuple[Reason, bool, str]:
        """Code, whether it is proven, and the sentence."""
        who = f"gang {self._gangs[gang].name}" if gang is not None else _pods(pods)
        waits, is_left = ("waits", "is left") if gang is not None or len(pods) == 1 else ("wait", "are left")
        resources = _request_text(pods[0])
        if finding is None:
            return Reason.NOT_PROVEN, False, f"{who} {is_left} waiting; there was no time to look into it alone"
        match finding.code:
            case Reason.NO_PLACEMENT_EXISTS:
                everything = "not even if everything movable moved" if self._packing.problem.standing else "on any node"
                return finding.code, True, f"no placement exists for {who} ({resources}), {everything}"
            case Reason.NOT_PROVEN:
                return (
                    finding.code,
                    False,
                    f"neither a place for {who} nor a proof that there is none was found in time",
                )
            case Reason.HIGHER_PRIORITY_FIRST:
                cost = _cost_text(finding.moves, finding.evictions)
                sentence = f"{who} would fit only by {cost}, among them pods of the same or a higher priority"
                return finding.code, finding.proven, sentence
        alone = f"alone it would fit{f' after {_cost_text(finding.moves, finding.evictions)}' if finding.moves or finding.evictions else ''}"
        own = self._packing.problem.classes[c].priority
        if self._packing.members[c].never_preempts and (finding.moves or finding.evictions):
            return finding.code, True, f"{who}: {alone}, but preemptionPolicy Never lets nobody be disturbed for it"
        if self._options.pending_only and (finding.moves or finding.evictions):
            return finding.code, True, f"{who}: {alone}, but the plan may disturb nobody"
        if self._is_counted_out(own):
            return (
                Reason.HIGHER_PRIORITY_FIRST,
                True,
                f"{who} {waits}: {alone}, but pods of the same or a higher priority would then go without",
            )
        caps = self._options.caps
        if caps.max_moves is not None or caps.max_evictions is not None or caps.max_disruption is not None:
            return finding.code, True, f"{who}: {alone}, which the cap on moves or evictions does not leave room for"
        sentence = f"{who} {waits}: {alone}, but pods of the same or a higher priority have the room; whether all could be placed is not proven"
        return Reason.HIGHER_PRIORITY_FIRST, False, sentence

    def _is_counted_out(self, priority: int) -> bool:
        """The plan's counts are proven the best possible down to this priority, with nothing capped."""
        caps = self._options.caps
        capped = caps.max_moves is not None or caps.max_evictions is not None or caps.max_disruption is not None
        tiers = self._planned.plan.tiers
        return not capped and all(t.certificate == "Optimal" for t in tiers if t.priority >= priority)

    def _explanation(self, pods: Sequence[Pod], code: Reason, message: str) -> Explanation:
        position = self._positions.get(pods[0].key)
        return Explanation(
            workloads=tuple(dict.fromkeys(p.workload for p in pods)),
            pods=tuple(p.key for p in pods),
            priority=pods[0].priority,
            requests=pods[0].spec.requests,
            code=code,
            message=message,
            nodes=len(self._packing.snapshot.nodes),
            hint=self._hints.of(pods[0], position.node if position is not None else ""),
        )


def _positions(planned: Planned) -> Iterable[tuple[str, _Position]]:
    """A pod's cost is what its wave disturbs; in a wave that disturbs nobody, who has left its node in waves before."""
    left: dict[str, list[Eviction]] = defaultdict(list)
    for w, wave in enumerate(planned.plan.waves):
        for eviction in wave.evictions:
            left[eviction.node].append(eviction)
        for placement in wave.placements:
            disturbed = wave.evictions or left[placement.node]
            moves = sum(e.is_move for e in disturbed)
            for pod in placement.pods:
                yield pod, _Position(placement.node, w + 1, moves, len(disturbed) - moves)


def _pods(pods: Sequence[Pod]) -> str:
    if len(pods) == 1:
        return pods[0].key
    owners = {p.workload for p in pods}
    return (
        f"{len(pods)} pods of {pods[0].workload.name}" if len(owners) == 1 else f"{len(pods)} pods like {pods[0].key}"
    )


def _verb(pods: Sequence[Pod], one: str, many: str) -> str:
    return one if len(pods) == 1 else many


def _cost_text(moves: int, evictions: int) -> str:
    parts = [f"{n} {what}{'' if n == 1 else 's'}" for n, what in ((moves, "move"), (evictions, "eviction")) if n]
    return " and ".join(parts)


def _request_text(pod: Pod) -> str:
    return ", ".join(amount_text(name, amount) for name, amount in pod.spec.requests if name != "pods")


def summary(explanations: Iterable[Explanation]) -> Counter[Reason]:
    """Pods per verdict."""
    counts: Counter[Reason] = Counter()
    for explanation in explanations:
        counts[explanation.code] += len(explanation.pods)
    return counts
