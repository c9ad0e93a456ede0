"""Whether Berth is installed and works: what to look at, and what is to be made of it. Each check is a sentence with a reason code.

`look` reads by the process's own account, not through kubectl: `helm test` runs it in a pod, where there is none. It needs `get` on
two Deployments and two Leases, and, to ask the pods, `list` on pods of the same namespace: six requests, some 10 ms beside a cluster.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from urllib.parse import quote

import msgspec

from berth_api.annotations import OPERATOR_LEASE, SCHEDULER_LEASE
from berth_api.reasons import Reason
from berth_cluster.connection import ApiError, Connection
from berth_cluster.leases import WireLease
from berth_cluster.objects import Wire

API = "/apis/berth.dev/v1alpha1"
KINDS = ("LLMService", "PackingPlan", "PackingPolicy")
DEPLOYMENTS = ("berth-scheduler", "berth-operator")
LEASES = {
    SCHEDULER_LEASE: "pods of scheduler berth are not placed",
    OPERATOR_LEASE: "nothing is planned or looked after",
}
OURS = "app.kubernetes.io/name=berth"
HEALTH_PORTS = {"extender": "metrics", "operator": "http"}
"""Of our containers, the port where they tell whether they are ready; as the chart calls both."""
ASK_SECONDS = 5.0
_NOT_FOUND = 404


class Check(msgspec.Struct, frozen=True, rename="camel"):
    what: str
    fine: bool
    said: str
    reason: str = ""
    """Empty when all is well."""


class _Resource(Wire, frozen=True):
    kind: str = ""


class _Resources(Wire, frozen=True):
    resources: tuple[_Resource, ...] = ()


class _Meta(Wire, frozen=True):
    name: str = ""
    generation: int = 0
    deletion_timestamp: str | None = None


class _Condition(Wire, frozen=True):
    type: str = ""
    status: str = ""
    message: str = ""


class _DeploymentStatus(Wire, frozen=True):
    observed_generation: int = 0
    available_replicas: int = 0
    replicas: int = 0
    conditions: tuple[_Condition, ...] = ()


class _Deployment(Wire, frozen=True):
    metadata: _Meta = _Meta()
    status: _DeploymentStatus = _DeploymentStatus()


class _Port(Wire, frozen=True):
    name: str = ""
    container_port: int = 0


class _Container(Wire, frozen=True):
    name: str = ""
    ports: tuple[_Port, ...] = ()


class _PodSpec(Wire, frozen=True):
    containers: tuple[_Container, ...] = ()


class _PodStatus(Wire, frozen=True):
    pod_i_p: str = ""


class _Pod(Wire, frozen=True):
    metadata: _Meta = _Meta()
    spec: _PodSpec = _PodSpec()
    status: _PodStatus = _PodStatus()


class _Pods(Wire, frozen=True):
    items: tuple[_Pod, ...] = ()


def kinds(served: bytes | None) -> Check:
    """`served`: what discovery answered, None: no such group."""
    found = {r.kind for r in msgspec.json.decode(served, type=_Resources).resources} if served is not None else set()
    missing = [kind for kind in KINDS if kind not in found]
    if not missing:
        return Check("kinds", True, f"{', '.join(KINDS)} are served")
    said = f"not served: {', '.join(missing)}. Install with crds.enabled, or apply manifests/crds."
    return Check("kinds", False, said, Reason.KINDS_NOT_SERVED)


def deployment(name: str, body: bytes | None) -> Check:
    what = f"Deployment {name}"
    if body is None:
        said = "not there. Install the chart, or name its namespace: --system-namespace."
        return Check(what, False, said, Reason.NOT_INSTALLED)
    found = msgspec.json.decode(body, type=_Deployment)
    status = found.status
    available = next((c for c in status.conditions if c.type == "Available"), _Condition())
    count = f"{status.available_replicas} of {status.replicas} pods available"
    current = status.observed_generation >= found.metadata.generation
    if current and available.status == "True" and status.available_replicas:
        return Check(what, True, count)
    why = f" ({available.message})" if current and available.status == "False" and available.message else ""
    said = f"{count}{why}. Look: kubectl describe deployment {name}, kubectl logs deployment/{name} --all-containers"
    return Check(what, False, said, Reason.DEPLOYMENT_UNAVAILABLE)


def lease(name: str, body: bytes | None, before: str, now: datetime) -> tuple[Check, str]:
    """With the renewal that was seen; `before`: the one of an earlier look. Held and fresh, or renewed since, is alive."""
    spec = msgspec.json.decode(body, type=WireLease).spec if body is not None else WireLease().spec
    holder, renewed = spec.holder_identity or "", spec.renew_time or ""
    what = f"Lease {name}"
    moved = bool(before) and renewed != before
    if holder and renewed and (moved or _is_fresh(renewed, spec.lease_duration_seconds or 15, now)):
        return Check(what, True, f"held by {holder}"), renewed
    who = f"{holder} does not renew it" if holder else "nobody holds it"
    said = f"{who}: {LEASES[name]}. Look at the logs of deployment/{name}."
    return Check(what, False, said, Reason.NO_SCHEDULER if name == SCHEDULER_LEASE else Reason.NO_LEADER), renewed


def _is_fresh(renewed: str, seconds: int, now: datetime) -> bool:
    try:
        return abs((now - datetime.fromisoformat(renewed)).total_seconds()) <= seconds
    except ValueError:
        return False


def doors(pods: bytes) -> dict[str, str]:
    """Where each of our containers tells whether it is ready, by pod and container; empty for a pod without an address."""
    found = {}
    for pod in msgspec.json.decode(pods, type=_Pods).items:
        for container in pod.spec.containers:
            port = next((p.container_port for p in container.ports if p.name == HEALTH_PORTS.get(container.name)), 0)
            if port and not pod.metadata.deletion_timestamp:
                ip = pod.status.pod_i_p
                host = f"[{ip}]" if ":" in ip else ip
                found[f"{container.name} in {pod.metadata.name}"] = f"http://{host}:{port}/readyz" if ip else ""
    return found


def health(who: str, url: str, status: int | None, said: str) -> Check:
    """`status`: of the answer, None: there was none, and `said` tells why."""
    if status is not None and status < 300:
        return Check(who, True, "ready")
    if not url:
        return Check(who, False, "has no address yet. Look: kubectl describe pod", Reason.POD_NOT_READY)
    told = f"answers {status}: {said}" if status is not None else f"does not answer at {url}: {said}"
    look = "Look at its log" if status is not None else "Look at its log, and at the NetworkPolicies between"
    return Check(who, False, f"{told[:300]}. {look}.", Reason.POD_NOT_READY)


def no_pods() -> Check:
    said = f"none of ours is there ({OURS}). Look: kubectl describe replicaset"
    return Check("pods", False, said, Reason.POD_NOT_READY)


async def look(
    cluster: Connection, namespace: str, *, ask_pods: bool, renewals: dict[str, str], now: datetime
) -> tuple[Check, ...]:
    """All checks, once. `renewals` is kept from look to look. Raises ApiError when the API server does not answer or refuses."""
    where = quote(namespace, safe="")
    checks = [kinds(await _get(cluster, API))]
    for name in DEPLOYMENTS:
        body = await _get(cluster, f"/apis/apps/v1/namespaces/{where}/deployments/{name}")
        checks.append(deployment(name, body))
    for name in LEASES:
        body = await _get(cluster, f"/apis/coordination.k8s.io/v1/namespaces/{where}/leases/{name}")
        check, renewals[name] = lease(name, body, renewals.get(name, ""), now)
        checks.append(check)
    if ask_pods:
        pods = await cluster.request("GET", f"/api/v1/namespaces/{where}/pods", query={"labelSelector": OURS})
        checks += await ask(doors(pods)) or [no_pods()]
    return tuple(checks)


async def ask(asked: Mapping[str, str]) -> Sequence[Check]:
    """Each door at once, by plain HTTP."""
    import aiohttp

    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=ASK_SECONDS)) as session:

        async def one(who: str, url: str) -> Check:
            if not url:
                return health(who, url, None, "")
            try:
                async with session.get(url, allow_redirects=False) as answer:
                    body = await answer.content.read(300)
                    return health(who, url, answer.status, body.decode(errors="replace").strip())
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                return health(who, url, None, str(error) or "not in time")

        return await asyncio.gather(*(one(who, url) for who, url in sorted(asked.items())))


async def _get(cluster: Connection, path: str) -> bytes | None:
    try:
        return await cluster.request("GET", path)
    except ApiError as error:
        if error.status == _NOT_FOUND:
            return None
        raise
