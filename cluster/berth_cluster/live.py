"""The cluster as it stands now: list and watch of everything that decisions look at, kept in small typed values.

    connection = await Connection.open()
    cluster = LiveCluster(connection, kinds=FOR_EXTENDER)
    task = asyncio.create_task(cluster.run())
    await cluster.wait_synced(60)
    cluster.snapshot()          # immutable; the same object while nothing has changed
    cluster.listen(listener)    # hears of everything known, then of every change

One `reflector` a collection feeds one store a kind (`stores`, `pod_index`); all of it runs on one event loop, and listeners
are called on it, after the cache holds the new state. What others refer to (nodes, owners, volumes, namespaces) is listed
before pods, so that pods come out right the first time; later changes there find their pods again. Costs, measured by
`benchmarks/watch_cache.py`: see docs/watch-cache.md.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Protocol

import msgspec
from msgspec import Raw

from berth_api.annotations import HINT_ANSWERS, SYSTEM_NAMESPACE
from berth_api.packing_plan import PackingPlan
from berth_api.packing_policy import PackingPolicy
from berth_api.reasons import Reason
from berth_cluster.budgets import BudgetIndex
from berth_cluster.config_maps import ConfigMapStore, WireConfigMap
from berth_cluster.connection import Connection
from berth_cluster.custom_objects import WireCustom, read_plan, read_policy
from berth_cluster.decoding import MALFORMED, field_error
from berth_cluster.errors import FieldError
from berth_cluster.findings import Findings
from berth_cluster.gangs import Groups
from berth_cluster.leases import Lease, WireLease
from berth_cluster.objects import (
    Job,
    Meta,
    PersistentVolume,
    PodGroup,
    StorageClass,
    VolumeClaim,
    WireBudget,
    WireNode,
    WirePriorityClass,
)
from berth_cluster.outage import Outage
from berth_cluster.owner_index import OwnerIndex
from berth_cluster.pod_index import PodIndex
from berth_cluster.pod_objects import WirePod
from berth_cluster.pods import Context, PodReader
from berth_cluster.reflector import Collection, Reflector
from berth_cluster.snapshot import Labels, Node, Pod, Snapshot
from berth_cluster.stores import (
    BudgetStore,
    ClaimStore,
    ClassStore,
    CustomStore,
    GroupStore,
    LeaseStore,
    NamespaceStore,
    NodeStore,
    OwnerStore,
    StorageClassStore,
    VolumeStore,
)
from berth_cluster.volumes import Volumes
from berth_cluster.watching import Pace

_LOG = logging.getLogger(__name__)

LISTENER_FAILED = "ListenerFailed"


class Kind(StrEnum):
    NODES = "nodes"
    PODS = "pods"
    NAMESPACES = "namespaces"
    BUDGETS = "budgets"
    PRIORITY_CLASSES = "priorityclasses"
    OWNERS = "owners"  # ReplicaSets, Deployments, StatefulSets ...: metadata only
    JOBS = "jobs"
    VOLUMES = "volumes"  # PersistentVolumes, their claims and classes
    GROUPS = "groups"  # PodGroups of Kubernetes and of other schedulers
    PLANS = "plans"
    POLICIES = "policies"
    LEASES = "leases"  # of the system namespace
    HINT_ANSWERS = "hintanswers"  # one ConfigMap of the system namespace: what a language model made of hints


EVERYTHING = frozenset(Kind)
FOR_EXTENDER = frozenset(
    (
        Kind.NODES,
        Kind.PODS,
        Kind.NAMESPACES,
        Kind.OWNERS,
        Kind.JOBS,
        Kind.GROUPS,
        Kind.PLANS,
        Kind.POLICIES,
        Kind.LEASES,
        Kind.HINT_ANSWERS,
    )
)

_OWNERS = (
    ("/apis/apps/v1/replicasets", "ReplicaSet", False),
    ("/apis/apps/v1/deployments", "Deployment", False),
    ("/apis/apps/v1/statefulsets", "StatefulSet", False),
    ("/apis/apps/v1/daemonsets", "DaemonSet", False),
    ("/apis/batch/v1/cronjobs", "CronJob", False),
    ("/api/v1/replicationcontrollers", "ReplicationController", False),
    ("/apis/leaderworkerset.x-k8s.io/v1/leaderworkersets", "LeaderWorkerSet", True),
)
_NATIVE_GROUPS = (
    "/apis/scheduling.k8s.io/v1beta1/podgroups",
    "/apis/scheduling.k8s.io/v1alpha3/podgroups",
    "/apis/scheduling.k8s.io/v1alpha2/podgroups",
)
"""Kubernetes 1.37 has the first two behind feature gates, 1.36 the last."""
_FOREIGN_GROUPS = (
    "/apis/scheduling.x-k8s.io/v1alpha1/podgroups",
    "/apis/scheduling.volcano.sh/v1beta1/podgroups",
    "/apis/scheduling.run.ai/v2alpha2/podgroups",
)


class Listener(Protocol):
    """Called on the event loop, after the cache holds the new state. `old` None: new; `new` None: gone."""

    def node_changed(self, old: Node | None, new: Node | None) -> None: ...

    def pod_changed(self, old: Pod | None, new: Pod | None) -> None:
        """new None: deleted, or it has finished."""

    def plan_changed(self, old: PackingPlan | None, new: PackingPlan | None) -> None: ...

    def policy_changed(self, old: PackingPolicy | None, new: PackingPolicy | None) -> None: ...

    def lease_changed(self, old: Lease | None, new: Lease | None) -> None: ...


class LiveCluster:
    def __init__(
        self,
        connection: Connection,
        *,
        kinds: frozenset[Kind] = EVERYTHING,
        system_namespace: str = SYSTEM_NAMESPACE,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        pace: Pace = Pace(),  # noqa: B008 (a frozen value)
    ) -> None:
        self.restarts: Counter[str] = Counter()
        """Lists and watches begun again, objects left out, and listeners that failed, by reason."""
        self._connection = connection
        self._kinds = kinds
        self._clock = clock
        self._now = now
        self._pace = pace
        self._outage = Outage(clock)
        self._listeners: list[Listener] = []
        self._snapshot: Snapshot | None = None
        findings = _LoggedFindings()
        self._nodes: dict[str, Node] = {}
        self._namespaces: dict[str, Labels] = {}
        self._classes: dict[str, WirePriorityClass] = {}
        budgets = BudgetIndex()
        self._owners = OwnerIndex()
        self._volumes = Volumes(ignored=Kind.VOLUMES not in kinds)
        self._groups = Groups()
        self._reader = PodReader(
            Context(self._owners.owners, self._volumes, self._groups, self._namespaces, self._classes, findings)
        )
        self._pods = PodIndex(self._reader, self._owners, self._nodes, budgets, self._pod_changed)
        self._node_store = NodeStore(self._nodes, findings)
        self._node_store.pods = self._pods
        self._node_store.changed = self._node_changed
        self._namespace_store = NamespaceStore(self._namespaces, self._pods)
        self._class_store = ClassStore(self._classes)
        self._budget_store = BudgetStore(budgets, findings, self._pods)
        self._lease_store = LeaseStore(system_namespace)
        self._lease_store.changed = self._lease_changed
        self._answer_store = ConfigMapStore(system_namespace, HINT_ANSWERS)
        self._plan_store = CustomStore(read_plan)
        self._plan_store.changed = self._plan_changed
        self._policy_store = CustomStore(read_policy)
        self._policy_store.changed = self._policy_changed
        self._decode_pod = msgspec.json.Decoder(WirePod).decode
        self._reflectors: dict[str, Reflector[Any]] = {}
        self._first: frozenset[str] = frozenset()
        self._describe(system_namespace)

    # What is known

    @property
    def synced(self) -> bool:
        """Every collection has been listed, or is known to be absent."""
        return all(reflector.synced.is_set() for reflector in self._reflectors.values())

    @property
    def plans(self) -> Mapping[str, PackingPlan]:
        return MappingProxyType(self._plan_store.objects)

    @property
    def policies(self) -> Mapping[str, PackingPolicy]:
        return MappingProxyType(self._policy_store.objects)

    @property
    def leases(self) -> Mapping[str, Lease]:
        return MappingProxyType(self._lease_store.leases)

    @property
    def hint_answers(self) -> Mapping[str, str]:
        """Data of the ConfigMap; another object when it has changed. Whoever can write there wrote it: believe nothing of it."""
        return self._answer_store.data

    def pod(self, namespace: str, name: str) -> Pod | None:
        return self._pods.pods.get((namespace, name))

    def pod_by_uid(self, uid: str) -> Pod | None:
        return self._pods.by_uid.get(uid)

    def node(self, name: str) -> Node | None:
        return self._nodes.get(name)

    def nodes(self) -> Iterable[Node]:
        return self._nodes.values()

    def lies_on_node(self, namespace: str, claim: str) -> bool:
        """A claim's volume is a folder of the node itself."""
        return self._volumes.lies_on_node(namespace, claim)

    def read_pod(self, text: bytes | Raw) -> Pod:
        """A pod that the watch may not have shown yet, with the owners known so far. Raises FieldError."""
        try:
            wire = self._decode_pod(text)
        except MALFORMED as error:
            raise field_error(error) from error
        found = self._reader.read(wire)
        if found is None:
            raise FieldError("status.phase", "the pod has finished")
        pod, membership = found
        gang = self._pods.gang_with((pod.namespace, pod.name), membership)
        return pod if gang is None else msgspec.structs.replace(pod, gang=gang)

    def snapshot(self) -> Snapshot:
        """Immutable; the same object until something in it changes. Pods on nodes that are not known are left out."""
        nodes, pods, budgets = self._node_store.ordered, self._pods.standing, self._budget_store.ordered
        before = self._snapshot
        if before is not None and not (
            nodes.is_changed
            or pods.is_changed
            or budgets.is_changed
            or self._namespace_store.is_changed
            or self._class_store.is_changed
        ):
            return before
        if before is None or self._namespace_store.is_changed:
            namespaces: Mapping[str, Labels] = dict(sorted(self._namespaces.items()))
        else:
            namespaces = before.namespaces
        if before is None or self._class_store.is_changed:
            classes: Mapping[str, int] = {name: c.value for name, c in sorted(self._classes.items())}
        else:
            classes = before.priority_classes
        self._namespace_store.is_changed = self._class_store.is_changed = False
        self._snapshot = Snapshot(
            nodes=nodes.values(),
            pods=pods.values(),
            budgets=budgets.values(),
            namespaces=namespaces,
            priority_classes=classes,
            taken=self._now().strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        )
        return self._snapshot

    def resource_versions(self) -> dict[str, str]:
        """Of each collection as last seen, by its plural name."""
        return {name: reflector.version for name, reflector in self._reflectors.items() if reflector.version}

    def staleness(self) -> float:
        """Seconds since the quietest of the required collections last said anything. Watches that have nothing to say are
        renewed before that reaches `Pace.silence`, so much more than that means that the API server is out of reach."""
        heard = [r.heard for r in self._reflectors.values() if not r.collection.optional]
        return self._clock() - min(heard) if heard else 0.0

    # Keeping it so

    async def run(self) -> None:
        """All reflectors, until cancelled; never ends by itself."""
        async with asyncio.TaskGroup() as group:
            for name, reflector in self._reflectors.items():
                group.create_task(self._run_pods() if name == Kind.PODS else reflector.run(), name=f"watch {name}")

    async def wait_synced(self, timeout: float) -> bool:
        return await _all_synced(self._reflectors.values(), timeout)

    def listen(self, listener: Listener) -> None:
        """It hears of everything that is known, then of every change."""
        self._listeners.append(listener)
        for node in self._node_store.ordered.values():
            self._tell(listener.node_changed, None, node)
        for pod in tuple(self._pods.pods.values()):
            self._tell(listener.pod_changed, None, pod)
        for lease in tuple(self._lease_store.leases.values()):
            self._tell(listener.lease_changed, None, lease)
        for policy in tuple(self._policy_store.objects.values()):
            self._tell(listener.policy_changed, None, policy)
        for plan in tuple(self._plan_store.objects.values()):
            self._tell(listener.plan_changed, None, plan)

    async def _run_pods(self) -> None:
        others = [r for name, r in self._reflectors.items() if name in self._first]
        if not await _all_synced(others, self._pace.first_kinds):
            late = sorted(r.collection.path for r in others if not r.synced.is_set())
            _LOG.info("pods are listed before %s; what they refer to there is joined in later", ", ".join(late))
        await self._reflectors[Kind.PODS].run()

    def _describe(self, system_namespace: str) -> None:
        """Which collections, into which stores."""
        kinds, pods, volumes = self._kinds, self._pods, self._volumes
        if Kind.NODES in kinds:
            self._reflect(Collection("/api/v1/nodes", WireNode), self._node_store)
        if Kind.NAMESPACES in kinds:
            self._reflect(Collection("/api/v1/namespaces", Meta, metadata_only=True), self._namespace_store)
        if Kind.OWNERS in kinds:
            for path, kind, optional in _OWNERS:
                self._reflect(
                    Collection(path, Meta, optional=optional, metadata_only=True),
                    OwnerStore(kind, self._owners, pods),
                )
        if Kind.JOBS in kinds:
            self._reflect(Collection("/apis/batch/v1/jobs", Job), OwnerStore("Job", self._owners, pods))
        if Kind.PRIORITY_CLASSES in kinds:
            path = "/apis/scheduling.k8s.io/v1/priorityclasses"
            self._reflect(Collection(path, WirePriorityClass, optional=True), self._class_store)
        if Kind.VOLUMES in kinds:
            self._reflect(
                Collection("/api/v1/persistentvolumeclaims", VolumeClaim, optional=True), ClaimStore(volumes, pods)
            )
            self._reflect(
                Collection("/api/v1/persistentvolumes", PersistentVolume, optional=True), VolumeStore(volumes, pods)
            )
            self._reflect(
                Collection("/apis/storage.k8s.io/v1/storageclasses", StorageClass, optional=True),
                StorageClassStore(volumes, pods),
            )
        if Kind.GROUPS in kinds:
            native = Collection(_NATIVE_GROUPS[0], PodGroup, optional=True, older_paths=_NATIVE_GROUPS[1:])
            self._reflect(native, GroupStore(self._groups, False, pods))
            for path in _FOREIGN_GROUPS:
                self._reflect(Collection(path, PodGroup, optional=True), GroupStore(self._groups, True, pods))
        self._first = frozenset(self._reflectors)
        if Kind.PODS in kinds:
            self._reflect(Collection("/api/v1/pods", WirePod), pods)
        if Kind.BUDGETS in kinds:
            self._reflect(Collection("/apis/policy/v1/poddisruptionbudgets", WireBudget), self._budget_store)
        if Kind.POLICIES in kinds:
            path = "/apis/berth.dev/v1alpha1/packingpolicies"
            self._reflect(Collection(path, WireCustom, optional=True), self._policy_store)
        if Kind.PLANS in kinds:
            path = "/apis/berth.dev/v1alpha1/packingplans"
            self._reflect(Collection(path, WireCustom, optional=True), self._plan_store)
        if Kind.LEASES in kinds:
            path = f"/apis/coordination.k8s.io/v1/namespaces/{system_namespace}/leases"
            self._reflect(Collection(path, WireLease, optional=True), self._lease_store)
        if Kind.HINT_ANSWERS in kinds:
            path = f"/api/v1/namespaces/{system_namespace}/configmaps"
            self._reflect(Collection(path, WireConfigMap, optional=True, only=HINT_ANSWERS), self._answer_store)

    def _reflect(self, collection: Collection[Any], store: Any) -> None:
        name = collection.path.rsplit("/", 1)[1]
        if name in self._reflectors:
            name = f"{name}.{collection.path.split('/')[2]}"
        self._reflectors[name] = Reflector(
            self._connection, collection, store, self.restarts, self._pace, self._clock, outage=self._outage
        )

    # Telling

    def _node_changed(self, old: Node | None, new: Node | None) -> None:
        for listener in self._listeners:
            self._tell(listener.node_changed, old, new)

    def _pod_changed(self, old: Pod | None, new: Pod | None) -> None:
        for listener in self._listeners:
            self._tell(listener.pod_changed, old, new)

    def _plan_changed(self, old: PackingPlan | None, new: PackingPlan | None) -> None:
        for listener in self._listeners:
            self._tell(listener.plan_changed, old, new)

    def _policy_changed(self, old: PackingPolicy | None, new: PackingPolicy | None) -> None:
        for listener in self._listeners:
            self._tell(listener.policy_changed, old, new)

    def _lease_changed(self, old: Lease | None, new: Lease | None) -> None:
        for listener in self._listeners:
            self._tell(listener.lease_changed, old, new)

    def _tell(self, tell: Callable[[Any, Any], None], old: object, new: object) -> None:
        """A listener that fails must not keep the others, or the cache, from going on."""
        try:
            tell(old, new)
        except Exception:
            self.restarts[LISTENER_FAILED] += 1
            _LOG.exception("a listener failed on a change; it may know less than the cache does")


class _LoggedFindings(Findings):
    """Each odd thing is said once in the log, with its first example."""

    def __init__(self) -> None:
        super().__init__()
        self._said: set[tuple[Reason, str]] = set()

    def add(self, reason: Reason, message: str, example: str = "") -> None:
        if (reason, message) not in self._said:
            self._said.add((reason, message))
            _LOG.info("%s: %s (%s)", reason, message, example)


async def _all_synced(reflectors: Iterable[Reflector[Any]], timeout: float) -> bool:
    try:
        async with asyncio.timeout(timeout):
            for reflector in reflectors:
                await reflector.synced.wait()
    except TimeoutError:
        return False
    return True
