"""Make before break: a replica of an LLMService is not evicted while its target has room beside it, but *relieved*.

It is marked (`berth.dev/relieved-by`, and the lowest deletion cost). The service's reconciler answers with one replica more
(`serving.moving`), which the plan's reservation steers to the target like any replacement; once that one answers requests the
extra replica is taken back, and the ReplicaSet takes the marked pod away, which drains as always. Nobody is asked through the
Eviction API, for the service never has fewer replicas that answer than before: disruption budgets hold of themselves.

Nothing is remembered. What stands says how far it is: whether a pod is marked, and whether as many replacements were made, or
have a node, as pods of its kind have gone and one more. A mark that nobody answers (a quota, a paused Deployment) is taken back
and the pod evicted, once the reconciler has taken the mark off: as long as one more is asked for, the disruption budget counts one
as missing, and it counts anew only when a pod changes. A replacement that does not answer ends the plan, with the old replica still serving. Marks of ended plans are void, and the
reconciler takes them away. Cost: that of one more `Paper` a look, until the replacement has a node.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from berth_api.annotations import LOWEST_DELETION_COST, SERVICE_LABEL
from berth_api.packing_plan import Outcome, PackingPlan, PlannedEviction
from berth_cluster.snapshot import Pod
from berth_operator.execution_turn import Turn
from berth_operator.placing import see_placed
from berth_operator.plan_validity import Paper
from berth_planner.plan_object import LOADING_SECONDS
from berth_scheduling.kept_room import GroupKey

SERVICE = "LLMService"
SURGE_SECONDS = 20.0
"""A mark that has brought no further replica by then will not: the pod is evicted as any other."""

TAKE_BACK_SECONDS = 10.0
"""So long the reconciler has to take a mark off that was taken back."""


class Split(msgspec.Struct, frozen=True):
    """What to do with pods that are to leave."""

    relieve: Sequence[PlannedEviction] = ()
    evict: Sequence[PlannedEviction] = ()


def split(turn: Turn, s: int, to_evict: Sequence[PlannedEviction]) -> Split:
    """Of a step's pods. As long as some are relieved others wait, but for those whose mark nobody answers: what is evicted now
    might need the room of a replica that serves on for minutes. One replica of a service at a time. May end the plan."""
    relieve: list[PlannedEviction] = []
    unanswered: list[PlannedEviction] = []
    services = set()
    trial: Paper | None = None
    for eviction in sorted(to_evict, key=lambda e: not is_marked(turn.arrivals.standing[e.uid], turn.plan)):
        pod = turn.arrivals.standing[eviction.uid]
        group = turn.arrivals.group_of_pod(pod)
        if group is None or eviction.target is None or pod.workload in services or not may_be_relieved(pod):
            continue
        waiting = turn.arrivals.waiting[group]
        if waiting and not is_marked(pod, turn.plan):
            continue  # of a service that has no room for all its replicas none can be spared for a moment
        made = _made(turn, group) > _gone(turn, group)
        short = turn.arrivals.shortfall(s, group)
        placed = made and not (waiting and short)
        if not placed:
            if not short:
                continue  # another replacement has taken its place
            trial = trial or Paper(turn.arrivals, turn.view.snapshot, leaving=True)
            if not trial.takes(pod, eviction.target):
                continue
        if made and turn.lasts(f"loading {eviction.uid}") >= LOADING_SECONDS:
            minutes = f"{LOADING_SECONDS / 60:.0f} minutes"
            turn.finish(Outcome.REPLACEMENT_NOT_READY, _unready(eviction, f"for {minutes}"))
            return Split()
        services.add(pod.workload)
        if not made and turn.lasts(f"unanswered {eviction.uid}") >= SURGE_SECONDS:
            unanswered.append(eviction)
            continue
        relieve.append(eviction)
        if made and not placed:
            see_placed(turn, s, group, waiting[:short])
            if turn.draft.is_finished:
                return Split()
    return Split(relieve, unanswered) if relieve else Split((), to_evict)


def may_be_relieved(pod: Pod) -> bool:
    """A replica of a service, without a deletion cost of somebody else's: that one would be lost."""
    of_service = pod.workload.kind == SERVICE and dict(pod.spec.labels).get(SERVICE_LABEL) == pod.workload.name
    return of_service and pod.deletion_cost in ("", LOWEST_DELETION_COST)


def is_taken_back(turn: Turn, pod: Pod) -> bool:
    """Whether nothing of a mark is left that would keep a budget from letting it go; or whoever takes it off does not work."""
    if pod.deletion_cost != LOWEST_DELETION_COST or pod.terminating:
        return True
    return turn.lasts(f"taking back {pod.uid}") >= TAKE_BACK_SECONDS


def is_marked(pod: Pod, plan: PackingPlan) -> bool:
    return pod.relieved_by == plan.metadata.uid and pod.deletion_cost == LOWEST_DELETION_COST


def why_unready(turn: Turn) -> str:
    """Of a plan whose deadline has come: empty, or what it still waits for, when that is a replacement's answer."""
    for eviction in turn.plan.spec.evictions:
        pod = turn.arrivals.standing.get(eviction.uid)
        if pod is not None and not pod.terminating and is_marked(pod, turn.plan):
            return _unready(eviction, "before the deadline")
    return ""


def _unready(eviction: PlannedEviction, when: str) -> str:
    return f"{eviction.pod} goes on serving: its replacement did not answer {when}; see the pods of {eviction.workload.name}"


def _made(turn: Turn, group: GroupKey) -> int:
    """Replacements, with a node or without."""
    arrivals = turn.arrivals
    waiting = sum(arrivals.is_unnamed_newcomer(pod) for pod in arrivals.waiting[group])
    return len(arrivals.replacements(group)) + waiting


def _gone(turn: Turn, group: GroupKey) -> int:
    """Pods of the group that have left for the plan, or are about to."""
    found = 0
    for eviction in turn.plan.spec.evictions:
        workload = eviction.workload
        owner = (workload.namespace, workload.kind, workload.name)
        if owner == group.owner and eviction.uid in turn.draft.records:
            pod = turn.arrivals.standing.get(eviction.uid)
            found += pod is None or pod.terminating
    return found
