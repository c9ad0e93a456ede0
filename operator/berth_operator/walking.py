"""Walking an active plan's waves: for each step evict (or relieve), wait until gone, see its pods arrive, then the next.

Before anything is begun the rest of its wave is looked at again on the cluster as it stands. At the start of a wave, where
one may stop, it is also asked whether the wave still serves a purpose, whether a more important pod has come meanwhile, and
whether the policy's limits allow all of its evictions. A cancelled plan begins nothing; what is under way is seen through.
"""

from __future__ import annotations

from berth_api.annotations import SCHEDULER
from berth_api.packing_plan import Outcome, PlannedEviction
from berth_cluster.snapshot import Pod
from berth_operator.arrivals import parsed
from berth_operator.execution_actions import Evict, MarkMoved, Relieve, Tell
from berth_operator.execution_turn import GRACE_SECONDS, Turn
from berth_operator.placing import place
from berth_operator.plan_progress import (
    ALREADY_PLACED,
    ENDED,
    NOTHING_TO_PLACE,
    PLACED_ELSEWHERE,
    REPLACEMENT_NEVER_CAME,
    StepState,
)
from berth_operator.relieving import Split, is_marked, is_taken_back, may_be_relieved, split
from berth_scheduling.kept_room import GroupKey, Owner, kept_requests

MARK_SECONDS = 10.0
"""A plan does not end before its replacements are dated, nor waits longer than this for it."""
LEADER_CLOCK_SLACK = 30.0
"""How much older than the plan a pod may be and still have come after its snapshot, in seconds."""


def walk(turn: Turn) -> None:
    """From the first step that has not ended on."""
    if turn.plan.spec.cancelled and not turn.draft.records:
        turn.finish(Outcome.CANCELLED, "cancelled before anything was evicted")
        return
    for s, (wave, step) in enumerate(turn.places):
        if turn.draft.state(wave, step) in ENDED:
            continue
        if turn.draft.state(wave, step) == "Pending" and not _may_begin(turn, s):
            return
        if turn.draft.state(wave, step) in ENDED:
            continue  # its wave was skipped
        if not _advance(turn, s):
            turn.actions += _marks(turn)
            return
    _conclude(turn)


# -- before a step ------------------------------------------------------------------------------------------------------


def _may_begin(turn: Turn, s: int) -> bool:
    """Whether step s may begin; if not, the plan waits or has ended."""
    wave, _ = turn.places[s]
    begins_wave = all(turn.draft.state(w, k) == "Pending" for w, k in turn.places if w == wave)
    if turn.plan.spec.cancelled and (begins_wave or _standing(turn, s)):
        turn.finish(Outcome.CANCELLED, f"cancelled after {_done(turn)}")
        return False
    if not begins_wave or not any(_standing(turn, t) for t in _steps_of(turn, wave)):
        return True
    overtaker = _overtaker(turn, s)
    if overtaker is not None:
        turn.finish(Outcome.OVERTAKEN, _overtaken_by(overtaker, turn))
        return False
    if not has_purpose(turn, wave):
        turn.say("none of the pods that its next wave is to place waits any more")
        if turn.lasts("no purpose") < GRACE_SECONDS:
            return False
        _skip(turn, wave)
        return True
    limit = budget_passed_by(turn, wave)
    if limit:
        turn.finish(Outcome.BUDGET_EXHAUSTED, f"wave {wave + 1} would pass the limit of {limit}; {_done(turn)} done")
        return False
    return True


def has_purpose(turn: Turn, wave: int) -> bool:
    """Whether somebody still waits for what the wave makes room for. One that names nobody (a consolidation) always has."""
    groups = _served(turn, wave)
    return not groups or any(turn.arrivals.waiting[group] for group in groups)


def budget_passed_by(turn: Turn, wave: int) -> str:
    """Which of the policy's limits the wave's evictions would pass together; empty when none."""
    allowance = turn.allowance()
    for s in _steps_of(turn, wave):
        for eviction in _standing(turn, s):
            limit = "" if eviction.uid in turn.draft.records else allowance.take(eviction)
            if limit:
                return limit
    return ""


def _served(turn: Turn, wave: int) -> set[GroupKey]:
    arrivals = turn.arrivals
    return {
        group
        for s in _steps_of(turn, wave)
        for placement, group in zip(arrivals.steps[s].placements, arrivals.groups[s], strict=True)
        if placement.pods
    }


def _skip(turn: Turn, wave: int) -> None:
    """Its pods have a node by other ways, or are gone: nobody is moved for them."""
    arrivals = turn.arrivals
    named = {name for s in _steps_of(turn, wave) for p in arrivals.steps[s].placements for name in p.pods}
    reason = ALREADY_PLACED if named <= arrivals.named.keys() else NOTHING_TO_PLACE
    for s in _steps_of(turn, wave):
        evicted, placed = turn.counts(s)
        turn.draft.set_step(*turn.places[s], "Skipped", reason, evicted=evicted, placed=placed)


