"""What `berth plan` does to a cluster when asked to: write the plan, approve one, cancel one, and tell how it goes."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from berth_cli.exits import CommandError, Exit
from berth_cli.live_objects import API, NOT_INSTALLED, LiveObjects

if TYPE_CHECKING:
    from berth_api.packing_plan import PackingPlan
    from berth_cli.terminal import Terminal
    from berth_cluster.snapshot import Snapshot
    from berth_planner.plan import Plan

DEADLINE_SECONDS = 600
LOOK_SECONDS = 0.5
GRACE_SECONDS = 15.0
"""Past a plan's deadline before its ending is given up on."""


def write_plan(cluster: LiveObjects, plan: Plan, snapshot: Snapshot, now: datetime) -> str:
    """Name of the new PackingPlan, approved. Raises CommandError."""
    from berth_api.packing_plan import Trigger
    from berth_api.resource import API_VERSION
    from berth_planner.plan_object import plan_specs

    if not cluster.has_resources():
        raise NOT_INSTALLED
    parts = plan_specs(
        plan, snapshot, policy="", trigger=Trigger.PERSON, now=now, deadline_seconds=DEADLINE_SECONDS, approved=True
    )
    body = {
        "apiVersion": API_VERSION,
        "kind": "PackingPlan",
        "metadata": {"generateName": "plan-"},
        "spec": parts[0].to_json(),
    }
    name: str = cluster.create(body)["metadata"]["name"]
    return name


def approve(cluster: LiveObjects, name: str, terminal: Terminal) -> None:
    plan = read_plan(cluster, name)
    if plan.is_finished:
        raise CommandError(
            f"PlanFinished: plan {name} has ended: {plan.status.phase}", hint="Make another: berth plan --apply"
        )
    if plan.spec.cancelled:
        raise CommandError(f"PlanCancelled: plan {name} was cancelled", hint="Make another: berth plan --apply")
    if plan.spec.approved:
        terminal.out.print(f"Plan {name} is approved already.")
        return
    cluster.patch("packingplan", name, {"spec": {"approved": True}})
    terminal.out.print(f"Plan {name} approved: {plan.spec.summary}.")


def cancel(cluster: LiveObjects, name: str, terminal: Terminal) -> None:
    plan = read_plan(cluster, name)
    if plan.is_finished:
        raise CommandError(f"PlanFinished: plan {name} has ended already: {plan.status.phase}")
    if not plan.spec.cancelled:
        cluster.patch("packingplan", name, {"spec": {"cancelled": True}})
    terminal.out.print(f"Plan {name} cancelled: nothing more is evicted; replacements under way are still placed.")


def read_plan(cluster: LiveObjects, name: str) -> PackingPlan:
    from berth_api.packing_plan import PackingPlan

    found = cluster.get(f"{API}/packingplans/{name}")
    if found is None:
        if not cluster.has_resources():
            raise NOT_INSTALLED
        raise CommandError(f"UnknownPlan: there is no plan {name}", hint="List them with: kubectl get packingplans")
    return PackingPlan.model_validate(found)


def follow(
    cluster: LiveObjects,
    name: str,
    terminal: Terminal,
    *,
    sleep: Callable[[float], None] = time.sleep,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> None:
    """Prints each change until the plan has ended. Raises CommandError unless it was carried out."""
    said = ""
    while True:
        plan = read_plan(cluster, name)
        line = " ".join(part for part in (plan.status.phase or "Waiting", plan.status.progress) if part)
        if line != said:
            terminal.out.print(f"{name}: {line}")
            said = line
        if plan.is_finished:
            break
        late = (now() - plan.spec.deadline).total_seconds()
        if late > GRACE_SECONDS:
            raise CommandError(
                f"NoLeader: plan {name} is past its deadline and nobody has taken it up",
                hint="Is an operator alive? See `berth status`.",
                code=Exit.NO,
            )
        sleep(LOOK_SECONDS)
    if plan.status.phase != "Completed":
        raise CommandError(
            f"{plan.status.phase}: {plan.status.message or 'the plan was not carried out whole'}",
            hint="See `berth status` for what stands now; the planning loop looks again at the pods that wait.",
            code=Exit.NO,
        )
