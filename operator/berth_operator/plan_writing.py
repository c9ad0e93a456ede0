"""Plans as objects in the cluster: written one at a time, superseded, collected. Executor and extenders read what is written here.

At most one plan is approved and not finished. A plan that was just written counts before the watch shows it; its name is made
here, so that a create whose answer was lost is recognised: the same name again is the same plan. Proposals (plans that nobody
approved yet) are replaced when a better one is found, never when a person has just approved them.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from berth_api.annotations import SCHEDULER
from berth_api.packing_plan import Outcome, PackingPlan, PackingPlanSpec, PlanCondition, Trigger
from berth_api.packing_policy import Mode, PackingPolicySpec
from berth_api.resource import API_VERSION, GROUP, VERSION, Condition, with_condition
from berth_cluster.connection import ApiError, Connection
from berth_cluster.live import LiveCluster
from berth_cluster.snapshot import Snapshot
from berth_operator.events import Events, about_plan
from berth_operator.metrics import Metrics
from berth_operator.policy_in_force import PoliciesInForce, PolicyInForce
from berth_operator.verdicts import WrittenPlan
from berth_planner.fingerprint import fingerprint, fingerprint_of
from berth_planner.plan import Plan
from berth_planner.plan_object import plan_specs

PLANS_PATH = f"/apis/{GROUP}/{VERSION}/packingplans"
CONFLICT, NOT_FOUND = 409, 404

UNSEEN_SECONDS = 15.0
"""How long a plan that was just written may be missing from the watch before it counts as not there."""

_NAME_BYTES = 5

logger = logging.getLogger(__name__)


def new_plan_name() -> str:
    return f"plan-{secrets.token_hex(_NAME_BYTES)}"


class PlanWriter:
    """Writes for the leader alone: `connection` should be fenced."""

    def __init__(
        self,
        connection: Connection,
        cluster: LiveCluster,
        events: Events,
        metrics: Metrics,
        *,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._connection = connection
        self._cluster = cluster
        self._events = events
        self._metrics = metrics
        self._clock = clock
        self._now = now
        self._unseen: tuple[str, float] | None = None

    def plan_in_the_way(self, policies: PoliciesInForce) -> bool:
        """A plan is approved and not finished, so that there must not be another."""
        plans, now = self._cluster.plans, self._now()
        if self._unseen is not None:
            name, until = self._unseen
            if name not in plans and self._clock() < until:
                return True
            self._unseen = None
        return any(_is_open(plan, now) and not _is_proposal(plan, policies.specs) for plan in plans.values())

    def proposal_holds(self, policy: PolicyInForce, view: Snapshot) -> bool:
        """A plan waits for a person, still fits the world, and serves everybody who asks."""
        asking = {p.key for p in view.pods if p.is_pending and p.unschedulable and p.scheduler == SCHEDULER}
        for plan in self._proposals(policy):
            spec = plan.spec
            named = {name for p in spec.placements for name in p.pods}
            touched = {e.node for e in spec.evictions} | {p.node for p in spec.placements}
            if asking <= named and fingerprint_of(touched, named, view) == spec.snapshot.fingerprint:
                return True
        return False

    async def write(
        self, plan: Plan, view: Snapshot, policy: PolicyInForce, trigger: Trigger, *, approved: bool
    ) -> WrittenPlan | None:
        """None: a proposal that it would have replaced has just been approved or changed. Raises ApiError.

        Of a plan too large for one object the first part is written; the rest is planned when that has been carried out.
        """
        for proposal in self._proposals(policy):
            if not await self._supersede(proposal):
                self._metrics.plans_dropped.labels("ProposalChanged").inc()
                return None
        spec = plan_specs(
            plan,
            view,
            policy=policy.name,
            trigger=trigger,
            now=self._now(),
            deadline_seconds=policy.spec.plan_deadline_seconds,
            approved=approved,
            resource_versions=self._cluster.resource_versions(),
            fingerprint=fingerprint(plan, view),
        )[0]
        name = new_plan_name()
        self._unseen = (name, self._clock() + UNSEEN_SECONDS)
        try:
            written = await self._create(name, spec)
        except ApiError as error:
            if error.status:
                self._unseen = None  # refused, so it is not there; without an answer it may be
            raise
        self._metrics.plans_written.labels(trigger.value).inc()
        logger.info("plan %s written (%s): %s", name, trigger.value, spec.summary)
        self._events.tell(about_plan(written), "Planned", spec.summary)
        return WrittenPlan(name, Mode.AUTOMATIC if approved else policy.spec.mode, plan)

    async def delete(self, plan: PackingPlan) -> None:
        """Gone already is as good. Raises ApiError."""
        body = {"kind": "DeleteOptions", "apiVersion": "v1", "preconditions": {"uid": plan.metadata.uid}}
        try:
            await self._connection.request("DELETE", f"{PLANS_PATH}/{plan.metadata.name}", body=body)
        except ApiError as error:
            if error.status not in (CONFLICT, NOT_FOUND):
                raise

    def _proposals(self, policy: PolicyInForce) -> list[PackingPlan]:
        now = self._now()
        specs = {policy.name: policy.spec}
        return [
            plan
            for plan in self._cluster.plans.values()
            if plan.spec.policy == policy.name and _is_open(plan, now) and _is_proposal(plan, specs)
        ]

    async def _create(self, name: str, spec: PackingPlanSpec) -> PackingPlan:
        body = {"apiVersion": API_VERSION, "kind": "PackingPlan", "metadata": {"name": name}, "spec": spec.to_json()}
        return PackingPlan.model_validate_json(await self._connection.request("POST", PLANS_PATH, body=body))

    async def _supersede(self, plan: PackingPlan) -> bool:
        """False when it changed in the meantime: a person may just have approved it."""
        message = "a newer plan takes its place"
        finished = Condition(
            type=PlanCondition.FINISHED,
            status="True",
            reason=Outcome.SUPERSEDED,
            message=message,
            last_transition_time=self._now(),
            observed_generation=plan.metadata.generation,
        )
        body = {
            "metadata": {"resourceVersion": plan.metadata.resource_version},
            "status": {
                "phase": Outcome.SUPERSEDED.value,
                "message": message,
                "observedGeneration": plan.metadata.generation,
                "conditions": [c.to_json() for c in with_condition(plan.status.conditions, finished)],
            },
        }
        path = f"{PLANS_PATH}/{plan.metadata.name}/status"
        try:
            await self._connection.request("PATCH", path, body=body, content_type="application/merge-patch+json")
        except ApiError as error:
            if error.status in (CONFLICT, NOT_FOUND):
                return error.status == NOT_FOUND
            raise
        return True


def _is_open(plan: PackingPlan, now: datetime) -> bool:
    return not plan.is_finished and now < plan.spec.deadline


def _is_proposal(plan: PackingPlan, policies: Mapping[str, PackingPolicySpec]) -> bool:
    """Nobody carries it out: it is not approved, or its policy has become a dry run before it was taken up."""
    if plan.is_approved:
        return False
    if not plan.spec.approved:
        return True
    policy = policies.get(plan.spec.policy)
    idle = policy is not None and policy.mode is Mode.DRY_RUN
    return idle and plan.spec.trigger not in (Trigger.PERSON, Trigger.FALLBACK)
