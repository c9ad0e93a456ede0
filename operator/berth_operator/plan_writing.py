"""Plans as objects in the cluster: written, superseded, collected. What is written here is read by executor and extenders.

A plan's name is made here, not by the server, so that a create whose answer was lost can be recognised: the same name again
is the same plan.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from datetime import UTC, datetime

from berth_api.packing_plan import Outcome, PackingPlan, PackingPlanSpec, PlanCondition
from berth_api.resource import API_VERSION, GROUP, VERSION, Condition, with_condition
from berth_cluster.connection import ApiError, Connection

PLANS_PATH = f"/apis/{GROUP}/{VERSION}/packingplans"
CONFLICT, NOT_FOUND = 409, 404
_NAME_BYTES = 5

logger = logging.getLogger(__name__)


def new_plan_name() -> str:
    return f"plan-{secrets.token_hex(_NAME_BYTES)}"


class PlanWriter:
    def __init__(self, connection: Connection, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._connection = connection
        self._now = now

    async def create(self, name: str, spec: PackingPlanSpec) -> PackingPlan:
        """Raises ApiError. A plan of this name that is there already is the answer: the name is nobody else's."""
        body = {
            "apiVersion": API_VERSION,
            "kind": "PackingPlan",
            "metadata": {"name": name},
            "spec": spec.to_json(),
        }
        try:
            answer = await self._connection.request("POST", PLANS_PATH, body=body)
        except ApiError as error:
            if error.status != CONFLICT:
                raise
            answer = await self._connection.request("GET", f"{PLANS_PATH}/{name}")
        return PackingPlan.model_validate_json(answer)

    async def supersede(self, plan: PackingPlan, message: str) -> bool:
        """End a plan that nobody has taken up. False when it changed in the meantime: a person may just have approved it."""
        finished = Condition(
            type=PlanCondition.FINISHED,
            status="True",
            reason=Outcome.SUPERSEDED,
            message=message,
            last_transition_time=self._now(),
            observed_generation=plan.metadata.generation,
        )
        conditions = with_condition(plan.status.conditions, finished)
        body = {
            "metadata": {"resourceVersion": plan.metadata.resource_version},
            "status": {
                "phase": Outcome.SUPERSEDED.value,
                "message": message,
                "observedGeneration": plan.metadata.generation,
                "conditions": [c.to_json() for c in conditions],
            },
        }
        try:
            await self._connection.request(
                "PATCH",
                f"{PLANS_PATH}/{plan.metadata.name}/status",
                body=body,
                content_type="application/merge-patch+json",
            )
        except ApiError as error:
            if error.status in (CONFLICT, NOT_FOUND):
                return error.status == NOT_FOUND
            raise
        return True

    async def delete(self, plan: PackingPlan) -> None:
        """Gone already is as good. Raises ApiError."""
        body = {"kind": "DeleteOptions", "apiVersion": "v1", "preconditions": {"uid": plan.metadata.uid}}
        try:
            await self._connection.request("DELETE", f"{PLANS_PATH}/{plan.metadata.name}", body=body)
        except ApiError as error:
            if error.status not in (CONFLICT, NOT_FOUND):
                raise