def _overtaken_by(pod: Pod, turn: Turn) -> str:
    return f"{pod.key} of priority {pod.priority} came meanwhile and has no place; stopped after {_done(turn)}"


def _overtaker(turn: Turn, s: int) -> Pod | None:
    """A waiting pod, more important than all that is still to be placed, that came after the plan was computed."""
    arrivals = turn.arrivals
    left = [p.priority for t in range(s, len(turn.places)) if arrivals.missing(t) for p in arrivals.steps[t].placements]
    created = turn.plan.metadata.creation_timestamp
    if not left or created is None:
        return None
    taken = turn.plan.spec.snapshot.taken.timestamp()
    since = min(max(taken, created.timestamp() - LEADER_CLOCK_SLACK), created.timestamp())
    for pod in turn.view.snapshot.pods:
        if pod.is_pending and pod.unschedulable and pod.scheduler == SCHEDULER and pod.priority > max(left):
            came = parsed(pod.created)
            if came is not None and came.timestamp() > since and arrivals.group_of_pod(pod) is None:
                return pod
    return None


# -- a step -------------------------------------------------------------------------------------------------------------


def _advance(turn: Turn, s: int) -> bool:
    """Whether step s has ended; else what it takes is among the actions, or it is waited for."""
    wave, step = turn.places[s]
    evicted, placed = turn.counts(s)
    standing = _standing(turn, s, leaving=True)
    cancelled = turn.plan.spec.cancelled
    if standing and not (cancelled and not _under_way(turn, standing)):
        turn.draft.set_step(wave, step, "Evicting", evicted=evicted, placed=placed)
        _evict(turn, s, standing)
        return False
    reason = message = ""
    if any(turn.arrivals.shortfall(s, group) for group in turn.arrivals.groups[s]):
        turn.draft.set_step(wave, step, "Placing", evicted=evicted, placed=placed)
        ended = place(turn, s)
        if ended is None:
            return False
        reason, message = ended
    if standing:
        turn.finish(Outcome.CANCELLED, f"cancelled after {_done(turn)}")
        return False
    state: StepState = "Skipped" if reason and not evicted and not placed else "Done"
    turn.draft.set_step(wave, step, state, reason, message, evicted=evicted, placed=placed)
    return True


def _under_way(turn: Turn, standing: list[PlannedEviction]) -> bool:
    pods = turn.arrivals.standing
    return any(pods[e.uid].terminating or e.uid in turn.view.in_flight for e in standing)


def _evict(turn: Turn, s: int, standing: list[PlannedEviction]) -> None:
    wave, _ = turn.places[s]
    to_evict = [e for e in standing if not turn.arrivals.standing[e.uid].terminating]
    if not to_evict or turn.plan.spec.cancelled:
        turn.say(f"waits until {standing[0].pod} is gone ({len(standing)} to go)")
        return
    rest_of_wave = range(s, _steps_of(turn, wave).stop)
    if not turn.is_clear(rest_of_wave) or not _sources_ready(turn, to_evict) or not turn.is_steered():
        return
    for eviction in to_evict:
        refusal = turn.view.refused.get(eviction.uid)
        if refusal is not None and refusal.final:
            turn.finish(Outcome.EVICTION_BLOCKED, f"{eviction.pod} cannot be evicted: {refusal.message}")
            return
    unreplaced = _unreplaced(turn, s)
    for eviction in to_evict:
        if eviction.uid not in turn.draft.records and _owner(eviction) in unreplaced:
            turn.finish(
                Outcome.PARTLY_COMPLETED,
                f"{eviction.pod} was not evicted, because its owner has not replaced another; {_done(turn)}",
            )
            return
    asked = split(turn, s, to_evict)
    if turn.draft.is_finished:
        return
    overtaker = _overtaker(turn, s) if asked.relieve and not asked.evict and _is_untouched(turn, wave) else None
    if overtaker is not None:
        turn.finish(Outcome.OVERTAKEN, _overtaken_by(overtaker, turn))
        return
    _ask_for(turn, asked)


def _is_untouched(turn: Turn, wave: int) -> bool:
    """Nobody has had to leave for the wave yet: one may still stop. A replacement may take minutes until it answers."""
    pods = turn.arrivals.standing
    evictions = [e for s in _steps_of(turn, wave) for e in turn.arrivals.steps[s].evictions]
    return all(e.uid in pods and not pods[e.uid].terminating and e.uid not in turn.view.in_flight for e in evictions)


def _unreplaced(turn: Turn, s: int) -> set[Owner]:
    """Owners whose replacements an earlier step has waited for in vain: evicting more of theirs would only lose pods."""
    return {
        group.owner
        for t in range(s)
        if turn.draft.reason(*turn.places[t]) == REPLACEMENT_NEVER_CAME
        for group in turn.arrivals.groups[t]
        if turn.arrivals.shortfall(t, group)
    }


def _owner(eviction: PlannedEviction) -> Owner:
    return eviction.workload.namespace, eviction.workload.kind, eviction.workload.name


