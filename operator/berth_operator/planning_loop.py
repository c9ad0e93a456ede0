"""The planning loop: waiting pods in, plans and verdicts out. It only orchestrates; each decision has a file of its own.

    waits (waiting) -> quiet (triggers) -> scoped snapshot (policy_in_force) -> solve (solver_process) -> has the world moved?
    (fingerprint) -> cut to the budgets (budgets, plan_cutting) -> written (plan_writing) -> told (verdicts, telling, events)

One plan at a time: while one is approved and not finished, nothing is planned. A pod whose patience ends without a plan is
served as the stock scheduler would (`patience`). The loop listens from the start of the process, also on standby, so that a
new leader knows how long pods have waited; it acts only inside `run`. What it must not forget stands in the cluster.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime

from berth_api.annotations import SCHEDULER, Why
from berth_api.packing_plan import PackingPlan, PlanCondition, Trigger
from berth_api.packing_policy import Mode, PackingPolicy
from berth_api.reasons import Reason
from berth_api.resource import find_condition
from berth_cluster.connection import ApiError, Connection
from berth_cluster.leases import Lease
from berth_cluster.live import LiveCluster
from berth_cluster.snapshot import Node, Pod, Snapshot
from berth_operator.budgets import MovesLeft, moves_left
from berth_operator.chances import budgets_may_help, node_may_help, pod_may_help
from berth_operator.events import Events, about_pod
from berth_operator.metrics import Metrics
from berth_operator.patience import Patience
from berth_operator.plan_cutting import Cut, cut_to_budget, pods_served
from berth_operator.plan_writing import PlanWriter
from berth_operator.policy_in_force import PoliciesInForce, PolicyInForce, scoped
from berth_operator.quiet_hours import quiet_until
from berth_operator.solver_messages import Answered, Job
from berth_operator.solver_process import SolverError, SolverProcess
from berth_operator.telling import PodTeller
from berth_operator.tending import Tending
from berth_operator.triggers import Debounce, Timetable
from berth_operator.unsteered import UnsteeredHints
from berth_operator.verdicts import Limits, Verdict, verdicts
from berth_operator.waiting import WaitingPods
from berth_planner.fingerprint import fingerprint
from berth_planner.plan import Plan

TICK_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0
"""After errors of the API server, which double the pause."""
EXPLAIN_SECONDS = 2.0
GRACE_SECONDS = 15.0
"""Over the budgets for solving and explaining, for reading the snapshot and ordering the moves; then the worker is killed."""

EVENT_PODS = 10
"""Pods of one verdict that get an Event; all get the annotation."""

_FITS = frozenset((Reason.FITS_NOW, Reason.FITS_AFTER_MOVES))
_NO_EVENT = _FITS | {Reason.MOVE_BUDGET_SPENT, Reason.QUIET_HOURS, Reason.GATED, Reason.TERMINATING, Reason.NOMINATED}

logger = logging.getLogger(__name__)


class PlanningLoop:
    """A `Listener` of the cluster. `connection` writes, and should be fenced by leadership."""

    def __init__(
        self,
        connection: Connection,
        cluster: LiveCluster,
        solver: SolverProcess,
        events: Events,
        metrics: Metrics,
        *,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._connection = connection
        self._cluster = cluster
        self._solver = solver
        self._events = events
        self._metrics = metrics
        self._clock = clock
        self._now = now
        self._writer = PlanWriter(connection, cluster, events, metrics, clock=clock, now=now)
        self._teller = PodTeller(connection, metrics)
        self._hints = UnsteeredHints(events)
        self._waiting = WaitingPods()
        self._tending = Tending(
            connection, cluster, self._writer, self._teller, self._waiting, metrics, clock=clock, now=now
        )
        self._patience = Patience(cluster, self._waiting, self._writer, self._teller, metrics)
        self._debounce = Debounce()
        self._timetable = Timetable()
        self._wake = asyncio.Event()
        self._acting = False
        self._allowed: dict[tuple[str, str], int] = {}
        self._budgets_seen: object = None
        self.last_round = clock()
        """When a round last ended, for liveness; only moves while leading."""
        cluster.listen(self)

    # -- what the cluster tells ---------------------------------------------------------------------------------------

    def node_changed(self, old: Node | None, new: Node | None) -> None:
        if node_may_help(old, new):
            self._waiting.something_changed()

    def pod_changed(self, old: Pod | None, new: Pod | None) -> None:
        at = self._clock()
        pod = new or old
        if pod is not None and pod.scheduler == SCHEDULER and _stirs(old, new):
            self._debounce.stirred(at)
        if self._waiting.pod_changed(old, new, at):
            self._debounce.wanted(at)
        if pod_may_help(old, new):
            self._waiting.something_changed()
        if self._acting and new is not None:
            self._hints.look_at(new)

    def plan_changed(self, old: PackingPlan | None, new: PackingPlan | None) -> None:
        if old is not None and not old.is_finished and (new is None or new.is_finished):
            self._waiting.something_changed()
            finished = None if new is None else find_condition(new.status.conditions, PlanCondition.FINISHED)
            self._metrics.plans_finished.labels(finished.reason if finished is not None else "Deleted").inc()
        self.wake()

    def policy_changed(self, old: PackingPolicy | None, new: PackingPolicy | None) -> None:
        if old is None or new is None or old.spec != new.spec:
            self._waiting.something_changed()
            self._tending.hurry()
            self.wake()

    def lease_changed(self, old: Lease | None, new: Lease | None) -> None:
        return

    def wake(self) -> None:
        """Look now instead of at the next tick."""
        self._wake.set()

    # -- the loop -----------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Plans until cancelled. An API server that does not answer is waited for; anything else unexpected is raised."""
        self._acting = True
        for pod in self._cluster.snapshot().pods:
            self._hints.look_at(pod)
        pause = TICK_SECONDS
        self._solver.warm_up()
        try:
            while True:
                try:
                    await self.round()
                    pause = TICK_SECONDS
                except ApiError as error:
                    pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
                    logger.warning("the planning loop could not go on and tries again in %.0f s: %s", pause, error)
                self.last_round = self._clock()
                await self._pause(pause)
        finally:
            self._acting = False
            await self._solver.close()

    async def round(self) -> None:
        """One look at everything that may be due."""
        if not self._cluster.synced:
            return
        at, now = self._clock(), self._now()
        policies = PoliciesInForce(self._cluster.policies.values())
        self._look_at_budgets()
        self._metrics.count_solver_restarts(self._solver.restarts)
        await self._tending.tend(policies)
        if self._writer.plan_in_the_way(policies):
            return
        due = self._due(policies, at)
        if due is not None:
            await self._plan(policies, *due)
        elif await self._patience.rescue(policies, at, now):
            return
        elif (scheduled := self._timetable.due(policies.specs, at)) is not None:
            name, trigger = scheduled
            self._timetable.taken(name, trigger, at)
            policy = policies.named(name)
            if policy is not None and (trigger is not Trigger.CONSOLIDATION or not len(self._waiting)):
                await self._plan(policies, policy, trigger)

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            pass
        self._wake.clear()

    def _due(self, policies: PoliciesInForce, at: float) -> tuple[PolicyInForce, Trigger] | None:
        """The policy of the most important pod that wants an answer, once things are quiet."""
        covering = (policies.of(pod) for pod in self._waiting.open(at))
        wanting = next((p for p in covering if p is not None and p.spec.triggers.unschedulable), None)
        if wanting is None:
            self._debounce.taken()
            return None
        self._debounce.wanted(at)
        if not self._debounce.is_due(at):
            return None
        self._debounce.taken()
        return wanting, Trigger.UNSCHEDULABLE

    def _look_at_budgets(self) -> None:
        """The watch does not tell of disruption budgets: whether they allow more is seen by comparing."""
        budgets = self._cluster.snapshot().budgets
        if budgets is not self._budgets_seen:
            self._budgets_seen = budgets
            helps, self._allowed = budgets_may_help(self._allowed, budgets)
            if helps:
                self._waiting.something_changed()

    # -- one plan -----------------------------------------------------------------------------------------------------

    async def _plan(self, policies: PoliciesInForce, policy: PolicyInForce, trigger: Trigger) -> None:
        now, changes = self._now(), self._waiting.changes
        left = moves_left(self._cluster.plans.values(), policy.name, policy.spec.budgets, now)
        quiet = quiet_until(policy.spec.budgets.quiet_hours, now)
        if trigger is Trigger.CONSOLIDATION and (quiet is not None or left.in_plan == 0):
            return
        busy = not self._debounce.is_quiet(self._clock())

        def view_now() -> Snapshot:
            snapshot = self._cluster.snapshot()
            return scoped(snapshot, policies, policy, now, left.spent_workloads, only_refused=busy)

        view = view_now()
        asking = [p.uid for p in view.pods if p.node is None]
        if self._writer.proposal_holds(policy, view):
            self._waiting.answered(asking, self._clock(), changes)
            return
        disturb = quiet is None and left.in_plan > 0
        try:
            answer, cut = await self._solve(policies, policy, view, trigger, left, disturb)
        except SolverError as error:
            logger.error("no plan: %s", error)
            self._metrics.solves_failed.labels(error.reason).inc()
            self._waiting.answered(asking, self._clock())
            return
        limits = Limits(cut.reason, quiet, left.in_plan == 0)
        written = None
        if self._is_worth_it(cut.plan, policy, trigger):
            policies_moved = PoliciesInForce(self._cluster.policies.values()).all != policies.all
            if policies_moved or fingerprint(cut.plan, view_now()) != fingerprint(cut.plan, view):
                logger.info("a plan was dropped, since the world moved while it was made")
                self._metrics.plans_dropped.labels("WorldMoved").inc()
                return
            written = await self._writer.write(
                cut.plan, view, policy, trigger, approved=policy.spec.mode is Mode.AUTOMATIC
            )
            if written is None:
                return
        self._waiting.answered(asking, self._clock(), changes)
        await self._tell(verdicts(answer.explanations, written, limits), policy.spec.plan_deadline_seconds)

    async def _solve(
        self,
        policies: PoliciesInForce,
        policy: PolicyInForce,
        view: Snapshot,
        trigger: Trigger,
        left: MovesLeft,
        disturb: bool,
    ) -> tuple[Answered, Cut]:
        """Without a cap first, so that what is told does not hang on one; with it when the best plan passes it."""
        consolidate = trigger is Trigger.CONSOLIDATION
        budget = policy.spec.time_budget_seconds

        async def ask(max_moves: int | None) -> Answered:
            job = Job(
                view,
                budget,
                EXPLAIN_SECONDS,
                max_moves=max_moves,
                pending_only=not disturb,
                consolidate=consolidate,
                policies=policies.objects,
                hint_answers=self._cluster.hint_answers,
            )
            with self._metrics.solve_seconds.time():
                return await self._solver.solve(job, budget + EXPLAIN_SECONDS + GRACE_SECONDS)

        answer = await ask(left.in_plan if consolidate else None)
        cut = cut_to_budget(answer.plan, left, policy.spec.budgets, gains_pods=not consolidate)
        moves = answer.plan.disruption.moves + answer.plan.disruption.evictions
        if cut.reason and disturb and moves > left.in_plan:
            capped = await ask(left.in_plan)
            again = cut_to_budget(capped.plan, left, policy.spec.budgets, gains_pods=not consolidate)
            if len(pods_served(again.plan)) >= len(pods_served(cut.plan)):
                return capped, again
        return answer, cut

    def _is_worth_it(self, plan: Plan, policy: PolicyInForce, trigger: Trigger) -> bool:
        """Not for pods that kube-scheduler is about to place anyway, nor for fewer nodes than the policy asks for."""
        if plan.is_empty:
            return False
        if trigger is Trigger.CONSOLIDATION:
            return plan.nodes_in_use_before - plan.nodes_in_use_after >= policy.spec.consolidation.min_nodes_freed
        waiting = {pod.key for pod in self._waiting.pods()}
        return any(wave.evictions for wave in plan.waves) or bool(waiting & set(pods_served(plan)))

    # -- telling ------------------------------------------------------------------------------------------

    async def _tell(self, found: Collection[Verdict], delay_seconds: int) -> None:
        pods = {pod.key: pod for pod in self._waiting.pods()}
        whys: dict[str, Why] = {}
        for verdict in found:
            whys.update(verdict.why)
            if verdict.is_final:
                self._announce(verdict, pods)
        await self._teller.tell(whys, pods, delay_seconds)

    def _announce(self, verdict: Verdict, pods: Mapping[str, Pod]) -> None:
        for key in [k for k in verdict.pods if k in pods][:EVENT_PODS]:
            if verdict.code not in _NO_EVENT:
                self._events.tell(about_pod(pods[key]), Reason.NOTHING_BETTER, verdict.sentence, topic=verdict.code)
            if verdict.capacity:
                self._events.tell(
                    about_pod(pods[key]), Reason.NEEDS_CAPACITY, verdict.capacity, topic=verdict.shape, warning=True
                )


def _stirs(old: Pod | None, new: Pod | None) -> bool:
    """Something that kube-scheduler is still busy with: a pod came, went, was bound or was refused."""
    return old is None or new is None or old.node != new.node or old.unschedulable != new.unschedulable
