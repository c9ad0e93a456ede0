"""The pods of a live cluster, each as it stands with everything that it refers to as far as that is known.

A pod is kept twice: as the record of what it says by itself, and as the finished `Pod`. When an owner, a claim, a group, a
namespace or a budget changes, the pods that depend on it are finished again from their records, and whoever listens hears
of those that came out different. About 1 KB a pod.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec

from berth_api.reasons import Reason
from berth_cluster.budgets import BudgetIndex
from berth_cluster.errors import FieldError
from berth_cluster.gangs import Membership, minimums
from berth_cluster.matching import labels_of, selector_matches
from berth_cluster.ordered import Ordered
from berth_cluster.owner_index import OwnerIndex, PodKey
from berth_cluster.owners import Place
from berth_cluster.pod_objects import WirePod
from berth_cluster.pods import DEFAULT_NAMESPACE, PodReader, PodRecord
from berth_cluster.snapshot import Gang, LabelSelector, Node, Pod
from berth_cluster.volumes import claim_made

PodChanged = Callable[[Pod | None, Pod | None], None]


class PodIndex:
    """A `Store` of pods. The stores of everything else tell it whom their changes concern."""

    def __init__(
        self,
        reader: PodReader,
        owners: OwnerIndex,
        nodes: Mapping[str, Node],
        budgets: BudgetIndex,
        changed: PodChanged,
    ) -> None:
        self.pods: dict[PodKey, Pod] = {}
        self.by_uid: dict[str, Pod] = {}
        self.standing: Ordered[PodKey, Pod] = Ordered()
        """Those that a snapshot holds: waiting, or on a node that is known."""
        self._reader = reader
        self._owners = owners
        self._nodes = nodes
        self._budgets = budgets
        self._changed = changed
        self._records: dict[PodKey, PodRecord] = {}
        self._on_node: dict[str, set[PodKey]] = {}
        self._using: dict[tuple[str, str], set[PodKey]] = {}
        """By claim."""
        self._selecting: set[PodKey] = set()
        """Pods whose terms select namespaces by label."""
        self._memberships: dict[PodKey, Membership] = {}
        self._members: dict[str, dict[PodKey, Membership]] = {}
        self._gangs: dict[str, Gang] = {}

    # A store of pods

    def put(self, wire: WirePod) -> None:
        record = self._reader.record(wire)
        if record is None:
            self.remove((wire.metadata.namespace or DEFAULT_NAMESPACE, wire.metadata.name))
            return
        key = (record.namespace, record.name)
        before = self._records.get(key)
        if before is not None and before.uid != record.uid:
            self.remove(key)  # another pod of the same name: the first one's end was not seen
            before = None
        self._records[key] = record
        if before is None:
            self._link(key, record)
        elif (before.owner, before.volumes, before.template) != (record.owner, record.volumes, record.template):
            self._unlink(key, before)
            self._link(key, record)
        try:
            self._finish(key, record)
        except FieldError:
            self.remove(key)
            raise

    def remove(self, place: PodKey) -> None:
        record = self._records.pop(place, None)
        if record is None:
            return
        self._unlink(place, record)
        pod = self.pods.pop(place, None)
        gang = self._leave(place)
        if pod is not None:
            if self.by_uid.get(pod.uid) is pod:
                del self.by_uid[pod.uid]
            self._take_off(place, pod)
            self._changed(pod, None)
        self._follow(gang)

    def places(self) -> Sequence[PodKey]:
        return tuple(self._records)

    # What others tell

    def refresh(self, keys: Iterable[PodKey]) -> None:
        """Finishes pods again: something that they refer to has changed."""
        for key in tuple(keys):
            record = self._records.get(key)
            if record is None:
                continue
            try:
                self._finish(key, record)
            except FieldError:
                self.remove(key)  # a volume's terms, say, that nobody can read

    def users_of(self, claim: tuple[str, str]) -> Iterable[PodKey]:
        return self._using.get(claim, ())

    def users_of_claims(self) -> Iterable[PodKey]:
        return {key for keys in self._using.values() for key in keys}

    def namespaces_changed(self) -> None:
        self._reader.namespaces_changed()
        self.refresh(self._selecting)

    def grouped(self, namespace: str) -> Iterable[PodKey]:
        """Pods of a namespace that name a group of pods."""
        return [key for key in self._memberships if key[0] == namespace]

    def budget_changed(self, namespace: str, selectors: Sequence[LabelSelector | None]) -> None:
        """One of the namespace came, went or selects others now: what it selected, and what it selects."""
        there = ((key, labels_of(pod.spec)) for key, pod in self.pods.items() if key[0] == namespace)
        self.refresh([key for key, labels in there if any(selector_matches(s, labels) for s in selectors)])

    def node_changed(self, name: str) -> None:
        """It has come or gone: pods on it join or leave the snapshot."""
        for key in self._on_node.get(name, ()):
            if name in self._nodes:
                self.standing.put(key, self.pods[key])
            else:
                self.standing.remove(key)

    def gang_with(self, key: PodKey, membership: Membership) -> Gang | None:
        """The gang as it is once this pod is known too: it may be the first member."""
        if not membership.key:
            return None
        others = {other: found for other, found in self._members.get(membership.key, {}).items() if other != key}
        return minimums([*others.values(), membership])[membership.key]

    # One pod

    def _finish(self, key: PodKey, record: PodRecord) -> None:
        pod, membership = self._reader.resolve(record)
        moved = self._join(key, membership, record)
        gang = self._gangs.get(membership.key)
        if gang is not None:
            pod = msgspec.structs.replace(pod, gang=gang)
        if self._budgets.count(pod.namespace, pod.spec) > 1:
            pod = msgspec.structs.replace(pod, immovable=(*pod.immovable, Reason.MANY_BUDGETS))
        self._publish(key, pod)
        self._follow(moved)

    def _publish(self, key: PodKey, pod: Pod) -> None:
        old, same = self.pods.get(key), False
        if old is not None:
            same = _only_version_differs(old, pod)
            if same and old.resource_version == pod.resource_version:
                return
            if old.node != pod.node:
                self._take_off(key, old)
        self.pods[key] = pod
        if pod.uid:
            self.by_uid[pod.uid] = pod
        if pod.node is not None:
            self._on_node.setdefault(pod.node, set()).add(key)
        if pod.node is None or pod.node in self._nodes:
            self.standing.put(key, pod)
        if not same:
            self._changed(old, pod)

    def _take_off(self, key: PodKey, pod: Pod) -> None:
        self.standing.remove(key)
        if pod.node is not None and (there := self._on_node.get(pod.node)) is not None:
            there.discard(key)
            if not there:
                del self._on_node[pod.node]

    def _link(self, key: PodKey, record: PodRecord) -> None:
        if record.owner is not None:
            self._owners.link(key, _owner(record))
        for claim in _claims(record):
            self._using.setdefault(claim, set()).add(key)
        if record.template.affinity.selects_namespaces:
            self._selecting.add(key)

    def _unlink(self, key: PodKey, record: PodRecord) -> None:
        if record.owner is not None:
            self._owners.unlink(key, _owner(record))
        for claim in _claims(record):
            users = self._using.get(claim)
            if users is not None:
                users.discard(key)
                if not users:
                    del self._using[claim]
        self._selecting.discard(key)

    # Gangs: their least number may depend on how many members there are

    def _join(self, key: PodKey, membership: Membership, record: PodRecord) -> list[str]:
        """Names the gangs that are others now."""
        before = self._memberships.get(key)
        if before == membership:
            return []
        moved = self._leave(key)
        if membership.key or record.group is not None or record.workload_ref is not None:
            self._memberships[key] = membership
        if membership.key:
            self._members.setdefault(membership.key, {})[key] = membership
            moved.append(membership.key)
        return [name for name in dict.fromkeys(moved) if self._count(name)]

    def _leave(self, key: PodKey) -> list[str]:
        membership = self._memberships.pop(key, None)
        if membership is None or not membership.key:
            return []
        members = self._members[membership.key]
        del members[key]
        if not members:
            del self._members[membership.key]
        return [membership.key]

    def _count(self, name: str) -> bool:
        """Whether the gang's least number is another now."""
        before = self._gangs.get(name)
        after = minimums(self._members.get(name, {}).values()).get(name)
        if after is None:
            self._gangs.pop(name, None)
        else:
            self._gangs[name] = after
        return before != after

    def _follow(self, gangs: Iterable[str]) -> None:
        for name in gangs:
            self._count(name)
            gang = self._gangs.get(name)
            for key in tuple(self._members.get(name, ())):
                pod = self.pods.get(key)
                if pod is not None and pod.gang != gang:
                    self._publish(key, msgspec.structs.replace(pod, gang=gang))


def _owner(record: PodRecord) -> Place:
    assert record.owner is not None
    return (record.namespace, record.owner.kind, record.owner.name)


def _claims(record: PodRecord) -> list[tuple[str, str]]:
    return [
        (record.namespace, use.claim or claim_made(record.name, use.made_for))
        for use in record.volumes
        if use.claim or use.made_for
    ]


def _only_version_differs(old: Pod, new: Pod) -> bool:
    """In nothing that anybody decides on."""
    return msgspec.structs.replace(old, resource_version=new.resource_version) == new