def _ask_for(turn: Turn, asked: Split) -> None:
    records, allowance = turn.draft.records, turn.allowance()
    new = [e for e in (*asked.relieve, *asked.evict) if e.uid not in records]
    for eviction in new:
        limit = allowance.take(eviction)
        if limit:
            turn.finish(Outcome.BUDGET_EXHAUSTED, f"evicting {eviction.pod} would pass the limit of {limit}")
            return
    for eviction in new:
        turn.draft.record(eviction)
        goes = f"its replacement goes to {eviction.target}" if eviction.target else "it has no place for now"
        if eviction in asked.relieve:
            goes = f"its replacement loads on {eviction.target} first"
        message = f"Moved by plan {turn.plan.metadata.name}: {goes}"
        turn.actions.append(
            Tell("Moved" if eviction.target else "Evicted", message, pod=eviction.pod, uid=eviction.uid)
        )
    for eviction in asked.relieve:
        if not is_marked(turn.arrivals.standing[eviction.uid], turn.plan):
            namespace, name = eviction.pod.split("/", 1)
            turn.actions.append(Relieve(namespace, name, eviction.uid, turn.plan.metadata.uid))
    for eviction in asked.evict:
        namespace, name = eviction.pod.split("/", 1)
        pod = turn.arrivals.standing[eviction.uid]
        if is_marked(pod, turn.plan):
            turn.actions.append(Relieve(namespace, name, eviction.uid, ""))
        elif not may_be_relieved(pod) or is_taken_back(turn, pod):
            turn.actions.append(Evict(namespace, name, eviction.uid))
    refused = [turn.view.refused[e.uid].message for e in asked.evict if e.uid in turn.view.refused]
    if asked.evict:
        turn.say(f"evicts {asked.evict[0].pod}" + (f": {refused[0]}" if refused else ""))
    elif asked.relieve:
        first = asked.relieve[0]
        turn.say(f"waits until a replacement of {first.pod} answers on {first.target}; it leaves then")


def _sources_ready(turn: Turn, to_evict: list[PlannedEviction]) -> bool:
    """A pod on a node that does not answer would be terminating for ever."""
    ready = {node.name for node in turn.view.snapshot.nodes if node.ready}
    stuck = next((e for e in to_evict if e.node not in ready), None)
    if stuck is None:
        return True
    turn.say(f"waits for node {stuck.node}, which is gone or not ready")
    if turn.lasts("source not ready") >= GRACE_SECONDS:
        turn.finish(Outcome.CLUSTER_CHANGED, f"node {stuck.node}, where {stuck.pod} stands, is gone or not ready")
    return False


# -- after the last step --------------------------------------------------------------------------------------------------


def _conclude(turn: Turn) -> None:
    marks = _marks(turn)
    if marks and turn.lasts("marking") < MARK_SECONDS:
        turn.actions += marks
        return
    reasons = {turn.draft.reason(wave, step) for wave, step in turn.places}
    short = reasons & {PLACED_ELSEWHERE, REPLACEMENT_NEVER_CAME, NOTHING_TO_PLACE}
    said = f"placed {turn.arrivals.placed} of {turn.arrivals.planned} pods"
    if short:
        turn.finish(Outcome.PARTLY_COMPLETED, f"{said} where planned ({', '.join(sorted(short))})")
    else:
        turn.finish(Outcome.COMPLETED, said)


def _marks(turn: Turn) -> list[MarkMoved]:
    """Replacements of moved pods that have arrived somewhere and are not dated yet."""
    arrivals = turn.arrivals
    moved: dict[GroupKey, int] = {}
    for eviction in turn.plan.spec.evictions:
        if eviction.target is not None and eviction.uid in turn.draft.records and eviction.uid not in arrivals.standing:
            workload = eviction.workload
            requests = kept_requests(eviction.requests.items())
            group = GroupKey((workload.namespace, workload.kind, workload.name), workload.uid, requests)
            moved[group] = moved.get(group, 0) + 1
    marks = []
    for group, count in moved.items():
        replacements = arrivals.replacements(group)
        open_marks = count - sum(bool(pod.moved_at) for pod in replacements)
        marks += [pod for pod in replacements if not pod.moved_at][: max(open_marks, 0)]
    return [MarkMoved(pod.namespace, pod.name, pod.uid) for pod in marks]


def _steps_of(turn: Turn, wave: int) -> range:
    numbers = [s for s, (w, _) in enumerate(turn.places) if w == wave]
    return range(numbers[0], numbers[-1] + 1) if numbers else range(0)


def _standing(turn: Turn, s: int, *, leaving: bool = False) -> list[PlannedEviction]:
    """The step's evictions whose pods still stand. leaving: those that are terminating too."""
    pods = turn.arrivals.standing
    return [e for e in turn.arrivals.steps[s].evictions if e.uid in pods and (leaving or not pods[e.uid].terminating)]


def _done(turn: Turn) -> str:
    done = sum(turn.draft.state(wave, step) == "Done" for wave, step in turn.places)
    return f"{done} of {len(turn.places)} steps"
