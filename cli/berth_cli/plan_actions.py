"""What `berth plan` does to a cluster when asked to: write the plan, approve one, cancel one, and tell how it goes."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import quote

from berth_cli.exits import CommandError, Exit
from berth_cli.live_objects import API, LiveObjects, not_installed

if TYPE_CHECKING:
    from berth_api.packing_plan import PackingPlan
    from berth_cli.terminal import Terminal
    from berth_cli.under_policy import UnderPolicy
    from berth_cluster.snapshot import Snapshot
    from berth_planner.plan import Plan

PLAN_KIND = "packingplans.berth.dev"
LOOK_SECONDS = 0.5
GRACE_SECONDS = 15.0
"""Past a plan's deadline before its ending is given up on."""


def read_under_policy(cluster: LiveObjects, snapshot: Snapshot, named: str | None, now: datetime) -> UnderPolicy:
    """The cluster as the policy lets it be planned. Raises CommandError, also where Berth is not installed."""
    from berth_api.packing_plan import PackingPlan
    from berth_api.packing_policy import PackingPolicy
    from berth_cli.under_policy import under_policy

    if not cluster.has_resources():
        raise not_installed()
    policies = [PackingPolicy.model_validate(item) for item in cluster.items(f"{API}/packingpolicies")]
    plans = [PackingPlan.model_validate(item) for item in cluster.items(f"{API}/packingplans")]
    return under_policy(snapshot, policies, plans, named, now)


def write_plan(cluster: LiveObjects, plan: Plan, under: UnderPolicy, now: datetime) -> str:
    """Name of the new PackingPlan, approved. Of one too large for one object the first part. Raises CommandError."""
    from berth_api.packing_plan import Trigger
    from berth_api.resource import API_VERSION
    from berth_planner.fingerprint import fingerprint
    from berth_planner.plan_object import plan_specs

    parts = plan_specs(
        plan,
        under.view,
        policy=under.policy.name,
        trigger=Trigger.PERSON,
        now=now,
        deadline_seconds=under.policy.spec.plan_deadline_seconds,
        approved=True,
        fingerprint=fingerprint(plan, under.view),
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
    if _is_only_planned(cluster, plan):
        raise CommandError(
            f"DryRun: plan {name} belongs to policy {plan.spec.policy} of mode DryRun, which carries nothing out",
            hint="Set the policy's spec.mode to Manual or Automatic, or plan by hand: berth plan --apply",
        )
    cluster.patch(PLAN_KIND, name, {"spec": {"approved": True}})
    terminal.out.print(f"Plan {name} approved: {plan.spec.summary}.")


def cancel(cluster: LiveObjects, name: str, terminal: Terminal) -> None:
    plan = read_plan(cluster, name)
    if plan.is_finished:
        raise CommandError(f"PlanFinished: plan {name} has ended already: {plan.status.phase}")
    if not plan.spec.cancelled:
        cluster.patch(PLAN_KIND, name, {"spec": {"cancelled": True}})
    terminal.out.print(f"Plan {name} cancelled: nothing more is evicted; replacements under way are still placed.")


def _is_only_planned(cluster: LiveObjects, plan: PackingPlan) -> bool:
    from berth_api.packing_plan import Trigger
    from berth_api.packing_policy import Mode, PackingPolicy

    if not plan.spec.policy or plan.spec.trigger in (Trigger.PERSON, Trigger.FALLBACK):
        return False
    found = cluster.get(f"{API}/packingpolicies/{quote(plan.spec.policy, safe='')}")
    return found is not None and PackingPolicy.model_validate(found).spec.mode is Mode.DRY_RUN


def read_plan(cluster: LiveObjects, name: str) -> PackingPlan:
    from berth_api.packing_plan import PackingPlan

    found = cluster.get(f"{API}/packingplans/{quote(name, safe='')}")
    if found is None:
        if not cluster.has_resources():
            raise not_installed()
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
        line += f" - {plan.status.message}" if plan.status.message else ""
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
