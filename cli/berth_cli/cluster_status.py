"""What stands in a cluster of Berth's own: who leads, who serves, which policy holds, which plan runs, who waits and why."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from urllib.parse import quote

import msgspec

from berth_api.annotations import (
    ACKNOWLEDGED_PLANS,
    EXTENDER_LEASE_PREFIX,
    OPERATOR_LEASE,
    SCHEDULER,
    SCHEDULER_LEASE,
    WHY,
)
from berth_api.packing_plan import PackingPlan
from berth_api.packing_policy import PackingPolicy
from berth_api.reasons import Reason
from berth_api.resource import find_condition
from berth_cli.holders import live_holders
from berth_cli.live_objects import API, Json, LiveObjects
from berth_cluster.leases import Lease, WireLease, read_lease
from berth_operator.budgets import moves_in_last_hour
from berth_operator.policy_in_force import PoliciesInForce

PENDING_PODS = "/api/v1/pods?fieldSelector=spec.nodeName%3D,status.phase%3DPending"


class Process(msgspec.Struct, frozen=True, rename="camel"):
    name: str
    alive: bool
    renewed_seconds_ago: float | None
    keeps_plans: tuple[str, ...] = ()
    """Names of active plans whose room an extender keeps."""


class PolicyStatus(msgspec.Struct, frozen=True, rename="camel"):
    name: str
    mode: str
    moves_per_plan: int
    moves_per_hour: int
    conflict: str = ""


class PlanStatus(msgspec.Struct, frozen=True, rename="camel"):
    name: str
    phase: str
    trigger: str
    progress: str
    summary: str
    message: str
    created: str


class WaitingReason(msgspec.Struct, frozen=True, rename="camel"):
    code: str
    pods: int
    example: str
    message: str


class ClusterStatus(msgspec.Struct, frozen=True, rename="camel"):
    leader: Process | None
    scheduler: Process | None
    extenders: tuple[Process, ...]
    policies: tuple[PolicyStatus, ...]
    active: tuple[PlanStatus, ...]
    """Plans that are not finished: proposed ones, and the one that is carried out."""
    recent: tuple[PlanStatus, ...]
    waiting: tuple[WaitingReason, ...]
    moves_last_hour: int


def read_status(cluster: LiveObjects, namespace: str, now: datetime) -> ClusterStatus:
    """Raises CommandError when the cluster does not answer."""
    leases, live = live_holders(lambda: leases_of(cluster, namespace), matters=_is_ours, now=lambda: now)
    plans = sorted(
        (PackingPlan.model_validate(item) for item in cluster.items(f"{API}/packingplans")),
        key=lambda plan: plan.metadata.creation_timestamp or now,
        reverse=True,
    )
    policies = [PackingPolicy.model_validate(item) for item in cluster.items(f"{API}/packingpolicies")]
    names = {plan.metadata.uid: plan.metadata.name for plan in plans}

    def process(name: str) -> Process | None:
        return _process(leases[name], name in live, now, names) if name in leases else None

    return ClusterStatus(
        leader=process(OPERATOR_LEASE),
        scheduler=process(SCHEDULER_LEASE),
        extenders=tuple(
            found
            for name in sorted(leases)
            if name.startswith(EXTENDER_LEASE_PREFIX) and (found := process(name)) is not None
        ),
        policies=_policies(policies),
        active=tuple(_plan(plan) for plan in plans if not plan.is_finished),
        recent=tuple(_plan(plan) for plan in plans if plan.is_finished),
        waiting=_waiting(cluster.items(PENDING_PODS)),
        moves_last_hour=moves_in_last_hour(plans, now),
    )


def scheduler_leads(cluster: LiveObjects, namespace: str, now: datetime) -> bool:
    """A scheduler of ours is alive: pods of the scheduler berth are placed."""
    _, live = live_holders(lambda: leases_of(cluster, namespace), matters=_is_ours, now=lambda: now)
    return SCHEDULER_LEASE in live


def leases_of(cluster: LiveObjects, namespace: str) -> dict[str, Lease]:
    """By name."""
    path = f"/apis/coordination.k8s.io/v1/namespaces/{quote(namespace, safe='')}/leases"
    found = (read_lease(msgspec.convert(item, WireLease)) for item in cluster.items(path))
    return {lease.name: lease for lease in found}


def _is_ours(name: str) -> bool:
    return name in (OPERATOR_LEASE, SCHEDULER_LEASE) or name.startswith(EXTENDER_LEASE_PREFIX)


def _process(lease: Lease, alive: bool, now: datetime, plan_names: Mapping[str, str]) -> Process:
    age = (now - datetime.fromisoformat(lease.renewed)).total_seconds() if lease.renewed else None
    is_extender = lease.name.startswith(EXTENDER_LEASE_PREFIX)
    name = lease.name.removeprefix(EXTENDER_LEASE_PREFIX) if is_extender else lease.holder
    return Process(name, alive, age, tuple(plan_names.get(uid, uid) for uid in _uids(lease.annotations)))


def _uids(annotations: Mapping[str, str]) -> list[str]:
    try:
        told = json.loads(annotations.get(ACKNOWLEDGED_PLANS, "[]"))
    except ValueError:
        return []
    return [uid for uid in told if isinstance(uid, str)] if isinstance(told, list) else []


def _policies(policies: Iterable[PackingPolicy]) -> tuple[PolicyStatus, ...]:
    conflicts = {
        p.metadata.name: found.message
        for p in policies
        if (found := find_condition(p.status.conditions, "Conflict")) is not None and found.status == "True"
    }
    return tuple(
        PolicyStatus(
            policy.name,
            policy.spec.mode.value,
            policy.spec.budgets.moves_per_plan,
            policy.spec.budgets.moves_per_hour,
            conflicts.get(policy.name, ""),
        )
        for policy in PoliciesInForce(policies).all
    )


def _plan(plan: PackingPlan) -> PlanStatus:
    created = plan.metadata.creation_timestamp
    return PlanStatus(
        plan.metadata.name,
        plan.status.phase or "Proposed",
        plan.spec.trigger.value,
        plan.status.progress,
        plan.spec.summary,
        plan.status.message,
        created.astimezone(UTC).isoformat() if created else "",
    )


def _waiting(pods: Iterable[Json]) -> tuple[WaitingReason, ...]:
    """Pods of our scheduler by what they were told."""
    counts: Counter[str] = Counter()
    example: dict[str, tuple[str, str]] = {}
    for pod in pods:
        spec, meta = pod.get("spec") or {}, pod["metadata"]
        if spec.get("schedulerName") != SCHEDULER or meta.get("deletionTimestamp"):
            continue
        code, message = str(Reason.GATED if spec.get("schedulingGates") else Reason.NO_WORD_YET), ""
        try:
            told = json.loads((meta.get("annotations") or {}).get(WHY, "null"))
        except ValueError:
            told = None
        if isinstance(told, dict):
            code, message = str(told.get("code", code)), str(told.get("message", ""))
        counts[code] += 1
        example.setdefault(code, (f"{meta.get('namespace', '')}/{meta['name']}", message))
    return tuple(WaitingReason(code, count, *example[code]) for code, count in counts.most_common())
