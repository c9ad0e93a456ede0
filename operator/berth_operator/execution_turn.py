"""One decision on one plan while it is made: what is looked at, what was found out, what shall be done."""

from __future__ import annotations

from functools import cached_property

from berth_api.packing_plan import Outcome, PackingPlan
from berth_cluster.snapshot import Pod
from berth_operator.arrivals import Arrivals
from berth_operator.eviction_limits import Allowance, why_not_evict
from berth_operator.execution_actions import Action, Tell
from berth_operator.execution_view import Decision, View
from berth_operator.plan_progress import ENDED, PLACED_ELSEWHERE, REPLACEMENT_NEVER_CAME, StatusDraft
from berth_operator.plan_validity import Obstacle, Paper, obstacles
from berth_scheduling.kept_room import GroupKey

GRACE_SECONDS = 3.0
"""A node may flap and a cache may lag: an obstacle ends a plan only when it has lasted so long."""
NO_EXTENDER_SECONDS = 30.0
RESERVE_SECONDS = 60.0
"""An extender that is alive and says nothing for so long about the plan will not."""
NAMES_TOLD = 3

FINISHED_EVENT = "PlanFinished"


class Turn:
    def __init__(self, plan: PackingPlan, view: View) -> None:
        self.plan = plan
        self.view = view
        self.draft = StatusDraft(plan, view.now)
        self.actions: list[Action] = []
        self._watching: set[str] = set()
        self.places = [(w, k) for w, wave in enumerate(plan.spec.waves) for k in range(len(wave.steps))]
        """Wave and step of each step, numbered through."""

    @cached_property
    def arrivals(self) -> Arrivals:
        return Arrivals(self.plan, self.view.snapshot)

    @cached_property
    def paper(self) -> Paper:
        return Paper(self.arrivals, self.view.snapshot, leaving=True)

    @cached_property
    def paper_without_leaving(self) -> Paper:
        return Paper(self.arrivals, self.view.snapshot, leaving=False)

    def allowance(self) -> Allowance:
        """What the policy still allows beyond the evictions that are recorded."""
        view = self.view
        return Allowance(view.policy.budgets, self.draft.records.values(), view.others, view.foreign, view.now)

    def decision(self) -> Decision:
        arrivals = self.__dict__.get("arrivals")
        return Decision(self.draft.build(arrivals), tuple(self.actions), frozenset(self._watching))

    def lasts(self, situation: str) -> float:
        """Seconds for which the situation has held; it is watched from now on."""
        self._watching.add(situation)
        return self.view.waited.get(situation, 0.0)

    def say(self, message: str) -> None:
        self.draft.message = message

    def tell(self, reason: str, message: str, *, warning: bool = False) -> None:
        self.actions.append(Tell(reason, message, warning))

    def may_evict(self, pod: Pod) -> str:
        """Empty, or why not."""
        return why_not_evict(pod, self.plan, self.view.policy, self.view.now)

    def obstacles(self, steps: range) -> list[Obstacle]:
        return obstacles(self.arrivals, self.view.snapshot, steps, self.may_evict, self.given_up())

    def given_up(self) -> dict[GroupKey, int]:
        """Pods that steps have ended without: placed elsewhere, or never made."""
        found: dict[GroupKey, int] = {}
        for s, (wave, step) in enumerate(self.places):
            if self.draft.reason(wave, step) in (PLACED_ELSEWHERE, REPLACEMENT_NEVER_CAME):
                for group in self.arrivals.groups[s]:
                    found[group] = max(found.get(group, 0), self.arrivals.shortfall(s, group))
        return found

    def is_clear(self, steps: range) -> bool:
        """Whether these steps would work. If not: waited for what passes, ended with what lasts."""
        found = self.obstacles(steps)
        if not found:
            return True
        lasting = [obstacle for obstacle in found if not obstacle.passes]
        if not lasting:
            self.say(f"waits for pods that are leaving: {found[0].message}")
        elif self.lasts("obstacle") >= GRACE_SECONDS:
            self.finish(lasting[0].outcome, lasting[0].message)
        return False

    def has_extender(self) -> bool:
        """Whether one is alive, and the one that kube-scheduler asks. If not for long: ended."""
        lost = self.view.lost_extender
        if self.view.extenders and not lost:
            return True
        missing = f"{lost}, which kube-scheduler asks, is not alive" if lost else "no extender is alive"
        self.say(f"waits: {missing}")
        if self.lasts("no extender") >= NO_EXTENDER_SECONDS:
            since = f"for {NO_EXTENDER_SECONDS:.0f} s"
            self.finish(Outcome.NO_EXTENDER, f"{missing} {since}: nothing would steer the replacements")
        return False

    def is_steered(self) -> bool:
        """Whether every live extender keeps the plan's room, and there is one. If not for long: ended."""
        if not self.has_extender():
            return False
        silent = sorted(name for name, kept in self.view.extenders.items() if self.plan.metadata.uid not in kept)
        if silent:
            self.say(f"waits until {silent[0]} keeps its room")
            if self.lasts("not acknowledged") >= RESERVE_SECONDS:
                self.finish(
                    Outcome.NO_EXTENDER, f"{', '.join(silent)} did not keep the room within {RESERVE_SECONDS:.0f} s"
                )
            return False
        return True

    def finish(self, outcome: Outcome, message: str) -> None:
        """The plan ends here; what of it is left is released with this."""
        draft, arrivals = self.draft, self.arrivals
        for s, (wave, step) in enumerate(self.places):
            if draft.state(wave, step) not in (*ENDED, "Pending"):
                evicted, placed = self.counts(s)
                draft.set_step(wave, step, "Failed", outcome.value, message, evicted=evicted, placed=placed)
        for uid in self.view.refused.keys() & draft.records.keys():
            pod = arrivals.standing.get(uid)
            if pod is not None and not pod.terminating and uid not in self.view.in_flight:
                del draft.records[uid]
        if outcome is not Outcome.COMPLETED:
            message += self._left_waiting()
        draft.finish(outcome, message)
        good = outcome in (Outcome.COMPLETED, Outcome.PARTLY_COMPLETED, Outcome.CANCELLED, Outcome.SUPERSEDED)
        self.actions = [a for a in self.actions if isinstance(a, Tell)]
        self.tell(FINISHED_EVENT, f"{outcome.value}: {message}", warning=not good)

    def counts(self, s: int) -> tuple[int, int]:
        """(evicted, placed) of step s by now."""
        arrivals = self.arrivals
        evicted = sum(e.uid not in arrivals.standing for e in arrivals.steps[s].evictions)
        return evicted, sum(arrivals.arrived[s])

    def _left_waiting(self) -> str:
        """Evicted pods whose replacements have no node: the planning loop looks after them next."""
        if not self.draft.records:
            return ""
        gone = {
            (e.workload.namespace, e.workload.kind, e.workload.name)
            for e in self.plan.spec.evictions
            if e.uid in self.draft.records
        }
        pods = [pod for group, pods in self.arrivals.waiting.items() if group.owner in gone for pod in pods]
        if not pods:
            return ""
        names = ", ".join(pod.key for pod in pods[:NAMES_TOLD])
        more = f" and {len(pods) - NAMES_TOLD} more" if len(pods) > NAMES_TOLD else ""
        return f"; still waiting: {names}{more}"
